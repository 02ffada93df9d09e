//! The questions, their sliders, and the scenarios that they make. Values outside of a slider are moved to its end, so
//! an experiment never costs more than its largest one: about a second.

use runtime::server::Number;
use serde::Deserialize;

/// A question of the page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Question {
    /// How many confirmations are enough.
    #[default]
    Confirmations,
    /// From which share on selfish mining pays.
    Selfish,
    /// How fast the links of a selfish pool must be.
    Links,
    /// What a shorter interval costs.
    Interval,
}

impl Question {
    pub(super) const ALL: [Self; 4] = [Self::Confirmations, Self::Selfish, Self::Links, Self::Interval];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Confirmations => "confirmations",
            Self::Selfish => "selfish",
            Self::Links => "links",
            Self::Interval => "interval",
        }
    }

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Confirmations => "How many confirmations are enough?",
            Self::Selfish => "When does selfish mining pay?",
            Self::Links => "How fast must the links of a selfish pool be?",
            Self::Interval => "What does a shorter interval cost?",
        }
    }
}

/// The experiment, as the address of the page has it.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LabQuery {
    /// `confirmations`, `selfish`, `links` or `interval`.
    #[param(value_type = Option<String>, nullable = false, pattern = "^(confirmations|selfish|links|interval)$")]
    question: Question,
    /// The attacker's share of the hash rate, in per cent.
    #[param(inline, nullable = false)]
    share: Option<Number>,
    /// The share of the others that mines on the attacker's branch in a tie, in per cent.
    #[param(inline, nullable = false)]
    gamma: Option<Number>,
    /// Nodes of the network.
    #[param(inline, nullable = false)]
    nodes: Option<Number>,
    /// What a message takes, in milliseconds.
    #[param(inline, nullable = false)]
    latency: Option<Number>,
    /// From which all chance follows.
    #[param(inline, nullable = false)]
    seed: Option<Number>,
}

/// A slider: a name, bounds, and the value that it stands on.
pub(super) struct Slider {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) unit: &'static str,
    pub(super) least: u64,
    pub(super) most: u64,
    pub(super) step: u64,
    pub(super) value: u64,
}

const SHARE: Slider = slider("share", "Share of the hash rate", "%", (1, 49, 1), 30);
const GAMMA: Slider = slider("gamma", "Others that mine on the attacker's branch in a tie", "%", (0, 100, 5), 50);
const NODES: Slider = slider("nodes", "Nodes", "", (20, 100, 10), 50);
const LATENCY: Slider = slider("latency", "What a message takes", "ms", (0, 1000, 50), 200);

const fn slider(
    name: &'static str,
    label: &'static str,
    unit: &'static str,
    (least, most, step): (u64, u64, u64),
    value: u64,
) -> Slider {
    Slider { name, label, unit, least, most, step, value }
}

impl Slider {
    const fn at(self, wanted: Option<Number>) -> Self {
        let value = match wanted {
            Some(Number(wanted)) if wanted < self.least => self.least,
            Some(Number(wanted)) if wanted > self.most => self.most,
            Some(Number(wanted)) => wanted,
            None => self.value,
        };
        Self { value, ..self }
    }
}

impl LabQuery {
    pub(super) const fn question(&self) -> Question {
        self.question
    }

    pub(super) fn seed(&self) -> u64 {
        self.seed.map_or(42, |Number(seed)| seed).min(999_999)
    }

    /// The sliders that the question has.
    pub(super) fn sliders(&self) -> Vec<Slider> {
        match self.question {
            Question::Confirmations => vec![SHARE.at(self.share)],
            Question::Selfish => vec![GAMMA.at(self.gamma)],
            Question::Links => vec![SHARE.at(self.share), NODES.at(self.nodes)],
            Question::Interval => vec![NODES.at(self.nodes), LATENCY.at(self.latency)],
        }
    }

    /// The experiment as a scenario of the laboratory.
    pub(super) fn scenario(&self) -> String {
        let (title, seed) = (self.question.title(), self.seed());
        let share = SHARE.at(self.share).value as f64 / 100.0;
        let (nodes, latency_ms) = (NODES.at(self.nodes).value, LATENCY.at(self.latency).value);
        let head = |question: &str, model: &str, repeat: u64, blocks: u64| {
            format!(
                "title = \"{title}\"\nquestion = \"{question}\"\nmodel = \"{model}\"\nseed = {seed}\n\
                 repeat = {repeat}\n\
                 blocks = {blocks}\n"
            )
        };
        match self.question {
            Question::Confirmations => {
                let ask = format!("How often does a thief with {share} of the hash rate undo a payment?");
                head(&ask, "race", 10, 5000)
                    + &format!(
                        "[[miner]]\nname = \"thief\"\nshare = {share}\nstrategy = \"double-spend\"\ngive_up = 20\n"
                    )
                    + "[sweep]\n\"miner.thief.confirmations\" = [1, 2, 3, 4, 6, 8, 10]\n[measure]\n\
                       quantities = [\"theft\"]\n[expect]\ncurve = \"double-spend\"\n"
            }
            Question::Selfish => {
                let gamma = GAMMA.at(self.gamma).value as f64 / 100.0;
                head("Which share of the main chain does a selfish miner have, by its hash rate?", "race", 20, 20_000)
                    + &format!("[network]\ngamma = {gamma:?}\n[[miner]]\nname = \"pool\"\nstrategy = \"selfish\"\n")
                    + "[sweep]\n\"miner.pool.share\" = \"0.05..0.45 by 0.05\"\n[measure]\nquantities = [\"share\"]\n\
                       [expect]\ncurve = \"eyal-sirer\"\n"
            }
            Question::Links => {
                let ask =
                    format!("Which share of the main chain does a selfish pool with {share} of the hash rate have?");
                head(&ask, "relay", 8, 500)
                    + &format!("[network]\nnodes = {nodes}\n[[miner]]\nname = \"pool\"\nshare = {share}\n")
                    + "strategy = \"selfish\"\n[sweep]\n\"miner.pool.link_ms\" = [0, 50, 100, 200, 400]\n[measure]\n\
                       quantities = [\"share\", \"gamma\"]\n[expect]\ncurve = \"eyal-sirer\"\n"
            }
            Question::Interval => {
                head("Which share of all blocks goes stale, by the time between blocks?", "relay", 8, 300)
                    + &format!("[network]\npreset = \"uniform\"\nnodes = {nodes}\nlatency_ms = {latency_ms}\n")
                    + "[sweep]\n\"consensus.block_interval_ms\" = [2000, 5000, 10000, 20000, 60000]\n[measure]\n\
                       quantities = [\"stale\"]\n"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use laboratory::plan::Plan;
    use shared::json::MAX_INTEGER;

    #[test]
    fn no_query_makes_an_experiment_that_is_wrong_or_larger_than_a_second() {
        for question in ["confirmations", "selfish", "links", "interval"] {
            for value in [0, 1, 37, MAX_INTEGER] {
                // A query's values are text.
                let value = value.to_string();
                let query: LabQuery = serde_json::from_value(serde_json::json!({
                    "question": question, "share": value, "gamma": value,
                    "nodes": value, "latency": value, "seed": value,
                }))
                .unwrap();
                let plan = Plan::read(&query.scenario(), &[], None).unwrap();
                assert!(plan.blocks() <= 4_000_000, "{question}: {}", plan.blocks());
            }
        }
    }
}
