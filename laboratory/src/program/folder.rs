//! The folder of an experiment's results.
//!
//! | file | what it holds |
//! |---|---|
//! | `scenario.toml` | the scenario with all defaults filled in |
//! | `manifest.json` | its hash, the version, the number of runs |
//! | `parts/0-of-1.csv` | rows of a shard, appended in whole batches, in the order of their numbers |
//! | `runs.csv` | the rows of all shards, once every run is there |
//! | `report.html`, `report.md`, `chart.svg` | what they say together |
//!
//! Interrupted experiments go on: what is in a part is kept, but for a torn last line.

use super::Usage;
use super::args::Shard;
use anyhow::Context;
use laboratory::plan::{Plan, Row, Summary};
use laboratory::report;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
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
    /// Rows that are there already.
    pub(super) rows: Vec<Row>,
}

/// The folder.
pub(super) struct Folder<'a> {
    path: PathBuf,
    plan: &'a Plan,
}

impl<'a> Folder<'a> {
    /// Opens or makes the folder; refuses one of another scenario or version.
    pub(super) fn open(path: &Path, plan: &'a Plan) -> anyhow::Result<Self> {
        let parts = path.join("parts");
        fs::create_dir_all(&parts).with_context(|| format!("cannot make {}", parts.display()))?;
        let manifest =
            Manifest { scenario_sha256: plan.hash(), version: env!("CARGO_PKG_VERSION").to_owned(), runs: plan.runs() };
        let file = path.join("manifest.json");
        match fs::read_to_string(&file) {
            Ok(text) if serde_json::from_str::<Manifest>(&text).is_ok_and(|there| there == manifest) => {}
            Ok(_) => {
                let reason = "holds results of another scenario or version; choose another --out, or remove it";
                return Err(Usage(format!("{} {reason}", path.display())).into());
            }
            Err(_) => {
                write_whole(&path.join("scenario.toml"), &plan.canonical_text())?;
                write_whole(&file, &format!("{}\n", serde_json::to_string_pretty(&manifest)?))?;
            }
        }
        Ok(Self { path: path.to_owned(), plan })
    }

    /// Opens the part of a shard for appending.
    pub(super) fn part(&self, shard: Shard) -> anyhow::Result<Part> {
        let path = self.path.join("parts").join(format!("{}-of-{}.csv", shard.index, shard.of));
        let header = format!("{}\n", self.plan.csv_header());
        let text = fs::read_to_string(&path).unwrap_or_default();
        let mut rows = Vec::new();
        let mut kept = 0;
        if text.starts_with(&header) {
            kept = header.len();
            for line in text[header.len()..].split_inclusive('\n') {
                let expected = shard.index + rows.len() as u64 * shard.of;
                let row = line.strip_suffix('\n').and_then(|line| Row::parse(line, self.plan));
                let Some(row) = row.filter(|row| row.index == expected) else { break };
                rows.push(row);
                kept += line.len();
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
        Ok(Part { file, rows })
    }

    /// The rows of all shards in order, if every run is there; writes `runs.csv` then.
    pub(super) fn finish(&self) -> anyhow::Result<Option<Vec<Row>>> {
        let mut rows = Vec::new();
        for entry in fs::read_dir(self.path.join("parts"))? {
            let text = fs::read_to_string(entry?.path())?;
            rows.extend(text.lines().skip(1).filter_map(|line| Row::parse(line, self.plan)));
        }
        rows.sort_by_key(|row| row.index);
        rows.dedup_by_key(|row| row.index);
        if rows.len() as u64 != self.plan.runs() {
            return Ok(None);
        }
        let lines = rows.iter().map(|row| format!("{}\n", row.csv(self.plan)));
        let text: String = std::iter::once(format!("{}\n", self.plan.csv_header())).chain(lines).collect();
        write_whole(&self.path.join("runs.csv"), &text)?;
        Ok(Some(rows))
    }
}

impl Folder<'_> {
    /// Writes the reports.
    pub(super) fn report(&self, summaries: &[Summary]) -> anyhow::Result<()> {
        write_whole(&self.path.join("report.html"), &report::html(self.plan, summaries))?;
        write_whole(&self.path.join("report.md"), &report::markdown(self.plan, summaries))?;
        match report::chart(self.plan, summaries) {
            Some(chart) => write_whole(&self.path.join("chart.svg"), &chart),
            None => Ok(()),
        }
    }
}

impl Part {
    /// Appends rows: all of them in one write.
    pub(super) fn append(&mut self, rows: Vec<Row>, plan: &Plan) -> anyhow::Result<()> {
        let text: String = rows.iter().map(|row| format!("{}\n", row.csv(plan))).collect();
        self.file.write_all(text.as_bytes()).context("cannot write results")?;
        self.rows.extend(rows);
        Ok(())
    }
}

/// Writes a file so that it is there as a whole or not at all.
fn write_whole(path: &Path, text: &str) -> anyhow::Result<()> {
    let beside = path.with_extension(format!("{}.tmp", std::process::id()));
    fs::write(&beside, text)
        .and_then(|()| fs::rename(&beside, path))
        .with_context(|| format!("cannot write {}", path.display()))
}
