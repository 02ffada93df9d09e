//! What became of a lost branch: the rewards that do not count, and where its payments are now.

use crate::network::NetworkState;
use shared::block::{BlockHash, Height};
use shared::ledger::{Address, TransactionId};
use std::collections::{BTreeMap, BTreeSet};

/// The payments of a lost branch, counted: the parts add up to `undone`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Aftermath {
    /// Payments in its blocks, each counted once.
    pub(crate) undone: usize,
    /// They are in blocks of the winning branch, by height, that were there when it won.
    pub(crate) in_both: usize,
    /// They went back to waiting, and into later blocks.
    pub(crate) back: BTreeMap<Height, usize>,
    /// They wait again.
    pub(crate) waiting: usize,
    /// Those of them that their sender cannot pay without a reward that was lost, by sender.
    pub(crate) unpaid: BTreeMap<Address, usize>,
    /// They were dropped for good.
    pub(crate) dropped: usize,
    /// Who lost how many grains: rewards and fees.
    pub(crate) losses: BTreeMap<Address, u64>,
    /// The lost blocks of each finder, lowest first.
    pub(crate) lost_blocks: BTreeMap<Address, Vec<Height>>,
}

/// The branches of a fork.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Branches<'a> {
    /// The blocks that do not count.
    pub(crate) lost: &'a [BlockHash],
    /// The blocks of the winner when it won.
    pub(crate) won: &'a [BlockHash],
    /// The tip of the best chain now.
    pub(crate) tip: BlockHash,
}

impl Aftermath {
    /// `None` if the contents of a lost block are not known. `is_dropped` says whether a payment was dropped for good,
    /// `balance` what an address holds, in grains, if that is known.
    pub(crate) fn of(
        state: &NetworkState,
        branches: Branches<'_>,
        is_dropped: impl Fn(&TransactionId) -> bool,
        balance: impl Fn(&Address) -> Option<u64>,
    ) -> Option<Self> {
        let mut aftermath = Self::default();
        let mut payments: BTreeMap<TransactionId, (Address, u64)> = BTreeMap::new();
        for hash in branches.lost {
            let contents = state.contents.get(hash).filter(|contents| contents.payments.len() == contents.count)?;
            if let Some(miner) = contents.miner {
                let loss = aftermath.losses.entry(miner).or_default();
                *loss = loss.saturating_add(contents.earned);
                let height = state.blocks.get(hash).map(|block| block.index);
                aftermath.lost_blocks.entry(miner).or_default().extend(height);
            }
            let costs =
                contents.payments.iter().map(|each| (each.id, (each.from, each.amount.saturating_add(each.fee))));
            payments.extend(costs);
        }
        let places = places(state, branches.tip);
        let won: BTreeSet<&BlockHash> = branches.won.iter().collect();
        aftermath.undone = payments.len();
        aftermath.lost_blocks.values_mut().for_each(|heights| heights.sort_unstable());
        for (id, (sender, cost)) in payments {
            match places.get(&id) {
                Some((block, _)) if won.contains(block) => aftermath.in_both += 1,
                Some((_, height)) => *aftermath.back.entry(*height).or_default() += 1,
                None if is_dropped(&id) => aftermath.dropped += 1,
                None => {
                    aftermath.waiting += 1;
                    let has_lost = aftermath.losses.contains_key(&sender);
                    if has_lost && balance(&sender).is_none_or(|grains| grains < cost) {
                        *aftermath.unpaid.entry(sender).or_default() += 1;
                    }
                }
            }
        }
        Some(aftermath)
    }

    /// The payments that are in the chain.
    pub(crate) fn in_chain(&self) -> usize {
        self.in_both + self.back.values().sum::<usize>()
    }
}

/// The payments of the last blocks of a chain, and where they are.
pub(crate) fn places(state: &NetworkState, tip: BlockHash) -> BTreeMap<TransactionId, (BlockHash, Height)> {
    let blocks = state.chain(tip).filter_map(|block| Some((block, state.contents.get(&block.hash)?)));
    blocks
        .flat_map(|(block, contents)| contents.payments.iter().map(|each| (each.id, (block.hash, block.index))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::samples::{contents, hash, summary};
    use shared::keys::KeyPair;

    fn id(number: u32) -> TransactionId {
        TransactionId::of(number.to_string())
    }

    // 1 ─ 2 ─ 3          payments 1 │ 2 3 4 (paid by cleo) 5 lost in 2'
    // └── 2'
    #[test]
    fn the_parts_add_up() {
        let mut state = NetworkState::default();
        for (index, name, parent) in [(1, "1", "0"), (2, "2", "1"), (3, "3", "2"), (2, "2'", "1")] {
            state.blocks.insert(hash(name), summary(index, name, parent));
        }
        contents(&mut state, "2'", "cleo", &[("eve", 1), ("eve", 2), ("eve", 3), ("cleo", 4), ("eve", 5)]);
        contents(&mut state, "2", "ada", &[("eve", 1), ("eve", 9)]);
        contents(&mut state, "3", "ada", &[("eve", 2)]);
        let branches = Branches { lost: &[hash("2'")], won: &[hash("2")], tip: hash("3") };
        let dropped = id(5);
        let poor = |_: &Address| Some(0);
        let aftermath = Aftermath::of(&state, branches, |id| *id == dropped, poor).expect("all is known");
        assert_eq!((aftermath.undone, aftermath.in_both, &aftermath.back), (5, 1, &BTreeMap::from([(Height(3), 1)])));
        assert_eq!((aftermath.waiting, aftermath.dropped), (2, 1));
        assert_eq!(aftermath.in_chain() + aftermath.waiting + aftermath.dropped, aftermath.undone);
        let cleo = KeyPair::from_seed("cleo").address();
        assert_eq!(aftermath.losses.keys().collect::<Vec<_>>(), [&cleo]);
        assert_eq!(aftermath.lost_blocks, BTreeMap::from([(cleo, vec![Height(2)])]));
        assert_eq!(aftermath.unpaid, BTreeMap::from([(cleo, 1)]));
        // With enough money, she only waits.
        let rich = |_: &Address| Some(u64::MAX);
        let aftermath = Aftermath::of(&state, branches, |id| *id == dropped, rich).expect("all is known");
        assert!(aftermath.waiting == 2 && aftermath.unpaid.is_empty());
        state.contents.remove(&hash("2'"));
        assert_eq!(Aftermath::of(&state, branches, |_| false, poor), None);
    }
}
