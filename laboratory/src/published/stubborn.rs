//! Stubborn mining: for some powers and networks it earns more than selfish mining, so that selfish mining is not the
//! best strategy.

use super::eyal_sirer::{race, simulated_share};
use super::{Finding, Publication, Source};
use crate::exact::{policy_revenue, selfish_revenue};
use crate::strategy::{StrategySetting, Stubborn};

pub(super) const PUBLICATION: Publication = Publication {
    name: "stubborn",
    citation: "K. Nayak, S. Kumar, A. Miller and E. Shi, Stubborn mining: generalizing selfish mining, 2016",
    source: Source::AsCited,
    findings,
};

/// Where branches are cut in the Markov chain.
const LONGEST: u32 = 80;

/// Powers and networks in which the strategy beats selfish mining.
const CASES: [(&str, Stubborn, f64, f64); 4] = [
    ("lead", Stubborn { lead: true, equal_fork: false, trail: 0 }, 0.35, 0.9),
    ("equal-fork", Stubborn { lead: false, equal_fork: true, trail: 0 }, 0.35, 0.9),
    ("lead and equal-fork", Stubborn { lead: true, equal_fork: true, trail: 0 }, 0.35, 0.9),
    ("trail 1", Stubborn { lead: false, equal_fork: false, trail: 1 }, 0.42, 0.2),
];

fn findings(seed: u64) -> Vec<Finding> {
    let findings = CASES.into_iter().flat_map(|(name, stubborn, share, gamma)| {
        let exact = policy_revenue(&stubborn, share, gamma, LONGEST).share();
        let selfish = selfish_revenue(share, gamma);
        let better = Finding {
            what: format!("{name} stubborn earns more than selfish: alpha = {share}, gamma = {gamma}"),
            published: format!("more than {selfish:.5}"),
            ours: format!("{exact:.5}"),
            interval: None,
            holds: exact > selfish,
            seed: None,
        };
        let race = race(share, gamma, StrategySetting::Stubborn(stubborn));
        let (interval, seed) = simulated_share(&race, seed, name);
        let what = format!("simulated: {name} stubborn, alpha = {share}, gamma = {gamma}, Markov chain");
        [better, Finding::simulated(what, exact, interval, seed)]
    });
    findings.collect()
}
