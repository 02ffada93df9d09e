//! Tables beside `runs.csv`: who earned what, every block, every receipt. A scenario asks for them in `measure.tables`.

use super::Plan;
use super::row::quoted;
use crate::model::{Outcome, Setting, Step};
use crate::scenario::{ScenarioError, Table};
use std::fmt::Write;

/// The most rows of a table, all runs together: about as many as a table has room for in a few gigabytes.
const MOST_ROWS: u64 = 100_000_000;

impl Table {
    /// The first line, without the end of line.
    pub const fn header(self) -> &'static str {
        match self {
            Self::Miners => "run,miner,found,main",
            Self::Blocks => "run,block,parent,height,miner,node,difficulty,found_ms,published_ms",
            Self::Receipts => "run,block,node,received_ms",
            Self::Balances => "run,address,grains",
        }
    }
}

/// The rows of the tables of one run.
#[derive(Debug, Default)]
struct Rows {
    blocks: Vec<BlockRow>,
    receipts: String,
}

#[derive(Debug)]
struct BlockRow {
    text: String,
    published_ms: Option<u64>,
}

impl Plan {
    /// The tables that the scenario asks for.
    pub fn tables(&self) -> &[Table] {
        &self.scenario.measure.tables
    }

    /// Refuses tables that a model does not have, and those that would be too long.
    pub(super) fn check_tables(&self) -> Result<(), ScenarioError> {
        for table in self.tables() {
            let refused = |got: String, expected: &str| {
                Err(ScenarioError::Value { key: "measure.tables".to_owned(), got, expected: expected.to_owned() })
            };
            let name = format!("\"{}\"", table.name());
            let is_there = |setting: &Setting| match table {
                Table::Miners | Table::Blocks => true,
                Table::Receipts => matches!(setting, Setting::Relay(_) | Setting::Core(_)),
                Table::Balances => matches!(setting, Setting::Core(core) if core.has_money()),
            };
            if !self.points.iter().all(|(_, setting)| is_there(setting)) {
                return refused(name, "receipts from relay and core, balances from core on a live chain with money");
            }
            let per_block = |setting: &Setting| match (table, setting) {
                (Table::Receipts, Setting::Relay(relay)) => relay.network.nodes as u64,
                (Table::Receipts, Setting::Core(core)) => core.network.nodes as u64,
                (Table::Blocks | Table::Receipts, _) => 1,
                (Table::Miners | Table::Balances, _) => 0,
            };
            let rows = |setting: &Setting| setting.blocks().saturating_mul(per_block(setting));
            let sum: u64 = self.points.iter().map(|(_, setting)| rows(setting)).fold(0, u64::saturating_add);
            let sum = sum.saturating_mul(self.stride());
            if sum > MOST_ROWS {
                let expected =
                    format!("at most {MOST_ROWS} rows: fewer runs or blocks, or `replay --trace` for one run");
                return refused(format!("{name}, of {sum} rows"), &expected);
            }
        }
        Ok(())
    }

    /// As [`Plan::run`], with the lines of the tables that the scenario asks for, in its order.
    pub fn run_with_tables(&self, index: u64) -> Option<(super::Row, Vec<String>)> {
        if self.tables().is_empty() {
            return self.run(index).map(|row| (row, Vec::new()));
        }
        let (setting, seed) = self.setting_and_seed(index)?;
        let mut rows = Rows::default();
        let outcome = setting.run_watched(seed, &mut |step: &Step| rows.add(index, step));
        let point = self.points.get((index / self.stride()) as usize).map(|(point, _)| point);
        let names: Vec<&str> =
            point.iter().flat_map(|point| point.scenario.miner.iter().map(|miner| miner.name.as_str())).collect();
        let tables = self.tables().iter().map(|table| match table {
            Table::Miners => miners(index, &outcome, &names),
            Table::Blocks => rows.blocks(),
            Table::Receipts => rows.receipts.clone(),
            Table::Balances => balances(index, &outcome),
        });
        let tables = tables.collect();
        Some((super::Row::new(index, seed, &outcome, self.quantities(), setting.interval_ms()), tables))
    }
}

impl Rows {
    fn add(&mut self, run: u64, step: &Step) {
        match step {
            Step::Found { at_ms, block, parent, height, miner, node, difficulty } => {
                let node = node.map_or(String::new(), |node| node.to_string());
                let text = format!("{run},{block},{parent},{height},{miner},{node},{difficulty},{at_ms}");
                self.blocks.push(BlockRow { text, published_ms: None });
            }
            Step::Published { at_ms, block } => {
                // Blocks are found in the order of their numbers, from 1 on.
                let place = (*block as usize).checked_sub(1);
                if let Some(row) = place.and_then(|place| self.blocks.get_mut(place)) {
                    row.published_ms.get_or_insert(*at_ms);
                }
            }
            Step::Received { at_ms, block, node } => {
                // Writing to text cannot fail.
                let _ = writeln!(self.receipts, "{run},{block},{node},{at_ms}");
            }
            Step::Event { .. } | Step::Told { .. } | Step::Cut { .. } | Step::Healed { .. } => {}
        }
    }

    fn blocks(&self) -> String {
        let published = |row: &BlockRow| row.published_ms.map_or(String::new(), |at_ms| at_ms.to_string());
        self.blocks.iter().map(|row| format!("{},{}\n", row.text, published(row))).collect()
    }
}

/// A line a miner: those of the scenario by name, and all others together.
fn miners(run: u64, outcome: &Outcome, names: &[&str]) -> String {
    let name = |place: usize| names.get(place).copied().unwrap_or("others");
    let miners = outcome.miners.iter().enumerate();
    miners.map(|(place, tally)| format!("{run},{},{},{}\n", quoted(name(place)), tally.found, tally.main)).collect()
}

fn balances(run: u64, outcome: &Outcome) -> String {
    outcome.balances.iter().map(|(address, grains)| format!("{run},{address},{grains}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCENARIO: &str = "title = \"t\"\nmodel = \"relay\"\nrepeat = 2\nblocks = 30\n[network]\nnodes = 8\n\
        [[miner]]\nname = \"the, pool\"\nshare = 0.4\nstrategy = \"selfish\"\n[measure]\n\
        tables = [\"miners\", \"blocks\", \"receipts\"]\n";

    #[test]
    fn tables_hold_what_a_run_has_found_and_change_nothing_about_it() {
        let plan = Plan::read(SCENARIO, &[], None).unwrap();
        let (row, tables) = plan.run_with_tables(1).unwrap();
        assert_eq!(Some(row), plan.run(1));
        let [miners, blocks, receipts] = &*tables else { panic!("{tables:?}") };
        assert!(miners.starts_with("1,\"the, pool\",") && miners.contains("\n1,others,"), "{miners}");
        assert_eq!(blocks.lines().count(), 30);
        for (table, lines) in plan.tables().iter().zip(&tables).skip(1) {
            let cells = table.header().split(',').count();
            assert!(lines.lines().all(|line| line.split(',').count() == cells), "{lines}");
        }
        // Who finds a block has it, and others receive it.
        assert!(receipts.lines().count() > 100, "{receipts}");
        let is_pools = |line: &&str| line.split(',').nth(4) == Some("0");
        let published = blocks.lines().filter(is_pools).filter(|line| !line.ends_with(',')).count();
        assert!(published > 0 && blocks.lines().filter(|line| !is_pools(line)).all(|line| line.ends_with(',')));
    }

    #[test]
    fn tables_that_are_none_or_too_long_are_refused_before_anything_runs() {
        let error = |settings: &[(&str, &str)]| {
            let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
            Plan::read(SCENARIO, &settings.collect::<Vec<_>>(), None).unwrap_err().to_string()
        };
        assert!(error(&[("blocks", "10_000_000")]).contains("\"receipts\", of 160000000 rows"));
        assert!(error(&[("measure.tables", "[\"balances\"]")]).contains("from core on a live chain"));
        assert!(error(&[("measure.tables", "[\"block\"]")]).contains("Did you mean `blocks`?"));
    }
}
