//! Headers and blocks as bytes: how nodes exchange them if both sides can (docs/protocol.md §10), and how they are
//! stored. To everybody else they are JSON.
//!
//! All integers are big-endian.
//!
//! ```text
//! header    height (8) | prev_hash (32) | timestamp ms (8) | difficulty (8) | data_hash (32) | nonce (8)
//! block     header (96) | bytes of data (4) | data, UTF-8
//! ```
//!
//! A hash is not part of it: the reader computes it.

use super::{Block, BlockHash, DataHash, Difficulty, Header, HeaderFields, Height, Nonce, Timestamp};

/// Length of a header in bytes.
pub(crate) const HEADER_BYTES: usize = 96;

/// Media type of headers or blocks in this form, one after the other.
pub const COMPACT_TYPE: &str = "application/vnd.chainlab.compact";

/// Bytes are not headers or blocks in the form that docs/protocol.md §10 describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not {0} in compact form")]
pub struct NotCompact(&'static str);

impl Header {
    pub(crate) fn to_bytes(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..8].copy_from_slice(&self.index.0.to_be_bytes());
        bytes[8..40].copy_from_slice(self.prev_hash.as_bytes());
        bytes[40..48].copy_from_slice(&self.timestamp.as_ms().to_be_bytes());
        bytes[48..56].copy_from_slice(&self.difficulty.value().to_be_bytes());
        bytes[56..88].copy_from_slice(self.data_hash.as_bytes());
        bytes[88..].copy_from_slice(&self.nonce().0.to_be_bytes());
        bytes
    }

    /// `None` if a number is not one that JSON may have.
    pub(crate) fn from_bytes(bytes: &[u8; HEADER_BYTES]) -> Option<Self> {
        let (index, rest) = bytes.split_first_chunk::<8>()?;
        let (prev_hash, rest) = rest.split_first_chunk::<32>()?;
        let (timestamp, rest) = rest.split_first_chunk::<8>()?;
        let (difficulty, rest) = rest.split_first_chunk::<8>()?;
        let (data_hash, nonce) = rest.split_first_chunk::<32>()?;
        let [index, timestamp, difficulty] = [index, timestamp, difficulty].map(|bytes| u64::from_be_bytes(*bytes));
        let fields = HeaderFields {
            index: Height::new(index)?,
            prev_hash: BlockHash::from_bytes(*prev_hash),
            timestamp: Timestamp::new(timestamp)?,
            difficulty: Difficulty::new(difficulty)?,
            data_hash: DataHash::from_bytes(*data_hash),
        };
        Some(Self::new(fields, Nonce(u64::from_be_bytes(nonce.try_into().ok()?))))
    }

    /// Headers in compact form.
    pub fn to_compact(headers: &[Self]) -> Vec<u8> {
        headers.iter().flat_map(Self::to_bytes).collect()
    }

    /// Reads headers in compact form.
    ///
    /// # Errors
    /// If the bytes are not whole headers, or a number is not one that JSON may have.
    pub fn from_compact(bytes: &[u8]) -> Result<Vec<Self>, NotCompact> {
        let (headers, rest) = bytes.as_chunks();
        let read: Option<Vec<_>> = headers.iter().map(Self::from_bytes).collect();
        read.filter(|_| rest.is_empty()).ok_or(NotCompact("headers"))
    }
}

impl Block {
    /// Blocks in compact form.
    pub fn to_compact(blocks: &[Self]) -> Vec<u8> {
        let data: usize = blocks.iter().map(|block| block.data.len()).sum();
        let mut bytes = Vec::with_capacity(blocks.len() * (HEADER_BYTES + 4) + data);
        for Self { header, data } in blocks {
            // The largest block has far less than 4 GiB (docs/protocol.md §3).
            let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
            bytes.extend_from_slice(&header.to_bytes());
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(data.as_bytes());
        }
        bytes
    }

    /// Reads blocks in compact form.
    ///
    /// # Errors
    /// If the bytes are not whole blocks, a number is not one that JSON may have, or data is not UTF-8 or not what the
    /// header commits to.
    pub fn from_compact(mut bytes: &[u8]) -> Result<Vec<Self>, NotCompact> {
        let mut blocks = Vec::new();
        while !bytes.is_empty() {
            let (block, rest) = Self::split_first(bytes).ok_or(NotCompact("blocks"))?;
            blocks.push(block);
            bytes = rest;
        }
        Ok(blocks)
    }

    fn split_first(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (header, bytes) = bytes.split_first_chunk()?;
        let (length, bytes) = bytes.split_first_chunk()?;
        let (data, rest) = bytes.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        let header = Header::from_bytes(header)?;
        let data = std::str::from_utf8(data).ok()?.to_owned();
        (DataHash::of(&data) == header.data_hash).then_some((Self { header, data }, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks() -> Vec<Block> {
        let block = |index: u64, data: &str| {
            let fields = HeaderFields {
                index: Height(index),
                prev_hash: BlockHash::of(data),
                timestamp: Timestamp::from_ms(1_795_231_740_123),
                difficulty: Difficulty::MIN,
                data_hash: DataHash::of(""),
            };
            Block::new(fields, Nonce(1234), data.to_owned())
        };
        vec![block(5, "snow man ☃"), block((1 << 53) - 1, ""), block(0, "x")]
    }

    #[test]
    fn compact_form_is_read_back_as_the_same_blocks() {
        let blocks = blocks();
        assert_eq!(Block::from_compact(&Block::to_compact(&blocks)).unwrap(), blocks);
        let headers: Vec<_> = blocks.iter().map(|block| block.header().clone()).collect();
        assert_eq!(Header::from_compact(&Header::to_compact(&headers)).unwrap(), headers);
        assert_eq!((Block::from_compact(&[]), Header::from_compact(&[])), (Ok(Vec::new()), Ok(Vec::new())));
    }

    #[test]
    fn every_cut_is_refused() {
        let (blocks, whole) = (blocks(), Block::to_compact(&blocks()));
        let ends = (1..=blocks.len()).map(|count| Block::to_compact(&blocks[..count]).len()).collect::<Vec<_>>();
        for length in 1..whole.len() {
            assert_eq!(Block::from_compact(&whole[..length]).is_ok(), ends.contains(&length), "{length}");
        }
        let header = blocks[0].header().to_bytes();
        assert!((1..HEADER_BYTES).all(|length| Header::from_compact(&header[..length]).is_err()));
    }

    #[test]
    fn what_json_may_not_have_is_refused_too() {
        let bytes = blocks()[0].header().to_bytes();
        let with = |from: usize, number: u64| {
            let mut bytes = bytes;
            bytes[from..from + 8].copy_from_slice(&number.to_be_bytes());
            Header::from_bytes(&bytes)
        };
        assert!(with(0, 1 << 53).is_none(), "index");
        assert!(with(40, Timestamp::MAX.as_ms() + 1).is_none(), "timestamp");
        assert!(with(48, 0).is_none(), "difficulty");
        assert!(with(88, 0).is_some(), "any nonce is one");
    }

    #[test]
    fn data_that_is_not_what_the_header_says_is_refused() {
        let mut bytes = Block::to_compact(&blocks()[2..]);
        *bytes.last_mut().unwrap() = b'y';
        assert!(Block::from_compact(&bytes).is_err());
        *bytes.last_mut().unwrap() = 0xff;
        assert!(Block::from_compact(&bytes).is_err());
    }
}
