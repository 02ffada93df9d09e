//! Keys and signatures: ECDSA on P-256 with SHA-256 (docs/protocol.md §6, FIPS 186-5, RFC 6979).
//!
//! Nothing here draws a random number: key pairs come from entropy or a seed of the caller, and signing is
//! deterministic. Verifying a signature is the most expensive step, so it is behind the trait [`Verifier`]: `runtime`
//! has a fast, parallel one with a cache, tests use the [`PlainVerifier`].

mod key_pair;
mod pem;

pub use crate::ledger::signature::{NotASignature, Signature};
pub use crate::ledger::verifier::{Check, PlainVerifier, Signed, Verifier};
pub use key_pair::KeyPair;
pub use pem::{BadKeyFile, NotWritten, PASSWORD_ROUNDS, public_key_pem};
