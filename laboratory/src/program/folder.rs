//! The folder of an experiment's results.
//!
//! | file | what it holds |
//! |---|---|
//! | `scenario.toml` | the scenario with all defaults filled in |
//! | `manifest.json` | its hash, the version, the largest number of runs |
//! | `parts/0-of-1.csv` | rows of a shard, appended in whole batches, in the order of its schedule |
//! | `runs.csv` | the rows of all shards, once every run is there |
//! | `tables/blocks-000017.csv` | a table of one run, where the scenario asks for it |
//! | `blocks.csv` and others | the same of all runs |
//! | `report.html`, `report.md`, `chart.svg` | what they say together |
//!
//! Interrupted experiments go on: what is in a part is kept, but for a torn last line.

use super::Usage;
use anyhow::Context;
use laboratory::plan::{Plan, Row, Schedule, Shard, Summary};
use laboratory::report;
use laboratory::scenario::Table;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// What results were made from and by.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Manifest {
    scenario_sha256: String,
    version: String,
    runs: u64,
}

/// An open part of the results.
pub(super) struct Part {
    file: File,
}

/// The folder.
pub(super) struct Folder<'a> {
    path: PathBuf,
    plan: &'a Plan,
}

impl<'a> Folder<'a> {
    /// Opens or makes the folder; refuses one of another scenario or version. `instead` says what to do then.
    pub(super) fn open(path: &Path, plan: &'a Plan, instead: &dyn Fn() -> String) -> anyhow::Result<Self> {
        let parts = path.join("parts");
        fs::create_dir_all(&parts).with_context(|| format!("cannot make {}", parts.display()))?;
        if !plan.tables().is_empty() {
            let tables = path.join("tables");
            fs::create_dir_all(&tables).with_context(|| format!("cannot make {}", tables.display()))?;
        }
        let manifest =
            Manifest { scenario_sha256: plan.hash(), version: env!("CARGO_PKG_VERSION").to_owned(), runs: plan.runs() };
        let file = path.join("manifest.json");
        match fs::read_to_string(&file) {
            Ok(text) if serde_json::from_str::<Manifest>(&text).is_ok_and(|there| there == manifest) => {}
            Ok(_) => {
                let reason = "holds results of another scenario or version";
                return Err(Usage(format!("{} {reason}; {}", path.display(), instead())).into());
            }
            Err(_) => {
                write_whole(&path.join("scenario.toml"), &plan.canonical_text())?;
                write_whole(&file, &format!("{}\n", serde_json::to_string_pretty(&manifest)?))?;
            }
        }
        Ok(Self { path: path.to_owned(), plan })
    }

    /// Reads the plan of a folder that has results.
    ///
    /// # Errors
    /// Where there are none.
    pub(super) fn plan_of(path: &Path) -> anyhow::Result<Plan> {
        let file = path.join("scenario.toml");
        let text = fs::read_to_string(&file).map_err(|error| {
            Usage(format!("{}: {error}; `laboratory run FILE --out DIR` writes such a folder", file.display()))
        })?;
        Ok(Plan::read(&text, &[], None).map_err(|error| Usage(format!("{}: {error}", file.display())))?)
    }

    /// Opens the part of a shard for appending; rows that are there already go into `schedule`. Returns what is missing
    /// of the round that the schedule is in.
    pub(super) fn part(&self, shard: Shard, schedule: &mut Schedule<'_>) -> anyhow::Result<(Part, Vec<u64>)> {
        let path = self.path.join("parts").join(format!("{}-of-{}.csv", shard.index, shard.of));
        let header = format!("{}\n", self.plan.csv_header());
        let text = fs::read_to_string(&path).unwrap_or_default();
        let mut kept = 0;
        let mut lines = text.strip_prefix(&header).unwrap_or_default().split_inclusive('\n');
        if text.starts_with(&header) {
            kept = header.len();
        }
        let mut round = schedule.next_round();
        let mut done = 0;
        while let Some(&expected) = round.get(done) {
            let line = lines.next();
            let row = line.and_then(|line| line.strip_suffix('\n')).and_then(|line| Row::parse(line, self.plan));
            let Some(row) = row.filter(|row| row.index == expected) else { break };
            schedule.add(row);
            kept += line.map_or(0, str::len);
            done += 1;
            if done == round.len() {
                (round, done) = (schedule.next_round(), 0);
            }
        }
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        file.set_len(kept as u64)?;
        if kept == 0 {
            file.write_all(header.as_bytes())?;
        }
        Ok((Part { file }, round.split_off(done)))
    }

    /// The rows of all shards in order, if every run is there; writes `runs.csv` then.
    pub(super) fn finish(&self) -> anyhow::Result<Option<Vec<Row>>> {
        let mut rows = BTreeMap::new();
        for entry in fs::read_dir(self.path.join("parts"))? {
            let text = fs::read_to_string(entry?.path())?;
            let read = text.lines().skip(1).filter_map(|line| Row::parse(line, self.plan));
            rows.extend(read.map(|row| (row.index, row)));
        }
        let mut schedule = Schedule::new(self.plan, Shard::WHOLE);
        let mut wanted = Vec::new();
        loop {
            let round = schedule.next_round();
            if round.is_empty() {
                break;
            }
            for index in round {
                let Some(row) = rows.remove(&index) else { return Ok(None) };
                schedule.add(row.clone());
                wanted.push(row);
            }
        }
        wanted.sort_by_key(|row| row.index);
        let lines = wanted.iter().map(|row| format!("{}\n", row.csv(self.plan)));
        let text: String = std::iter::once(format!("{}\n", self.plan.csv_header())).chain(lines).collect();
        write_whole(&self.path.join("runs.csv"), &text)?;
        self.join_tables(&wanted)?;
        Ok(Some(wanted))
    }

    /// Where the lines of a table of one run are.
    fn table_part(&self, table: Table, index: u64) -> PathBuf {
        self.path.join("tables").join(format!("{}-{index:06}.csv", table.name()))
    }

    /// Writes the tables of a run, each as a whole.
    pub(super) fn write_tables(&self, index: u64, tables: &[String]) -> anyhow::Result<()> {
        for (table, lines) in self.plan.tables().iter().zip(tables) {
            write_whole(&self.table_part(*table, index), &format!("{}\n{lines}", table.header()))?;
        }
        Ok(())
    }

    /// Puts the tables of all runs together, in order.
    fn join_tables(&self, rows: &[Row]) -> anyhow::Result<()> {
        for table in self.plan.tables() {
            let path = self.path.join(table.name()).with_extension("csv");
            let beside = path.with_extension(format!("{}.tmp", std::process::id()));
            let failed = || format!("cannot write {}", path.display());
            let mut file = BufWriter::new(File::create(&beside).with_context(failed)?);
            writeln!(file, "{}", table.header())?;
            for row in rows {
                let part = self.table_part(*table, row.index);
                let missing = || format!("cannot read {}; remove the folder and run again", part.display());
                let text = fs::read_to_string(&part).with_context(missing)?;
                file.write_all(text.split_once('\n').map_or("", |(_, lines)| lines).as_bytes()).with_context(failed)?;
            }
            file.flush().with_context(failed)?;
            fs::rename(&beside, &path).with_context(failed)?;
        }
        Ok(())
    }
}

impl Folder<'_> {
    /// Writes the reports.
    pub(super) fn report(&self, summaries: &[Summary]) -> anyhow::Result<()> {
        write_whole(&self.path.join("report.html"), &report::html(self.plan, summaries))?;
        write_whole(&self.path.join("report.md"), &report::markdown(self.plan, summaries))?;
        match report::picture(self.plan, summaries) {
            Some(chart) => write_whole(&self.path.join("chart.svg"), &chart),
            None => Ok(()),
        }
    }
}

impl Part {
    /// Appends rows: all of them in one write.
    pub(super) fn append(&mut self, rows: &[Row], plan: &Plan) -> anyhow::Result<()> {
        let text: String = rows.iter().map(|row| format!("{}\n", row.csv(plan))).collect();
        self.file.write_all(text.as_bytes()).context("cannot write results")
    }
}

/// Writes a file so that it is there as a whole or not at all.
fn write_whole(path: &Path, text: &str) -> anyhow::Result<()> {
    let beside = path.with_extension(format!("{}.tmp", std::process::id()));
    fs::write(&beside, text)
        .and_then(|()| fs::rename(&beside, path))
        .with_context(|| format!("cannot write {}", path.display()))
}
