//! `replay`: one run again, from its seed; the same run, byte for byte, on every machine.

use super::args::ReplayArgs;
use super::folder::Folder;
use super::{Ending, Usage};
use anyhow::Context;
use laboratory::model::Step;
use laboratory::plan::Plan;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

pub(super) fn run(args: &ReplayArgs) -> anyhow::Result<Ending> {
    let plan = Folder::plan_of(&args.out)?;
    let index = number(&args.run, &plan)?;
    let Some(row) = plan.run(index) else {
        return Err(Usage(format!("there is no run {}; the last one is {}", args.run, plan.runs() - 1)).into());
    };
    if let Some(file) = &args.graph {
        let graph = plan.graphml(index).ok_or_else(|| {
            Usage(
                "--graph: the model draws no network; relay and core do, and links has its links in the scenario"
                    .into(),
            )
        })?;
        std::fs::write(file, graph).with_context(|| format!("cannot write {}", file.display()))?;
    }
    if let Some(file) = &args.record {
        record(&plan, index, file)?;
    }
    let mut out = BufWriter::new(std::io::stdout().lock());
    if args.trace {
        let mut failed = None;
        plan.replay(index, &mut |step: &Step| {
            if failed.is_none() && !step.is_for_recordings() {
                let line = serde_json::to_string(step).map_err(std::io::Error::from);
                failed = line.and_then(|line| writeln!(out, "{line}")).err();
            }
        });
        if let Some(error) = failed {
            return Err(error.into());
        }
        out.flush()?;
        return Ok(Ending::Good);
    }
    if args.json {
        let values: serde_json::Map<_, _> = plan
            .quantities()
            .iter()
            .zip(&row.values)
            .map(|(q, value)| (q.name().to_owned(), (*value).into()))
            .collect();
        let digest = format!("{:016x}", row.digest);
        let object = serde_json::json!({ "run": index, "seed": row.seed, "digest": digest, "values": values });
        writeln!(out, "{object}")?;
    } else {
        writeln!(out, "{}\n{}", plan.csv_header(), row.csv(&plan))?;
    }
    out.flush()?;
    Ok(Ending::Good)
}

/// Why a run cannot be recorded.
pub(super) const NOT_RECORDED: &str = "--record: only runs of the model core, which has real nodes, are recorded";

/// Records a run into a file.
pub(super) fn record(plan: &Plan, index: u64, file: &Path) -> anyhow::Result<()> {
    let failed = || format!("cannot write {}", file.display());
    let mut out = BufWriter::new(File::create(file).with_context(failed)?);
    let mut written = Ok(());
    let is_recorded = plan.record(index, &mut |line| {
        if written.is_ok() {
            written = writeln!(out, "{line}");
        }
    });
    if !is_recorded {
        drop(out);
        std::fs::remove_file(file).with_context(failed)?;
        return Err(Usage(NOT_RECORDED.into()).into());
    }
    written.and_then(|()| out.flush()).with_context(failed)
}

/// The number of a run: itself, or its point and replication.
fn number(text: &str, plan: &Plan) -> anyhow::Result<u64> {
    let parts: Option<Vec<u64>> = text.split(':').map(|part| part.parse().ok()).collect();
    match parts.as_deref() {
        Some(&[run]) => Ok(run),
        Some(&[point, _]) if point >= plan.points().len() as u64 => {
            Err(Usage(format!("{text}: there is no point {point}; the last one is {}", plan.points().len() - 1)).into())
        }
        Some(&[point, replication]) if replication >= plan.stride() => {
            let last = plan.stride() - 1;
            Err(Usage(format!("{text}: point {point} has {} runs, 0 to {last}", plan.stride())).into())
        }
        Some(&[point, replication]) => Ok(point * plan.stride() + replication),
        _ => Err(Usage(format!("{text}: expected a run like 17, or POINT:REPLICATION like 17:3")).into()),
    }
}
