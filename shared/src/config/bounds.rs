//! Bounds of the settings outside of `[network]`, whose bounds are those of
//! [`Params::check`](crate::params::Params::check).

use super::{Config, HttpConfig, MempoolConfig, Secret, TrackerConfig};
use std::ops::RangeInclusive;

/// Shortest token, in characters: a shorter one is soon guessed.
pub const MIN_TOKEN: usize = 8;

/// A setting outside of its bounds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSetting {
    /// A number that is too small or too large.
    #[error("{key} = {got} is out of bounds: expected {} to {}", .bounds.start(), .bounds.end())]
    OutOfBounds {
        /// `section.key`.
        key: &'static str,
        /// Its value.
        got: u64,
        /// What it may be.
        bounds: RangeInclusive<u64>,
    },
    /// A token that is too short; the error does not repeat it.
    #[error("node.token has {got} characters: expected at least {MIN_TOKEN}, or \"\" to have one made")]
    ShortToken {
        /// Its length.
        got: usize,
    },
    /// A token that no request could carry.
    #[error(
        "node.token has a character that a header cannot carry: expected letters, digits and signs of ASCII, and no \
         space at an end"
    )]
    OddToken,
}

const HOUR_MS: u64 = 3_600_000;
const POLL_MS: RangeInclusive<u64> = 10..=HOUR_MS;
const PEERS: RangeInclusive<u64> = 1..=1000;
const TIMEOUT_MS: RangeInclusive<u64> = 100..=HOUR_MS;

impl Config {
    /// Whether every setting outside of `[network]` keeps its bounds.
    ///
    /// # Errors
    /// The first one that does not.
    pub fn check(&self) -> Result<(), BadSetting> {
        let TrackerConfig { lease_seconds, max_members, max_members_per_source, .. } = self.tracker;
        let mut bounds = vec![
            ("tracker.lease_seconds", lease_seconds, 1..=86_400),
            ("tracker.max_members", max_members as u64, 1..=100_000),
            ("tracker.max_members_per_source", max_members_per_source as u64, 1..=100_000),
            ("node.threads", self.node.threads as u64, 1..=256),
            ("node.max_peers", self.node.max_peers as u64, PEERS),
            ("node.poll_ms", self.node.poll_ms, POLL_MS),
        ];
        bounds.extend(mempool_bounds(&self.mempool));
        bounds.extend(http_bounds(&self.http));
        if let Some((key, got, bounds)) = bounds.into_iter().find(|(_, got, bounds)| !bounds.contains(got)) {
            return Err(BadSetting::OutOfBounds { key, got, bounds });
        }
        let Some(token) = self.node.token.as_ref().map(Secret::expose) else { return Ok(()) };
        let is_carried = |c: char| c == ' ' || c.is_ascii_graphic();
        match token.trim().chars().count() {
            got if got < MIN_TOKEN => Err(BadSetting::ShortToken { got }),
            _ if token.trim() != token || !token.chars().all(is_carried) => Err(BadSetting::OddToken),
            _ => Ok(()),
        }
    }
}

type Bound = (&'static str, u64, RangeInclusive<u64>);

fn mempool_bounds(mempool: &MempoolConfig) -> [Bound; 8] {
    [
        ("mempool.max_peers", mempool.max_peers as u64, PEERS),
        ("mempool.poll_ms", mempool.poll_ms, POLL_MS),
        ("mempool.max_count", mempool.max_count as u64, 1..=10_000_000),
        ("mempool.max_bytes", mempool.max_bytes as u64, 65_536..=1 << 40),
        ("mempool.max_per_sender", mempool.max_per_sender as u64, 1..=10_000_000),
        ("mempool.max_age_seconds", mempool.max_age_seconds, 1..=31_536_000),
        ("mempool.pushes_per_second", mempool.pushes_per_second.into(), 1..=1_000_000),
        ("mempool.push_burst", mempool.push_burst.into(), 1..=10_000_000),
    ]
}

fn http_bounds(http: &HttpConfig) -> [Bound; 8] {
    [
        ("http.max_connections", http.max_connections as u64, 8..=1_000_000),
        ("http.max_source_percent", http.max_source_percent as u64, 1..=100),
        ("http.max_answer_bytes", http.max_answer_bytes as u64, 1 << 20..=1 << 40),
        ("http.header_timeout_ms", http.header_timeout_ms, TIMEOUT_MS),
        ("http.body_timeout_ms", http.body_timeout_ms, TIMEOUT_MS),
        ("http.max_streams", http.max_streams as u64, 1..=1_000_000),
        ("http.stream_timeout_ms", http.stream_timeout_ms, TIMEOUT_MS),
        ("http.max_subscribers", http.max_subscribers as u64, 1..=1_000_000),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(change: impl FnOnce(&mut Config)) -> String {
        let mut config = Config::default();
        change(&mut config);
        config.check().expect_err("out of bounds").to_string()
    }

    #[test]
    fn the_defaults_keep_their_bounds() {
        assert_eq!(Config::default().check(), Ok(()));
    }

    fn token(text: &str) -> String {
        refusal(|config| config.node.token = Some(text.to_owned().into()))
    }

    #[test]
    fn what_would_stop_or_flood_a_service_is_refused_by_name() {
        for (error, parts) in [
            (refusal(|config| config.node.poll_ms = 0), ["node.poll_ms = 0", "10 to 3600000"]),
            (refusal(|config| config.mempool.poll_ms = 9), ["mempool.poll_ms = 9", "10 to"]),
            (refusal(|config| config.node.max_peers = 0), ["node.max_peers = 0", "1 to 1000"]),
            (refusal(|config| config.http.max_connections = 0), ["http.max_connections = 0", "8 to"]),
            (refusal(|config| config.http.max_source_percent = 101), ["max_source_percent = 101", "1 to 100"]),
            (refusal(|config| config.tracker.lease_seconds = 0), ["tracker.lease_seconds = 0", "1 to 86400"]),
            (refusal(|config| config.mempool.max_bytes = 1), ["mempool.max_bytes = 1", "65536"]),
            (token("x"), ["node.token has 1", "at least 8"]),
            (token("          "), ["node.token has 0", "at least 8"]),
            (token("correct horse "), ["node.token", "a header cannot carry"]),
            (token("pässwörter"), ["node.token", "a header cannot carry"]),
        ] {
            assert!(parts.iter().all(|part| error.contains(part)), "{error} does not contain {parts:?}");
        }
    }
}
