//! The closed form of Grunspan and Pérez-Marco, which corrects Nakamoto's table.

use super::{Finding, Publication, Source};
use crate::exact::{confirmations_needed, theft};

pub(super) const PUBLICATION: Publication = Publication {
    name: "grunspan",
    citation: "C. Grunspan and R. Pérez-Marco, Double spend races, 2018 (arXiv:1702.02867)",
    source: Source::AsCited,
    findings,
};

/// For 0, 1, 2 … confirmations.
const Q10: [&str; 8] =
    ["1.0000000", "0.2000000", "0.0560000", "0.0171200", "0.0054560", "0.0017818", "0.0005914", "0.0001986"];
/// Confirmations for a risk below 0.1 %.
const NEEDED: [(f64, &str); 8] =
    [(0.10, "6"), (0.15, "9"), (0.20, "13"), (0.25, "20"), (0.30, "32"), (0.35, "58"), (0.40, "133"), (0.45, "539")];

fn findings(_: u64) -> Vec<Finding> {
    let risks = (0..).zip(Q10);
    let risks = risks.map(|(z, printed)| Finding::closed(format!("q = 0.1, z = {z}"), printed, theft(0.1, z, 1)));
    let needed = NEEDED.into_iter().map(|(q, printed)| {
        let ours = confirmations_needed(0.001, |z| theft(q, z, 1)).map_or(f64::NAN, f64::from);
        Finding::closed(format!("z for a risk below 0.1 %, q = {q}"), printed, ours)
    });
    risks.chain(needed).collect()
}
