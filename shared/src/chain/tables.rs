//! The bytes of stored rows; the only file that knows them.
//!
//! All integers are big-endian, so that rows are ordered by height and bulk import appends.
//!
//! ```text
//! Headers   height (8) | hash (32)  →  prev_hash (32) | timestamp ms (8) | difficulty (8) | data_hash (32) |
//!                                      nonce (8) | work (16)
//! Bodies    height (8) | hash (32)  →  data, UTF-8
//! Undo      height (8) | hash (32)  →  journal (state::Journal)
//! Sides     height (8) | hash (32)  →  bytes of data (8)
//! Best      height (8)              →  hash (32)
//! Index     hash (32)               →  height (8)
//! Meta      "tip"                   →  height (8) | hash (32)
//!           "flushed"               →  height (8): state and index hold everything up to this block of the best chain
//! ```

use super::ChainEntry;
use crate::block::{Block, BlockHash, BlockId, DataHash, HEADER_BYTES, Header, Height};
use crate::state::Journal;
use crate::store::{Snapshot, StoreError, Table};
use crate::work::Work;

pub(super) const TIP: &[u8] = b"tip";
pub(super) const FLUSHED: &[u8] = b"flushed";

pub(super) type Result<T> = std::result::Result<T, StoreError>;

pub(super) fn block_key(id: BlockId) -> [u8; 40] {
    let mut key = [0; 40];
    key[..8].copy_from_slice(&id.index.0.to_be_bytes());
    key[8..].copy_from_slice(id.hash.as_bytes());
    key
}

pub(super) fn height_bytes(height: Height) -> [u8; 8] {
    height.0.to_be_bytes()
}

/// The header in compact form without its height, which is in the key; and the work.
pub(super) fn header_row(entry: &ChainEntry) -> [u8; 104] {
    let mut row = [0; 104];
    row[..88].copy_from_slice(&entry.header.to_bytes()[8..]);
    row[88..].copy_from_slice(&entry.work.0.to_be_bytes());
    row
}

/// The disk is not trusted: a row that does not hash to the block's name is damaged.
pub(super) fn parse_header_row(id: BlockId, row: &[u8]) -> Result<ChainEntry> {
    parse_entry(id, row).filter(|entry| entry.hash() == id.hash).ok_or_else(|| damaged("header", id))
}

fn parse_entry(id: BlockId, row: &[u8]) -> Option<ChainEntry> {
    let (fields, work) = row.split_first_chunk::<88>()?;
    let mut header = [0; HEADER_BYTES];
    header[..8].copy_from_slice(&height_bytes(id.index));
    header[8..].copy_from_slice(fields);
    Some(ChainEntry { header: Header::from_bytes(&header)?, work: Work(u128::from_be_bytes(work.try_into().ok()?)) })
}

pub(super) fn parse_block_key(key: &[u8]) -> Result<BlockId> {
    let parts = key.split_first_chunk::<8>().and_then(|(height, hash)| Some((height, hash.try_into().ok()?)));
    let (height, hash) = parts.ok_or_else(|| StoreError::Damaged("a block's key has a wrong length".to_owned()))?;
    Ok(BlockId { index: Height(u64::from_be_bytes(*height)), hash: BlockHash::from_bytes(hash) })
}

pub(super) fn parse_height(bytes: &[u8]) -> Result<Height> {
    let bytes = bytes.try_into().map_err(|_| StoreError::Damaged("a height has a wrong length".to_owned()))?;
    Ok(Height(u64::from_be_bytes(bytes)))
}

pub(super) fn parse_hash(bytes: &[u8]) -> Result<BlockHash> {
    let bytes = bytes.try_into().map_err(|_| StoreError::Damaged("a hash has a wrong length".to_owned()))?;
    Ok(BlockHash::from_bytes(bytes))
}

pub(super) fn tip(rows: &dyn Snapshot) -> Result<Option<BlockId>> {
    rows.get(Table::Meta, TIP)?.map(|row| parse_block_key(&row)).transpose()
}

pub(super) fn best_hash(rows: &dyn Snapshot, height: Height) -> Result<Option<BlockHash>> {
    rows.get(Table::Best, &height_bytes(height))?.map(|row| parse_hash(&row)).transpose()
}

/// The best chain's block at `height`, which must exist.
pub(super) fn best_entry(rows: &dyn Snapshot, height: Height) -> Result<ChainEntry> {
    let missing = || StoreError::Damaged(format!("the best chain has no block {height}"));
    let hash = best_hash(rows, height)?.ok_or_else(missing)?;
    entry(rows, BlockId { index: height, hash })
}

pub(super) fn indexed_height(rows: &dyn Snapshot, hash: &BlockHash) -> Result<Option<Height>> {
    rows.get(Table::Index, hash.as_bytes())?.map(|row| parse_height(&row)).transpose()
}

/// The entry of a block that must be stored.
pub(super) fn entry(rows: &dyn Snapshot, id: BlockId) -> Result<ChainEntry> {
    find_entry(rows, id)?.ok_or_else(|| damaged("header", id))
}

pub(super) fn find_entry(rows: &dyn Snapshot, id: BlockId) -> Result<Option<ChainEntry>> {
    rows.get(Table::Headers, &block_key(id))?.map(|row| parse_header_row(id, &row)).transpose()
}

/// The data of a block that must be stored.
pub(super) fn body(rows: &dyn Snapshot, header: &Header) -> Result<String> {
    let id = BlockId { index: header.index, hash: header.hash() };
    let bytes = rows.get(Table::Bodies, &block_key(id))?.ok_or_else(|| damaged("data", id))?;
    parse_body(header, bytes)
}

/// Checks stored data against the hash in its header.
pub(super) fn parse_body(header: &Header, bytes: Vec<u8>) -> Result<String> {
    let is_whole = DataHash::of(&bytes) == header.data_hash;
    let data = if is_whole { String::from_utf8(bytes).ok() } else { None };
    data.ok_or_else(|| damaged("data", BlockId { index: header.index, hash: header.hash() }))
}

pub(super) fn block(rows: &dyn Snapshot, id: BlockId) -> Result<Block> {
    let header = entry(rows, id)?.header;
    let data = body(rows, &header)?;
    Ok(Block::from_store(header, data))
}

/// The journal that undoes a block; blocks that wrote nothing have no row.
pub(super) fn journal(rows: &dyn Snapshot, id: BlockId) -> Result<Journal> {
    match rows.get(Table::Undo, &block_key(id))? {
        Some(bytes) => Journal::from_bytes(&bytes).map_err(|_| damaged("journal", id)),
        None => Ok(Journal::default()),
    }
}

pub(super) fn damaged(what: &'static str, id: BlockId) -> StoreError {
    StoreError::DamagedBlock { id, what }
}
