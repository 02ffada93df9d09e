//! Orphans and shares in a small graph of miners, as miningsim's README has them.
//!
//! A block takes 20 s to be checked and sent by its finder and 10 ms for each link after that; the graph is that of the
//! program's file `mining_30.cfg`.

use super::{CONFIDENCE, Finding, Publication, Source};
use crate::kernel::run_seed;
use crate::measure::mean;
use crate::model::Outcome;
use crate::model::links::{Delays, Edge, LinkGraph, LinkedMiner, Links};
use crate::strategy::StrategySetting;
use shared::params::Params;
use shared::params::RetargetRule;
use std::sync::Arc;

pub(super) const PUBLICATION: Publication = Publication {
    name: "miningsim",
    citation: "G. Andresen, bitcoin_miningsim, 2014; README: mining_30.cfg at 20 s, 100 runs of 2016 blocks",
    source: Source::Text,
    findings,
};

/// Their runs, and the blocks of each.
const THEIR_BLOCKS: f64 = 100.0 * 2016.0;
/// Per cent, from the README.
const ORPHANS: f64 = 2.694;
const SHARES: [f64; 8] = [30.32, 9.859, 10.04, 10.03, 9.977, 9.942, 9.883, 9.947];

const RUNS: u64 = 20;
const BLOCKS: u64 = 20_000;

/// The runs of `links`, with seeds that follow from `name`.
pub(super) fn outcomes(links: &Links, name: &str, runs: u64, seed: u64) -> (Vec<Outcome>, u64) {
    let outcomes = (0..runs).map(|run| links.run(run_seed(seed, name, run))).collect();
    (outcomes, run_seed(seed, name, 0))
}

/// A miner's share of the main chain in per cent.
pub(super) fn share(outcome: &Outcome, miner: usize) -> Option<f64> {
    let main = outcome.miners.get(miner)?.main;
    (outcome.main() > 0).then(|| main as f64 / outcome.main() as f64 * 100.0)
}

/// How far their figure may be off: 3.3 standard errors of a rate of `percent` in `trials` trials.
pub(super) fn error_of(percent: f64, trials: f64) -> f64 {
    let rate = percent / 100.0;
    330.0 * libm::sqrt(rate * (1.0 - rate) / trials)
}

fn findings(seed: u64) -> Vec<Finding> {
    let of = |power| LinkedMiner { power, strategy: StrategySetting::Honest };
    let miners: Vec<LinkedMiner> = [0.3].into_iter().chain([0.1; 7]).map(of).collect();
    // The large miner knows the first three small ones; small ones know one another.
    let with_large = (1..=3).map(|small| (0, small));
    let among_small = (1..8_u32).flat_map(|one| (one + 1..8).map(move |other| (one, other)));
    let edges: Vec<Edge> = with_large
        .chain(among_small)
        .flat_map(|(one, other)| [Edge { from: one, to: other, ms: 10 }, Edge { from: other, to: one, ms: 10 }])
        .collect();
    let Ok(delays) = Delays::new(8, &edges) else { return Vec::new() };
    let links = Links {
        miners,
        graph: LinkGraph::Listed(Arc::new(delays)),
        validation_ms: 20_000,
        params: Params { retarget: RetargetRule::Fixed, block_interval_ms: 600_000, ..Params::default() },
        blocks: BLOCKS,
        warm_up: 0,
    };
    let (outcomes, seed) = outcomes(&links, "miningsim", RUNS, seed);
    let finding = |what: String, published: f64, error: f64, value: &dyn Fn(&Outcome) -> Option<f64>| {
        let values: Vec<f64> = outcomes.iter().filter_map(value).collect();
        Finding::estimated(what, published, error, mean(&values, CONFIDENCE), seed)
    };
    let orphans = finding("orphans, %".to_owned(), ORPHANS, error_of(ORPHANS, THEIR_BLOCKS), &|outcome| {
        outcome.stale().map(|stale| stale * 100.0)
    });
    let shares = SHARES.into_iter().enumerate().map(|(miner, published)| {
        let what = format!("share of miner {miner}, %");
        finding(what, published, error_of(published, THEIR_BLOCKS), &|outcome| share(outcome, miner))
    });
    std::iter::once(orphans).chain(shares).collect()
}
