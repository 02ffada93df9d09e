//! The machine's unit: 256 bits.

use crate::hex;
use std::fmt;

/// 256 bits: a number, big-endian, or a hash.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, utoipa::ToSchema)]
#[schema(value_type = String, pattern = "^0x[0-9a-f]{64}$")]
pub struct Word(pub [u8; 32]);

impl Word {
    /// The number 0.
    pub const ZERO: Self = Self([0; 32]);

    /// The bytes of the number without leading zeros; none for 0.
    pub fn significant_bytes(&self) -> &[u8] {
        let zeros = self.0.iter().take_while(|byte| **byte == 0).count();
        &self.0[zeros..]
    }

    /// The number whose bytes these are, without leading zeros; `None` if there is one, or more than 32 bytes.
    pub fn from_significant_bytes(bytes: &[u8]) -> Option<Self> {
        let mut word = [0; 32];
        let place = word.len().checked_sub(bytes.len())?;
        word[place..].copy_from_slice(bytes);
        (bytes.first() != Some(&0)).then_some(Self(word))
    }

    /// The number, if it is less than 2^64.
    pub fn to_u64(self) -> Option<u64> {
        let (high, low) = self.0.split_last_chunk::<8>()?;
        high.iter().all(|byte| *byte == 0).then(|| u64::from_be_bytes(*low))
    }
}

impl From<u64> for Word {
    fn from(number: u64) -> Self {
        let mut word = [0; 32];
        word[24..].copy_from_slice(&number.to_be_bytes());
        Self(word)
    }
}

/// `0x` and 64 hex digits.
impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [0; 64];
        hex::encode_into(&self.0, &mut digits);
        write!(f, "0x{}", String::from_utf8_lossy(&digits))
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_shortest_spelling() {
        let word = Word::from(0x01_00ff);
        assert_eq!(word.significant_bytes(), [1, 0, 0xff]);
        assert_eq!(Word::from_significant_bytes(&[1, 0, 0xff]), Some(word));
        assert_eq!(Word::from_significant_bytes(&[0, 1]), None);
        assert_eq!(Word::from_significant_bytes(&[]), Some(Word::ZERO));
        assert_eq!(Word::from_significant_bytes(&[1; 33]), None);
    }

    #[test]
    fn a_number_of_more_than_64_bits_is_no_u64() {
        assert_eq!(Word::from(u64::MAX).to_u64(), Some(u64::MAX));
        assert_eq!(Word::from_significant_bytes(&[1, 0, 0, 0, 0, 0, 0, 0, 0]).and_then(Word::to_u64), None);
    }
}
