//! `run`: carries out the runs of an experiment on several threads, in batches that are written in order.

use super::args::RunArgs;
use super::folder::Folder;
use super::replay::NOT_RECORDED;
use super::{Ending, Usage, print};
use indicatif::{ProgressBar, ProgressStyle};
use laboratory::plan::{Plan, Row, Schedule, Summary, Verdict};
use laboratory::report;
use laboratory::scenario::ModelName;
use rayon::ThreadPoolBuilder;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

/// Runs of a batch, per thread: few enough that an interruption loses little.
const BATCH_PER_THREAD: usize = 16;

pub(super) fn run(args: &RunArgs) -> anyhow::Result<Ending> {
    let plan = args.scenario.plan()?;
    if args.record.is_some() && plan.scenario().model != ModelName::Core {
        return Err(Usage(NOT_RECORDED.into()).into());
    }
    let out = args
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from("out").join(args.scenario.file.file_stem().unwrap_or("experiment".as_ref())));
    let folder = Folder::open(&out, &plan, &|| instead(args, &out))?;
    let mut schedule = Schedule::new(&plan, args.shard);
    let (mut part, mut missing) = folder.part(args.shard, &mut schedule)?;
    let pool = ThreadPoolBuilder::new().num_threads(args.threads).build()?;
    let bar = progress(missing.len());
    while !missing.is_empty() {
        for batch in missing.chunks(BATCH_PER_THREAD * pool.current_num_threads()) {
            // Rayon keeps the order of a vector, whichever thread is done first.
            let rows = pool.install(|| {
                let carry_out = |&index| {
                    let (row, tables) = plan.run_with_tables(index)?;
                    // Before its row: a run whose row is there has its tables.
                    Some(folder.write_tables(index, &tables).map(|()| row))
                };
                batch.into_par_iter().filter_map(carry_out).collect::<anyhow::Result<Vec<Row>>>()
            })?;
            bar.inc(rows.len() as u64);
            part.append(&rows, &plan)?;
            rows.into_iter().for_each(|row| schedule.add(row));
        }
        missing = schedule.next_round();
        bar.inc_length(missing.len() as u64);
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
    if let Some(file) = &args.record {
        super::replay::record(&plan, 0, file)?;
    }
    conclude(&plan, &folder, &rows, &out.display().to_string(), args.scenario.json)
}

/// What to do where the folder holds other results: the command that leaves them where they are.
fn instead(args: &RunArgs, taken: &Path) -> String {
    if args.out.is_some() {
        return "choose another --out, or remove it".to_owned();
    }
    let name = taken.display();
    let free = (2..).map(|number| format!("{name}-{number}")).find(|path| !Path::new(path).exists());
    let seed = args.scenario.seed.map(|seed| format!("seed={seed}"));
    let settings: Vec<String> = args.scenario.settings.iter().cloned().chain(seed).collect();
    let file = args.scenario.file.display().to_string();
    let command = report::command(&file, &settings, &free.unwrap_or_default());
    format!("keep them with `{command}`, or remove that folder")
}

/// Writes and prints what the rows say together.
pub(super) fn conclude(
    plan: &Plan,
    folder: &Folder<'_>,
    rows: &[Row],
    out: &str,
    json: bool,
) -> anyhow::Result<Ending> {
    let summaries = plan.summaries(rows);
    folder.report(&summaries)?;
    if !json {
        let scenario = plan.scenario();
        writeln!(std::io::stdout(), "{}\n{}\n", scenario.title, scenario.question)?;
    }
    print::summaries(plan, &summaries, json)?;
    if !json {
        writeln!(std::io::stdout(), "\n{}", closing(plan, &summaries, out))?;
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
    let few = report::few_runs(plan, summaries).map_or(String::new(), |words| format!("{words}\n"));
    format!(
        "{few}{expectations}± is half of the {confidence} % interval. Report: {out}/report.html. \
         Rows: {out}/runs.csv. Seed {}.",
        plan.scenario().seed
    )
}

/// A bar on a terminal, nothing elsewhere.
fn progress(runs: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(runs as u64);
    match ProgressStyle::with_template("{bar:40} {pos} of {len} runs, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
