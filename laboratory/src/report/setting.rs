//! The setting of an experiment in sentences: model, network, rules, miners, events, and what is swept.

use super::words::{self, Kind};
use crate::model::Setting;
use crate::network::{NetworkSetting, PresetName};
use crate::plan::Plan;
use crate::scenario::{Event, Miner, ModelName, spelt};
use crate::strategy::StrategyName;

/// Miners and events that are described one by one.
const MANY: usize = 6;

/// The setting in sentences. What a sweep changes is described once, as swept.
pub fn setting(plan: &Plan) -> Vec<String> {
    let scenario = plan.scenario();
    let mut sentences = vec![model(plan)];
    sentences.extend(plan.setting(0).and_then(|first| network(plan, first)));
    sentences.extend(plan.setting(0).map(|first| rules(plan, first)));
    sentences.extend(miners(plan));
    sentences.extend(scenario.event.iter().take(MANY).map(|event| change(plan, event)));
    let swept = scenario.sweep.iter().map(|(key, values)| {
        let values = values.to_string();
        format!("Swept: {} ({key}), {}.", words::key(key).0, values.trim_matches('"'))
    });
    sentences.extend(swept);
    sentences
}

/// How many runs there are, and what ± means.
pub(super) fn runs(plan: &Plan) -> String {
    let scenario = plan.scenario();
    let points = plan.points().len();
    let settings = if points == 1 { "1 setting".to_owned() } else { format!("{points} settings, each") };
    let times = |count: u64| if count == 1 { "once".to_owned() } else { format!("{count} times") };
    let often = match scenario.measure.until {
        None => times(scenario.repeat),
        Some(until) => format!("in batches of {}, at most {}", scenario.repeat, times(until.at_most)),
    };
    let (blocks, seed, confidence) = (scenario.blocks, scenario.seed, scenario.measure.confidence * 100.0);
    format!(
        "{settings} run {often} with {blocks} blocks and seeds of its own that follow from seed {seed}. ± is half of \
         the {confidence} % confidence interval."
    )
}

fn is_swept(plan: &Plan, key: &str) -> bool {
    plan.scenario().sweep.contains_key(key)
}

fn either(is_swept: bool, swept: &str, fixed: String) -> String {
    if is_swept { swept.to_owned() } else { fixed }
}

fn model(plan: &Plan) -> String {
    let scenario = plan.scenario();
    let known = ModelName::ALL.iter().find(|(model, ..)| *model == scenario.model);
    let (name, words) = known.map_or(("", ""), |(_, name, words)| (name, words));
    let has_ties = scenario
        .miner
        .iter()
        .any(|miner| matches!(miner.strategy, StrategyName::Selfish | StrategyName::Stubborn | StrategyName::Policy));
    let gamma = match plan.setting(0).and_then(Setting::gamma) {
        Some(gamma) if has_ties && !is_swept(plan, "network.gamma") => {
            format!(" In a tie, a share of gamma = {gamma} of the others mines on its branch.")
        }
        Some(_) if has_ties => " In a tie, a swept share of the others, gamma, mines on its branch.".to_owned(),
        _ => String::new(),
    };
    format!("Model {name}: {words}.{gamma}")
}

fn network(plan: &Plan, first: &Setting) -> Option<String> {
    let nodes = |network: &NetworkSetting| {
        let preset = PresetName::ALL.iter().find(|(preset, ..)| *preset == network.preset);
        let place = if is_swept(plan, "network.preset") {
            "a swept preset".to_owned()
        } else if network.preset == PresetName::Uniform {
            format!("{} ms a message, a gigabit a second", network.latency_ms)
        } else {
            preset.map_or("", |(.., words)| words).to_owned()
        };
        let count = either(is_swept(plan, "network.nodes"), "a swept number of", network.nodes.to_string());
        format!("Network: {count} nodes; {place}.")
    };
    let size = |bytes: u64| {
        let size = Kind::Bytes.text(bytes as f64);
        format!("Blocks have {}", either(is_swept(plan, "network.block_bytes"), "a swept size", size))
    };
    match first {
        Setting::Race(_) => None,
        Setting::Links(links) => {
            let graph = plan.scenario().network.graph.map_or_else(|| "degrees".to_owned(), |graph| spelt(&graph));
            Some(format!("Network: {} miners; graph {graph}.", links.miners.len()))
        }
        Setting::Relay(relay) => {
            let mode = either(is_swept(plan, "network.relay"), "in a swept way", format!("by {}", spelt(&relay.mode)));
            Some(format!("{} {} and are passed on {mode}.", nodes(&relay.network), size(relay.block_bytes)))
        }
        Setting::Core(core) => Some(format!("{} {}.", nodes(&core.network), size(core.block_bytes))),
    }
}

fn rules(plan: &Plan, first: &Setting) -> String {
    let params = match first {
        Setting::Race(race) => &race.params,
        Setting::Links(links) => &links.params,
        Setting::Relay(relay) => &relay.params,
        Setting::Core(core) => &core.params,
    };
    let interval = Kind::Time.text(params.block_interval_ms as f64);
    let interval = either(is_swept(plan, "consensus.block_interval_ms"), "swept interval", interval);
    let rule = format!("retarget rule {}", format!("{:?}", params.retarget).to_lowercase());
    let rule = either(is_swept(plan, "consensus.retarget"), "a swept retarget rule", rule);
    format!("Rules: a block every {interval} on average; {rule}.")
}

fn miners(plan: &Plan) -> Vec<String> {
    let miners = &plan.scenario().miner;
    let weights: f64 = miners.iter().filter_map(|miner| miner.share).sum();
    miners.iter().take(MANY).map(|miner| one_miner(plan, miner, weights.max(1.0))).collect()
}

/// `weights` is the sum of shares where they are weights, else 1.
fn one_miner(plan: &Plan, miner: &Miner, weights: f64) -> String {
    let key = |key: &str| format!("miner.{}.{key}", miner.name);
    let share = match miner.share {
        _ if is_swept(plan, &key("share")) => "a swept share".to_owned(),
        Some(share) => format!("{} %", (share / weights * 1000.0).round() / 10.0),
        None => "no share".to_owned(),
    };
    let waits = match miner.confirmations {
        _ if miner.strategy != StrategyName::DoubleSpend => String::new(),
        _ if is_swept(plan, &key("confirmations")) => "; its victim waits for a swept number of blocks".to_owned(),
        confirmations => format!("; its victim waits for {} confirmations", confirmations.unwrap_or(6)),
    };
    format!("Miner {}: {}, with {share} of the hash rate{waits}.", miner.name, spelt(&miner.strategy))
}

fn change(plan: &Plan, event: &Event) -> String {
    let key = |key: &str| format!("event.{}.{key}", event.name);
    let lasts = |part: &str, duration: &Option<String>| match duration {
        _ if is_swept(plan, &key(&format!("{part}.for"))) => ", for a swept time".to_owned(),
        Some(duration) => format!(", for {duration}"),
        None => ", until the end".to_owned(),
    };
    let times = |part: &str, factor: f64| {
        either(is_swept(plan, &key(&format!("{part}.factor"))), "a swept multiple of", format!("{factor} times"))
    };
    let change = if let Some(cut) = &event.partition {
        let half = either(is_swept(plan, &key("partition.half")), "a swept part of the nodes", nodes(&cut.half));
        format!("the links between {half} and the others are cut{}", lasts("partition", &cut.duration))
    } else if let Some(rate) = &event.hash_rate {
        let of = rate.of.as_deref().unwrap_or("all");
        format!(
            "the hash rate of {} is {} what it was{}",
            nodes(of),
            times("hash_rate", rate.factor),
            lasts("hash_rate", &rate.duration)
        )
    } else if let Some(latency) = &event.latency {
        format!(
            "messages take {} what they took{}",
            times("latency", latency.factor),
            lasts("latency", &latency.duration)
        )
    } else {
        "something changes".to_owned()
    };
    format!("At {}: {change}.", event.at)
}

/// A group of nodes: `region europe`, or `30 % of the nodes`.
fn nodes(group: &str) -> String {
    match group {
        "all" => "all nodes".to_owned(),
        _ if group.ends_with('%') => format!("{group} of the nodes"),
        _ => group.to_owned(),
    }
}
