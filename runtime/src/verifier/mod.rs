//! The verifier of signatures that services use: fast, parallel, and it remembers what it has seen to be right.
//!
//! It must agree with `shared::keys::PlainVerifier` on every input; it decides nothing else. Only successes are
//! remembered, so nobody can fill its memory with rubbish or have a right signature refused.

mod remembered;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};
use rayon::prelude::*;
use remembered::Remembered;
use shared::keys::{Check, Signed, Verifier};
use shared::ledger::{Address, TransactionViolation};
use shared::violation::RuleViolation;

/// The most public keys that are kept ready for use. Reading one costs a square root, a quarter of a verification;
/// one that is kept takes about a kilobyte.
const MOST_KEYS: usize = 16_384;

/// Fewer checks than this are done by the caller: waking other threads would cost as much.
const WORTH_SHARING: usize = 8;

/// SHA-256 of a text, which contains both addresses, and the signature over it. An id is not enough: it does not cover the signature, of which there
/// are many right ones and more wrong ones (docs/protocol.md §7).
type Verified = ([u8; 32], [u8; 64]);

/// Verifies with aws-lc and remembers successes.
///
/// [`Verifier::check_each`] spreads over rayon's global pool, one for the process: a process with many nodes in it has
/// no more threads that compute than cores. Share one verifier among them, behind an `Arc`.
pub struct CachingVerifier {
    verified: Remembered<Verified, ()>,
    keys: Remembered<Address, ParsedPublicKey>,
}

impl CachingVerifier {
    /// A verifier that remembers at most so many signatures, each in about 200 bytes.
    pub fn new(capacity: usize) -> Self {
        Self { verified: Remembered::new(capacity), keys: Remembered::new(capacity.min(MOST_KEYS)) }
    }

    fn key(&self, address: &Address) -> Result<ParsedPublicKey, TransactionViolation> {
        if let Some(key) = self.keys.get(address) {
            return Ok(key);
        }
        let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, address.public_key())
            .map_err(|_| TransactionViolation::NotAPoint(*address))?;
        self.keys.insert(*address, key.clone());
        Ok(key)
    }
}

impl Verifier for CachingVerifier {
    fn verify(&self, signed: &Signed<'_>) -> Result<(), TransactionViolation> {
        let Signed { text, from, to, signature } = *signed;
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
        let this: Verified = (hash, *signature.as_bytes());
        if self.verified.get(&this).is_some() {
            return Ok(());
        }
        let key = self.key(from)?;
        self.is_point(to)?;
        key.verify_sig(text.as_bytes(), signature.as_bytes())
            .map_err(|_| TransactionViolation::WrongSignature(*from))?;
        self.verified.insert(this, ());
        Ok(())
    }

    fn is_point(&self, address: &Address) -> Result<(), TransactionViolation> {
        self.key(address).map(|_| ())
    }

    fn check_each(&self, count: usize, check: &Check<'_>) -> Result<(), RuleViolation> {
        if count < WORTH_SHARING {
            return (0..count).try_for_each(check);
        }
        // The first by place, so that every node names the same rule whatever its threads do.
        (0..count).into_par_iter().map(check).find_map_first(Result::err).map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests;
