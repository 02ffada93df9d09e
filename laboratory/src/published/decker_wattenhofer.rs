//! Forks follow from propagation: the formula of Decker and Wattenhofer, with their figures and with ours.

use super::{CONFIDENCE, Finding, Publication, Source};
use crate::kernel::run_seed;
use crate::measure::mean;
use crate::model::relay::{Relay, RelayMode, Upload};
use crate::network::{Maker, NetworkSetting, Power, PresetName};
use shared::params::Params;
use shared::params::RetargetRule;

pub(super) const PUBLICATION: Publication = Publication {
    name: "decker-wattenhofer",
    citation: "C. Decker and R. Wattenhofer, Information propagation in the Bitcoin network, 2013, section V",
    source: Source::AsCited,
    findings,
};

/// Seconds between blocks, and the mean time in seconds for which a node does not know the newest block.
const INTERVAL_S: f64 = 633.68;
const UNAWARE_S: f64 = 11.37;

const RUNS: u64 = 20;
const BLOCKS: u64 = 3000;
/// Shorter than Bitcoin's, so that there are forks to count.
const OUR_INTERVAL_MS: u64 = 60_000;

/// The probability that a block is met by another one, when blocks come once per `interval` and a node hears of one
/// after `unaware` on average.
fn fork_rate(unaware: f64, interval: f64) -> f64 {
    1.0 - libm::pow(1.0 - 1.0 / interval, unaware)
}

fn findings(seed: u64) -> Vec<Finding> {
    let what = "forks by the formula, with the propagation and the interval that they measured".to_owned();
    let closed = Finding::closed(what, "1.78%", fork_rate(UNAWARE_S, INTERVAL_S));
    let relay = Relay {
        network: NetworkSetting {
            preset: PresetName::Simblock2015,
            nodes: 200,
            latency_ms: 0,
            power: Power::Equal,
            graph: Maker::Degrees,
        },
        mode: RelayMode::Inv,
        upload: Upload::Transfer,
        block_bytes: 250_000,
        pool: None,
        events: Vec::new(),
        params: Params { retarget: RetargetRule::Fixed, block_interval_ms: OUR_INTERVAL_MS, ..Params::default() },
        blocks: BLOCKS,
        warm_up: 0,
    };
    let seeds: Vec<u64> = (0..RUNS).map(|run| run_seed(seed, "decker-wattenhofer", run)).collect();
    // For each run: what the formula says at its propagation, and the forks for each block of the main chain.
    let mut differences = Vec::new();
    let (mut expected, mut found) = (0.0, 0.0);
    for &seed in &seeds {
        let outcome = relay.run(seed);
        let unaware_ms = outcome.spread.as_ref().and_then(|spread| spread.delays_ms.mean()).unwrap_or(f64::NAN);
        let formula = fork_rate(unaware_ms, OUR_INTERVAL_MS as f64);
        let stale = outcome.miners.iter().map(|miner| miner.found - miner.main).sum::<u64>();
        let forks = stale as f64 / outcome.main() as f64;
        differences.push(forks - formula);
        expected += formula / RUNS as f64;
        found += forks / RUNS as f64;
    }
    let interval = mean(&differences, CONFIDENCE).map(|interval| interval.shifted(expected));
    let simulated = Finding {
        what: "simulated: forks of 200 nodes at one block a minute; the formula at their propagation".to_owned(),
        published: format!("{expected:.5}"),
        ours: format!("{found:.5}"),
        holds: interval.is_some_and(|interval| interval.contains(expected)),
        interval,
        seed: seeds.first().copied(),
    };
    vec![closed, simulated]
}
