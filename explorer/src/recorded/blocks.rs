//! All blocks of a recording, and when each was first heard of. The reducer forgets blocks, as for a live network.

use laboratory::recording::{Head, Moment};
use shared::block::{BlockHash, DataHash, Header, HeaderFields, Height, Nonce, Timestamp};
use shared::sync::{BlockEvent, BlockSource};
use shared::wire::NodeEvent;
use shared::work::{Difficulty, Work};
use std::collections::BTreeMap;

/// A block, as the first event about it names it.
#[derive(Debug, Clone)]
pub(super) struct SeenBlock {
    pub(super) index: Height,
    pub(super) hash: BlockHash,
    pub(super) prev_hash: BlockHash,
    pub(super) timestamp: Timestamp,
    pub(super) difficulty: Difficulty,
    pub(super) work: Work,
    /// The number of the node that found it; `None` if no node did.
    pub(super) finder: Option<u32>,
    /// When it was first heard of.
    pub(super) heard: Timestamp,
}

#[derive(Debug)]
pub(super) struct SeenBlocks(BTreeMap<BlockHash, SeenBlock>);

impl SeenBlocks {
    /// The block that all nodes begin on, and those of the events.
    pub(super) fn of(head: &Head, moments: &[Moment]) -> Self {
        let tip = head.tip;
        let first = SeenBlock {
            index: tip.index,
            hash: tip.hash,
            prev_hash: BlockHash::ZERO,
            timestamp: tip.timestamp,
            difficulty: head.difficulty,
            work: tip.work,
            finder: None,
            heard: Timestamp::from_ms(0),
        };
        let mut blocks = BTreeMap::from([(tip.hash, first)]);
        for (at, node, event) in moments.iter().filter_map(block_event) {
            let finder = (event.source == BlockSource::Mined).then_some(node);
            let block = blocks.entry(event.hash).or_insert_with(|| SeenBlock {
                index: event.index,
                hash: event.hash,
                prev_hash: event.prev_hash,
                timestamp: event.timestamp,
                difficulty: event.difficulty,
                work: event.work,
                finder,
                heard: at,
            });
            block.finder = block.finder.or(finder);
        }
        Self(blocks)
    }

    /// A block that was known at this moment.
    pub(super) fn get(&self, hash: &BlockHash, now: Timestamp) -> Option<&SeenBlock> {
        self.0.get(hash).filter(|block| block.heard <= now)
    }

    /// All blocks that were known at this moment, in no order.
    pub(super) fn known(&self, now: Timestamp) -> impl Iterator<Item = &SeenBlock> {
        self.0.values().filter(move |block| block.heard <= now)
    }

    /// A block and its ancestors, newest first. Ends, since heights fall by one.
    pub(super) fn chain(&self, tip: BlockHash, now: Timestamp) -> impl Iterator<Item = &SeenBlock> {
        std::iter::successors(self.get(&tip, now), move |block| {
            self.get(&block.prev_hash, now).filter(|parent| parent.index.0.checked_add(1) == Some(block.index.0))
        })
    }
}

impl SeenBlock {
    /// As far as charts need it: events do not tell nonces and contents, so the hash is another.
    pub(super) fn header(&self) -> Header {
        let fields = HeaderFields {
            index: self.index,
            prev_hash: self.prev_hash,
            timestamp: self.timestamp,
            difficulty: self.difficulty,
            data_hash: DataHash::of(""),
        };
        Header::new(fields, Nonce(0))
    }
}

/// A moment in which a node told of a block: when, its number, and what it told.
pub(super) fn block_event(moment: &Moment) -> Option<(Timestamp, u32, &BlockEvent)> {
    match moment {
        Moment::Node { at, node, told: NodeEvent::Block(event) } => Some((*at, *node, event)),
        _ => None,
    }
}
