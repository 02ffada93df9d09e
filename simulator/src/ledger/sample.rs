//! Blocks for tests of the ledgers.

use crate::checker::{CheckedBlock, sha256};
use serde_json::{Value, json};

/// A block of difficulty 1 with this data on top of `tip`, made by the checker's arithmetic alone.
pub(super) fn block(tip: Option<&CheckedBlock>, data: &str) -> Value {
    let (index, prev_hash) = tip.map_or((0, "0".repeat(64)), |tip| (tip.index + 1, tip.hash.clone()));
    let timestamp = format!("2026-11-21T03:29:{index:02}.000Z");
    let seal = sha256(&format!("{index} {prev_hash} {timestamp} 1 {}", sha256(data).0)).0;
    let nonce = "0000000000000000";
    json!({"index": index, "prev_hash": prev_hash, "timestamp": timestamp, "difficulty": 1, "data": data,
           "nonce": nonce, "hash": sha256(&format!("{seal}{nonce}")).0})
}
