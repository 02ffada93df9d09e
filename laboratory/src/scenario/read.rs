//! Reading a scenario: strict, with the nearest known key in every complaint about an unknown one.

use super::Scenario;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

/// Why a scenario cannot run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScenarioError {
    /// It is no TOML, or a key is unknown or of the wrong type.
    #[error("{0}")]
    Toml(String),
    /// A value is impossible.
    #[error("{key} = {got}: expected {expected}")]
    Value {
        /// The key.
        key: String,
        /// What it is.
        got: String,
        /// What it may be.
        expected: String,
    },
    /// A sweep or `--set` names what is not there.
    #[error("{key}: {reason}")]
    Key {
        /// The key.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// Reads a scenario with `settings` (keys and TOML values) put over it. Returns its table, too, for sweeps.
///
/// # Errors
/// See [`ScenarioError`].
pub fn read(text: &str, settings: &[(String, String)]) -> Result<(Scenario, Table), ScenarioError> {
    // From the text first, since only then an error names its line.
    toml::from_str::<Scenario>(text).map_err(|error| ScenarioError::Toml(explained(&error)))?;
    let mut table: Table = toml::from_str(text).map_err(|error| ScenarioError::Toml(error.to_string()))?;
    for (key, value) in settings {
        // What is no TOML value is a string: `--set consensus.retarget=lwma`.
        let parsed = toml::from_str::<Table>(&format!("value = {value}")).ok();
        let value = parsed.and_then(|mut table| table.remove("value")).unwrap_or_else(|| Value::String(value.clone()));
        apply(&mut table, key, value)?;
    }
    Ok((from_table(&table)?, table))
}

/// The scenario that a table spells.
///
/// # Errors
/// Where a key is unknown or of the wrong type.
pub(super) fn from_table(table: &Table) -> Result<Scenario, ScenarioError> {
    Scenario::deserialize(table.clone())
        .map_err(|error| ScenarioError::Toml(with_nearest(error.to_string().trim_end())))
}

/// Sets `key`, a path like `network.gamma` or `miner.NAME.share`.
///
/// # Errors
/// Where the path leads nowhere.
pub fn apply(table: &mut Table, key: &str, value: Value) -> Result<(), ScenarioError> {
    let wrong = |reason: String| ScenarioError::Key { key: key.to_owned(), reason };
    let mut parts: Vec<&str> = key.split('.').collect();
    let last = parts.pop().filter(|last| !last.is_empty()).ok_or_else(|| wrong("expected a key".to_owned()))?;
    let mut parts = parts.into_iter();
    let mut here = table;
    while let Some(part) = parts.next() {
        let next = here.entry(part).or_insert_with(|| Value::Table(Table::new()));
        here = match next {
            Value::Table(table) => table,
            Value::Array(items) => {
                let name = parts.next().ok_or_else(|| wrong(format!("expected {part}.NAME.KEY")))?;
                let names: Vec<String> = items
                    .iter()
                    .filter_map(|item| item.get("name").and_then(Value::as_str).map(ToOwned::to_owned))
                    .collect();
                let found = items.iter_mut().filter_map(Value::as_table_mut);
                found
                    .into_iter()
                    .find(|item| item.get("name").and_then(Value::as_str) == Some(name))
                    .ok_or_else(|| wrong(format!("no {part} is called {name}; known: {}", names.join(", "))))?
            }
            _ => return Err(wrong(format!("{part} is no section"))),
        };
    }
    here.insert(last.to_owned(), value);
    Ok(())
}

/// An error of the parser in words that help to mend it.
fn explained(error: &toml::de::Error) -> String {
    match error.message() {
        // It names the first line, where there is nothing to see.
        "missing field `title`" => "the key `title` is missing: a line like title = \"My experiment\"".to_owned(),
        "missing field `model`" => "the key `model` is missing: a line like model = \"race\"".to_owned(),
        message if message.starts_with("invalid type: map, expected a sequence") => {
            format!("{error}There can be several of these: write [[miner]] or [[event]], with two brackets.")
        }
        _ => with_nearest(&error.to_string()),
    }
}

/// An error message of the parser, with the nearest known name where it complains about an unknown one, if one is near.
pub fn with_nearest(message: &str) -> String {
    let Some((_, complaint)) = message.split_once("unknown ") else { return message.to_owned() };
    let complaint = complaint.lines().next().unwrap_or_default();
    let mut names = complaint.split('`').skip(1).step_by(2);
    let Some(unknown) = names.next() else { return message.to_owned() };
    let distance = |name: &str| strsim::damerau_levenshtein(unknown, name);
    // With half of the letters wrong, another word was meant.
    let nearest = names.min_by_key(|name| distance(name)).filter(|name| distance(name) * 2 <= unknown.len());
    match nearest {
        Some(nearest) => format!("{}\nDid you mean `{nearest}`?", message.trim_end()),
        None => message.to_owned(),
    }
}

/// A name as a scenario spells it.
pub fn spelt(name: &impl Serialize) -> String {
    serde_json::to_value(name).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::EXAMPLE;

    fn complaint(from: &str, to: &str) -> String {
        assert!(EXAMPLE.contains(from));
        read(&EXAMPLE.replace(from, to), &[]).unwrap_err().to_string()
    }

    #[test]
    fn unknown_keys_and_names_are_refused_with_line_and_nearest_known_one() {
        let wrong_key = complaint("share = 0.3", "shar = 0.3");
        assert!(wrong_key.contains("Did you mean `share`?") && wrong_key.contains("line"), "{wrong_key}");
        let wrong_section = complaint("[consensus]", "[consensuss]");
        assert!(wrong_section.contains("Did you mean `consensus`?"), "{wrong_section}");
        let wrong_strategy = complaint("\"selfish\"", "\"slefish\"");
        assert!(wrong_strategy.contains("Did you mean `selfish`?"), "{wrong_strategy}");
        let far = complaint("\"selfish\"", "\"nothing\"");
        assert!(far.contains("unknown variant") && !far.contains("Did you mean"), "{far}");
    }

    #[test]
    fn what_the_parser_says_badly_is_explained() {
        let no_title = complaint("title = \"When does selfish mining pay?\"", "");
        assert_eq!(no_title, "the key `title` is missing: a line like title = \"My experiment\"");
        let one_bracket = complaint("[[miner]]", "[miner]");
        assert!(one_bracket.contains("[[miner]]") && one_bracket.contains("line"), "{one_bracket}");
    }

    #[test]
    fn settings_are_toml_or_text_and_go_where_their_path_leads() {
        let set = |key: &str, value: &str| read(EXAMPLE, &[(key.to_owned(), value.to_owned())]);
        let (scenario, _) = set("miner.pool.share", "0.2").unwrap();
        assert_eq!(scenario.miner[0].share, Some(0.2));
        let (scenario, _) = set("consensus.retarget", "lwma").unwrap();
        assert_eq!(scenario.consensus.retarget, shared::params::RetargetRule::Lwma);
        let nobody = set("miner.pol.share", "0.2").unwrap_err().to_string();
        assert_eq!(nobody, "miner.pol.share: no miner is called pol; known: pool");
        let nothing = set("network.gama", "0.2").unwrap_err().to_string();
        assert!(nothing.contains("Did you mean `gamma`?"), "{nothing}");
        assert!(set("", "1").is_err() && set("title.x", "1").is_err() && set("miner.pool", "1").is_err());
    }
}
