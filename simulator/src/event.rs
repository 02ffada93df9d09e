//! What can happen in a run: one value for each event. `--json` prints it as it is, and [`crate::event_text`] turns it
//! into a line for people. No decisions here, and no colours.

use crate::report::{NodesOnBranch, RunReport};
use serde::Serialize;
use shared::block::BlockId;
use shared::ledger::{Amount, TransactionId};

mod attack;
#[cfg(test)]
mod json_tests;
#[cfg(test)]
mod sample;

pub use attack::AttackStep;
#[cfg(test)]
pub(crate) use sample::{numbered_transaction, transaction};

/// An event, and when it happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TimedEvent {
    /// Milliseconds since the run began.
    pub at_ms: u64,
    #[serde(flatten)]
    pub event: RunEvent,
}

/// An event. Nodes and members are given by their short names, amounts in grains.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RunEvent {
    /// The services accept requests.
    Started(Started),
    /// Every node mines.
    Mining { nodes: usize, within_ms: u64 },
    /// A node mined a block. `after_ms` is the time from the parent's timestamp to the block's; `None` for block 1 or
    /// if the parent is not remembered. `best` is false if another block became the finder's tip first.
    Found { node: String, block: BlockId, difficulty: u64, after_ms: Option<i64>, best: bool },
    /// The mempool reported a new payment. `from` and `to` are addresses where no name is known.
    Payment {
        id: TransactionId,
        from: String,
        to: String,
        amount: Amount,
        fee: Amount,
        msg: String,
        /// Only where money is coins.
        #[serde(skip_serializing_if = "Option::is_none")]
        coins: Option<SpentCoins>,
    },
    /// The mempool reported a new transaction that only changes the number of its owner's coins, worth `amount` in all.
    Coins { id: TransactionId, from: String, spent: u64, made: u64, amount: u128 },
    /// The mempool reported a new transaction to a program, or one that makes a program. `program` is its name, or its
    /// account; `does` says what is asked of it, as in `moves 5 tokens to Cleo with`.
    Call { id: TransactionId, from: String, does: String, program: String },
    /// Payments that were too many for an event each: how many, their sum, and how many more were refused.
    Payments { count: u64, amount: u128, refused: u64 },
    /// The mempool refused a payment.
    Refused { from: String, to: String, amount: Amount, reason: String },
    /// The mempool dropped payments that waited for a block.
    GivenUp { count: u64, reason: String },
    /// Payments wait for a block again, because theirs was undone.
    Returned { count: u64 },
    /// A block confirms payments, `amount` in all. Its miner earns the reward and the fees.
    Confirmed { block: BlockId, payments: u64, amount: u128, miner: String, earned: u64 },
    /// Nodes received a block that another node mined. `within_ms` is the time from the finder's report to the last
    /// receiver's; `None` if the finder's was missed. `agreed`: all nodes have the block as their tip now.
    Received { nodes: Vec<String>, block: BlockId, within_ms: Option<u64>, agreed: bool },
    /// A node fetched several blocks that it had missed.
    CaughtUp { node: String, blocks: u64, tip: BlockId },
    /// Nodes are on different branches.
    Fork { branches: Vec<NodesOnBranch> },
    /// Nodes left a branch for one with more work: blocks undone on the one, applied on the other. `fork` is the last
    /// block on both.
    Reorganised { nodes: Vec<String>, undone: u64, applied: u64, fork: BlockId, tip: BlockId },
    /// All nodes have the same tip again.
    Agreed { nodes: usize, tip: BlockId },
    /// The nodes were cut into two halves.
    Partitioned(Partitioned),
    /// Nodes that joined during a partition were cut off, too: `nodes` are addresses, `from` the names of a half.
    CutOff { nodes: Vec<String>, from: Vec<String> },
    /// Somebody else, as a person in the explorer, cut the links between these nodes.
    CutFromOutside { sides: [Vec<String>; 2] },
    /// Somebody else opened links again that were cut from outside.
    OpenedFromOutside { sides: [Vec<String>; 2] },
    /// The halves can reach each other again; `found` counts the blocks that each found while it was cut off.
    Healed { halves: [Vec<String>; 2], found: [u64; 2] },
    /// A node drops a peer for a while, because the peer broke a rule.
    Dropped { node: String, peer: String, reason: String },
    /// The event stream of a node or of the mempool broke.
    Silent { node: String, reason: String },
    /// The event stream is open again.
    Back { node: String },
    /// There is no network to narrate yet.
    Waiting { reason: String },
    /// A node joined a network that was found.
    Joined { node: String, address: String },
    /// A node is no longer listed and no longer responds.
    Left { node: String },
    /// The tracker fails to respond or, without a reason, responds again.
    Tracker { reason: Option<String> },
    /// A service ended before it was told to: `tracker`, `mempool`, `explorer` or a node's name.
    Failed { service: String, reason: String },
    /// A block breaks a rule, by our own arithmetic. `node` is the node that reported it.
    BadBlock { node: String, block: BlockId, reason: String },
    /// What an attacker does.
    Attack(AttackStep),
    /// A request of the simulator failed; the run goes on. `what` completes the words "could not".
    Trouble { what: String, reason: String },
    /// The run comes to its end, and the nodes are asked to agree.
    Ending { reason: String },
    /// Printed now and then.
    Status(RunStatus),
    /// The last event of every run.
    Report(Box<RunReport>),
}

/// The coins of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SpentCoins {
    /// How many coins it spends.
    pub spent: u64,
    /// What goes back to the payer.
    pub change: Amount,
    /// Whether it takes the place of one that spends the same coins for a lower fee.
    pub replaces: bool,
}

/// A cut of the network into two halves.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Partitioned {
    pub halves: [Vec<String>; 2],
    pub for_ms: u64,
    /// The half that goes on fetching payments from the mempool, 0 or 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mempool: Option<usize>,
}

/// The network, its services and its members.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Started {
    pub network: String,
    /// The hash of the genesis block.
    pub network_id: String,
    pub layer: String,
    /// The interval between blocks that the difficulty is adjusted to.
    pub block_interval_ms: u64,
    /// Of each node; absent in a network that was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hashrate: Option<String>,
    /// Repeats the simulator's own random choices.
    pub seed: u64,
    /// `host:port`.
    pub tracker: String,
    /// A URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explorer: Option<String>,
    /// `host:port`; absent on a layer without money.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mempool: Option<String>,
    pub nodes: Vec<NamedAddress>,
    /// The first members mine, each on the node of the same place; empty on a layer without money.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<NamedAddress>,
    /// Payments per second by all members together.
    pub rate: u32,
    /// A configuration file with which other nodes can join; absent in a network that was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    /// Present in a network that was found and has money.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub income: Option<Income>,
    /// Height of the longest chain when the run began.
    pub height: u64,
}

/// How members get money in a network that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Income {
    /// Each new address gets this many grains.
    Given(u64),
    /// The simulator mines for them, with this many hashes per second.
    Mined(u64),
    /// Only from people outside the simulator.
    None,
}

/// A node or a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NamedAddress {
    pub name: String,
    /// `host:port` of a node; the address that receives a member's money.
    pub address: String,
}

/// The state of a run at one moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct RunStatus {
    /// Of the best tip.
    pub height: u64,
    /// Of the best tip; 0 while that is genesis.
    pub difficulty: u64,
    /// Hashes per second of all nodes together, as they report them.
    pub hashrate: u64,
    /// Mean milliseconds between the last blocks.
    pub interval_ms: Option<u64>,
    /// How many different tips the nodes have.
    pub tips: usize,
    /// Blocks that were recomputed.
    pub checked: u64,
    /// Payments that wait for a block; absent on a layer without money.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending: Option<u64>,
}
