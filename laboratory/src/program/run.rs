//! `run`: carries out the runs of an experiment on several threads, in batches that are written in order.

use super::args::RunArgs;
use super::folder::Folder;
use super::{Ending, print};
use indicatif::{ProgressBar, ProgressStyle};
use laboratory::plan::{Plan, Row, Summary, Verdict};
use rayon::ThreadPoolBuilder;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use std::io::{IsTerminal, Write};
use std::path::PathBuf;

/// Runs of a batch, per thread: few enough that an interruption loses little.
const BATCH_PER_THREAD: usize = 16;

pub(super) fn run(args: &RunArgs) -> anyhow::Result<Ending> {
    let plan = args.scenario.plan()?;
    let out = args
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from("out").join(args.scenario.file.file_stem().unwrap_or("experiment".as_ref())));
    let folder = Folder::open(&out, &plan)?;
    let mut part = folder.part(args.shard)?;
    let all: Vec<u64> = (args.shard.index..plan.runs()).step_by(args.shard.of as usize).collect();
    let pool = ThreadPoolBuilder::new().num_threads(args.threads).build()?;
    let bar = progress(all.len(), part.rows.len());
    let missing = all.get(part.rows.len()..).unwrap_or_default();
    for batch in missing.chunks(BATCH_PER_THREAD * pool.current_num_threads()) {
        // Rayon keeps the order of a vector, whichever thread is done first.
        let rows: Vec<Row> = pool.install(|| batch.into_par_iter().filter_map(|&index| plan.run(index)).collect());
        bar.inc(rows.len() as u64);
        part.append(rows, &plan)?;
    }
    bar.finish_and_clear();
    let Some(rows) = folder.finish()? else {
        if !args.scenario.json {
            let shard = args.shard;
            let mut out = std::io::stdout().lock();
            writeln!(out, "shard {}/{} is done; other shards are missing", shard.index, shard.of)?;
        }
        return Ok(Ending::Good);
    };
    let summaries = plan.summaries(&rows);
    folder.report(&summaries)?;
    if !args.scenario.json {
        let scenario = plan.scenario();
        writeln!(std::io::stdout(), "{}\n{}\n", scenario.title, scenario.question)?;
    }
    print::summaries(&plan, &summaries, args.scenario.json)?;
    if !args.scenario.json {
        writeln!(std::io::stdout(), "\n{}", closing(&plan, &summaries, &out.display().to_string()))?;
    }
    let differs = verdicts(&summaries).any(|verdict| verdict == Verdict::Fails);
    Ok(if differs { Ending::NotAsExpected } else { Ending::Good })
}

fn verdicts(summaries: &[Summary]) -> impl Iterator<Item = Verdict> {
    summaries.iter().flat_map(|summary| summary.estimates.iter().filter_map(|estimate| estimate.verdict))
}

fn closing(plan: &Plan, summaries: &[Summary], out: &str) -> String {
    let judged = verdicts(summaries).count();
    let holding = verdicts(summaries).filter(|verdict| *verdict == Verdict::Holds).count();
    let expectations = if judged == 0 { String::new() } else { format!("{holding} of {judged} expectations hold. ") };
    let confidence = plan.scenario().measure.confidence * 100.0;
    format!(
        "{expectations}± is half of the {confidence} % interval. Report: {out}/report.html. Rows: {out}/runs.csv. \
         Seed {}.",
        plan.scenario().seed
    )
}

/// A bar on a terminal, nothing elsewhere.
fn progress(all: usize, done: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(all as u64).with_position(done as u64);
    match ProgressStyle::with_template("{bar:40} {pos} of {len} runs, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
