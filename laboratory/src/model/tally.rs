//! Counting at the end of a run: which blocks are settled, who found them, and which of them are in the main chain.

use super::Tally;
use crate::tree::{BlockId, MinerId, Tree};

/// What a finished tree says.
pub(super) struct Counted {
    /// By miner.
    pub(super) miners: Vec<Tally>,
    /// From the last block of the warm-up to the last settled one.
    pub(super) elapsed_ms: u64,
    /// The first miner's share of the main chain, by batches of consecutive blocks.
    pub(super) batches: Vec<f64>,
}

/// Batches that a run is cut into.
pub const BATCHES: usize = 20;

/// Counts the blocks of `miners` miners. What all tips have in common is settled; the blocks of their branches above
/// that are pending, and count neither as main nor as stale. So does everything up to height `warm_up` of the main
/// chain.
pub(super) fn count(tree: &Tree, tips: &[BlockId], warm_up: u64, miners: usize) -> Counted {
    let settled = tips.iter().copied().reduce(|one, other| tree.fork_point(one, other)).unwrap_or(BlockId::GENESIS);
    let first = tree.ancestor_at(settled, u32::try_from(warm_up).unwrap_or(u32::MAX));
    let mut in_main = vec![false; tree.len()];
    let mut block = settled;
    let mut ours = Vec::new();
    while block > first {
        in_main[block.0 as usize] = true;
        ours.push(tree.miner(block) == MinerId(0));
        block = tree.parent(block);
    }
    ours.reverse();
    let is_below = |block, tip| tree.ancestor_at(tip, tree.height(block)) == block;
    let mut tallies = vec![Tally::default(); miners];
    // A block counts where its branch leaves the main chain above the warm-up.
    let mut counts = vec![false; tree.len()];
    for number in first.0 as usize + 1..tree.len() {
        let block = BlockId(number as u32);
        let parent = tree.parent(block);
        let joins = parent == first || counts[parent.0 as usize];
        let pending = tree.height(block) > tree.height(settled) && tips.iter().any(|&tip| is_below(block, tip));
        counts[number] = joins && !pending;
        if counts[number]
            && let Some(tally) = tallies.get_mut(usize::from(tree.miner(block).0))
        {
            tally.found += 1;
            tally.main += u64::from(in_main[number]);
        }
    }
    let batch = (ours.len() / BATCHES).max(1);
    let share = |batch: &[bool]| batch.iter().filter(|is_ours| **is_ours).count() as f64 / batch.len() as f64;
    Counted {
        miners: tallies,
        elapsed_ms: tree.timestamp_ms(settled) - tree.timestamp_ms(first),
        batches: ours.chunks_exact(batch).take(BATCHES).map(share).collect(),
    }
}
