//! The JSON of a mempool's answers about programs (docs/protocol.md §15).

use crate::block::{BlockId, Height};
use crate::layer::program::{LogEntry, Receipt};
use crate::ledger::{Address, Amount, TransactionId};
use crate::program::{AccountId, HexBytes, Word};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Body of `POST /call` and `POST /estimate`: a call that is run and forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CallRequest {
    /// Who calls; nobody in particular if it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Address>,
    /// The program; if it is missing, `data` is the init code of a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Address>,
    /// What it is called with.
    #[serde(default)]
    pub data: HexBytes,
    /// Grains that go with the call.
    #[serde(default)]
    pub amount: Amount,
    /// Gas, as much as a transaction may declare unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gas: Option<u64>,
    /// Runs on the newest block that has this many confirmations; 1 unless given, at most 1000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmations: Option<u64>,
}

/// Body of `POST /run`: code that no program has, run and forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunRequest {
    /// The code.
    pub code: HexBytes,
    /// What it is called with.
    #[serde(default)]
    pub data: HexBytes,
    /// Gas, a million unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gas: Option<u64>,
}

/// What a call led to that was run and forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CallResult {
    /// `succeeded`, `reverted`, or why it failed, in one word.
    pub status: String,
    /// The reason for reverting in words, if the output has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What the program returned.
    pub output: HexBytes,
    /// The gas that it used.
    pub gas_used: u64,
    /// What programs logged.
    pub logs: Vec<LogEntry>,
}

/// Response of `POST /estimate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Estimate {
    /// Gas with which the call succeeds now, at most a sixty-fourth above the least.
    pub gas: u64,
}

/// Response of `GET /receipt/<id>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReceiptStatus {
    /// What the call led to.
    #[serde(flatten)]
    pub receipt: Receipt,
    /// The reason for reverting in words, if the output has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The block that contains it.
    pub block: BlockId,
    /// The number of blocks from that one to the tip, both included.
    pub confirmations: u64,
}

/// Response of `GET /program/<address>`, and an entry of `GET /programs`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProgramInfo {
    /// Its address.
    pub address: Address,
    /// The account by which the machine knows it.
    pub account: AccountId,
    /// What it holds.
    pub balance: Amount,
    /// The length of its code, in bytes.
    pub code_bytes: u64,
    /// The Keccak-256 hash of its code.
    pub code_hash: Word,
    /// The sender of the transaction that made it.
    pub maker: Address,
    /// That transaction.
    pub transaction: TransactionId,
    /// The height of its block.
    pub index: Height,
}

/// An entry of `GET /calls/<address>` and of `GET /receipts/<block>`: a call or deployment and what it led to, in
/// short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CallSummary {
    /// The transaction.
    pub id: TransactionId,
    /// Its sender.
    pub from: Address,
    /// The program that was called, or the new one.
    pub program: Address,
    /// Whether it made the program.
    pub is_deployment: bool,
    /// What it sent to the program; it stays with the sender if the call failed.
    pub amount: Amount,
    /// `succeeded`, `reverted`, or why it failed, in one word.
    pub status: String,
    /// The reason for reverting in words, if the output has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The gas that it declared.
    pub gas: u64,
    /// The gas that it used.
    pub gas_used: u64,
    /// How many logs it left.
    pub logs: u64,
    /// The height of its block.
    pub index: Height,
}

/// An entry of `GET /storage/<address>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StorageSlot {
    /// The slot.
    pub slot: Word,
    /// Its value; slots of 0 are not listed.
    pub value: Word,
}

/// An entry of `GET /logs`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlacedLogEntry {
    /// What was logged.
    #[serde(flatten)]
    pub log: LogEntry,
    /// The transaction in which it was logged.
    pub transaction: TransactionId,
    /// The height of its block.
    pub index: Height,
}

/// Response of `GET /trace/<id>` and of `POST /run`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Trace {
    /// What the call led to.
    pub result: CallResult,
    /// How many steps the call has, as far as they were counted.
    pub steps_in_all: u64,
    /// The steps of this page.
    pub steps: Vec<TraceStep>,
    /// The calls and deployments within it, in the order in which they began: the first 1000.
    #[serde(default)]
    pub calls: Vec<TraceCall>,
    /// The slots that it read or wrote, in the order in which they were first touched: the first 1000.
    #[serde(default)]
    pub storage: Vec<TouchedSlot>,
}

/// A call or deployment within a trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TraceCall {
    /// `CALL`, `CALLCODE`, `DELEGATECALL`, `STATICCALL`, `CREATE` or `CREATE2`.
    pub kind: String,
    /// How many calls this one is inside.
    pub depth: u64,
    /// Who calls.
    pub from: AccountId,
    /// Whose code runs; the new program of a deployment, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<AccountId>,
    /// The grains that go with it, as a number of 256 bits.
    pub value: Word,
    /// The gas that it may use.
    pub gas: u64,
    /// The gas that it used.
    pub gas_used: u64,
    /// How it ended.
    pub status: String,
    /// What it is called with: at most the first 1024 bytes.
    pub input: HexBytes,
    /// How many bytes that has.
    pub input_bytes: u64,
    /// What it returned: at most the first 1024 bytes.
    pub output: HexBytes,
    /// How many bytes that has.
    pub output_bytes: u64,
    /// The number of its first step. A call without steps has that of the step after it.
    pub first_step: u64,
    /// The number of the step after its last.
    pub end_step: u64,
}

/// A slot that a call read or wrote, also in calls within it that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TouchedSlot {
    /// Whose storage.
    pub account: AccountId,
    /// The slot.
    pub slot: Word,
    /// The value that was read first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<Word>,
    /// The value that was written last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<Word>,
}

/// An instruction, and what the machine had before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TraceStep {
    /// Where in the code.
    pub pc: u64,
    /// The instruction's byte.
    pub opcode: u8,
    /// The gas that is left before it.
    pub gas: u64,
    /// How many calls this one is inside.
    pub depth: u64,
    /// Whose storage it reads and writes.
    pub account: AccountId,
    /// The stack, the top last; at most the upper 32 values.
    pub stack: Vec<Word>,
    /// The length of the memory in bytes.
    pub memory_bytes: u64,
    /// The memory, at most the first 1024 bytes.
    pub memory: HexBytes,
    /// The gas that it cost. Missing where a call begins or ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<u64>,
    /// What an `SLOAD` read or an `SSTORE` wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<StorageSlot>,
}

/// The event `receipt` of a mempool: a call or deployment is confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReceiptEvent {
    /// The transaction.
    pub id: TransactionId,
    /// `succeeded`, `reverted`, or why it failed, in one word.
    pub status: String,
    /// The program that was called, or the new one.
    pub program: Address,
    /// The gas that it used.
    pub gas_used: u64,
    /// The block.
    pub block: BlockId,
}

/// The event `log` of a mempool: what a program logged in a call that is confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogEvent {
    /// The program.
    pub address: Address,
    /// At most four; by convention the first names the event.
    pub topics: Vec<Word>,
    /// The rest: at most the first 1024 bytes.
    pub data: HexBytes,
    /// How many bytes that has.
    pub data_bytes: u64,
    /// The transaction in which it was logged.
    pub transaction: TransactionId,
    /// The block.
    pub block: BlockId,
}

/// Body of `POST /rpc`: a request of Ethereum's JSON-RPC.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RpcRequest {
    /// `2.0`.
    pub jsonrpc: String,
    /// A number or text that the answer repeats.
    pub id: serde_json::Value,
    /// The name of a method.
    pub method: String,
    /// Its parameters, by place.
    #[serde(default)]
    pub params: Vec<serde_json::Value>,
}

/// Response of `POST /rpc`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RpcResponse {
    /// `2.0`.
    pub jsonrpc: String,
    /// That of the request.
    pub id: serde_json::Value,
    /// What the method returned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<serde_json::Value>,
    /// Why it was refused: `code`, `message` and, where a call reverted, `data`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<serde_json::Value>,
}
