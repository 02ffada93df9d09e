//! A block without its data: the part that is mined, and that header-first sync exchanges.

use super::difficulty::Difficulty;
use super::{BlockHash, DataHash, Height, Nonce, Seal, Timestamp};
use crate::json::deserialize_strictly;
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::ops::Deref;

/// What the seal of a header covers: everything but the nonce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderFields {
    /// The block's height.
    pub index: Height,
    /// The hash of its parent; [`BlockHash::ZERO`] for genesis.
    pub prev_hash: BlockHash,
    /// When it was mined, according to its miner.
    pub timestamp: Timestamp,
    /// The expected number of hashes that finding it took.
    pub difficulty: Difficulty,
    /// SHA-256 of its data.
    pub data_hash: DataHash,
}

impl HeaderFields {
    /// `sha256("<index> <prev_hash> <timestamp> <difficulty> <data_hash>")` (docs/protocol.md §3).
    pub fn seal(&self) -> Seal {
        // Two integers of at most 20 digits, 64 + 24 + 64 characters, four spaces: 196 bytes at the most.
        let mut text = [0_u8; 200];
        let mut rest = &mut text[..];
        let written = self.write_text(&mut rest);
        debug_assert!(written.is_ok());
        let left = rest.len();
        Seal::of(&text[..200 - left])
    }

    /// Every header is sealed a few times on its way, so the texts of hashes and times are copied, not formatted.
    fn write_text(&self, text: &mut impl Write) -> std::io::Result<()> {
        write!(text, "{} ", self.index)?;
        text.write_all(&self.prev_hash.to_hex())?;
        text.write_all(b" ")?;
        text.write_all(&self.timestamp.text())?;
        write!(text, " {} ", self.difficulty)?;
        text.write_all(&self.data_hash.to_hex())
    }
}

impl Seal {
    /// `sha256("<seal><nonce>")`, 80 characters (docs/protocol.md §3).
    pub fn block_hash(&self, nonce: Nonce) -> BlockHash {
        let mut text = [0; 80];
        text[..64].copy_from_slice(&self.to_hex());
        text[64..].copy_from_slice(&nonce.to_hex());
        BlockHash::of(text)
    }
}

/// A sealed header; derefs to its [`HeaderFields`].
///
/// # Invariants
/// `hash` is the hash of the fields and the nonce: it is computed or checked whenever a header is created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(into = "HeaderJson")]
pub struct Header {
    fields: HeaderFields,
    nonce: Nonce,
    hash: BlockHash,
}

impl Header {
    /// Seals `fields` with `nonce`. Does not check that the hash meets the target; the chain does.
    pub fn new(fields: HeaderFields, nonce: Nonce) -> Self {
        Self { fields, nonce, hash: fields.seal().block_hash(nonce) }
    }

    /// The block's hash.
    pub const fn hash(&self) -> BlockHash {
        self.hash
    }

    /// The nonce that its miner found.
    pub const fn nonce(&self) -> Nonce {
        self.nonce
    }
}

impl Deref for Header {
    type Target = HeaderFields;
    fn deref(&self) -> &HeaderFields {
        &self.fields
    }
}

/// The `hash` field of a block or header is not what its other fields hash to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("field hash: the other fields hash to {expected}, not to {got}")]
pub struct WrongHash {
    /// The hash in the JSON.
    pub got: BlockHash,
    /// The computed hash.
    pub expected: BlockHash,
}

/// A header as it is written in JSON (docs/protocol.md §3).
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Header)]
pub struct HeaderJson {
    index: Height,
    prev_hash: BlockHash,
    timestamp: Timestamp,
    difficulty: Difficulty,
    data_hash: DataHash,
    nonce: Nonce,
    hash: BlockHash,
}

impl From<Header> for HeaderJson {
    fn from(Header { fields, nonce, hash }: Header) -> Self {
        let HeaderFields { index, prev_hash, timestamp, difficulty, data_hash } = fields;
        Self { index, prev_hash, timestamp, difficulty, data_hash, nonce, hash }
    }
}

impl TryFrom<HeaderJson> for Header {
    type Error = WrongHash;

    fn try_from(json: HeaderJson) -> Result<Self, WrongHash> {
        let HeaderJson { index, prev_hash, timestamp, difficulty, data_hash, nonce, hash: got } = json;
        let header = Self::new(HeaderFields { index, prev_hash, timestamp, difficulty, data_hash }, nonce);
        let expected = header.hash;
        if got == expected { Ok(header) } else { Err(WrongHash { got, expected }) }
    }
}

deserialize_strictly!(Header, from HeaderJson);
