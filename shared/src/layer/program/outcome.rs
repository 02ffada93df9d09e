//! The outcome of a block: one hash over all that its calls have done, so that a machine that computes something else
//! is noticed in the first block (docs/protocol.md §15).
//!
//! ```text
//! receipt <id> <status> <gas used> <sha256 of the output>       for each call or deployment, in order; after it
//! log <account> <topics, joined by commas> <data>               each of its logs, in order
//! write <key> <value>                                           at last each row that calls wrote, in order of keys
//! ```
//!
//! Each line ends with a line feed. Account, topic, data, key and value are `0x` and lower-case hex; `-` is no topic,
//! and a row that is gone.

use crate::hex;
use crate::ledger::{OutcomeHash, TransactionId};
use crate::program::{Changes, Log};
use crate::state::{StateRead, StateView, Value};
use crate::store::StoreError;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Hashes what calls do, one after another.
#[derive(Default)]
pub(super) struct Outcome {
    hash: Sha256,
    /// The lines of one call; kept, so that the next call need not allocate.
    lines: Vec<u8>,
    writes: Recorder,
}

/// The last write to each row.
#[derive(Default)]
struct Recorder(BTreeMap<Vec<u8>, Option<Vec<u8>>>);

impl Outcome {
    /// Adds a call or deployment; `changes` are empty unless it succeeded.
    pub(super) fn add(
        &mut self,
        id: &TransactionId,
        status: &str,
        gas_used: u64,
        output: &[u8],
        logs: &[Log],
        changes: &Changes,
    ) {
        let lines = &mut self.lines;
        lines.clear();
        lines.extend(b"receipt ");
        push_hex(lines, id.as_bytes());
        lines.extend(format!(" {status} {gas_used} ").bytes());
        push_hex(lines, &Sha256::digest(output));
        lines.push(b'\n');
        for Log { address, topics, data } in logs {
            lines.extend(b"log 0x");
            push_hex(lines, &address.0);
            lines.extend(if topics.is_empty() { &b" -"[..] } else { b"" });
            for (place, topic) in topics.iter().enumerate() {
                lines.extend(if place == 0 { b" 0x" } else { b",0x" });
                push_hex(lines, &topic.0);
            }
            lines.extend(b" 0x");
            push_hex(lines, data);
            lines.push(b'\n');
        }
        self.hash.update(&*lines);
        changes.apply(&mut self.writes);
    }

    /// The hash of all lines.
    pub(super) fn finish(mut self) -> OutcomeHash {
        for (key, value) in &self.writes.0 {
            let line = &mut self.lines;
            line.clear();
            line.extend(b"write 0x");
            push_hex(line, key);
            match value {
                Some(value) => {
                    line.extend(b" 0x");
                    push_hex(line, value);
                }
                None => line.extend(b" -"),
            }
            line.push(b'\n');
            self.hash.update(&*line);
        }
        OutcomeHash::from_bytes(self.hash.finalize().into())
    }
}

fn push_hex(line: &mut Vec<u8>, bytes: &[u8]) {
    let before = line.len();
    line.resize(before + 2 * bytes.len(), 0);
    hex::encode_into(bytes, &mut line[before..]);
}

impl StateRead for Recorder {
    fn get(&self, key: &[u8]) -> Result<Option<Value>, StoreError> {
        Ok(self.0.get(key).and_then(|value| value.as_deref().map(Value::from)))
    }

    fn keeps_history(&self) -> bool {
        false
    }
}

impl StateView for Recorder {
    fn put(&mut self, key: &[u8], value: &[u8]) {
        self.0.insert(key.to_vec(), Some(value.to_vec()));
    }

    fn delete(&mut self, key: &[u8]) {
        self.0.insert(key.to_vec(), None);
    }
}
