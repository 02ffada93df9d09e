//! What keeps a service from its work, in one word each (docs/protocol.md §8).

use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
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

/// Reads the words that this version knows: a newer service may say more.
pub(super) fn known<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Health>>, D::Error> {
    let words: Option<Vec<String>> = Deserialize::deserialize(deserializer)?;
    // At most one of each, however many a stranger sends.
    let is_said = |words: &[String], health: &Health| words.iter().any(|word| word == health.word());
    Ok(words.map(|words| Health::ALL.into_iter().filter(|health| is_said(&words, health)).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_newer_service_and_repeated_ones_are_left_out() {
        let json = r#"["waits-for-clock","alone","on-fire","alone"]"#;
        let words = known(&mut serde_json::Deserializer::from_str(json)).unwrap();
        assert_eq!(words, Some(vec![Health::Alone, Health::WaitsForClock]));
    }

    #[test]
    fn words_are_spelt_as_in_json() {
        for health in Health::ALL {
            assert_eq!(serde_json::to_value(health).unwrap(), health.word());
        }
    }
}
