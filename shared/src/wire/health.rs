//! What keeps a service from its work, in one word each (docs/protocol.md §8).

use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use std::str::FromStr;
use utoipa::ToSchema;

/// What keeps a node or mempool from its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    /// No peer answers: nothing new from others arrives.
    Alone,
    /// A peer has a chain of more work, which is not here yet.
    Behind,
    /// Blocks or payments cannot be written to disk.
    CannotStore,
    /// The chain is ahead of this machine's clock: no next block is valid yet.
    WaitsForClock,
}

impl Health {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Alone, Self::Behind, Self::CannotStore, Self::WaitsForClock];

    /// The word in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Alone => "alone",
            Self::Behind => "behind",
            Self::CannotStore => "cannot-store",
            Self::WaitsForClock => "waits-for-clock",
        }
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// A word that this version does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an unknown word of health")]
pub struct UnknownHealth;

impl FromStr for Health {
    type Err = UnknownHealth;

    fn from_str(word: &str) -> Result<Self, UnknownHealth> {
        Self::ALL.into_iter().find(|health| health.word() == word).ok_or(UnknownHealth)
    }
}

/// Reads the words that this version knows: a newer service may say more.
pub(super) fn known<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Health>>, D::Error> {
    let words: Option<Vec<String>> = Deserialize::deserialize(deserializer)?;
    Ok(words.map(|words| words.iter().filter_map(|word| word.parse().ok()).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_a_newer_service_is_left_out() {
        let json = r#"["alone","on-fire","waits-for-clock"]"#;
        let words = known(&mut serde_json::Deserializer::from_str(json)).unwrap();
        assert_eq!(words, Some(vec![Health::Alone, Health::WaitsForClock]));
    }

    #[test]
    fn words_are_spelt_as_in_json() {
        for health in Health::ALL {
            assert_eq!(serde_json::to_value(health).unwrap(), health.word());
            assert_eq!(health.word().parse(), Ok(health));
        }
    }
}
