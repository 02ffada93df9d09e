//! What the rows of a point say together, and whether that is what was expected.

use super::{Plan, Row};
use crate::exact::{policy_revenue, selfish_revenue, theft_bounded};
use crate::measure::{Interval, batch_interval, mean, wilson};
use crate::model::{BATCHES, Setting};
use crate::scenario::{Curve, Quantity, ScenarioError};
use crate::strategy::{Policy, StrategySetting};
use serde::Serialize;

/// Where the Markov chain of a policy is cut; and where else, to see what the cut changes.
const LONGEST_BRANCH: u32 = 80;
const SHORTER_BRANCH: u32 = 60;

/// An exact value, and how far off its computation may be.
struct Expected {
    value: f64,
    error: f64,
}

/// All quantities of one point.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Swept keys and their values.
    pub point: Vec<(String, String)>,
    /// Runs that it is made of.
    pub runs: usize,
    /// One estimate a quantity.
    pub estimates: Vec<Estimate>,
    /// The first miner's share of the hash rate, if there is such a miner.
    #[serde(skip)]
    pub hash_rate: Option<f64>,
}

/// A quantity at a point.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Estimate {
    /// The quantity's name.
    pub quantity: &'static str,
    /// The estimate, also where there is no interval; `None` where nothing was measured.
    pub value: Option<f64>,
    /// Estimate and interval; `None` where too little was measured for one.
    pub interval: Option<Interval>,
    /// What the curve says, where it is about this quantity.
    pub expected: Option<f64>,
    /// Whether that lies in the interval.
    pub verdict: Option<Verdict>,
}

/// Whether an expectation holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The expected value lies in the interval.
    Holds,
    /// It does not.
    Fails,
    /// There is no interval, or it is wider than all that is possible.
    Unknown,
}

/// Whether the curve is about this setting.
pub(super) fn can_judge(curve: Curve, setting: &Setting, quantities: &[Quantity]) -> Result<(), ScenarioError> {
    let knows_gamma = setting.gamma().is_some() || quantities.contains(&Quantity::Gamma);
    let fits = setting.first_miner().is_some_and(|(share, strategy)| match (curve, strategy) {
        (Curve::Fair, _) => true,
        (Curve::EyalSirer, StrategySetting::Selfish) => share < 0.5 && knows_gamma,
        (Curve::Policy, strategy) => strategy.policy().is_some() && share < 0.5 && knows_gamma,
        (Curve::DoubleSpend, StrategySetting::DoubleSpend { .. }) => true,
        _ => false,
    });
    if fits {
        return Ok(());
    }
    let name = Curve::ALL.iter().find(|(known, ..)| *known == curve).map_or("", |(_, name, _)| name);
    Err(ScenarioError::Value {
        key: "expect.curve".to_owned(),
        got: format!("\"{name}\""),
        expected:
            "a curve for the miner's strategy and a share below 0.5 (`laboratory list` shows them); in a network \
                   the quantity \"gamma\", too"
                .to_owned(),
    })
}

/// What the curve says for this setting, with a measured gamma where none is given.
fn expected(curve: Curve, setting: &Setting, measured_gamma: Option<f64>) -> Option<Expected> {
    let (share, strategy) = setting.first_miner()?;
    let gamma = setting.gamma().or(measured_gamma);
    let exactly = |value| Some(Expected { value, error: 0.0 });
    let by_chain = |policy: &dyn Policy| {
        let cut = |longest| gamma.map(|gamma| policy_revenue(&policy, share, gamma, longest).share());
        let (value, shorter) = (cut(LONGEST_BRANCH)?, cut(SHORTER_BRANCH)?);
        // The error falls geometrically with the length of the cut, so it is less than what the last step changed.
        Some(Expected { value, error: (value - shorter).abs() })
    };
    match (curve, strategy) {
        (Curve::Fair, _) => exactly(share),
        (Curve::EyalSirer, _) => exactly(selfish_revenue(share, gamma?)),
        (Curve::Policy, strategy) => by_chain(strategy.policy()?),
        (Curve::DoubleSpend, StrategySetting::DoubleSpend { confirmations, give_up }) => {
            exactly(theft_bounded(share, *confirmations, 0, *give_up))
        }
        (Curve::DoubleSpend, _) => None,
    }
}

impl Plan {
    /// What `rows` say, point by point; points without rows are left out.
    pub fn summaries(&self, rows: &[Row]) -> Vec<Summary> {
        let stride = self.stride();
        let mut by_point: Vec<Vec<&Row>> = vec![Vec::new(); self.points.len()];
        for row in rows {
            if let Some(rows) = by_point.get_mut((row.index / stride) as usize) {
                rows.push(row);
            }
        }
        let points = self.points.iter().zip(by_point).filter(|(_, rows)| !rows.is_empty());
        points
            .map(|((point, setting), rows)| Summary {
                point: point.values.clone(),
                runs: rows.len(),
                estimates: (0..self.quantities().len())
                    .map(|column| self.estimate(setting, &rows, column).within_bounds(self.quantities()[column]))
                    .collect(),
                hash_rate: setting.first_miner().map(|(share, _)| share),
            })
            .collect()
    }

    /// What a quantity is at a point.
    pub(super) fn estimate(&self, setting: &Setting, rows: &[&Row], column: usize) -> Estimate {
        let quantity = self.quantities()[column];
        let confidence = self.scenario.measure.confidence;
        let interval = if quantity == Quantity::Theft {
            let thefts = rows.iter().filter_map(|row| row.thefts);
            let (managed, tried) = thefts.fold((0, 0), |sum, thefts| (sum.0 + thefts.managed, sum.1 + thefts.tried));
            wilson(managed, tried, confidence)
        } else {
            mean(&values_of(rows, column), confidence).or_else(|| self.within_one_run(rows, column))
        };
        let gamma_column = self.quantities().iter().position(|quantity| *quantity == Quantity::Gamma);
        let gammas = gamma_column.map(|column| values_of(rows, column)).filter(|gammas| !gammas.is_empty());
        let gamma = gammas.map(|gammas| gammas.iter().sum::<f64>() / gammas.len() as f64);
        let curve = self.scenario.expect.as_ref().map(|expect| expect.curve);
        let curve = curve.filter(|curve| curve.quantity() == quantity);
        let expected = curve.and_then(|curve| expected(curve, setting, gamma));
        // Exact curves are about rates, which lie within 0 to 1.
        let verdict = expected.as_ref().map(|expected| match interval {
            None => Verdict::Unknown,
            Some(interval) if interval.high - interval.low >= 1.0 => Verdict::Unknown,
            Some(interval) if interval.widened(expected.error).contains(expected.value) => Verdict::Holds,
            Some(_) => Verdict::Fails,
        });
        let expected = expected.map(|expected| expected.value);
        let values = values_of(rows, column);
        let mean = (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
        let value = interval.map(|interval| interval.estimate).or(mean);
        Estimate { quantity: quantity.name(), value, interval, expected, verdict }
    }
}

impl Estimate {
    /// Without the part of its interval that is impossible. Not before a schedule has seen its width.
    fn within_bounds(mut self, quantity: Quantity) -> Self {
        if let Some(interval) = self.interval.as_mut().filter(|_| quantity.is_rate()) {
            (interval.low, interval.high) = (interval.low.max(0.0), interval.high.min(1.0));
        }
        self
    }
}

impl Plan {
    /// The interval of the share that a single run gives, by batch means.
    fn within_one_run(&self, rows: &[&Row], column: usize) -> Option<Interval> {
        let errors = self.quantities().iter().position(|quantity| *quantity == Quantity::ShareError)?;
        let (Quantity::Share, [row]) = (self.quantities()[column], rows) else { return None };
        let value = |column: usize| row.values.get(column).copied().flatten();
        Some(batch_interval(value(column)?, value(errors)?, BATCHES, self.scenario.measure.confidence))
    }
}

/// What was measured in a column; runs without a value are left out.
fn values_of(rows: &[&Row], column: usize) -> Vec<f64> {
    rows.iter().filter_map(|row| row.values.get(column).copied().flatten()).collect()
}
