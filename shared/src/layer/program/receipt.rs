//! Receipts: what a call or deployment led to, for people. Their JSON is stored and served.

use crate::block::Height;
use crate::ledger::{Address, Amount, TransactionId};
use crate::program::{HexBytes, Log, Word};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Most bytes of output that a receipt keeps; the code of a new program is in the state.
pub(super) const MAX_OUTPUT: usize = 4096;

/// What a call or deployment led to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Receipt {
    /// The transaction.
    pub id: TransactionId,
    /// `succeeded`, `reverted`, or why it failed, in one word.
    pub status: String,
    /// The gas that it declared.
    pub gas: u64,
    /// The gas that it used.
    pub gas_used: u64,
    /// The program that was called, or the new one.
    pub program: Address,
    /// What the program returned, or gave as its reason for reverting: the first 4096 bytes; nothing for a deployment.
    pub output: HexBytes,
    /// How many bytes the output has.
    pub output_bytes: u64,
    /// What programs logged, in order.
    pub logs: Vec<LogEntry>,
    /// The balances that programs changed, besides the fee.
    pub moved: Vec<Move>,
}

/// What a program logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogEntry {
    /// The program.
    pub address: Address,
    /// At most four; by convention the first names the event.
    pub topics: Vec<Word>,
    /// The rest.
    pub data: HexBytes,
}

/// A balance that a call changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Move {
    /// Whose balance. The address of a program, if its account's key is not known.
    pub address: Address,
    /// The balance before the call, after the fee.
    pub before: Amount,
    /// The balance after it.
    pub after: Amount,
}

/// Who made a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProgramOrigin {
    /// The program.
    pub address: Address,
    /// The sender of the transaction that made it.
    pub maker: Address,
    /// That transaction.
    pub transaction: TransactionId,
    /// The height of its block.
    pub index: Height,
}

impl From<&Log> for LogEntry {
    fn from(log: &Log) -> Self {
        let Log { address, topics, data } = log;
        Self { address: Address::of_program(*address), topics: topics.clone(), data: HexBytes(data.clone()) }
    }
}
