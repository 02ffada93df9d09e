//! Results of publications, computed and simulated again: one file a publication, with its citation and its figures.
//!
//! A printed figure is compared with ours to its last printed digit. A simulation is compared with the exact value:
//! that has to lie in the simulation's interval.

mod decker_wattenhofer;
mod eyal_sirer;
mod gamma;
mod grunspan;
mod minesim;
mod miningsim;
mod nakamoto;
mod retarget_attacks;
mod rosenfeld;
mod simblock;
mod stubborn;

use crate::measure::Interval;
use serde::Serialize;

/// How sure the intervals of simulations are. With about eighty of them in all, one miss in 1250 sets of seeds is
/// expected.
const CONFIDENCE: f64 = 0.999_99;

/// A publication that can be reproduced.
#[derive(Debug, Clone, Copy)]
pub struct Publication {
    /// Its name on the command line.
    pub name: &'static str,
    /// Authors, title, year.
    pub citation: &'static str,
    /// Whether its figures were compared with its text, or are given as others cite them.
    pub source: Source,
    findings: fn(u64) -> Vec<Finding>,
}

/// Where the figures of a publication come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// From its text.
    Text,
    /// From memory and citations: the text was not at hand.
    AsCited,
    /// Measured by running the publication's program.
    Measured,
}

impl Source {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Text => "from the text",
            Self::AsCited => "as cited",
            Self::Measured => "measured with its program",
        }
    }
}

/// One figure: theirs, ours, and whether they agree.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// What the figure is about.
    pub what: String,
    /// As published.
    pub published: String,
    /// Ours, with as many digits.
    pub ours: String,
    /// The interval of a simulation.
    pub interval: Option<Interval>,
    /// Whether ours agrees.
    pub holds: bool,
    /// The seed of the simulation.
    pub seed: Option<u64>,
}

impl Publication {
    /// All publications, in the order of their years.
    pub const ALL: [Self; 11] = [
        nakamoto::PUBLICATION,
        decker_wattenhofer::PUBLICATION,
        rosenfeld::PUBLICATION,
        eyal_sirer::PUBLICATION,
        gamma::PUBLICATION,
        miningsim::PUBLICATION,
        stubborn::PUBLICATION,
        grunspan::PUBLICATION,
        retarget_attacks::PUBLICATION,
        simblock::PUBLICATION,
        minesim::PUBLICATION,
    ];

    /// Computes and simulates every figure again.
    pub fn reproduce(&self, seed: u64) -> Vec<Finding> {
        (self.findings)(seed)
    }
}

impl Finding {
    /// A closed form against a printed number.
    fn closed(what: String, published: &str, ours: f64) -> Self {
        let digits = published.trim_end_matches('%').split_once('.').map_or(0, |(_, digits)| digits.len());
        let ours = match published.strip_suffix('%') {
            Some(_) => format!("{:.digits$}%", ours * 100.0),
            None => format!("{ours:.digits$}"),
        };
        Self { what, published: published.to_owned(), holds: ours == published, ours, interval: None, seed: None }
    }

    /// A simulation against a figure that has an `error` of its own: the intervals of both must meet.
    fn estimated(what: String, published: f64, error: f64, interval: Option<Interval>, seed: u64) -> Self {
        Self {
            what,
            published: format!("{published} ± {error:.3}"),
            ours: interval.map_or("nothing".to_owned(), |interval| format!("{:.4}", interval.estimate)),
            holds: interval.is_some_and(|interval| interval.widened(error).contains(published)),
            interval,
            seed: Some(seed),
        }
    }

    /// A simulation against an exact value.
    fn simulated(what: String, exact: f64, interval: Option<Interval>, seed: u64) -> Self {
        Self {
            what,
            published: format!("{exact:.5}"),
            ours: interval.map_or("nothing".to_owned(), |interval| format!("{:.5}", interval.estimate)),
            holds: interval.is_some_and(|interval| interval.contains(exact)),
            interval,
            seed: Some(seed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_publication_is_reproduced() {
        // Large networks take seconds: the program's `reproduce all` runs them.
        let is_quick = |publication: &Publication| !["simblock", "gamma"].contains(&publication.name);
        for publication in Publication::ALL.into_iter().filter(is_quick) {
            let findings = publication.reproduce(1);
            assert!(!findings.is_empty());
            for finding in findings {
                assert!(finding.holds, "{}: {finding:?}", publication.name);
            }
        }
    }

    #[test]
    fn one_digit_off_is_noticed() {
        assert!(Finding::closed(String::new(), "0.1234", 0.12344).holds);
        assert!(!Finding::closed(String::new(), "0.1234", 0.12346).holds);
        assert!(Finding::closed(String::new(), "5.600%", 0.056).holds);
        assert!(!Finding::closed(String::new(), "5.600%", 0.05601).holds);
    }
}
