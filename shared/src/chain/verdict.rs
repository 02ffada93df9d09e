//! The verdicts on a block: accepted, or one of three kinds of refusal (docs/protocol.md §4).

use crate::block::{BlockHash, BlockId, Height, Timestamp};
use crate::layer::EffectError;
use crate::store::StoreError;
use crate::violation::RuleViolation;
use crate::work::{Difficulty, Target};

use super::ChainEntry;

/// The block was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// It was stored already.
    Known,
    /// It is on the best chain now.
    Best,
    /// It is stored on a side branch.
    Side,
}

/// The block was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// It breaks a rule, and always will.
    #[error(transparent)]
    Invalid(#[from] BlockViolation),
    /// It cannot be validated or stored yet.
    #[error(transparent)]
    NotYet(#[from] NotYet),
    /// Our store failed; the block may be valid.
    #[error(transparent)]
    Failed(#[from] StoreError),
}

impl BlockError {
    /// Whether our store failed, which means nothing about the block.
    pub const fn is_failure(&self) -> bool {
        matches!(self, Self::Failed(_))
    }
}

impl From<EffectError> for BlockError {
    fn from(error: EffectError) -> Self {
        match error {
            EffectError::Invalid(violation) => Self::Invalid(violation.into()),
            EffectError::Failed(error) => Self::Failed(error),
            EffectError::Machine(reason) => Self::NotYet(NotYet::MachineFailed(reason)),
        }
    }
}

/// The rules of blocks, in the order in which they are checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlockViolation {
    /// Stage 1.
    #[error("the data has {got} bytes, at most {limit} are allowed")]
    DataTooLarge {
        /// Bytes of the data.
        got: u64,
        /// The network's `max_data_bytes`.
        limit: u64,
    },
    /// Stage 2, of a list of headers: one does not follow the other.
    #[error("prev_hash {got} is not the block below it: expected {expected}")]
    WrongParent {
        /// The header's `prev_hash`.
        got: BlockHash,
        /// The hash of the header below it.
        expected: BlockHash,
    },
    /// Stage 2.
    #[error("index {got} does not follow its parent's: expected {expected}")]
    WrongIndex {
        /// The block's value.
        got: Height,
        /// The parent's plus one.
        expected: Height,
    },
    /// Stage 2.
    #[error("timestamp {got} is not later than its parent's, {parent}")]
    TimestampNotLater {
        /// The block's value.
        got: Timestamp,
        /// The parent's timestamp.
        parent: Timestamp,
    },
    /// Stage 2.
    #[error("difficulty {got} is not what the retarget rule demands: {expected}")]
    WrongDifficulty {
        /// The block's value.
        got: Difficulty,
        /// The difficulty by the retarget rule on this branch.
        expected: Difficulty,
    },
    /// Stage 2.
    #[error("hash {got} is above the target {target}")]
    TargetMissed {
        /// The block's hash.
        got: BlockHash,
        /// The largest valid hash.
        target: Target,
    },
    /// Stages 3 and 4.
    #[error(transparent)]
    Layer(#[from] RuleViolation),
    /// The block was found invalid before, or descends from such a block.
    #[error("block {hash} was found invalid: {reason}")]
    KnownInvalid {
        /// The block that breaks a rule.
        hash: BlockHash,
        /// The rule that it breaks.
        reason: String,
    },
}

impl BlockViolation {
    /// The rule's name, stable, for programs: `rule` in problem+json.
    pub fn name(&self) -> &'static str {
        match self {
            Self::DataTooLarge { .. } => "max-data-bytes",
            Self::WrongParent { .. } => "parent",
            Self::WrongIndex { .. } => "index",
            Self::TimestampNotLater { .. } => "timestamp",
            Self::WrongDifficulty { .. } => "difficulty",
            Self::TargetMissed { .. } => "proof-of-work",
            Self::Layer(broken) => broken.rule,
            Self::KnownInvalid { .. } => "invalid-ancestor",
        }
    }
}

/// Why a block cannot be accepted yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotYet {
    /// Its parent is not stored.
    #[error("its parent {0} is not here yet")]
    UnknownParent(BlockHash),
    /// It is from the future.
    #[error("its timestamp {timestamp} is more than {max_future_ms} ms ahead of this clock, {now}")]
    TooFarAhead {
        /// The block's value.
        timestamp: Timestamp,
        /// The time by our clock.
        now: Timestamp,
        /// The network's `max_future_ms`.
        max_future_ms: u64,
    },
    /// A side block whose branch leaves the best chain too far down to be kept on a push.
    #[error("its branch leaves the best chain {depth} blocks down, side blocks are kept to {limit}")]
    TooDeep {
        /// Blocks between the fork and the tip.
        depth: u64,
        /// The most blocks.
        limit: u64,
    },
    /// A side block whose branch has too little work to be kept.
    #[error("its branch has too little work to be kept beside the best chain")]
    TooLight,
    /// The machine that runs programs failed on it: our own fault, so neither the block nor its sender is to blame.
    #[error("the machine of this node failed to run its programs: {0}")]
    MachineFailed(String),
}

/// The best chain changed to another branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reorganisation {
    /// The last block that both branches share.
    pub fork: BlockId,
    /// The old tip.
    pub from: ChainEntry,
    /// The new tip.
    pub to: ChainEntry,
}

impl Reorganisation {
    /// How many blocks were undone.
    pub fn undone(&self) -> u64 {
        self.from.index.above(self.fork.index)
    }

    /// How many blocks were applied.
    pub fn applied(&self) -> u64 {
        self.to.index.above(self.fork.index)
    }
}
