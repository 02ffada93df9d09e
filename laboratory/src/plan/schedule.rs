//! Which runs come next: all of them, or, with `measure.until`, one batch of each point after another, until the point
//! is known well enough.
//!
//! Whether a point goes on is decided only after whole rounds, from rows in order, so it does not depend on threads,
//! shards or interruptions. With `until`, a shard has whole points; otherwise every n-th run.

use super::Plan;
use super::Row;
use crate::scenario::Until;

/// A part of the runs that can be carried out apart from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Which part, from 0.
    pub index: u64,
    /// Of how many.
    pub of: u64,
}

impl Shard {
    /// Everything.
    pub const WHOLE: Self = Self { index: 0, of: 1 };
}

/// The runs of a shard, round by round.
#[derive(Debug)]
pub struct Schedule<'a> {
    plan: &'a Plan,
    shard: Shard,
    round: u64,
    /// By point: what its rows are, or `None` once it is known well enough.
    open: Vec<(usize, Option<Vec<Row>>)>,
}

impl<'a> Schedule<'a> {
    /// The schedule of a shard, at its beginning.
    pub fn new(plan: &'a Plan, shard: Shard) -> Self {
        let points = (0..plan.points.len()).filter(|point| *point as u64 % shard.of == shard.index);
        Self { plan, shard, round: 0, open: points.map(|point| (point, Some(Vec::new()))).collect() }
    }

    /// The runs of the next round in order; none at the end. Each must be given to [`Schedule::add`] before the next
    /// call.
    pub fn next_round(&mut self) -> Vec<u64> {
        let Some(until) = self.plan.scenario.measure.until else {
            let runs = if self.round == 0 { self.plan.runs() } else { 0 };
            self.round += 1;
            return (self.shard.index..runs).step_by(self.shard.of as usize).collect();
        };
        if self.round > 0 {
            self.close_points(until);
        }
        let batch = self.plan.scenario.repeat;
        let first = self.round * batch;
        self.round += 1;
        let replications = first..(first + batch).min(until.at_most);
        let open = self.open.iter().filter(|(_, rows)| rows.is_some());
        open.flat_map(|(point, _)| replications.clone().map(|run| *point as u64 * self.plan.stride() + run)).collect()
    }

    /// Takes a row of the current round.
    pub fn add(&mut self, row: Row) {
        if self.plan.scenario.measure.until.is_none() {
            return;
        }
        let point = (row.index / self.plan.stride()) as usize;
        if let Some((_, Some(rows))) = self.open.iter_mut().find(|(open, _)| *open == point) {
            rows.push(row);
        }
    }

    fn close_points(&mut self, until: Until) {
        for (point, rows) in &mut self.open {
            let Some(known) = rows else { continue };
            let rows_of_point: Vec<&Row> = known.iter().collect();
            let setting = &self.plan.points[*point].1;
            let interval = self.plan.estimate(setting, &rows_of_point, 0).interval;
            let is_narrow = interval.is_some_and(|interval| interval.half_width() <= until.half_width);
            if is_narrow || known.len() as u64 >= until.at_most {
                *rows = None;
            }
        }
    }
}
