//! `check`: what an experiment means and costs. It times one short run to know how fast this machine is.

use super::Ending;
use super::args::ScenarioArgs;
use laboratory::model::Setting;
use laboratory::plan::Plan;
use laboratory::report;
use serde::Serialize;
use std::io::Write;
use std::time::Instant;

/// Blocks of the run that is timed.
const RACE_BLOCKS: u64 = 20_000;
const NETWORK_BLOCKS: u64 = 20;
/// What the tree holds a block, with the branch that a difficulty is computed from.
const BYTES_PER_BLOCK: u64 = 72;

#[derive(Debug, Serialize)]
struct Cost {
    title: String,
    points: usize,
    runs: u64,
    blocks: u64,
    processor_seconds: f64,
    megabytes_per_thread: f64,
}

pub(super) fn run(args: &ScenarioArgs) -> anyhow::Result<Ending> {
    let plan = args.plan()?;
    let cost = cost(&plan);
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", serde_json::to_string(&cost)?)?;
        return Ok(Ending::Good);
    }
    let scenario = plan.scenario();
    writeln!(out, "{}\n{}\n", scenario.title, scenario.question)?;
    for sentence in report::setting(&plan) {
        writeln!(out, "  {sentence}")?;
    }
    let repeat = scenario.repeat;
    writeln!(
        out,
        "\n  {} × {} = {}",
        counted(cost.points as u64, "point"),
        counted(repeat, "replication"),
        counted(cost.runs, "run")
    )?;
    writeln!(out, "  {} to find in all", counted(cost.blocks, "block"))?;
    writeln!(out, "  {} s of processor time on this machine", about(cost.processor_seconds))?;
    if cost.megabytes_per_thread > 0.0 {
        writeln!(out, "  blocks take {} MB a thread", about(cost.megabytes_per_thread))?;
    } else {
        writeln!(out, "  blocks are not kept, and take no memory")?;
    }
    Ok(Ending::Good)
}

/// A number with its noun, in groups of three digits.
fn counted(number: u64, noun: &str) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{grouped} {noun}{}", if number == 1 { "" } else { "s" })
}

fn about(number: f64) -> String {
    if number < 0.1 { "less than 0.1".to_owned() } else { format!("about {number:.1}") }
}

fn cost(plan: &Plan) -> Cost {
    let mut seconds_per_block = 0.0;
    let mut most_blocks = 0;
    if let Some(setting) = plan.setting(0) {
        let trial = setting.with_blocks(if matches!(setting, Setting::Race(_)) { RACE_BLOCKS } else { NETWORK_BLOCKS });
        let start = Instant::now();
        let outcome = trial.run(1);
        // The outcome must be looked at, or the run could be left out.
        let found = outcome.miners.iter().map(|miner| miner.found).sum::<u64>().max(1);
        seconds_per_block = start.elapsed().as_secs_f64() / found as f64;
        most_blocks = if setting.keeps_blocks() { setting.blocks() } else { 0 };
    }
    Cost {
        title: plan.scenario().title.clone(),
        points: plan.points().len(),
        runs: plan.runs(),
        blocks: plan.blocks(),
        processor_seconds: seconds_per_block * plan.blocks() as f64,
        megabytes_per_thread: (most_blocks * BYTES_PER_BLOCK) as f64 / 1e6,
    }
}
