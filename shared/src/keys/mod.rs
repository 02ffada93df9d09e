//! Keys and signatures: ECDSA on P-256 with SHA-256 (docs/protocol.md §6, FIPS 186-5, RFC 6979).
//!
//! Nothing here draws a random number: key pairs come from entropy or a seed that the caller brings, and signing is
//! deterministic. Checking a signature comes in as a [`Verifier`], because it is what costs most: `runtime` gives one
//! that is parallel, fast and remembers; tests use the [`PlainVerifier`].

mod key_pair;
mod pem;
mod signature;
mod verifier;

pub use key_pair::KeyPair;
pub use pem::{BadKeyFile, NotWritten, PASSWORD_ROUNDS, public_key_pem};
pub use signature::{NotASignature, Signature};
pub use verifier::{Check, PlainVerifier, Signed, Verifier};
