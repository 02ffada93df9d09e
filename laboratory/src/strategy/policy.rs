//! Policies: strategies that only look at the lengths of the secret and the public branch, and the miner that plays
//! one.

use super::{Act, Strategy, View};
use crate::tree::BlockId;

/// What was last added, and whether the network is split by a published branch of equal work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fork {
    /// The policy's miner found the last block: publishing an equally long branch would win nobody.
    Irrelevant,
    /// Others found the last block: an equally long branch that is published now reaches some miners first.
    Relevant,
    /// Such a branch has been published; some miners mine on it.
    Active,
}

/// What a policy does after a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Give up the secret branch and mine on the public one.
    Adopt,
    /// Publish one block more than the public branch has. Needs a longer secret branch.
    Override,
    /// Publish as many blocks as the public branch has. Needs a branch at least as long, and a relevant fork.
    Match,
    /// Publish nothing.
    Wait,
}

impl Action {
    /// This action where the rules of the game allow it, else [`Action::Wait`].
    pub const fn where_possible(self, ours: u32, theirs: u32, fork: Fork) -> Self {
        let possible = match self {
            Self::Override => ours > theirs,
            Self::Match => theirs > 0 && ours >= theirs && matches!(fork, Fork::Relevant),
            Self::Adopt | Self::Wait => true,
        };
        if possible { self } else { Self::Wait }
    }
}

/// A decision by lengths.
pub trait Policy {
    /// The action when the secret branch has `ours` blocks and the public one `theirs` since they parted.
    fn decide(&self, ours: u32, theirs: u32, fork: Fork) -> Action;
}

impl<P: Policy + ?Sized> Policy for &P {
    fn decide(&self, ours: u32, theirs: u32, fork: Fork) -> Action {
        (**self).decide(ours, theirs, fork)
    }
}

impl<P: Policy + ?Sized> Policy for std::sync::Arc<P> {
    fn decide(&self, ours: u32, theirs: u32, fork: Fork) -> Action {
        (**self).decide(ours, theirs, fork)
    }
}

/// Plays a policy on a tree of blocks.
#[derive(Debug, Clone)]
pub struct PolicyMiner<P> {
    policy: P,
    public: BlockId,
    /// A block of ours that was published in answer to an equally good one of others.
    matched: Option<BlockId>,
}

impl<P: Policy> PolicyMiner<P> {
    /// A miner that starts at genesis.
    pub const fn new(policy: P) -> Self {
        Self { policy, public: BlockId::GENESIS, matched: None }
    }

    fn act(&mut self, view: &View<'_>, ours: BlockId, fork: Fork, acts: &mut Vec<Act>) {
        let base = view.height(view.fork_point(ours, self.public));
        let (our_length, their_length) = (view.height(ours) - base, view.height(self.public) - base);
        let decision = self.policy.decide(our_length, their_length, fork);
        let publish_length = match decision.where_possible(our_length, their_length, fork) {
            Action::Adopt => {
                self.matched = None;
                acts.push(Act::MineOn(self.public));
                return;
            }
            Action::Wait => return,
            Action::Override => their_length + 1,
            Action::Match => their_length,
        };
        let block = view.ancestor_at(ours, base + publish_length);
        acts.push(Act::Publish(block));
        if view.work(block) > view.work(self.public) {
            (self.public, self.matched) = (block, None);
        } else if view.work(block) == view.work(self.public) {
            self.matched = Some(block);
        }
    }
}

impl<P: Policy> Strategy for PolicyMiner<P> {
    fn found(&mut self, view: &View<'_>, block: BlockId, acts: &mut Vec<Act>) {
        let fork = if self.matched.is_some() { Fork::Active } else { Fork::Irrelevant };
        self.act(view, block, fork, acts);
    }

    fn heard(&mut self, view: &View<'_>, block: BlockId, acts: &mut Vec<Act>) {
        if view.work(block) > view.work(self.public) {
            (self.public, self.matched) = (block, None);
            self.act(view, view.mining_on(), Fork::Relevant, acts);
        }
    }
}
