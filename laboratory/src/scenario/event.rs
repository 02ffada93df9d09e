//! `[[event]]`: what changes while a network runs.

use super::ScenarioError;
use super::setting::{within, wrong};
use crate::model::{At, Change, Group, Scheduled};
use crate::network::Preset;
use serde::{Deserialize, Serialize};

/// `[[event]]`: a time, and one change.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Its name, which a sweep uses: `"event.NAME.hash_rate.factor"`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// `block 5000`, or a time like `2 h`.
    pub at: String,
    /// Some nodes are cut off from the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<Partition>,
    /// Hash rate leaves or joins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash_rate: Option<HashRate>,
    /// Messages take longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
}

/// Some nodes are cut off from the others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partition {
    /// `region NAME` or `30 %`.
    pub half: String,
    /// How long, like `2 h`; until the end without it.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub duration: Option<String>,
}

/// Hash rate leaves or joins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HashRate {
    /// `all`, `pool`, `region NAME` or `30 %`; all without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// How much there is then, compared with the start.
    pub factor: f64,
    /// How long, like `2 h`; until the end without it.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub duration: Option<String>,
}

/// Messages take longer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Latency {
    /// How long they take, compared with the start.
    pub factor: f64,
    /// How long, like `2 h`; until the end without it.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub duration: Option<String>,
}

/// The most events.
const MOST_EVENTS: usize = 1000;
/// Units of time, in milliseconds.
const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1000), ("min", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
const A_TIME: &str = "a time like \"250 ms\", \"30 s\", \"10 min\", \"2 h\" or \"7 d\"";

/// The events of a network in the model's words.
///
/// # Errors
/// The first that makes no sense.
pub(super) fn scheduled(events: &[Event], preset: &Preset, has_pool: bool) -> Result<Vec<Scheduled>, ScenarioError> {
    if events.len() > MOST_EVENTS {
        return Err(wrong("event", format!("{} of them", events.len()), format!("at most {MOST_EVENTS}")));
    }
    events.iter().map(|event| one(event, preset, has_pool)).collect()
}

fn one(event: &Event, preset: &Preset, has_pool: bool) -> Result<Scheduled, ScenarioError> {
    let at = match event.at.strip_prefix("block ") {
        Some(block) => block.trim().parse().ok().filter(|block| *block > 0).map(At::Block),
        None => milliseconds(&event.at).map(At::Ms),
    };
    let at = at.ok_or_else(|| wrong("event.at", format!("\"{}\"", event.at), format!("\"block 5000\" or {A_TIME}")))?;
    let group = |key: &str, text: &str| {
        let known = group(text, preset).filter(|group| has_pool || *group != Group::Pool);
        let regions: Vec<&str> = preset.regions.iter().map(|region| region.name).collect();
        let expected = format!("\"30 %\", or \"region NAME\" with one of {}", regions.join(", "));
        known.ok_or_else(|| wrong(key, format!("\"{text}\""), expected))
    };
    let lasting = |text: &Option<String>| match text {
        None => Ok(None),
        Some(text) => match milliseconds(text) {
            Some(ms) => Ok(Some(ms)),
            None => Err(wrong("event.for", format!("\"{text}\""), A_TIME)),
        },
    };
    match (&event.partition, &event.hash_rate, &event.latency) {
        (Some(partition), None, None) => {
            let half = group("event.partition.half", &partition.half)?;
            if matches!(half, Group::All | Group::Pool) {
                return Err(wrong("event.partition.half", partition.half.clone(), "some of the nodes"));
            }
            Ok(Scheduled { at, change: Change::Partition(half), for_ms: lasting(&partition.duration)? })
        }
        (None, Some(hash_rate), None) => {
            let of = group("event.hash_rate.of", hash_rate.of.as_deref().unwrap_or("all"))?;
            let factor = within("event.hash_rate.factor", hash_rate.factor, 0.0, 1000.0)?;
            Ok(Scheduled { at, change: Change::HashRate(of, factor), for_ms: lasting(&hash_rate.duration)? })
        }
        (None, None, Some(latency)) => {
            let factor = within("event.latency.factor", latency.factor, 0.0, 1000.0)?;
            let change = Change::Latency((factor * 100.0) as u64);
            Ok(Scheduled { at, change, for_ms: lasting(&latency.duration)? })
        }
        _ => Err(wrong("event", "none or several changes", "one of partition, hash_rate and latency")),
    }
}

fn group(text: &str, preset: &Preset) -> Option<Group> {
    if let Some(name) = text.strip_prefix("region ") {
        let place = preset.regions.iter().position(|region| region.name == name.trim())?;
        return u8::try_from(place).ok().map(Group::Region);
    }
    match text {
        "all" => Some(Group::All),
        "pool" => Some(Group::Pool),
        _ => text.strip_suffix('%')?.trim().parse().ok().filter(|percent| *percent <= 100).map(Group::Percent),
    }
}

fn milliseconds(text: &str) -> Option<u64> {
    let (number, unit) = text.trim().split_once(' ')?;
    let (_, ms) = UNITS.iter().find(|(name, _)| *name == unit.trim())?;
    // A century is long enough, and no sum of such times overflows.
    number.parse::<u64>().ok()?.checked_mul(*ms).filter(|ms| *ms <= 100 * 366 * 86_400_000)
}
