//! Steps of a run, for those who watch one: traces, fork trees, recordings. Watching changes no byte of the outcome.

use crate::tree::{BlockId, Tree};
use serde::Serialize;
use shared::wire::NodeEvent;

/// Something that happened in a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum Step {
    /// A miner has found a block.
    Found {
        /// Milliseconds since genesis.
        at_ms: u64,
        /// The block's number; genesis is 0.
        block: u32,
        /// The number of its parent.
        parent: u32,
        /// The number of blocks below it.
        height: u32,
        /// The miner, by its place in the scenario; in `race` and `relay` all others together come last.
        miner: u16,
        /// The node that found it, where miners are many nodes.
        #[serde(skip_serializing_if = "Option::is_none")]
        node: Option<u32>,
        /// Its difficulty.
        difficulty: u64,
    },
    /// A miner with a strategy has published a block that it had kept.
    Published {
        /// Milliseconds since genesis.
        at_ms: u64,
        /// The block's number.
        block: u32,
    },
    /// A node has received a block.
    Received {
        /// Milliseconds since genesis.
        at_ms: u64,
        /// The block's number.
        block: u32,
        /// The node.
        node: u32,
    },
    /// A scheduled event began or ended.
    Event {
        /// Milliseconds since genesis.
        at_ms: u64,
        /// What changed.
        what: String,
    },
    /// In `core`, a node has told an event, as it would on its event stream.
    Told {
        /// Milliseconds since genesis.
        at_ms: u64,
        /// The node.
        node: u32,
        /// The event.
        event: NodeEvent,
    },
    /// In `core`, these nodes cannot reach the others any more.
    Cut {
        /// Milliseconds since genesis.
        at_ms: u64,
        /// Their numbers.
        side: Vec<u32>,
    },
    /// In `core`, all nodes can reach each other again.
    Healed {
        /// Milliseconds since genesis.
        at_ms: u64,
    },
}

/// Somebody who watches a run, or nobody.
pub type Watcher<'a> = Option<&'a mut dyn FnMut(&Step)>;

impl Step {
    /// Whether it is only of interest to recordings: other steps say the same more briefly.
    pub const fn is_for_recordings(&self) -> bool {
        matches!(self, Self::Told { .. } | Self::Cut { .. } | Self::Healed { .. })
    }

    /// A block of `tree` was found.
    pub(super) fn found(tree: &Tree, block: BlockId, at_ms: u64, node: Option<u32>) -> Self {
        Self::Found {
            at_ms,
            block: block.0,
            parent: tree.parent(block).0,
            height: tree.height(block),
            miner: tree.miner(block).0,
            node,
            difficulty: tree.difficulty(block).value(),
        }
    }
}
