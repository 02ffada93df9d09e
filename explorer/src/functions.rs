//! Calls as people write them, by signature and typed arguments (Ethereum's contract ABI), and their results in words.
//!
//! The crate `abi` knows the types. It and what it stands on take long to compile, so it belongs to the feature
//! `programs`, as the machine does in nodes and mempools. A build without it has the same pages, and takes calls as
//! hex.

#[cfg(feature = "programs")]
mod typed;
#[cfg(not(feature = "programs"))]
mod untyped;

#[cfg(feature = "programs")]
pub(crate) use typed::{encode, hash, results, text};
#[cfg(not(feature = "programs"))]
pub(crate) use untyped::{encode, hash, results, text};

use serde_json::Value;
use shared::program::HexBytes;

/// One result of a call.
#[derive(Debug, PartialEq)]
pub(crate) struct Returned {
    /// Its type, as in `uint256`.
    pub(crate) kind: String,
    pub(crate) value: Value,
}

/// Bytes as `0x` and hex, in any case.
///
/// # Errors
/// What is wrong, for people.
pub(crate) fn hex(text: &str) -> Result<Vec<u8>, String> {
    let bytes: Result<HexBytes, _> = text.trim().to_ascii_lowercase().parse();
    bytes.map(|HexBytes(bytes)| bytes).map_err(|error| format!("{:?} is no hex: {error}.", crate::view::short(text)))
}
