//! Bundles: the `data` of a block on layers with money (docs/protocol.md §7 and 15).

use super::{Address, Transaction};
use crate::block::hash_type;
use crate::json::{deserialize_strictly, not_null, shortened};
use serde::Deserialize;

hash_type! {
    /// SHA-256 of what the programs that a block called have done (docs/protocol.md §15).
    OutcomeHash
}

/// The transactions of a block, and the address of its miner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The miner's message; may be empty.
    pub msg: String,
    /// Gets the reward and the fees.
    pub miner_address: Address,
    /// In the order in which they are applied.
    pub transactions: Vec<Transaction>,
    /// What the calls led to; on layer `program` only.
    pub outcome: Option<OutcomeHash>,
}

/// Why data is not a bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MalformedBundle {
    /// Not the JSON of a bundle.
    #[error("not a bundle: {0}")]
    Json(String),
    /// The JSON of a bundle, but not in its canonical spelling.
    #[error("not spelt canonically, from byte {at} on: fields in their order, no white space, only \" and \\ escaped")]
    NotCanonical {
        /// The first byte that differs.
        at: usize,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BundleJson {
    msg: String,
    #[serde(deserialize_with = "Address::deserialize_key")]
    miner_address: Address,
    transactions: Vec<Transaction>,
    #[serde(default, deserialize_with = "not_null")]
    outcome: Option<OutcomeHash>,
}

impl From<BundleJson> for Bundle {
    fn from(json: BundleJson) -> Self {
        let BundleJson { msg, miner_address, transactions, outcome } = json;
        Self { msg, miner_address, transactions, outcome }
    }
}

deserialize_strictly!(Bundle, from BundleJson);

/// The position of a transaction in a block's data, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// The first byte.
    pub offset: u32,
    /// How many bytes.
    pub length: u32,
}

impl Bundle {
    /// Reads a block's data, which has exactly one valid spelling; also returns the position of each transaction.
    ///
    /// # Errors
    /// It is not a bundle, or not in its canonical spelling.
    pub fn from_data(data: &str) -> Result<(Self, Vec<Span>), MalformedBundle> {
        let bundle: Self =
            serde_json::from_str(data).map_err(|error| MalformedBundle::Json(shortened(error.to_string())))?;
        let (canonical, spans) = bundle.to_data();
        if canonical == data {
            return Ok((bundle, spans));
        }
        let same = canonical.bytes().zip(data.bytes()).take_while(|(right, got)| right == got).count();
        Err(MalformedBundle::NotCanonical { at: same })
    }

    /// The canonical text: fields in their order, no white space, raw UTF-8, only `"` and `\` escaped; and the position
    /// of each transaction in it.
    ///
    /// # Invariants
    /// serde_json escapes nothing else, because a `msg` has no control characters.
    pub fn to_data(&self) -> (String, Vec<Span>) {
        let mut writer = BundleWriter::new(&self.msg, &self.miner_address);
        for transaction in &self.transactions {
            writer.push(&json_of(transaction));
        }
        match self.outcome {
            Some(outcome) => writer.finish_with(outcome),
            None => writer.finish(),
        }
    }
}

/// The canonical JSON of a transaction.
pub fn json_of(transaction: &Transaction) -> String {
    // Texts and integers always serialize.
    serde_json::to_string(transaction).unwrap_or_default()
}

/// How much longer an outcome makes a bundle.
pub const OUTCOME_BYTES: usize = r#","outcome":"""#.len() + 64;

/// Writes a bundle transaction by transaction, so that its length is known while a block is filled.
#[derive(Debug)]
pub struct BundleWriter {
    data: String,
    spans: Vec<Span>,
}

impl BundleWriter {
    /// A bundle without transactions.
    pub fn new(msg: &str, miner: &Address) -> Self {
        let msg = serde_json::to_string(msg).unwrap_or_default();
        Self { data: format!("{{\"msg\":{msg},\"miner_address\":\"{miner}\",\"transactions\":["), spans: Vec::new() }
    }

    /// The length of the data with one more transaction of `length` bytes.
    pub fn length_with(&self, length: usize) -> usize {
        // A comma before it if it is not the first, and the two brackets that end the data.
        self.data.len() + usize::from(!self.spans.is_empty()) + length + 2
    }

    /// How many transactions it has.
    pub fn count(&self) -> usize {
        self.spans.len()
    }

    /// Adds a transaction's JSON.
    pub fn push(&mut self, json: &str) {
        if !self.spans.is_empty() {
            self.data.push(',');
        }
        // Data has at most 2^25 bytes (docs/protocol.md §2).
        self.spans.push(Span { offset: self.data.len() as u32, length: json.len() as u32 });
        self.data.push_str(json);
    }

    /// The data, and the position of each transaction in it.
    pub fn finish(self) -> (String, Vec<Span>) {
        (self.data + "]}", self.spans)
    }

    /// The same with an outcome, which takes [`OUTCOME_BYTES`] more.
    pub fn finish_with(self, outcome: OutcomeHash) -> (String, Vec<Span>) {
        (format!("{}],\"outcome\":\"{outcome}\"}}", self.data), self.spans)
    }
}
