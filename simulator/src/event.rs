//! What can be told of a run: one value for each thing that happens, which `--json` prints as it is and
//! [`crate::event_text`] turns into a line for people. No decisions here, and no colours.

use crate::report::RunReport;
use serde::Serialize;
use shared::ledger::{Amount, TransactionId};
use shared::wire::BlockId;

#[cfg(test)]
mod json_tests;

/// Something that happened, and when.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TimedEvent {
    /// Milliseconds since the run began.
    pub at_ms: u64,
    /// What happened.
    #[serde(flatten)]
    pub event: RunEvent,
}

/// What happened. Nodes go by their short names.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RunEvent {
    /// The services listen.
    Started(Started),
    /// Every node mines.
    Mining {
        /// How many nodes.
        nodes: usize,
        /// Milliseconds that it took.
        within_ms: u64,
    },
    /// A node mined a block.
    Found {
        /// Who.
        node: String,
        /// Which.
        block: BlockId,
        /// Its difficulty.
        difficulty: u64,
        /// Milliseconds from its parent's timestamp to its own; not told for the first block of a run.
        after_ms: Option<i64>,
        /// Whether it became its finder's tip; if not, another block came first.
        best: bool,
    },
    /// Somebody pays, as the mempool tells.
    Payment {
        /// Its id.
        id: TransactionId,
        /// Who; the address where it is nobody's that is known.
        from: String,
        /// Whom.
        to: String,
        /// How much, in grains.
        amount: Amount,
        /// What the miner gets on top.
        fee: Amount,
        /// What for.
        msg: String,
    },
    /// Payments that were too many to be told one by one.
    Payments {
        /// How many.
        count: u64,
        /// What they move together, in grains.
        amount: u128,
        /// How many more did not get into the mempool.
        refused: u64,
    },
    /// A payment did not get into the mempool.
    Refused {
        /// Who wanted to pay.
        from: String,
        /// Whom.
        to: String,
        /// How much, in grains.
        amount: Amount,
        /// Why not.
        reason: String,
    },
    /// Payments that waited for a block were given up.
    GivenUp {
        /// How many.
        count: u64,
        /// Why.
        reason: String,
    },
    /// Payments whose block was left wait for another one again.
    Returned {
        /// How many.
        count: u64,
    },
    /// A block has payments, and its miner earns.
    Confirmed {
        /// Which block.
        block: BlockId,
        /// How many payments.
        payments: u64,
        /// What they move together, in grains.
        amount: u128,
        /// Who earns.
        miner: String,
        /// Reward and fees, in grains.
        earned: u64,
    },
    /// Nodes took a block that another one mined.
    Received {
        /// Who.
        nodes: Vec<String>,
        /// Which.
        block: BlockId,
        /// Milliseconds from its finding to the last of them, as far as this was seen.
        within_ms: Option<u64>,
        /// Whether all nodes have it as their tip now.
        agreed: bool,
    },
    /// A node fetched several blocks that it had missed.
    CaughtUp {
        /// Who.
        node: String,
        /// How many blocks.
        blocks: u64,
        /// The last of them.
        tip: BlockId,
    },
    /// Nodes are on different branches.
    Fork {
        /// Who is where.
        branches: Vec<NodesOnBranch>,
    },
    /// Nodes left their branch for one with more work.
    Reorganised {
        /// Who.
        nodes: Vec<String>,
        /// Blocks undone.
        undone: u64,
        /// Blocks applied instead.
        applied: u64,
        /// The last block that both branches share.
        fork: BlockId,
        /// The tip now.
        tip: BlockId,
    },
    /// All nodes are on one tip again.
    Agreed {
        /// How many nodes.
        nodes: usize,
        /// The tip.
        tip: BlockId,
    },
    /// The nodes were cut in two halves.
    Partitioned {
        /// Who is in which.
        halves: [Vec<String>; 2],
        /// For how long, in milliseconds.
        for_ms: u64,
        /// Which half goes on taking payments from the mempool, 0 or 1.
        #[serde(skip_serializing_if = "Option::is_none")]
        mempool: Option<usize>,
    },
    /// The halves may talk again.
    Healed {
        /// Who was in which.
        halves: [Vec<String>; 2],
        /// How many blocks each found meanwhile.
        found: [u64; 2],
    },
    /// A node has nothing to do with another one for a while, because it broke a rule.
    Dropped {
        /// Who.
        node: String,
        /// With whom.
        peer: String,
        /// Why.
        reason: String,
    },
    /// A node does not tell its events any more.
    Silent {
        /// Who.
        node: String,
        /// Why.
        reason: String,
    },
    /// A node tells its events again.
    Back {
        /// Who.
        node: String,
    },
    /// What must be there before anything can be told is not there yet.
    Waiting {
        /// Why not.
        reason: String,
    },
    /// One more node takes part, in a network that was found.
    Joined {
        /// Who.
        node: String,
        /// `host:port`.
        address: String,
    },
    /// A node is not listed any more, and does not answer either.
    Left {
        /// Who.
        node: String,
    },
    /// The tracker of a network that was found is away, or back.
    Tracker {
        /// Why it does not answer; nothing once it does.
        reason: Option<String>,
    },
    /// A service ended although nobody asked it to.
    Failed {
        /// `tracker`, `mempool` or the node's name.
        service: String,
        /// Why.
        reason: String,
    },
    /// A block that is not what it says, by our own arithmetic.
    BadBlock {
        /// Who served it.
        node: String,
        /// Which block was asked for.
        block: BlockId,
        /// What is wrong.
        reason: String,
    },
    /// A request of the simulator went wrong; the run goes on.
    Trouble {
        /// What was tried.
        what: String,
        /// What happened instead.
        reason: String,
    },
    /// The run comes to its end, and the nodes are asked to agree.
    Ending {
        /// Why.
        reason: String,
    },
    /// How things are.
    Status(RunStatus),
    /// The end.
    Report(RunReport),
}

/// What was started, and where.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Started {
    /// The network's name.
    pub network: String,
    /// The genesis hash.
    pub network_id: String,
    /// How `data` is read.
    pub layer: String,
    /// Milliseconds between blocks that are aimed at.
    pub block_interval_ms: u64,
    /// Hash rate of each node, where they were started here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hashrate: Option<String>,
    /// Decides what is left to the simulator's chance.
    pub seed: u64,
    /// `host:port`.
    pub tracker: String,
    /// Where the web pages of the network are, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explorer: Option<String>,
    /// `host:port`, where there is money.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mempool: Option<String>,
    /// The nodes.
    pub nodes: Vec<NamedAddress>,
    /// Who has wallets, where there is money; the first mine, each on the node of its place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<NamedAddress>,
    /// Payments a second that they make.
    pub rate: u32,
    /// A configuration file with which other nodes can join, where the network was started here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    /// How members come by money, where the network was found and has some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub income: Option<Income>,
    /// The height that the longest chain had already.
    pub height: u64,
}

/// How members of a network that was found come by money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Income {
    /// Every new address has so many grains.
    Given(u64),
    /// So many hashes a second are made for them here.
    Mined(u64),
    /// Somebody else has to give them some.
    None,
}

/// A node or a member of the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NamedAddress {
    /// The short name.
    pub name: String,
    /// `host:port` of a node; where payments to a member go.
    pub address: String,
}

/// Nodes that are on one branch.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NodesOnBranch {
    /// Who.
    pub nodes: Vec<String>,
    /// Its last block.
    pub tip: BlockId,
}

/// How things are at a moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct RunStatus {
    /// Height of the best tip.
    pub height: u64,
    /// Difficulty of the best tip; 0 while there is none but genesis.
    pub difficulty: u64,
    /// Hashes per second of all nodes together, as they say.
    pub hashrate: u64,
    /// Mean milliseconds between the last blocks.
    pub interval_ms: Option<u64>,
    /// How many different tips the nodes have.
    pub tips: usize,
    /// Blocks whose hashes were recomputed.
    pub checked: u64,
    /// Payments that wait for a block, where there is money.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending: Option<u64>,
}
