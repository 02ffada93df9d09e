//! How people name an address on the command line: in full, by the seed of its key, or by its first characters.
//!
//! A text that begins with `lab1` is an address, and its checksum must hold: a mistyped address is never taken for a
//! seed.

use runtime::sanitize;
use shared::keys::{KeyPair, PlainVerifier, Verifier};
use shared::ledger::{AccountId, Address, BadAddress, TransactionViolation};
use std::str::FromStr;

/// First characters of every address.
const PREFIX: &str = "lab1";
/// Characters in an address.
const ADDRESS_LENGTH: usize = 63;

/// An address, given in full or by the seed of its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressArg {
    pub address: Address,
    /// `None` if the address was given in full.
    pub seed: Option<String>,
}

/// Which addresses to show balances of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressSelector {
    /// A single address.
    Address(AddressArg),
    /// All addresses with these first characters.
    Prefix(String),
}

/// A text that is neither an address nor a seed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAddressArg {
    #[error("expected an address (lab1…) or the seed of a key, got nothing")]
    Empty,
    /// It begins with `lab1` but is not an address.
    #[error(
        "a text that begins with lab1 is read as an address, and this one is wrong: {0}. Copy it again; a seed must \
         not begin with lab1"
    )]
    Address(#[from] BadAddress),
    /// The checksum is right, but the bytes are not a public key.
    #[error(transparent)]
    NotAPoint(#[from] TransactionViolation),
}

impl AddressArg {
    /// The address of the key that the seed makes.
    pub fn from_seed(seed: &str) -> Self {
        Self { address: KeyPair::from_seed(seed).address(), seed: Some(seed.to_owned()) }
    }

    /// The address, followed by the seed if there is one.
    pub fn description(&self) -> String {
        match &self.seed {
            Some(seed) => format!("{} (the seed {})", self.address, sanitize::quoted(seed)),
            None => self.address.to_string(),
        }
    }
}

impl FromStr for AddressArg {
    type Err = BadAddressArg;

    fn from_str(text: &str) -> Result<Self, BadAddressArg> {
        if text.is_empty() {
            return Err(BadAddressArg::Empty);
        }
        if !has_address_prefix(text) {
            return Ok(Self::from_seed(text));
        }
        let address: Address = text.parse()?;
        if address.is_key() {
            PlainVerifier.is_point(&address)?;
        }
        Ok(Self { address, seed: None })
    }
}

impl FromStr for AddressSelector {
    type Err = BadAddressArg;

    fn from_str(text: &str) -> Result<Self, BadAddressArg> {
        if has_address_prefix(text) && text.len() < ADDRESS_LENGTH && !text.bytes().any(|c| c.is_ascii_uppercase()) {
            return Ok(Self::Prefix(text.to_owned()));
        }
        text.parse().map(Self::Address)
    }
}

/// The account that an address, or the seed of a key, belongs to; for arguments of programs.
///
/// # Errors
/// What is wrong with the text.
pub(crate) fn account(text: &str) -> Result<AccountId, String> {
    text.parse().map(|AddressArg { address, .. }| address.account()).map_err(|error| error.to_string())
}

fn has_address_prefix(text: &str) -> bool {
    text.get(..PREFIX.len()).is_some_and(|prefix| prefix.eq_ignore_ascii_case(PREFIX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: &str = "lab1qw3a092402y9t2zw3vrxdlgl3j6c3gvfm4zu09kmfz6rencp3cz6sj7943p";

    #[test]
    fn what_begins_with_lab1_is_an_address_and_never_a_seed() {
        let alice: AddressArg = ALICE.parse().unwrap();
        assert_eq!((alice.address.as_str(), alice.seed), (ALICE, None));
        let seed: AddressArg = "alice".parse().unwrap();
        assert_eq!((seed.address.as_str(), seed.seed.as_deref()), (ALICE, Some("alice")));
        let mistyped = ALICE.replace("qw3a", "qw3c");
        for (text, words) in [
            (mistyped.as_str(), "checksum"),
            (&ALICE[..62], "63 characters"),
            ("lab1", "63 characters"),
            ("LAB1", "lower case"),
            (&ALICE.to_uppercase(), "lower case"),
            ("", "nothing"),
        ] {
            let error = text.parse::<AddressArg>().expect_err(text).to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn an_address_that_is_no_point_of_the_curve_is_refused() {
        // x = 2^256 - 1 is above the field's prime.
        let mut key = [0xff; 33];
        key[0] = 2;
        let address = Address::of_public_key(&key).unwrap();
        let error = address.as_str().parse::<AddressArg>().unwrap_err().to_string();
        assert!(error.contains("not a point"), "{error}");
    }

    #[test]
    fn the_beginning_of_an_address_asks_for_all_that_begin_so() {
        for (text, expected) in [("lab1", true), ("lab1qw", true), (ALICE, false), ("lab", false), ("alice", false)] {
            assert_eq!(matches!(text.parse(), Ok(AddressSelector::Prefix(_))), expected, "{text}");
        }
        assert!("LAB1q".parse::<AddressSelector>().is_err());
    }
}
