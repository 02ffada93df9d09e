//! An attacker as a flag names one: `selfish:0.35`, `double-spend:0.6,confirmations=2`.

use super::read::with_nearest;
use super::setting::within;
use super::{Miner, ScenarioError};
use crate::strategy::StrategySetting;
use serde::Deserialize;
use toml::{Table, Value};

/// Reads `STRATEGY:SHARE` with the keys of a `[[miner]]` after it, each behind a comma: the strategy, and its share of
/// all hash rate.
///
/// # Errors
/// What is wrong with it, with the nearest known name.
pub fn attacker(text: &str) -> Result<(StrategySetting, f64), ScenarioError> {
    let expected = || ScenarioError::Value {
        key: "attacker".to_owned(),
        got: format!("\"{text}\""),
        expected: "STRATEGY:SHARE, for example selfish:0.35 or double-spend:0.6,confirmations=2".to_owned(),
    };
    let (strategy, rest) = text.split_once(':').ok_or_else(expected)?;
    let mut parts = rest.split(',');
    let share: f64 = parts.next().and_then(|share| share.trim().parse().ok()).ok_or_else(expected)?;
    let mut table = Table::new();
    table.insert("name".to_owned(), Value::String("attacker".to_owned()));
    table.insert("strategy".to_owned(), Value::String(strategy.trim().to_owned()));
    for part in parts {
        let (key, value) = part.split_once('=').ok_or_else(expected)?;
        let parsed = toml::from_str::<Table>(&format!("value = {value}")).ok();
        let value = parsed.and_then(|mut table| table.remove("value")).ok_or_else(expected)?;
        table.insert(key.trim().to_owned(), value);
    }
    let miner =
        Miner::deserialize(table).map_err(|error| ScenarioError::Toml(with_nearest(error.to_string().trim_end())))?;
    Ok((miner.strategy_setting()?, within("the attacker's share", share, 0.01, 0.9)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attackers_are_strategies_with_a_share_and_their_keys() {
        let (strategy, share) = attacker("double-spend:0.6,confirmations=2,give_up=9").unwrap();
        assert!(matches!(strategy, StrategySetting::DoubleSpend { confirmations: 2, give_up: 9 }) && share == 0.6);
        assert!(matches!(attacker("selfish:0.35"), Ok((StrategySetting::Selfish, _))));
        for (text, complaint) in [
            ("selfish", "STRATEGY:SHARE"),
            ("slefish:0.3", "Did you mean `selfish`?"),
            ("selfish:0.99", "expected 0.01 to 0.9"),
            ("selfish:much", "STRATEGY:SHARE"),
            ("selfish:0.3,confirmations=2", "no such key with this strategy"),
            ("double-spend:0.3,confirmation=2", "Did you mean `confirmations`?"),
            ("double-spend:0.3,confirmations", "STRATEGY:SHARE"),
        ] {
            let error = attacker(text).unwrap_err().to_string();
            assert!(error.contains(complaint), "{text}: {error}");
        }
    }
}
