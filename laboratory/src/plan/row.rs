//! One row a run: what `runs.csv` holds.

use super::Plan;
use crate::model::Outcome;
use crate::scenario::Quantity;
use crate::strategy::Thefts;

/// What one run has given.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Which run.
    pub index: u64,
    /// Its seed.
    pub seed: u64,
    /// Names the run: runs of equal digests went the same way.
    pub digest: u64,
    /// Thefts, if the miner steals.
    pub thefts: Option<Thefts>,
    /// One value a quantity, in the order of the scenario; `None` where there was nothing to measure.
    pub values: Vec<Option<f64>>,
}

/// Columns between the swept parameters and the quantities.
const FIXED: [&str; 6] = ["replication", "seed", "version", "digest", "thefts_tried", "thefts_managed"];

impl Row {
    pub(super) fn new(index: u64, seed: u64, outcome: &Outcome, quantities: &[Quantity], interval_ms: u64) -> Self {
        let value = |quantity: &Quantity| match quantity {
            _ if outcome.congested => None,
            Quantity::Share => outcome.share(),
            Quantity::ShareError => outcome.share_error(),
            Quantity::Stale => outcome.stale(),
            Quantity::RevenuePerInterval => outcome.revenue_per_interval(interval_ms),
            Quantity::IntervalMs => outcome.interval_ms(),
            Quantity::Theft => outcome.theft(),
            Quantity::Gamma => outcome.gamma,
            Quantity::PropagationP50Ms => outcome.propagation_ms(0.5),
            Quantity::PropagationP90Ms => outcome.propagation_ms(0.9),
        };
        let values = quantities.iter().map(value).collect();
        Self { index, seed, digest: outcome.digest, thefts: outcome.thefts, values }
    }

    /// Its line, without the end of line.
    pub fn csv(&self, plan: &Plan) -> String {
        let stride = plan.stride();
        let point = plan.points.get((self.index / stride) as usize);
        let mut cells = vec![self.index.to_string()];
        cells.extend(point.iter().flat_map(|(point, _)| point.values.iter().map(|(_, value)| quoted(value))));
        cells.push((self.index % stride).to_string());
        cells.push(self.seed.to_string());
        cells.push(env!("CARGO_PKG_VERSION").to_owned());
        cells.push(format!("{:016x}", self.digest));
        cells.push(self.thefts.map_or(String::new(), |thefts| thefts.tried.to_string()));
        cells.push(self.thefts.map_or(String::new(), |thefts| thefts.managed.to_string()));
        cells.extend(self.values.iter().map(|value| value.map_or(String::new(), |value| value.to_string())));
        cells.join(",")
    }

    /// Parses a line; `None` if it belongs to another plan or is incomplete.
    pub fn parse(line: &str, plan: &Plan) -> Option<Self> {
        let quantities = plan.quantities().len();
        // Swept values may hold commas; what follows them does not.
        let mut cells: Vec<&str> = line.rsplitn(quantities + FIXED.len() + 1, ',').collect();
        cells.reverse();
        let (before, cells) = cells.split_first()?;
        let number = |cell: &str| cell.parse::<u64>().ok();
        let [_, seed, _, digest, tried, managed] = cells.get(..FIXED.len())? else { return None };
        let thefts =
            if tried.is_empty() { None } else { Some(Thefts { tried: number(tried)?, managed: number(managed)? }) };
        let value = |cell: &&str| if cell.is_empty() { Some(None) } else { cell.parse().ok().map(Some) };
        let row = Self {
            index: number(before.split(',').next()?)?,
            seed: number(seed)?,
            digest: u64::from_str_radix(digest, 16).ok()?,
            thefts,
            values: cells.get(FIXED.len()..)?.iter().map(value).collect::<Option<_>>()?,
        };
        (row.csv(plan) == line).then_some(row)
    }
}

impl Plan {
    /// The first line of `runs.csv`, without the end of line.
    pub fn csv_header(&self) -> String {
        let swept = self.points.first().map(|(point, _)| point.values.as_slice()).unwrap_or_default();
        let cells = ["run"].into_iter().chain(swept.iter().map(|(key, _)| key.as_str()));
        let cells = cells.chain(FIXED).chain(self.quantities().iter().map(|quantity| quantity.name()));
        cells.map(quoted).collect::<Vec<_>>().join(",")
    }
}

/// A cell of CSV; in quotation marks where it must be.
pub(super) fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}
