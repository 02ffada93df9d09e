//! The block that an answer stands on: its height and age, so that nobody takes an old answer for the current state.

use crate::console::Console;
use crate::services::RemoteService;
use runtime::clock::Clock;
use serde::Serialize;
use shared::params::Params;
use std::time::Duration;

/// Block intervals without a block after which a note says so. Blocks come at random: a gap of ten intervals has a
/// probability of 1 in 22,000.
const MAX_QUIET_INTERVALS: u64 = 10;

/// The newest block that the service knew when it answered; `None` where no service has said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct AsOf {
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    age_ms: Option<u64>,
}

impl AsOf {
    /// The block that the service's answers stand on; where they do not tell, its tip.
    pub(crate) fn of(service: &RemoteService) -> Self {
        if let Some(position) = service.position.get() {
            return Self { height: Some(position.height), age_ms: Some(position.age_ms) };
        }
        let Some(tip) = service.tip else { return Self::default() };
        let age_ms = Clock::new(0).time().as_ms().saturating_sub(tip.timestamp.as_ms());
        Self { height: Some(tip.index.0), age_ms: Some(age_ms) }
    }

    /// `as of block 41, 12 s old`; empty if nothing is known.
    pub(crate) fn text(self) -> String {
        match (self.height, self.age_ms) {
            (Some(0), _) => "as of block 0, the genesis block".to_owned(),
            (Some(height), Some(age_ms)) => format!("as of block {height}, {} old", duration(age_ms)),
            _ => String::new(),
        }
    }

    /// Prints a note if the newest block is so old that the network, or the service's view of it, has probably stopped.
    pub(crate) fn note_if_stale(self, service: &RemoteService, console: &mut Console) {
        if let Some(note) = self.stale_note(&service.params) {
            console.note(&format!("{note} {} is cut off from it", service.address));
        }
    }

    fn stale_note(self, params: &Params) -> Option<String> {
        let age_ms = self.age_ms.filter(|_| self.height != Some(0))?;
        let is_stale = age_ms / MAX_QUIET_INTERVALS > params.block_interval_ms;
        is_stale.then(|| {
            format!(
                "the newest block is {} old, and blocks should come every {}: the network has stopped, or",
                duration(age_ms),
                duration(params.block_interval_ms)
            )
        })
    }
}

/// A time in the largest unit that is short and not too coarse.
pub(crate) fn duration(ms: u64) -> String {
    let seconds = Duration::from_millis(ms).as_secs();
    match seconds {
        0 if ms > 0 => format!("{ms} ms"),
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn as_of(height: u64, age_ms: u64) -> AsOf {
        AsOf { height: Some(height), age_ms: Some(age_ms) }
    }

    #[test]
    fn ages_are_short() {
        for (ms, expected) in [
            (0, "0 s"),
            (300, "300 ms"),
            (119_999, "119 s"),
            (120_000, "2 min"),
            (7_200_000, "2 h"),
            (172_800_000, "2 days"),
        ] {
            assert_eq!(duration(ms), expected);
        }
        assert_eq!(as_of(41, 12_000).text(), "as of block 41, 12 s old");
        assert_eq!(AsOf::default().text(), "");
    }

    #[test]
    fn a_gap_of_many_intervals_is_noted_and_a_usual_one_is_not() {
        let params = Params { block_interval_ms: 10_000, ..Params::default() };
        assert_eq!(as_of(5, 100_000).stale_note(&params), None);
        let note = as_of(5, 130_000).stale_note(&params).unwrap();
        assert!(note.contains("2 min old") && note.contains("every 10 s"), "{note}");
        assert_eq!(as_of(0, u64::MAX).stale_note(&params), None, "the network has not begun");
        assert_eq!(AsOf::default().stale_note(&params), None);
    }
}
