//! Nakamoto's table of how likely a payment is undone.

use super::{Finding, Publication, Source};
use crate::exact::{confirmations_needed, nakamoto};

pub(super) const PUBLICATION: Publication = Publication {
    name: "nakamoto",
    citation: "S. Nakamoto, Bitcoin: a peer-to-peer electronic cash system, 2008, section 11",
    source: Source::Text,
    findings,
};

const Q10: [&str; 11] = [
    "1.0000000",
    "0.2045873",
    "0.0509779",
    "0.0131722",
    "0.0034552",
    "0.0009137",
    "0.0002428",
    "0.0000647",
    "0.0000173",
    "0.0000046",
    "0.0000012",
];
/// For every fifth number of confirmations.
const Q30: [&str; 11] = [
    "1.0000000",
    "0.1773523",
    "0.0416605",
    "0.0101008",
    "0.0024804",
    "0.0006132",
    "0.0001522",
    "0.0000379",
    "0.0000095",
    "0.0000024",
    "0.0000006",
];
/// Confirmations for a risk below 0.1 %.
const NEEDED: [(f64, &str); 8] =
    [(0.10, "5"), (0.15, "8"), (0.20, "11"), (0.25, "15"), (0.30, "24"), (0.35, "41"), (0.40, "89"), (0.45, "340")];

fn findings(_: u64) -> Vec<Finding> {
    let q10 = (0..).zip(Q10).map(|(z, printed)| (0.1, z, printed));
    let q30 = (0..).step_by(5).zip(Q30).map(|(z, printed)| (0.3, z, printed));
    let risks =
        q10.chain(q30).map(|(q, z, printed)| Finding::closed(format!("q = {q}, z = {z}"), printed, nakamoto(q, z)));
    let needed = NEEDED.into_iter().map(|(q, printed)| {
        let ours = confirmations_needed(0.001, |z| nakamoto(q, z)).map_or(f64::NAN, f64::from);
        Finding::closed(format!("z for a risk below 0.1 %, q = {q}"), printed, ours)
    });
    risks.chain(needed).collect()
}
