//! What selfish mining earns, and from where on it pays.

use super::{CONFIDENCE, Finding, Publication, Source};
use crate::exact::{selfish_revenue, selfish_threshold};
use crate::kernel::run_seed;
use crate::measure::mean;
use crate::model::race::Race;
use crate::strategy::StrategySetting;
use shared::params::Params;
use shared::params::RetargetRule;

pub(super) const PUBLICATION: Publication = Publication {
    name: "eyal-sirer",
    citation: "I. Eyal and E. G. Sirer, Majority is not enough: Bitcoin mining is vulnerable, 2014",
    source: Source::AsCited,
    findings,
};

const RUNS: u64 = 20;
const BLOCKS: u64 = 50_000;

pub(super) fn race(share: f64, gamma: f64, strategy: StrategySetting) -> Race {
    let params = Params { retarget: RetargetRule::Fixed, ..Params::default() };
    Race { share, gamma, strategy, clock_ahead_ms: 0, params, blocks: BLOCKS, warm_up: 0 }
}

/// The interval of the miner's share of the main chain, and the seed of the first run.
pub(super) fn simulated_share(race: &Race, seed: u64, name: &str) -> (Option<crate::measure::Interval>, u64) {
    let point = format!("{name} share={} gamma={}", race.share, race.gamma);
    let seeds = (0..RUNS).map(|run| run_seed(seed, &point, run));
    let shares: Vec<f64> = seeds.filter_map(|seed| race.run(seed).share()).collect();
    (mean(&shares, CONFIDENCE), run_seed(seed, &point, 0))
}

fn findings(seed: u64) -> Vec<Finding> {
    let thresholds = [(0.0, "0.3333"), (0.5, "0.2500"), (1.0, "0.0000")].into_iter();
    let thresholds = thresholds.flat_map(|(gamma, printed)| {
        let threshold = selfish_threshold(gamma);
        // At the threshold, the revenue is the share.
        let what = format!("threshold, gamma = {gamma}");
        let crossing = Finding::closed(
            format!("revenue at the threshold, gamma = {gamma}"),
            &format!("{threshold:.10}"),
            selfish_revenue(threshold, gamma),
        );
        [Finding::closed(what, printed, threshold), crossing]
    });
    let cases =
        [(0.1, 0.0), (0.25, 0.0), (1.0 / 3.0, 0.0), (0.4, 0.0), (0.2, 0.5), (0.4, 0.5), (0.1, 1.0), (0.45, 1.0)];
    let simulated = cases.into_iter().map(|(share, gamma)| {
        let race = race(share, gamma, StrategySetting::Selfish);
        let (interval, seed) = simulated_share(&race, seed, "eyal-sirer");
        let what = format!("simulated: alpha = {share:.4}, gamma = {gamma}, closed form");
        Finding::simulated(what, selfish_revenue(share, gamma), interval, seed)
    });
    thresholds.chain(simulated).collect()
}
