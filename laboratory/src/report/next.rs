//! What to try next: commands that change the experiment a little. Each has been checked as `laboratory check` does.

use crate::network::PresetName;
use crate::plan::Plan;
use crate::scenario::ModelName;

/// Sweeps longer than this are not read again for each idea.
const MOST_POINTS: usize = 1000;
/// Values of a finer sweep.
const MOST_BETWEEN: usize = 5;

/// An idea, and the setting that carries it out.
struct Idea {
    words: &'static str,
    key: &'static str,
    value: String,
    out: &'static str,
}

/// At most two ideas, each with its command for `file`.
pub(super) fn next(plan: &Plan, file: &str) -> Vec<(&'static str, String)> {
    let is_cheap = plan.points().len() <= MOST_POINTS && plan.scenario().live.is_none();
    let more = if is_cheap { [between(plan), another(plan)] } else { [None, None] };
    let ideas = more.into_iter().flatten().filter(|idea| is_good(plan, idea)).chain([longer(plan)]);
    let command = |idea: &Idea| command(file, &[format!("{}={}", idea.key, idea.value)], idea.out);
    ideas.take(2).map(|idea| (idea.words, command(&idea))).collect()
}

/// The command that runs `file` with these settings, each KEY=VALUE, into the folder `out`.
pub fn command(file: &str, settings: &[String], out: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._=-/".contains(letter);
    let word = |text: &str| {
        if text.chars().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
    };
    let settings: String = settings.iter().map(|setting| format!(" --set {}", word(setting))).collect();
    format!("laboratory run {}{settings} --out {}", word(file), word(out))
}

/// Whether the idea makes a scenario that can run.
fn is_good(plan: &Plan, idea: &Idea) -> bool {
    let setting = (idea.key.to_owned(), idea.value.clone());
    Plan::read(&plan.canonical_text(), &[setting], None).is_ok()
}

/// The same sweep with values between those of its longest key of numbers.
fn between(plan: &Plan) -> Option<Idea> {
    let sweep = &plan.scenario().sweep;
    let values = |key: &str| -> Vec<&str> {
        let mut values = Vec::new();
        for point in plan.points() {
            let value = point.values.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str());
            if let Some(value) = value.filter(|value| !values.contains(value)) {
                values.push(value);
            }
        }
        values
    };
    let numbers = sweep.keys().map(|key| (key, values(key)));
    let numbers = numbers.filter(|(_, values)| values.iter().all(|value| value.parse::<f64>().is_ok()));
    let (key, values) = numbers.max_by_key(|(_, values)| values.len())?;
    let middles: Vec<String> =
        values.windows(2).filter_map(|pair| middle(pair[0], pair[1])).take(MOST_BETWEEN).collect();
    if middles.is_empty() {
        return None;
    }
    let middles = format!("[{}]", middles.join(", "));
    let parts = sweep.iter().map(|(known, values)| {
        let values = if known == key { middles.clone() } else { values.to_string() };
        format!("\"{known}\" = {values}")
    });
    let value = format!("{{ {} }}", parts.collect::<Vec<_>>().join(", "));
    Some(Idea { words: "The values in between:", key: "sweep", value, out: "out/between" })
}

/// The number in the middle, of the type that both have.
fn middle(one: &str, other: &str) -> Option<String> {
    if let (Ok(one), Ok(other)) = (one.parse::<i64>(), other.parse::<i64>()) {
        let middle = one + (other - one) / 2;
        return (middle != one && middle != other).then(|| middle.to_string());
    }
    let (one, other) = (one.parse::<f64>().ok()?, other.parse::<f64>().ok()?);
    Some(format!("{:?}", ((one + other) / 2.0 * 1e6).round() / 1e6))
}

/// The same with intervals half as wide.
fn longer(plan: &Plan) -> Idea {
    let most = |runs: u64| runs.saturating_mul(4).min(1_000_000);
    let words = "Four times as many runs halve the intervals:";
    match plan.scenario().measure.until {
        None => Idea { words, key: "repeat", value: most(plan.scenario().repeat).to_string(), out: "out/longer" },
        Some(until) => {
            let (half_width, at_most) = (until.half_width / 2.0, most(until.at_most));
            let value = format!("{{ half_width = {half_width:?}, at_most = {at_most} }}");
            Idea { words, key: "measure.until", value, out: "out/longer" }
        }
    }
}

/// Another network, or another rule.
fn another(plan: &Plan) -> Option<Idea> {
    let scenario = plan.scenario();
    let is_swept = |key: &str| scenario.sweep.contains_key(key);
    let is_on_lan = scenario.network.preset == Some(PresetName::Lan);
    match scenario.model {
        ModelName::Relay | ModelName::Core if !is_swept("network.preset") && !is_on_lan => Some(Idea {
            words: "The same in one place, where links are fast:",
            key: "network.preset",
            value: "\"lan\"".to_owned(),
            out: "out/lan",
        }),
        ModelName::Race if !is_swept("consensus.retarget") => Some(Idea {
            words: "The same where difficulty follows every block:",
            key: "consensus.retarget",
            value: "\"lwma\"".to_owned(),
            out: "out/lwma",
        }),
        _ => None,
    }
}
