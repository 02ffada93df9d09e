//! The x axis of a chart: which swept key it is over, and where a point stands on it.

use super::scale::Scale;
use super::words;
use crate::plan::Summary;

/// From how many values on a curve over numbers says more than switches side by side.
const LONG: usize = 3;
/// Pixels that a label of the axis takes at least.
const LABEL: f64 = 52.0;
/// Pixels between the ends of the axis and the outermost values.
const MARGIN: f64 = 18.0;

/// The swept key, or keys, that the chart is over.
pub(super) struct Axis {
    keys: Vec<usize>,
    /// Its values in their order, where they stand side by side; otherwise empty.
    words: Vec<String>,
    /// What stands below it.
    pub(super) title: String,
    /// How many of the smallest unit its unit has.
    size: f64,
}

impl Axis {
    /// The key of numbers with most values, since it makes the longest curves; where that is short and there are
    /// switches, all of them together; the names with most values where there are no numbers.
    pub(super) fn of(summaries: &[Summary]) -> Option<Self> {
        let keys = 0..summaries.first()?.point.len();
        let all = |key: usize, test: fn(&str) -> bool| summaries.iter().all(|summary| test(&summary.point[key].1));
        let longest = |keys: &mut dyn Iterator<Item = usize>| keys.max_by_key(|key| distinct(summaries, &[*key]).len());
        let number = longest(&mut keys.clone().filter(|key| all(*key, |value| value.parse::<f64>().is_ok())));
        let switches: Vec<usize> =
            keys.clone().filter(|key| all(*key, |value| value.parse::<bool>().is_ok())).collect();
        match number {
            Some(key) if switches.is_empty() || distinct(summaries, &[key]).len() >= LONG => {
                Some(Self::of_numbers(summaries, key))
            }
            _ if !switches.is_empty() => Some(Self {
                words: distinct(summaries, &switches),
                title: "what is switched on".to_owned(),
                keys: switches,
                size: 1.0,
            }),
            _ => {
                let key = longest(&mut keys.clone())?;
                let title = words::key(&summaries.first()?.point[key].0).0;
                Some(Self { words: distinct(summaries, &[key]), title, keys: vec![key], size: 1.0 })
            }
        }
    }

    fn of_numbers(summaries: &[Summary], key: usize) -> Self {
        let values = summaries.iter().filter_map(|summary| summary.point[key].1.parse::<f64>().ok());
        let most = values.map(f64::abs).fold(0.0, f64::max);
        let (title, kind) = words::key(&summaries[0].point[key].0);
        let (unit, size) = kind.unit(most);
        let title = if unit.is_empty() { title } else { format!("{title}, in {unit}") };
        Self { keys: vec![key], words: Vec::new(), title, size }
    }

    /// Whether its values stand side by side, so that nothing lies between two of them.
    pub(super) fn is_of_words(&self) -> bool {
        !self.words.is_empty()
    }

    /// Where a point stands.
    pub(super) fn place(&self, summary: &Summary) -> Option<f64> {
        if self.is_of_words() {
            let word = word(summary, &self.keys);
            return self.words.iter().position(|known| *known == word).map(|place| place as f64);
        }
        // TOML writes 1_000 as 1000.
        summary.point[self.keys[0]].1.parse::<f64>().ok().map(|value| value / self.size)
    }

    /// What distinguishes a point from others at its place.
    pub(super) fn series(&self, summary: &Summary) -> String {
        let others = summary.point.iter().enumerate().filter(|(key, _)| !self.keys.contains(key));
        others.map(|(_, (key, value))| words::with_value(key, value)).collect::<Vec<_>>().join(", ")
    }

    /// The scale for points that stand at `places`.
    pub(super) fn scale(&self, places: impl Iterator<Item = f64>, from: f64, to: f64) -> Option<Scale> {
        if self.is_of_words() {
            let high = self.words.len() as f64 - 0.5;
            return Some(Scale { low: -0.5, high, step: 1.0, from, to, is_log: false });
        }
        Scale::over(&ascending(places), from + MARGIN, to - MARGIN)
    }

    /// What stands below the axis, and where: words, the values themselves where there is room, or round numbers.
    pub(super) fn labels(&self, scale: &Scale, places: impl Iterator<Item = f64>) -> Vec<(f64, String)> {
        if self.is_of_words() {
            return self.words.iter().enumerate().map(|(place, word)| (place as f64, word.clone())).collect();
        }
        let values = ascending(places);
        let has_room = |pair: &[f64]| scale.at(pair[1]) - scale.at(pair[0]) >= LABEL;
        if !scale.is_log && (values.len() < LONG || !values.windows(2).all(has_room)) {
            return scale.ticks().map(|tick| (tick, scale.text(tick))).collect();
        }
        let mut labels: Vec<(f64, String)> = Vec::new();
        for value in values {
            if labels.last().is_none_or(|(last, _)| has_room(&[*last, value])) {
                labels.push((value, words::significant(value)));
            }
        }
        labels
    }
}

/// The finite values in ascending order, each once.
fn ascending(places: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = places.filter(|place| place.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    values
}

/// The words for the values of `keys` that occur, in the order of the points.
fn distinct(summaries: &[Summary], keys: &[usize]) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for summary in summaries {
        let word = word(summary, keys);
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words
}

/// The value of one key; of several switches, those that are on.
fn word(summary: &Summary, keys: &[usize]) -> String {
    let values = keys.iter().map(|key| &summary.point[*key]);
    let on: Vec<String> =
        values.clone().filter(|(_, value)| value == "true").map(|(key, value)| words::with_value(key, value)).collect();
    match keys {
        [key] if on.is_empty() && summary.point[*key].1 != "false" => {
            summary.point[*key].1.trim_matches('"').to_owned()
        }
        _ if on.is_empty() => "none".to_owned(),
        _ => on.join(" + "),
    }
}
