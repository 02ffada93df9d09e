//! Two groups of miners far apart, as minesim's README has them: the smaller group loses more blocks.

use super::miningsim::{error_of, outcomes, share};
use super::{CONFIDENCE, Finding, Publication, Source};
use crate::measure::mean;
use crate::model::Outcome;
use crate::model::links::{Delays, Edge, LinkGraph, LinkedMiner, Links};
use crate::strategy::StrategySetting;
use shared::params::Params;
use shared::params::RetargetRule;
use std::sync::Arc;

pub(super) const PUBLICATION: Publication = Publication {
    name: "minesim",
    citation: "L. Ruane, minesim, 2021; README: six miners, 1,000,000 blocks",
    source: Source::Text,
    findings,
};

/// Name, hash rate, share of the main chain and stale blocks in per cent.
const MINERS: [(&str, f64, f64, f64); 6] = [
    ("china-asic", 500.0, 28.19, 1.81),
    ("china-gpu", 80.0, 4.55, 1.89),
    ("portable", 60.0, 3.38, 1.90),
    ("china-gateway", 20.0, 1.13, 1.78),
    ("iceland-gw", 500.0, 28.46, 0.69),
    ("iceland2", 600.0, 34.28, 0.70),
];
/// From, to, milliseconds.
const EDGES: [(u32, u32, u64); 12] = [
    (0, 3, 500),
    (0, 1, 200),
    (1, 3, 500),
    (1, 0, 200),
    (2, 3, 500),
    (3, 0, 500),
    (3, 1, 500),
    (3, 4, 12_000),
    (3, 2, 500),
    (4, 3, 15_000),
    (4, 5, 500),
    (5, 4, 500),
];
const STALE: f64 = 1.12;
const THEIR_BLOCKS: f64 = 1_000_000.0;

const RUNS: u64 = 20;
const BLOCKS: u64 = 50_000;

fn findings(seed: u64) -> Vec<Finding> {
    let edges = EDGES.map(|(from, to, ms)| Edge { from, to, ms });
    let Ok(delays) = Delays::new(MINERS.len(), &edges) else { return Vec::new() };
    let links = Links {
        miners: MINERS.map(|(_, power, ..)| LinkedMiner { power, strategy: StrategySetting::Honest }).to_vec(),
        graph: LinkGraph::Listed(Arc::new(delays)),
        validation_ms: 0,
        params: Params { retarget: RetargetRule::Fixed, block_interval_ms: 600_000, ..Params::default() },
        blocks: BLOCKS,
        warm_up: 0,
    };
    let (outcomes, seed) = outcomes(&links, "minesim", RUNS, seed);
    let finding = |what: String, published: f64, error: f64, value: &dyn Fn(&Outcome) -> Option<f64>| {
        let values: Vec<f64> = outcomes.iter().filter_map(value).collect();
        // Half of the last printed digit.
        Finding::estimated(what, published, error + 0.005, mean(&values, CONFIDENCE), seed)
    };
    let all = finding("stale blocks, %".to_owned(), STALE, error_of(STALE, THEIR_BLOCKS), &|outcome| {
        outcome.stale().map(|stale| stale * 100.0)
    });
    let each = MINERS.into_iter().enumerate().flat_map(|(miner, (name, power, main, stale))| {
        let own = THEIR_BLOCKS * power / 1760.0;
        let shares = finding(format!("share of {name}, %"), main, error_of(main, THEIR_BLOCKS), &|outcome| {
            share(outcome, miner)
        });
        let stale = finding(format!("stale blocks of {name}, %"), stale, error_of(stale, own), &|outcome| {
            let tally = outcome.miners.get(miner)?;
            Some((tally.found - tally.main) as f64 / tally.found as f64 * 100.0)
        });
        [shares, stale]
    });
    std::iter::once(all).chain(each).collect()
}
