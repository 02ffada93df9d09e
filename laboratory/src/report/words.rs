//! Words for the axes, legends and sentences of reports: what a quantity or a key is called, and in which unit its
//! values are drawn.

use crate::plan::Summary;
use crate::scenario::Quantity;

/// What values are made of, which decides their units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Milliseconds.
    Time,
    /// Bytes.
    Bytes,
    /// Numbers without a unit.
    Plain,
}

/// A unit: its name, and how many of the smallest unit it has.
pub(super) type Unit = (&'static str, f64);

const NO_UNIT: Unit = ("", 1.0);

impl Kind {
    /// The unit for values up to `most`.
    pub(super) fn unit(self, most: f64) -> Unit {
        match self {
            Self::Plain => NO_UNIT,
            Self::Bytes if most < 10_000.0 => ("bytes", 1.0),
            Self::Bytes if most < 10_000_000.0 => ("kB", 1000.0),
            Self::Bytes => ("MB", 1e6),
            Self::Time if most < 2000.0 => ("ms", 1.0),
            Self::Time if most < 3_600_000.0 => ("s", 1000.0),
            Self::Time if most < 36_000_000.0 => ("min", 60_000.0),
            Self::Time => ("h", 3_600_000.0),
        }
    }

    /// A value with three significant digits and its unit.
    pub(super) fn text(self, value: f64) -> String {
        let (unit, size) = self.unit(value.abs());
        let number = significant(value / size);
        if unit.is_empty() { number } else { format!("{number} {unit}") }
    }

    fn of_key(last: &str) -> Self {
        match last {
            _ if last.ends_with("_ms") => Self::Time,
            _ if last.ends_with("_bytes") => Self::Bytes,
            _ => Self::Plain,
        }
    }
}

/// Three significant digits, without zeros at the end of a fraction.
pub(super) fn significant(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let digits = (2.0 - libm::log10(value.abs()).floor()).clamp(0.0, 9.0) as usize;
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// What a quantity is called, and what its values are made of.
pub(super) const fn quantity(quantity: Quantity) -> (&'static str, Kind) {
    match quantity {
        Quantity::Share => ("share of the main chain", Kind::Plain),
        Quantity::ShareError => ("standard error of the share", Kind::Plain),
        Quantity::Stale => ("share of blocks that go stale", Kind::Plain),
        Quantity::RevenuePerInterval => ("number of blocks earned per block interval", Kind::Plain),
        Quantity::IntervalMs => ("time between blocks", Kind::Time),
        Quantity::Theft => ("share of thefts that succeed", Kind::Plain),
        Quantity::Gamma => ("gamma, as measured", Kind::Plain),
        Quantity::PropagationP50Ms => ("time until half of the nodes have a block", Kind::Time),
        Quantity::PropagationP90Ms => ("time until nine of ten nodes have a block", Kind::Time),
    }
}

/// What a key is called, and what its values are made of.
pub(super) fn key(key: &str) -> (String, Kind) {
    let parts: Vec<&str> = key.split('.').collect();
    let words = match &*parts {
        ["miner", name, "share"] => format!("share of the hash rate of {name}"),
        ["miner", name, "link_ms"] => format!("what a message takes over the links of {name}"),
        ["miner", _, "confirmations"] => "confirmations that the victim waits for".to_owned(),
        ["miner", name, "give_up"] => format!("blocks behind at which {name} gives up"),
        ["miner", name, "clock_ahead_ms"] => format!("how far ahead {name} dates its blocks"),
        ["miner", name, "hold_ms"] => format!("how long {name} keeps a block"),
        ["network", "latency_ms"] => "what a block or message takes over a link".to_owned(),
        ["network", "block_bytes"] => "size of a block".to_owned(),
        ["network", "relay"] => "how nodes pass blocks on".to_owned(),
        ["network", "preset"] => "network".to_owned(),
        ["consensus", "block_interval_ms"] => "time between blocks that the rules aim at".to_owned(),
        ["consensus", "retarget"] => "retarget rule".to_owned(),
        ["event", name, "hash_rate", "factor"] => format!("hash rate after {name}, as a multiple"),
        ["event", name, .., "for"] => format!("how long the {name} lasts"),
        _ => short(key),
    };
    (words, Kind::of_key(parts.last().unwrap_or(&key)))
}

/// The last part of a key, without its unit.
fn short(key: &str) -> String {
    let last = key.rsplit('.').next().unwrap_or(key);
    last.trim_end_matches("_ms").trim_end_matches("_bytes").replace('_', " ")
}

/// A key with its value, in few words: `gamma 0.5`, `link 20 ms`, `epoch`, `no lead`.
pub(super) fn with_value(key: &str, value: &str) -> String {
    let name = short(key);
    match (value, value.parse()) {
        ("true", _) => name,
        ("false", _) => format!("no {name}"),
        (_, Ok(number)) => format!("{name} {}", Kind::of_key(key).text(number)),
        _ => value.trim_matches('"').to_owned(),
    }
}

/// Where a point of the sweep lies.
pub(super) fn point(summary: &Summary) -> String {
    let values: Vec<String> = summary.point.iter().map(|(key, value)| with_value(key, value)).collect();
    values.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_the_unit_that_fits_them() {
        assert_eq!(Kind::Time.text(854_685.9), "855 s");
        assert_eq!(Kind::Time.text(3_600_000.0), "60 min");
        assert_eq!(Kind::Time.text(231.25), "231 ms");
        assert_eq!(Kind::Bytes.text(535_000.0), "535 kB");
        assert_eq!(Kind::Plain.text(0.000_123_4), "0.000123");
        assert_eq!(Kind::Plain.text(0.5), "0.5");
        assert_eq!(with_value("miner.pool.link_ms", "20"), "link 20 ms");
        assert_eq!(with_value("consensus.retarget", "\"epoch\""), "epoch");
        assert_eq!(with_value("miner.pool.equal_fork", "false"), "no equal fork");
        assert_eq!(key("event.cut.partition.for").0, "how long the cut lasts");
    }
}
