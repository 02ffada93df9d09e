//! Blocks: the same on every layer (docs/protocol.md §3).
//!
//! This module is the first stage of validity, "well-formed": shape, sizes of numbers, and that a block's hash is the
//! hash of its fields. It knows nothing of chains, parents or rules.

mod compact;
pub(crate) mod difficulty;
mod hash;
mod header;
mod height;
mod id;
mod nonce;
mod timestamp;

pub(crate) use compact::HEADER_BYTES;
pub use compact::{COMPACT_TYPE, NotCompact};
pub(crate) use hash::hash_type;
pub use hash::{BlockHash, DataHash, NotAHash, Seal};
pub use header::{Header, HeaderFields, HeaderJson, WrongHash};
pub use height::Height;
pub use id::BlockId;
pub use nonce::{Nonce, NotANonce};
pub use timestamp::{NotATimestamp, Timestamp};

use crate::json::deserialize_strictly;
use difficulty::Difficulty;
use serde::{Deserialize, Serialize};

/// A block: a header and the data that it commits to.
///
/// # Invariants
/// `data` hashes to the header's `data_hash`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    header: Header,
    data: String,
}

/// Why bytes are not a well-formed block.
#[derive(Debug, thiserror::Error)]
pub enum MalformedBlock {
    /// Not the JSON object of docs/protocol.md §3.
    #[error("not a block: {0}")]
    Json(#[from] serde_json::Error),
    /// The object is well-formed, but its hash is wrong.
    #[error(transparent)]
    WrongHash(#[from] WrongHash),
}

impl Block {
    /// Seals `data` and the other fields with `nonce`; `fields.data_hash` is computed from `data`.
    pub fn new(fields: HeaderFields, nonce: Nonce, data: String) -> Self {
        let data_hash = DataHash::of(&data);
        Self { header: Header::new(HeaderFields { data_hash, ..fields }, nonce), data }
    }

    /// A block read back from our own store; the reader has checked that `data` hashes to the header's `data_hash`.
    pub(crate) const fn from_store(header: Header, data: String) -> Self {
        Self { header, data }
    }

    /// Reads a block from JSON. Distinguishes malformed blocks from those with a wrong hash.
    ///
    /// # Errors
    /// Names the field that is missing, unknown, repeated or of the wrong form, or both hashes.
    pub fn from_json(json: &[u8]) -> Result<Self, MalformedBlock> {
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let raw = BlockJson::deserialize(crate::json::ObjectOnly(&mut deserializer))?;
        deserializer.end()?;
        Ok(Self::try_from(raw)?)
    }

    /// Everything but the data.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The text that a layer interprets.
    pub fn data(&self) -> &str {
        &self.data
    }

    /// The block's hash.
    pub const fn hash(&self) -> BlockHash {
        self.header.hash()
    }

    /// The block's height.
    pub fn index(&self) -> Height {
        self.header.index
    }
}

/// The JSON of a block, for reading (docs/protocol.md §3).
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Block)]
pub struct BlockJson {
    index: Height,
    prev_hash: BlockHash,
    timestamp: Timestamp,
    difficulty: Difficulty,
    data: String,
    nonce: Nonce,
    hash: BlockHash,
}

/// The JSON of a block, for writing; borrows the data.
#[derive(Serialize)]
struct BlockJsonRef<'a> {
    index: Height,
    prev_hash: BlockHash,
    timestamp: Timestamp,
    difficulty: Difficulty,
    data: &'a str,
    nonce: Nonce,
    hash: BlockHash,
}

impl Serialize for Block {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let HeaderFields { index, prev_hash, timestamp, difficulty, .. } = **self.header();
        let (nonce, hash) = (self.header.nonce(), self.header.hash());
        BlockJsonRef { index, prev_hash, timestamp, difficulty, data: &self.data, nonce, hash }.serialize(serializer)
    }
}

impl TryFrom<BlockJson> for Block {
    type Error = WrongHash;

    fn try_from(json: BlockJson) -> Result<Self, WrongHash> {
        let BlockJson { index, prev_hash, timestamp, difficulty, data, nonce, hash: got } = json;
        let data_hash = DataHash::of(&data);
        let header = Header::new(HeaderFields { index, prev_hash, timestamp, difficulty, data_hash }, nonce);
        let expected = header.hash();
        if got == expected { Ok(Self { header, data }) } else { Err(WrongHash { got, expected }) }
    }
}

deserialize_strictly!(Block, from BlockJson);

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Block {
        let fields = HeaderFields {
            index: Height(5),
            prev_hash: BlockHash::ZERO,
            timestamp: Timestamp::from_ms(1_795_231_740_123),
            difficulty: Difficulty::MIN,
            data_hash: DataHash::of(""),
        };
        Block::new(fields, Nonce(1234), "snow man ☃ \"\\\n".to_owned())
    }

    #[test]
    fn json_is_read_back_as_the_same_block() {
        let block = example();
        let json = serde_json::to_vec(&block).unwrap();
        assert_eq!(Block::from_json(&json).unwrap(), block);
        let header = serde_json::to_vec(block.header()).unwrap();
        assert_eq!(serde_json::from_slice::<Header>(&header).unwrap(), *block.header());
    }

    #[test]
    fn any_other_spelling_is_refused_with_its_reason() {
        let json = serde_json::to_string(&example()).unwrap();
        let zeros = "0".repeat(64);
        let cases = [
            (json.replace("\"index\":5", "\"index\":5,\"extra\":1"), "unknown field"),
            (json.replace("\"index\":5,", ""), "missing field"),
            (json.replace("\"index\":5", "\"index\":5,\"index\":5"), "duplicate field"),
            (json.replace("\"index\":5", "\"index\":null"), "null"),
            (json.replace("\"index\":5", "\"index\":-0"), "floating point"),
            (json.replace("\"index\":5", "\"index\":5.0"), "floating point"),
            (json.replace("\"index\":5", "\"index\":5e0"), "floating point"),
            (json.replace("\"index\":5", "\"index\":05"), "invalid number"),
            (json.replace("\"index\":5", "\"index\":NaN"), "expected value"),
            (json.replace("\"index\":5", "\"index\":\"5\""), "string"),
            (json.replace("\"index\":5", "\"index\":9007199254740992"), "2^53"),
            (json.replace("\"difficulty\":1", "\"difficulty\":0"), "difficulty"),
            (json.replace("\"nonce\":\"00000000000004d2\"", "\"nonce\":\"00000000000004D2\""), "16 lower-case"),
            (json.replace(&zeros, &"A".repeat(64)), "64 lower-case"),
            (json.replace("snow man", "\\ud800"), "hex escape"),
            (format!("\u{feff}{json}"), "expected value"),
            (format!("{json}x"), "trailing"),
            (
                format!("[5,\"{zeros}\",\"2026-11-21T03:29:00.123Z\",1,\"\",\"{}\",\"{zeros}\"]", &zeros[..16]),
                "invalid type: sequence",
            ),
            (json.replace("snow man", "snow woman"), "hash"),
        ];
        for (text, reason) in cases {
            let error = Block::from_json(text.as_bytes()).expect_err(&text).to_string();
            assert!(error.contains(reason), "{text}\nsaid: {error}\nwanted: {reason}");
        }
    }
}
