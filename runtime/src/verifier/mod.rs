//! The services' verifier of signatures: fast, parallel, with a cache of valid signatures.
//!
//! It must agree with `shared::keys::PlainVerifier` on every input, and decides nothing else. Only successes are
//! cached, so an attacker can neither fill the cache with invalid signatures nor have a valid one refused.

mod bounded_cache;

use aws_lc_rs::digest::{self, SHA256};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};
use bounded_cache::BoundedCache;
use rayon::prelude::*;
use shared::keys::{Check, Signed, Verifier};
use shared::ledger::{Address, TransactionViolation};
use shared::violation::RuleViolation;

/// Most parsed public keys in the cache. Parsing takes a square root, a quarter of the time of a verification; a parsed
/// key takes about a kilobyte.
const MAX_KEYS: usize = 16_384;

/// Fewer checks than this run on the caller's thread: waking other threads would cost as much.
const MIN_PARALLEL: usize = 8;

/// SHA-256 of the signer's address and the text, and the signature over the text.
///
/// The transaction's id is not enough: it does not cover the signature, and a text has many valid and many more invalid
/// ones (docs/protocol.md §7). Nor is the text: where two must sign one text, the signature of one of them would pass
/// for the other's. The receiver's address is in the text.
type Verified = ([u8; 32], [u8; 64]);

/// Verifies with aws-lc and caches successes.
///
/// [`Verifier::check_each`] uses rayon's global pool, one for the process, so that many nodes in one process have no
/// more computing threads than cores. Such nodes should share one verifier behind an `Arc`.
pub struct CachingVerifier {
    verified: BoundedCache<Verified, ()>,
    keys: BoundedCache<Address, ParsedPublicKey>,
}

impl CachingVerifier {
    /// A verifier that caches at most `capacity` signatures, each in about 200 bytes.
    pub fn new(capacity: usize) -> Self {
        Self { verified: BoundedCache::new(capacity), keys: BoundedCache::new(capacity.min(MAX_KEYS)) }
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
        let Signed { text, signer, named, signature } = *signed;
        let this: Verified = (hash_of(signer, text), *signature.as_bytes());
        if self.verified.get(&this).is_some() {
            return Ok(());
        }
        let key = self.key(signer)?;
        for address in named.iter().filter(|address| address.is_key()) {
            self.is_point(address)?;
        }
        key.verify_sig(text.as_bytes(), signature.as_bytes())
            .map_err(|_| TransactionViolation::WrongSignature(*signer))?;
        self.verified.insert(this, ());
        Ok(())
    }

    fn is_point(&self, address: &Address) -> Result<(), TransactionViolation> {
        self.key(address).map(|_| ())
    }

    fn check_each(&self, count: usize, check: &Check<'_>) -> Result<(), RuleViolation> {
        if count < MIN_PARALLEL {
            return (0..count).try_for_each(check);
        }
        // The error of the lowest index, so that every node names the same rule, however its threads run.
        (0..count).into_par_iter().map(check).find_map_first(Result::err).map_or(Ok(()), Err)
    }
}

fn hash_of(signer: &Address, text: &str) -> [u8; 32] {
    // Every address has the same length, so two different pairs never give the same bytes.
    let mut context = digest::Context::new(&SHA256);
    context.update(signer.as_str().as_bytes());
    context.update(text.as_bytes());
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

#[cfg(test)]
mod tests;
