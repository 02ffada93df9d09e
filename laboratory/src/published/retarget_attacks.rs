//! Selfish mining is an attack on the retarget rule: it earns less than mining honestly until difficulty follows.

use super::{CONFIDENCE, Finding, Publication, Source};
use crate::exact::{policy_revenue, selfish_revenue};
use crate::kernel::run_seed;
use crate::measure::mean;
use crate::model::Outcome;
use crate::model::race::Race;
use crate::strategy::{Selfish, StrategySetting};
use shared::params::Params;
use shared::params::RetargetRule;
use shared::work::Difficulty;

pub(super) const PUBLICATION: Publication = Publication {
    name: "retarget-attacks",
    citation: "C. Grunspan and R. Pérez-Marco, On profitability of selfish mining, 2018 (arXiv:1805.08281)",
    source: Source::AsCited,
    findings,
};

const SHARE: f64 = 0.4;
const GAMMA: f64 = 0.5;
const RUNS: u64 = 20;
const WINDOW: u64 = 144;

fn findings(seed: u64) -> Vec<Finding> {
    let outcomes = |name: &str, retarget, blocks, warm_up, runs| -> (Vec<Outcome>, u64) {
        let params = Params {
            retarget,
            block_interval_ms: 600_000,
            retarget_window: WINDOW,
            initial_difficulty: Difficulty::clamped(1 << 40),
            ..Params::default()
        };
        let race = Race {
            share: SHARE,
            gamma: GAMMA,
            strategy: StrategySetting::Selfish,
            clock_ahead_ms: 0,
            params,
            blocks,
            warm_up,
        };
        let seeds = (0..runs).map(|run| run_seed(seed, name, run));
        (seeds.map(|seed| race.run_on_tree(seed)).collect(), run_seed(seed, name, 0))
    };
    let earned = |outcomes: &[Outcome]| -> Vec<f64> {
        outcomes.iter().filter_map(|outcome| outcome.revenue_per_interval(600_000)).collect()
    };

    let (fixed, first) = outcomes("fixed", RetargetRule::Fixed, 20_000, 0, RUNS);
    let exact = policy_revenue(&Selfish, SHARE, GAMMA, 80).ours;
    let what = "simulated: blocks per interval under `fixed`, alpha = 0.4, gamma = 0.5, Markov chain".to_owned();
    let mut findings = vec![Finding::simulated(what, exact, mean(&earned(&fixed), CONFIDENCE), first)];

    let (before, first) = outcomes("first epoch", RetargetRule::Epoch, WINDOW, 0, RUNS * 10);
    findings.push(compared("before `epoch` has adjusted", "less than 0.4", &earned(&before), first, |low, high| {
        low <= SHARE && high < SHARE
    }));
    for (name, retarget) in [("epoch", RetargetRule::Epoch), ("lwma", RetargetRule::Lwma)] {
        let (after, first) = outcomes(name, retarget, 10_000, 1000, RUNS);
        let what = format!("after `{name}` has adjusted");
        findings.push(compared(&what, "more than 0.4", &earned(&after), first, |low, _| low > SHARE));
        let shares: Vec<f64> = after.iter().filter_map(Outcome::share).collect();
        let what = format!("simulated: share of the main chain under `{name}`, closed form of Eyal and Sirer");
        let exact = selfish_revenue(SHARE, GAMMA);
        findings.push(Finding::simulated(what, exact, mean(&shares, CONFIDENCE), first));
    }
    findings
}

fn compared(what: &str, published: &str, values: &[f64], seed: u64, holds: impl Fn(f64, f64) -> bool) -> Finding {
    let interval = mean(values, CONFIDENCE);
    Finding {
        what: format!("simulated: blocks per interval {what}, alpha = 0.4, gamma = 0.5"),
        published: published.to_owned(),
        ours: interval.map_or("nothing".to_owned(), |interval| format!("{:.5}", interval.estimate)),
        holds: interval.is_some_and(|interval| holds(interval.low, interval.high)),
        interval,
        seed: Some(seed),
    }
}
