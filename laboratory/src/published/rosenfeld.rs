//! Rosenfeld's exact race, and ours, which simulates it.

use super::{CONFIDENCE, Finding, Publication, Source};
use crate::exact::{theft, theft_bounded};
use crate::kernel::run_seed;
use crate::measure::wilson;
use crate::model::race::{TheftRace, steal};

pub(super) const PUBLICATION: Publication = Publication {
    name: "rosenfeld",
    citation: "M. Rosenfeld, Analysis of hashrate-based double spending, 2014 (arXiv:1402.2009), table 1",
    source: Source::AsCited,
    findings,
};

/// For 1, 2, 3 … confirmations.
const Q10: [&str; 10] =
    ["20.000%", "5.600%", "1.712%", "0.546%", "0.178%", "0.059%", "0.020%", "0.007%", "0.002%", "0.001%"];

/// How many attempts a simulation takes, and how far behind it gives up: later than that, next to nothing succeeds.
const ATTEMPTS: u64 = 200_000;
const GIVE_UP: u32 = 60;

fn findings(seed: u64) -> Vec<Finding> {
    let printed = (1..).zip(Q10);
    let closed =
        printed.map(|(z, printed)| Finding::closed(format!("q = 0.1, {z} confirmations"), printed, theft(0.1, z, 1)));
    let cases = [(0.1, 1, 1), (0.1, 2, 1), (0.2, 4, 1), (0.3, 6, 1), (0.3, 6, 0), (0.4, 6, 1), (0.45, 20, 0)];
    let simulated = cases.into_iter().map(|(q, z, head_start)| {
        let seed = run_seed(seed, &format!("rosenfeld q={q} z={z} head_start={head_start}"), 0);
        let race = TheftRace { share: q, confirmations: z, head_start, give_up: GIVE_UP };
        let thefts = steal(&race, ATTEMPTS, seed);
        let what = format!("simulated: q = {q}, {z} confirmations, {head_start} blocks ahead, exact value");
        let exact = theft_bounded(q, z, head_start, GIVE_UP);
        Finding::simulated(what, exact, wilson(thefts.managed, thefts.tried, CONFIDENCE), seed)
    });
    closed.chain(simulated).collect()
}
