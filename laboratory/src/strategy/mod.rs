//! Strategies: what a miner does with a block that it has found or heard of.
//!
//! A strategy is pure: it sees blocks as handles and adds acts; it knows no clock, network or random number. Two kinds
//! exist. A [`Strategy`] sees the tree. A [`Policy`] sees only how long its secret branch and the public one are since
//! they parted, as Sapirshtein, Sompolinsky and Zohar describe it ("Optimal selfish mining strategies in Bitcoin",
//! 2016); [`PolicyMiner`] plays a policy on a tree. `race` can play a policy without a tree, and `exact` can compute
//! what it earns.
//!
//! A new strategy is one file here, a variant of [`StrategyName`] and one of [`StrategySetting`]; docs/extending.md
//! shows it step by step.

mod double_spend;
mod honest;
mod policy;
mod selfish;
mod setting;
mod stubborn;
mod table;
mod withhold;

pub use double_spend::{DoubleSpend, Thefts};
pub use honest::Honest;
pub use policy::{Action, Fork, Policy, PolicyMiner};
pub use selfish::Selfish;
pub use setting::StrategySetting;
pub use stubborn::Stubborn;
pub use table::{PolicyTable, TableError};
pub use withhold::Withhold;

use crate::tree::{BlockId, MinerId, Tree};
use serde::{Deserialize, Serialize};
use shared::work::Work;

/// The strategies by name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StrategyName {
    /// Publishes every block at once and mines on the best public block.
    #[default]
    Honest,
    /// SM1 of Eyal and Sirer: keeps a lead secret and publishes it when others catch up.
    Selfish,
    /// Selfish, but gives up later: lead, equal-fork and trail stubbornness of Nayak et al.
    Stubborn,
    /// Pays, waits for confirmations, and replaces the chain in which it paid.
    DoubleSpend,
    /// Keeps every block for a while, or for ever.
    Withhold,
    /// A table of actions from a file.
    Policy,
}

impl StrategyName {
    /// Every strategy, with what it does in a few words.
    pub const ALL: [(Self, &str); 6] = [
        (Self::Honest, "publishes every block at once and mines on the best public block"),
        (Self::Selfish, "keeps a lead secret and publishes it when others catch up (Eyal and Sirer)"),
        (Self::Stubborn, "selfish, but gives up later: lead, equal_fork, trail (Nayak et al.)"),
        (Self::DoubleSpend, "pays, waits for confirmations, then replaces the chain in which it paid"),
        (Self::Withhold, "keeps every block for hold_ms, or for ever"),
        (Self::Policy, "does what a table of actions says: file (Sapirshtein et al.)"),
    ];
}

/// What a strategy wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Send this block and all its ancestors to everybody.
    Publish(BlockId),
    /// Look for the next block on top of this one.
    MineOn(BlockId),
    /// Call [`Strategy::woken`] at this time. A later request replaces an earlier one.
    WakeAt(u64),
}

/// What a strategy may ask about blocks that it knows.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    tree: &'a Tree,
    me: MinerId,
    mining_on: BlockId,
    now_ms: u64,
}

impl<'a> View<'a> {
    /// The view of miner `me`, who mines on top of `mining_on`, at `now_ms`.
    pub const fn new(tree: &'a Tree, me: MinerId, mining_on: BlockId, now_ms: u64) -> Self {
        Self { tree, me, mining_on, now_ms }
    }

    /// Milliseconds since genesis.
    pub const fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// The block that the miner mines on.
    pub const fn mining_on(&self) -> BlockId {
        self.mining_on
    }

    /// The block's parent.
    pub fn parent(&self, block: BlockId) -> BlockId {
        self.tree.parent(block)
    }

    /// The number of blocks below it.
    pub fn height(&self, block: BlockId) -> u32 {
        self.tree.height(block)
    }

    /// The work of the chain that ends in it. Branches compare by this.
    pub fn work(&self, block: BlockId) -> Work {
        self.tree.work(block)
    }

    /// Whether this miner has found it.
    pub fn is_ours(&self, block: BlockId) -> bool {
        self.tree.miner(block) == self.me
    }

    /// Whether it is public.
    pub fn is_published(&self, block: BlockId) -> bool {
        self.tree.is_published(block)
    }

    /// The last block that two chains have in common.
    pub fn fork_point(&self, one: BlockId, other: BlockId) -> BlockId {
        self.tree.fork_point(one, other)
    }

    /// The ancestor of `block` at `height`, or `block` itself where it is not higher than that.
    pub fn ancestor_at(&self, block: BlockId, height: u32) -> BlockId {
        self.tree.ancestor_at(block, height)
    }
}

/// A miner's decisions.
pub trait Strategy {
    /// The miner has found `block`, which is secret so far. Without an act it stays so, and the miner mines on it.
    fn found(&mut self, view: &View<'_>, block: BlockId, acts: &mut Vec<Act>);

    /// The miner has heard of `block` for the first time; it is public.
    fn heard(&mut self, view: &View<'_>, block: BlockId, acts: &mut Vec<Act>);

    /// The time that [`Act::WakeAt`] named has come.
    fn woken(&mut self, _: &View<'_>, _: &mut Vec<Act>) {}

    /// How many thefts it has tried and managed, if it steals.
    fn thefts(&self) -> Option<Thefts> {
        None
    }
}
