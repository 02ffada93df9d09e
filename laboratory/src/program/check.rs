//! `check`: what an experiment means and costs. It times one short run to know how fast this machine is.

use super::Ending;
use super::args::ScenarioArgs;
use laboratory::model::Setting;
use laboratory::plan::Plan;
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
    for miner in &scenario.miner {
        let share = miner.share.map_or(String::new(), |share| format!(", {} of the hash rate", share));
        writeln!(out, "  miner {}: {}{share}", miner.name, laboratory_name(&miner.strategy))?;
    }
    for (key, values) in &scenario.sweep {
        writeln!(out, "  {key} takes {values}")?;
    }
    writeln!(out, "\n  {} points × {} replications = {} runs", cost.points, scenario.repeat, cost.runs)?;
    writeln!(out, "  {} blocks to find in all", cost.blocks)?;
    writeln!(out, "  about {:.1} s of processor time on this machine", cost.processor_seconds)?;
    writeln!(out, "  blocks take about {:.1} MB a thread", cost.megabytes_per_thread)?;
    Ok(Ending::Good)
}

fn laboratory_name(name: &impl Serialize) -> String {
    serde_json::to_value(name).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
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
