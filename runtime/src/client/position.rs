//! Which block the answers of a service stand on: their headers tell its height and age, beside bare values.

use http::HeaderMap;
use shared::wire::{AGE_HEADER, HEIGHT_HEADER};
use std::sync::{Arc, Mutex, PoisonError};

/// The newest block that an answer knows of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainPosition {
    /// Its height.
    pub height: u64,
    /// Its age in milliseconds, by the service's clock.
    pub age_ms: u64,
}

impl ChainPosition {
    fn of(headers: &HeaderMap) -> Option<Self> {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.parse().ok();
        Some(Self { height: number(HEIGHT_HEADER)?, age_ms: number(AGE_HEADER)? })
    }
}

/// Remembers the oldest position of all answers to a [`super::Client`] that observes them.
#[derive(Debug, Clone, Default)]
pub struct OldestPosition(Arc<Mutex<Option<ChainPosition>>>);

impl OldestPosition {
    /// The lowest position so far; `None` if no answer had one.
    pub fn get(&self) -> Option<ChainPosition> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn note(&self, headers: &HeaderMap) {
        if let Some(new) = ChainPosition::of(headers) {
            let mut oldest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if oldest.is_none_or(|old| new.height <= old.height) {
                *oldest = Some(new);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn the_lowest_height_counts_and_what_is_no_position_does_not() {
        let oldest = OldestPosition::default();
        for pairs in [&[][..], &[(HEIGHT_HEADER, "1")], &[(HEIGHT_HEADER, "x"), (AGE_HEADER, "1")]] {
            oldest.note(&headers(pairs));
        }
        assert_eq!(oldest.get(), None);
        for (height, age_ms) in [("7", "10"), ("5", "900"), ("6", "0")] {
            oldest.note(&headers(&[(HEIGHT_HEADER, height), (AGE_HEADER, age_ms)]));
        }
        assert_eq!(oldest.get(), Some(ChainPosition { height: 5, age_ms: 900 }));
    }
}
