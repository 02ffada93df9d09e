//! The plan of an experiment: its runs, their seeds, the rows that they give, and what the rows say together.
//!
//! Run `index` is replication `index % repeat` of point `index / repeat`. A row is made from nothing but the plan and
//! its index, so it does not matter where, when or in which order runs happen.

mod judge;
mod row;

pub use judge::{Estimate, Summary, Verdict};
pub use row::Row;

use crate::kernel::run_seed;
use crate::model::Setting;
use crate::scenario::{Quantity, Scenario, ScenarioError, SweptPoint, points, read};
use sha2::{Digest, Sha256};

/// An experiment that can run: every point has been checked.
#[derive(Debug, Clone)]
pub struct Plan {
    scenario: Scenario,
    points: Vec<(SweptPoint, Setting)>,
}

impl Plan {
    /// Reads a scenario, with `settings` and `seed` put over it.
    ///
    /// # Errors
    /// Whatever is wrong with the scenario at any of its points.
    pub fn read(text: &str, settings: &[(String, String)], seed: Option<u64>) -> Result<Self, ScenarioError> {
        let seed = seed.map(|seed| ("seed".to_owned(), seed.to_string()));
        let settings: Vec<_> = settings.iter().cloned().chain(seed).collect();
        let (scenario, table) = read(text, &settings)?;
        let with_setting = |point: SweptPoint| point.scenario.setting().map(|setting| (point, setting));
        let points = points(&table)?.into_iter().map(with_setting).collect::<Result<Vec<_>, _>>()?;
        let plan = Self { scenario, points };
        plan.check_shape()?;
        Ok(plan)
    }

    /// What must be the same at every point cannot be swept.
    fn check_shape(&self) -> Result<(), ScenarioError> {
        let base = &self.scenario;
        for (point, setting) in &self.points {
            let here = &point.scenario;
            let same = here.seed == base.seed && here.repeat == base.repeat;
            if !same || here.measure != base.measure || here.expect != base.expect {
                let reason = "seed, repeat, measure and expect cannot be swept".to_owned();
                return Err(ScenarioError::Key { key: "sweep".to_owned(), reason });
            }
            if let Some(expect) = &base.expect {
                judge::can_judge(expect.curve, setting, &base.measure.quantities)?;
                if !base.measure.quantities.contains(&expect.curve.quantity()) {
                    return Err(ScenarioError::Value {
                        key: "measure.quantities".to_owned(),
                        got: "a list without it".to_owned(),
                        expected: format!("\"{}\", which the expected curve is about", expect.curve.quantity().name()),
                    });
                }
            }
        }
        Ok(())
    }

    /// The scenario without its sweep applied.
    pub const fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// The points of the sweep.
    pub fn points(&self) -> impl ExactSizeIterator<Item = &SweptPoint> {
        self.points.iter().map(|(point, _)| point)
    }

    /// How many runs there are.
    pub fn runs(&self) -> u64 {
        self.points.len() as u64 * self.scenario.repeat
    }

    /// Blocks that all runs find together.
    pub fn blocks(&self) -> u64 {
        let blocks = self.points.iter().map(|(_, setting)| setting.blocks()).sum::<u64>();
        blocks.saturating_mul(self.scenario.repeat)
    }

    /// The setting of a point, for trials of its speed.
    pub fn setting(&self, point: usize) -> Option<&Setting> {
        self.points.get(point).map(|(_, setting)| setting)
    }

    /// The scenario with all defaults filled in.
    pub fn canonical_text(&self) -> String {
        // A scenario that was read can be written: it has no map keys but texts.
        toml::to_string(&self.scenario).unwrap_or_default()
    }

    /// SHA-256 of [`Plan::canonical_text`], in hex: results of different scenarios must not be mixed.
    pub fn hash(&self) -> String {
        Sha256::digest(self.canonical_text()).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The quantities that are measured.
    pub fn quantities(&self) -> &[Quantity] {
        &self.scenario.measure.quantities
    }

    /// Carries out run `index`; `None` where there is no such run.
    pub fn run(&self, index: u64) -> Option<Row> {
        let (point, setting) = self.points.get(usize::try_from(index / self.scenario.repeat).ok()?)?;
        let replication = index % self.scenario.repeat;
        let seed = run_seed(self.scenario.seed, &point.text(), replication);
        let outcome = setting.run(seed);
        Some(Row::new(index, seed, &outcome, self.quantities(), setting.interval_ms()))
    }
}

#[cfg(test)]
mod tests;
