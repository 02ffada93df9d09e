//! At the end of a run: the pending payments that their payers can no longer pay, and the rewards that these payers
//! lost.

use crate::ledger::Replayed;
use crate::payers::payment_book::PaymentBook;
use crate::payers::wallets::MemberWallets;
use shared::block::BlockId;
use shared::ledger::TransactionId;
use std::collections::{BTreeMap, HashSet, VecDeque};

/// The pending payments of each member that their balance does not cover: usually because a block that paid them was
/// undone.
pub(crate) fn uncovered(
    payments: &PaymentBook,
    ledger: &Replayed,
    pending: &HashSet<TransactionId>,
    wallets: &MemberWallets,
) -> BTreeMap<String, u64> {
    let mut uncovered = BTreeMap::new();
    for (payer, cost) in pending.iter().filter_map(|id| payments.payer(id)) {
        let Some(wallet) = wallets.list.get(payer) else { continue };
        if ledger.balance(wallet.pair.address().as_str()) < cost {
            *uncovered.entry(wallet.name.clone()).or_default() += 1;
        }
    }
    uncovered
}

/// The heights of the blocks that payers of uncovered payments found and lost.
pub(crate) fn lost_rewards(
    rewards: &VecDeque<(BlockId, String)>,
    ledger: &Replayed,
    uncovered: &BTreeMap<String, u64>,
    wallets: &MemberWallets,
) -> BTreeMap<String, Vec<u64>> {
    let mut lost: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (block, miner) in rewards.iter().filter(|(block, _)| !ledger.has_block(&block.hash.to_string())) {
        let wallet = wallets.list.iter().find(|wallet| wallet.pair.address().as_str() == miner);
        if let Some(wallet) = wallet.filter(|wallet| uncovered.contains_key(&wallet.name)) {
            lost.entry(wallet.name.clone()).or_default().push(block.index.0);
        }
    }
    for heights in lost.values_mut() {
        heights.sort_unstable();
        heights.dedup();
    }
    lost
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::apply;
    use serde_json::json;
    use shared::block::{BlockHash, Height};
    use shared::params::Params;

    #[test]
    fn rewards_that_payers_lost_are_named_by_their_blocks() {
        let genesis = json!([Params::default().genesis()]).to_string();
        let ledger = apply(None, genesis.as_bytes(), false).unwrap().0.unwrap().finish().unwrap();
        let wallets = MemberWallets::new(2, 0);
        let [ada, ben] = [0, 1].map(|number: usize| wallets.list[number].pair.address().to_string());
        let block = |index: u64, name: &str| BlockId { index: Height(index), hash: BlockHash::of(name) };
        let on_chain = Params::default().genesis().hash();
        let rewards = VecDeque::from([
            (block(4, "b"), ben.clone()),
            (block(2, "a"), ben.clone()),
            (BlockId { index: Height(0), hash: on_chain }, ben),
            (block(3, "c"), ada),
        ]);
        let uncovered = BTreeMap::from([(wallets.list[1].name.clone(), 3)]);
        let lost = lost_rewards(&rewards, &ledger, &uncovered, &wallets);
        assert_eq!(lost, BTreeMap::from([(wallets.list[1].name.clone(), vec![2, 4])]));
    }
}
