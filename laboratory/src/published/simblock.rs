//! How fast blocks spread in SimBlock's network of 2019, with 10,000 nodes.
//!
//! The ranges were measured with SimBlock itself over three of its seeds. Seeds differ by 50 ms and more, so a single
//! one is no target: the interval of our mean has to meet the range.

use super::{Finding, Publication, Source};
use crate::kernel::run_seed;
use crate::measure::mean;
use crate::model::relay::{Relay, RelayMode, Upload};
use crate::network::{Maker, NetworkSetting, Power, PresetName};
use shared::params::Params;
use shared::params::RetargetRule;

pub(super) const PUBLICATION: Publication = Publication {
    name: "simblock",
    citation: "Y. Aoki et al., SimBlock: a blockchain network simulator, 2019; its program with 10,000 nodes",
    source: Source::Measured,
    findings,
};

const SEEDS: u64 = 8;
const BLOCKS: u64 = 60;
/// How sure the interval of our mean is.
const CONFIDENCE: f64 = 0.99;
/// Half and nine tenths of the nodes have a block within these milliseconds, from the fastest seed to the slowest.
const RANGES: [(&str, f64, f64, f64); 2] = [("half", 0.5, 1136.0, 1264.0), ("nine tenths", 0.9, 2297.0, 2404.0)];

fn findings(seed: u64) -> Vec<Finding> {
    let relay = Relay {
        network: NetworkSetting {
            preset: PresetName::Simblock2019,
            nodes: 10_000,
            latency_ms: 0,
            power: Power::Normal,
            graph: Maker::Degrees,
        },
        events: Vec::new(),
        mode: RelayMode::Compact,
        upload: Upload::Simblock,
        block_bytes: 535_000,
        pool: None,
        params: Params { retarget: RetargetRule::Fixed, block_interval_ms: 600_000, ..Params::default() },
        blocks: BLOCKS,
        warm_up: 0,
    };
    let seeds: Vec<u64> = (0..SEEDS).map(|run| run_seed(seed, "simblock", run)).collect();
    let outcomes: Vec<_> = seeds.iter().map(|&seed| relay.run(seed)).collect();
    let finding = |(name, share, low, high): (&str, f64, f64, f64)| {
        let times: Vec<f64> = outcomes.iter().filter_map(|outcome| outcome.propagation_ms(share)).collect();
        let average = times.iter().sum::<f64>() / times.len() as f64;
        let interval = mean(&times, CONFIDENCE);
        Finding {
            what: format!("ms until {name} of 10,000 nodes have a block, mean of {SEEDS} seeds"),
            published: format!("{low} to {high}"),
            ours: format!("{average:.0}"),
            interval,
            holds: interval.is_some_and(|interval| interval.low <= high && low <= interval.high),
            seed: seeds.first().copied(),
        }
    };
    RANGES.into_iter().map(finding).collect()
}
