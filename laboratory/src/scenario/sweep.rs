//! Sweeps: every combination of the values of the swept keys is a point, and every point is a scenario.

use super::read::{apply, from_table};
use super::{Scenario, ScenarioError};
use toml::{Table, Value};

/// The most points of a sweep.
const MOST_POINTS: usize = 100_000;
const EXPECTED: &str = "expected a list like [0.1, 0.2] or a range like \"0.10..0.45 by 0.05\"";

/// One combination of values, and the scenario that it makes.
#[derive(Debug, Clone)]
pub struct SweptPoint {
    /// Keys in alphabetical order, each with its value as TOML spells it.
    pub values: Vec<(String, String)>,
    /// The scenario at this point.
    pub scenario: Scenario,
}

impl SweptPoint {
    /// The point as one text, which its seeds depend on: the same values give the same text in every sweep.
    pub fn text(&self) -> String {
        let values: Vec<String> = self.values.iter().map(|(key, value)| format!("{key}={value}")).collect();
        values.join("\n")
    }
}

/// All points of a scenario's table in order: the last key changes fastest. Without a sweep there is one.
///
/// # Errors
/// If a range is malformed, a key names no setting, or the scenario at one of the points is invalid.
pub fn points(table: &Table) -> Result<Vec<SweptPoint>, ScenarioError> {
    let mut base = table.clone();
    let sweep = match base.remove("sweep") {
        Some(Value::Table(sweep)) => sweep,
        _ => Table::new(),
    };
    let mut combinations: Vec<Vec<(String, Value)>> = vec![Vec::new()];
    for (key, values) in sweep {
        let values = values_of(&key, values)?;
        if combinations.len() * values.len() > MOST_POINTS {
            return Err(ScenarioError::Key { key, reason: format!("the sweep has more than {MOST_POINTS} points") });
        }
        combinations = combinations
            .iter()
            .flat_map(|so_far| values.iter().map(|value| [so_far.as_slice(), &[(key.clone(), value.clone())]].concat()))
            .collect();
    }
    combinations.into_iter().map(|values| point(&base, values)).collect()
}

fn point(base: &Table, values: Vec<(String, Value)>) -> Result<SweptPoint, ScenarioError> {
    let mut table = base.clone();
    let mut texts = Vec::new();
    for (key, value) in values {
        texts.push((key.clone(), value.to_string()));
        apply(&mut table, &key, value)?;
    }
    Ok(SweptPoint { values: texts, scenario: from_table(&table)? })
}

fn values_of(key: &str, values: Value) -> Result<Vec<Value>, ScenarioError> {
    let wrong = |reason: String| ScenarioError::Key { key: key.to_owned(), reason };
    match values {
        Value::Array(values) if !values.is_empty() => Ok(values),
        Value::String(text) => range(&text).map_err(|reason| wrong(format!("\"{text}\": {reason}"))),
        _ => Err(wrong(EXPECTED.to_owned())),
    }
}

/// The numbers of `first..last by step`, last included, in decimal arithmetic: 0.1 + 0.2 is 0.3.
fn range(text: &str) -> Result<Vec<Value>, String> {
    let ([first, last, step], decimals) = range_parts(text).ok_or(EXPECTED)?;
    if step <= 0 {
        return Err("the step of a range must be more than 0".to_owned());
    }
    if last < first {
        return Err("a range goes from the smaller number to the larger one".to_owned());
    }
    if (last - first) / step >= MOST_POINTS as i64 {
        return Err(format!("the sweep has more than {MOST_POINTS} points"));
    }
    let value = |number: i64| {
        if decimals == 0 { Value::Integer(number) } else { Value::Float(number as f64 / 10_f64.powi(decimals as i32)) }
    };
    Ok((0..=(last - first) / step).map(|index| value(first + index * step)).collect())
}

/// First, last and step of a range times 10^decimals, and how many decimals that are.
fn range_parts(text: &str) -> Option<([i64; 3], usize)> {
    let (first, rest) = text.split_once("..")?;
    let (last, step) = rest.split_once(" by ")?;
    let parts = [first, last, step].map(str::trim);
    let decimals = parts.iter().map(|part| part.split_once('.').map_or(0, |(_, digits)| digits.len())).max()?;
    if decimals > 12 {
        return None;
    }
    let [first, last, step] = parts.map(|part| scaled(part, decimals));
    Some(([first?, last?, step?], decimals))
}

/// `text` times 10^decimals, if it is a decimal number.
fn scaled(text: &str, decimals: usize) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(fraction) || !digits(whole.trim_start_matches('-')) || whole.is_empty() {
        return None;
    }
    format!("{whole}{fraction:0<decimals$}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{EXAMPLE, read};

    #[test]
    fn ranges_are_decimal_and_include_their_end() {
        let spelt =
            |text| range(text).ok().map(|values| values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "));
        assert_eq!(spelt("0.20..0.45 by 0.05").unwrap(), "0.2 0.25 0.3 0.35 0.4 0.45");
        assert_eq!(spelt("1..6 by 2").unwrap(), "1 3 5");
        assert_eq!(spelt("0.1..0.7 by 0.2").unwrap(), "0.1 0.3 0.5 0.7");
        for wrong in
            ["", "1..2", "2..1 by 1", "1..2 by 0", "1..2 by -1", "a..b by c", "0..9999999999 by 1", "1.-5..2 by 1"]
        {
            assert_eq!(spelt(wrong), None, "{wrong}");
        }
        assert_eq!(range("0.45..0.05 by 0.1").unwrap_err(), "a range goes from the smaller number to the larger one");
        assert_eq!(range("1..2 by 0").unwrap_err(), "the step of a range must be more than 0");
    }

    #[test]
    fn every_combination_is_a_point_and_its_text_is_canonical() {
        let (_, table) = read(EXAMPLE, &[]).unwrap();
        let points = points(&table).unwrap();
        assert_eq!(points.len(), 27);
        assert_eq!(points[1].text(), "miner.pool.share=0.05\nnetwork.gamma=0.5");
        assert_eq!((points[26].scenario.miner[0].share, points[26].scenario.network.gamma), (Some(0.45), Some(1.0)));
    }

    #[test]
    fn one_wrong_point_is_found_before_anything_runs() {
        let with = |sweep: &str| read(&EXAMPLE.replace("[0.0, 0.5, 1.0]", sweep), &[]).and_then(|(_, t)| points(&t));
        assert!(with("[0.0, \"much\"]").is_err());
        assert!(with("[]").is_err() && with("7").is_err() && with("\"0..\"").is_err());
        assert!(with("\"0..1 by 0.000001\"").is_err(), "too many points");
    }
}
