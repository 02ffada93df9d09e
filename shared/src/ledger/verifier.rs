//! Verifying signatures, as a trait, so that this most expensive check can be parallel and cached.

use super::signature::Signature;
use super::{Address, TransactionViolation};
use crate::violation::RuleViolation;
use p256::ecdsa::VerifyingKey;
use p256::ecdsa::signature::Verifier as _;

/// A text with one of its signatures, and addresses in it.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// The signed text. It contains the addresses in `named`, so a cache of valid signers, texts and signatures need
    /// not check them again.
    pub text: &'a str,
    /// The signer.
    pub signer: &'a Address,
    /// Others, as the receiver: each is checked if it is a key.
    pub named: &'a [Address],
    /// The signature.
    pub signature: &'a Signature,
}

/// Checks one item of a list, given its position.
pub type Check<'a> = dyn Fn(usize) -> Result<(), RuleViolation> + Sync + 'a;

/// The arithmetic of the curve, and running checks in parallel.
pub trait Verifier: Send + Sync {
    /// Whether all addresses that are keys are points of the curve and the signature is the signer's over the text.
    ///
    /// # Errors
    /// [`TransactionViolation::NotAPoint`] or [`TransactionViolation::WrongSignature`].
    fn verify(&self, signed: &Signed<'_>) -> Result<(), TransactionViolation>;

    /// Whether an address is a point of the curve.
    ///
    /// # Errors
    /// [`TransactionViolation::NotAPoint`].
    fn is_point(&self, address: &Address) -> Result<(), TransactionViolation>;

    /// Checks the items `0 .. count`, in any order and in parallel.
    ///
    /// # Errors
    /// The error of the first failing item by position.
    fn check_each(&self, count: usize, check: &Check<'_>) -> Result<(), RuleViolation> {
        (0..count).try_for_each(check)
    }
}

/// Verifies one signature after another without a cache, with the crate that signs.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlainVerifier;

impl Verifier for PlainVerifier {
    fn verify(&self, signed: &Signed<'_>) -> Result<(), TransactionViolation> {
        let key = point(signed.signer)?;
        for address in signed.named.iter().filter(|address| address.is_key()) {
            point(address)?;
        }
        let wrong = |_| TransactionViolation::WrongSignature(*signed.signer);
        let signature = p256::ecdsa::Signature::from_slice(signed.signature.as_bytes()).map_err(wrong)?;
        key.verify(signed.text.as_bytes(), &signature).map_err(wrong)
    }

    fn is_point(&self, address: &Address) -> Result<(), TransactionViolation> {
        point(address).map(|_| ())
    }
}

fn point(address: &Address) -> Result<VerifyingKey, TransactionViolation> {
    VerifyingKey::from_sec1_bytes(&address.public_key()).map_err(|_| TransactionViolation::NotAPoint(*address))
}
