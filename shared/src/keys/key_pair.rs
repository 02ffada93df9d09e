//! Key pairs from entropy or from a seed text, and signing (docs/protocol.md §6).
//!
//! The secret leaves a key pair only as a key file (`pem`): it is never displayed or compared.

use super::Signature;
use crate::block::BlockHash;
use crate::ledger::{Address, Transaction, Unsigned};
use ecdsa::SigningKey;
use ecdsa::signature::Signer;
use p256::NistP256;
use sha2::{Digest, Sha256};
use std::fmt;

/// A secret key with its address.
///
/// # Invariants
/// The secret is in 1 .. the curve's order, and is overwritten in memory when this is dropped.
#[derive(Clone)]
pub struct KeyPair {
    pub(super) key: SigningKey<NistP256>,
    address: Address,
}

impl KeyPair {
    /// The key pair whose secret is these bytes as a big-endian integer.
    ///
    /// `None` if that is 0 or not below the curve's order, as about one in 2^32 is: then the caller draws again.
    pub fn from_entropy(entropy: [u8; 32]) -> Option<Self> {
        SigningKey::from_bytes(&entropy.into()).ok().and_then(Self::of)
    }

    /// The key pair of a seed text. Anybody who guesses the seed has the key: for exercises only.
    pub fn from_seed(seed: &str) -> Self {
        Self::from_hashes(Sha256::digest(format!("chainlab seed:{seed}")).into())
    }

    /// Hashes until the result is a key; the first one nearly always is.
    fn from_hashes(mut bytes: [u8; 32]) -> Self {
        loop {
            if let Some(pair) = Self::from_entropy(bytes) {
                return pair;
            }
            bytes = Sha256::digest(bytes).into();
        }
    }

    /// Never `None`: a compressed key begins with 02 or 03, as an address requires.
    pub(super) fn of(key: SigningKey<NistP256>) -> Option<Self> {
        let address = Address::of_public_key(&compressed(&key)).ok()?;
        Some(Self { key, address })
    }

    /// The compressed public key.
    pub fn public_key(&self) -> [u8; 33] {
        compressed(&self.key)
    }

    /// The address, which is the public key as text.
    pub const fn address(&self) -> Address {
        self.address
    }

    /// The signature over a text: always the same one (RFC 6979), so no random number can spoil the key.
    pub fn sign(&self, text: &str) -> Signature {
        let signature: ecdsa::Signature<NistP256> = self.key.sign(text.as_bytes());
        Signature::from_bytes(signature.to_bytes().into())
    }

    /// Signs a transaction for a network. The caller must ensure that the key is the payer's; every node refuses the
    /// transaction otherwise.
    pub fn sign_transaction(&self, unsigned: Unsigned, network: BlockHash) -> Transaction {
        unsigned.sign(network, |text| self.sign(text))
    }
}

fn compressed(key: &SigningKey<NistP256>) -> [u8; 33] {
    p256::CompressedPoint::from(key.verifying_key()).into()
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyPair({}, secret not shown)", self.address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The order of P-256 (SEC 2, §2.4.2).
    const ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

    fn order() -> [u8; 32] {
        crate::hex::decode(ORDER).unwrap()
    }

    fn secret(pair: &KeyPair) -> [u8; 32] {
        pair.key.to_bytes().into()
    }

    #[test]
    fn zero_and_what_is_not_below_the_order_are_no_keys() {
        let mut below = order();
        below[31] -= 1;
        let mut one = [0; 32];
        one[31] = 1;
        for good in [one, below] {
            assert_eq!(secret(&KeyPair::from_entropy(good).unwrap()), good);
        }
        for bad in [[0; 32], order(), [0xff; 32]] {
            assert!(KeyPair::from_entropy(bad).is_none(), "{bad:02x?}");
        }
    }

    #[test]
    fn what_is_out_of_range_is_hashed_again() {
        for bad in [[0; 32], order(), [0xff; 32]] {
            let hashed: [u8; 32] = Sha256::digest(bad).into();
            assert_eq!(secret(&KeyPair::from_hashes(bad)), hashed);
        }
    }

    #[test]
    fn a_key_pair_does_not_show_its_secret() {
        let pair = KeyPair::from_seed("alice");
        let shown = format!("KeyPair({}, secret not shown)", pair.address());
        assert_eq!((format!("{pair:?}"), format!("{pair:#?}")), (shown.clone(), shown));
    }
}
