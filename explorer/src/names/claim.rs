//! A name that the owner of an address signs, and takes back at will.
//!
//! The signed text is one line: `chainlab name`, the network, the address, the time in milliseconds since 1970 and the
//! name, each after a `|`. It cannot be a payment, whose text begins differently, nor be meant for another network.

use super::name::{BadName, Name};
use serde::Deserialize;
use shared::block::{BlockHash, Timestamp};
use shared::keys::{Signature, Signed, Verifier};
use shared::ledger::Address;

/// How far the time of a claim may be from the explorer's clock.
const MAX_AGE_MS: i64 = 10 * 60 * 1000;

/// A claim as it arrives.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignedClaim {
    address: Address,
    /// Empty to take the name back.
    name: String,
    /// When it was signed, in milliseconds since 1970.
    time: u64,
    signature: Signature,
}

/// A claim whose signature is right.
#[derive(Debug)]
pub(crate) struct Claim {
    pub(crate) address: Address,
    /// `None` takes the name back.
    pub(crate) name: Option<Name>,
    pub(crate) time: Timestamp,
}

/// Why a claim is not valid.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidClaim {
    #[error("{0}")]
    Name(#[from] BadName),
    #[error("the claim was signed more than ten minutes before or after now; is a clock wrong?")]
    Time,
    #[error("the signature is not that of the address over this name")]
    Signature,
}

impl InvalidClaim {
    /// The rule that is broken, in a word.
    pub(crate) const fn rule(&self) -> &'static str {
        match self {
            Self::Name(_) => "name",
            Self::Time => "time",
            Self::Signature => "signature",
        }
    }
}

impl SignedClaim {
    /// The claim, if the owner of the address signed it at about `now`.
    pub(crate) fn check(
        self,
        network: BlockHash,
        now: Timestamp,
        verifier: &dyn Verifier,
    ) -> Result<Claim, InvalidClaim> {
        let Self { address, name, time, signature } = self;
        let text = text(network, &address, time, &name);
        let name = if name.is_empty() { None } else { Some(Name::try_from(name)?) };
        let at = Timestamp::from_ms(time);
        if now.ms_since(at).abs() > MAX_AGE_MS {
            return Err(InvalidClaim::Time);
        }
        let signed = Signed { text: &text, signer: &address, named: &[], signature: &signature };
        verifier.verify(&signed).map_err(|_| InvalidClaim::Signature)?;
        Ok(Claim { address, name, time: at })
    }
}

/// The text that is signed.
fn text(network: BlockHash, address: &Address, time_ms: u64, name: &str) -> String {
    format!("chainlab name|{network}|{address}|{time_ms}|{name}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::keys::{KeyPair, PlainVerifier};

    const NOW: Timestamp = Timestamp::from_ms(1_000_000_000);

    fn signed(seed: &str, name: &str, time: u64) -> SignedClaim {
        let pair = KeyPair::from_seed(seed);
        let signature = pair.sign(&text(BlockHash::of("network"), &pair.address(), time, name));
        SignedClaim { address: pair.address(), name: name.to_owned(), time, signature }
    }

    fn check(claim: SignedClaim) -> Result<Option<String>, InvalidClaim> {
        let checked = claim.check(BlockHash::of("network"), NOW, &PlainVerifier)?;
        Ok(checked.name.map(|name| name.to_string()))
    }

    #[test]
    fn the_owner_signs_a_name_and_takes_it_back() {
        assert_eq!(check(signed("kim", "Kim", NOW.as_ms())), Ok(Some("Kim".to_owned())));
        assert_eq!(check(signed("kim", "", NOW.as_ms() + 1)), Ok(None));
    }

    #[test]
    fn nothing_but_what_was_signed_is_taken() {
        let now = NOW.as_ms();
        let changed = |change: fn(&mut SignedClaim)| {
            let mut claim = signed("kim", "Kim", now);
            change(&mut claim);
            check(claim)
        };
        assert_eq!(changed(|claim| claim.name = "Ada".to_owned()), Err(InvalidClaim::Signature));
        assert_eq!(changed(|claim| claim.time += 1), Err(InvalidClaim::Signature));
        assert_eq!(changed(|claim| claim.address = KeyPair::from_seed("eve").address()), Err(InvalidClaim::Signature));
        let other = signed("kim", "Kim", now).check(BlockHash::of("other"), NOW, &PlainVerifier);
        assert_eq!(other.err(), Some(InvalidClaim::Signature));
        assert_eq!(check(signed("kim", "Kim", now - 601_000)), Err(InvalidClaim::Time));
        assert_eq!(check(signed("kim", "Kim", u64::MAX)), Err(InvalidClaim::Time));
        assert_eq!(check(signed("kim", "lab1q", now)), Err(InvalidClaim::Name(BadName::Misleading)));
    }
}
