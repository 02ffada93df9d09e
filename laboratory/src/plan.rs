//! The plan of an experiment: its runs, their seeds, the rows that they give, and what the rows say together.
//!
//! Run `index` is replication `index % stride` of point `index / stride`, where the stride is the most runs of a point.
//! A row is made from nothing but the plan and its index, so it does not matter where, when or in which order runs
//! happen.

mod judge;
mod row;
mod schedule;
mod table;

pub use judge::{Estimate, Summary, Verdict};
pub use row::Row;
pub use schedule::{Schedule, Shard};

use crate::kernel::run_seed;
use crate::model::{Outcome, Setting, Step};
use crate::scenario::{Chains, Quantity, Scenario, ScenarioError, SweptPoint, apply, points, read};
use sha2::{Digest, Sha256};

/// An experiment that can run: every point has been checked.
#[derive(Debug, Clone)]
pub struct Plan {
    scenario: Scenario,
    points: Vec<(SweptPoint, Setting)>,
}

impl Plan {
    /// Reads a scenario that names no files, with `settings` and `seed` put over it.
    ///
    /// # Errors
    /// Whatever is wrong with the scenario at any of its points.
    pub fn read(text: &str, settings: &[(String, String)], seed: Option<u64>) -> Result<Self, ScenarioError> {
        Self::read_with_files(text, settings, seed, &|_| Err("no files can be read here".to_owned()))
    }

    /// As [`Plan::read`], with `open` to read the files that the scenario names; their text becomes a part of it.
    ///
    /// # Errors
    /// Whatever is wrong with the scenario at any of its points, and files that cannot be read.
    pub fn read_with_files(
        text: &str,
        settings: &[(String, String)],
        seed: Option<u64>,
        open: &dyn Fn(&str) -> Result<String, String>,
    ) -> Result<Self, ScenarioError> {
        let seed = seed.map(|seed| ("seed".to_owned(), seed.to_string()));
        let settings: Vec<_> = settings.iter().cloned().chain(seed).collect();
        let (mut scenario, mut table) = read(text, &settings)?;
        for miner in scenario.miner.iter_mut().filter(|miner| miner.table.is_none()) {
            let Some(file) = &miner.file else { continue };
            let key = format!("miner.{}", miner.name);
            let reason = |reason| ScenarioError::Key { key: format!("{key}.file"), reason };
            let text = open(file).map_err(reason)?;
            apply(&mut table, &format!("{key}.table"), toml::Value::String(text.clone()))?;
            miner.table = Some(text);
        }
        if let Some(live) = scenario.live.as_mut().filter(|live| live.blocks.is_none())
            && let Some(file) = &live.chain
        {
            let reason = |reason| ScenarioError::Key { key: "live.chain".to_owned(), reason };
            let text = open(file).map_err(reason)?;
            apply(&mut table, "live.blocks", toml::Value::String(text.clone()))?;
            live.blocks = Some(text);
        }
        scenario.check_rates()?;
        let mut chains = Chains::default();
        let with_setting = |point: SweptPoint| point.scenario.setting_on(&mut chains).map(|setting| (point, setting));
        let points = points(&table)?.into_iter().map(with_setting).collect::<Result<Vec<_>, _>>()?;
        let plan = Self { scenario, points };
        plan.check_shape()?;
        plan.check_tables()?;
        Ok(plan)
    }

    /// What must be the same at every point cannot be swept.
    fn check_shape(&self) -> Result<(), ScenarioError> {
        let base = &self.scenario;
        for (point, setting) in &self.points {
            let here = &point.scenario;
            let files = |scenario: &Scenario| scenario.miner.iter().map(|m| m.file.clone()).collect::<Vec<_>>();
            let chain = |scenario: &Scenario| scenario.live.as_ref().map(|live| live.chain.clone());
            let same = chain(here) == chain(base)
                && here.seed == base.seed
                && here.repeat == base.repeat
                && files(here) == files(base);
            if !same || here.measure != base.measure || here.expect != base.expect || here.report != base.report {
                let reason = "seed, repeat, measure, expect, report and files cannot be swept".to_owned();
                return Err(ScenarioError::Key { key: "sweep".to_owned(), reason });
            }
            if let Some(expect) = &base.expect {
                judge::can_judge(expect.curve, setting, &base.measure.quantities)?;
                self.must_measure(expect.curve.quantity(), "the expected curve")?;
            }
        }
        base.report.map_or(Ok(()), |report| self.must_measure(report.quantity, "the chart"))
    }

    fn must_measure(&self, quantity: Quantity, user: &str) -> Result<(), ScenarioError> {
        if self.quantities().contains(&quantity) {
            return Ok(());
        }
        let names: Vec<String> = self.quantities().iter().map(|known| format!("\"{}\"", known.name())).collect();
        Err(ScenarioError::Value {
            key: "measure.quantities".to_owned(),
            got: format!("[{}]", names.join(", ")),
            expected: format!("one of them to be \"{}\", which {user} is about", quantity.name()),
        })
    }

    /// The quantity that the chart draws and the answer is about.
    pub fn main_quantity(&self) -> Option<Quantity> {
        let of_report = self.scenario.report.map(|report| report.quantity);
        let of_curve = self.scenario.expect.as_ref().map(|expect| expect.curve.quantity());
        of_report.or(of_curve).or(self.quantities().first().copied())
    }

    /// The scenario without its sweep applied.
    pub const fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// The points of the sweep.
    pub fn points(&self) -> impl ExactSizeIterator<Item = &SweptPoint> {
        self.points.iter().map(|(point, _)| point)
    }

    /// How many runs there are; with `until`, at most.
    pub fn runs(&self) -> u64 {
        self.points.len() as u64 * self.stride()
    }

    /// The most runs of a point.
    pub fn stride(&self) -> u64 {
        self.scenario.measure.until.map_or(self.scenario.repeat, |until| until.at_most)
    }

    /// Blocks that all runs find together.
    pub fn blocks(&self) -> u64 {
        let blocks = self.points.iter().map(|(_, setting)| setting.blocks()).sum::<u64>();
        blocks.saturating_mul(self.stride())
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
        let (setting, seed) = self.setting_and_seed(index)?;
        let outcome = setting.run(seed);
        Some(Row::new(index, seed, &outcome, self.quantities(), setting.interval_ms()))
    }

    /// Carries out run `index` again, with somebody who watches; `None` where there is no such run.
    pub fn replay(&self, index: u64, watcher: &mut dyn FnMut(&Step)) -> Option<Outcome> {
        let (setting, seed) = self.setting_and_seed(index)?;
        Some(setting.run_watched(seed, watcher))
    }

    pub(crate) fn setting_and_seed(&self, index: u64) -> Option<(&Setting, u64)> {
        let (point, setting) = self.points.get(usize::try_from(index / self.stride()).ok()?)?;
        Some((setting, run_seed(self.scenario.seed, &point.text(), index % self.stride())))
    }
}

#[cfg(test)]
mod tests;
