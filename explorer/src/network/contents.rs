//! What is in a block, as far as pages need it: who found it, what was paid, how full it is.

use shared::block::{Block, Height};
use shared::layer::transaction::RewardSchedule;
use shared::ledger::{Address, Bundle, TransactionId, Transfer};
use shared::params::Params;
use std::collections::BTreeMap;

/// A payment in a block. Amounts are in grains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PaymentSummary {
    pub(crate) id: TransactionId,
    pub(crate) from: Address,
    pub(crate) to: Address,
    pub(crate) amount: u64,
    pub(crate) fee: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct BlockContents {
    /// The address that is paid for finding it; `None` on a layer without money.
    pub(crate) miner: Option<Address>,
    /// The number of payments.
    pub(crate) count: usize,
    /// The payments; empty if there is no memory for them.
    pub(crate) payments: Vec<PaymentSummary>,
    /// The length of its data.
    pub(crate) bytes: usize,
    /// Reward and fees, in grains.
    pub(crate) earned: u64,
}

impl BlockContents {
    pub(crate) fn of(block: &Block, params: &Params) -> Self {
        let bytes = block.data().len();
        if !params.layer.has_money() || block.index() == Height::GENESIS {
            return Self { bytes, ..Self::default() };
        }
        let Ok((bundle, _)) = Bundle::from_data(block.data()) else { return Self { bytes, ..Self::default() } };
        let fees = bundle.transactions.iter().fold(0_u64, |sum, each| sum.saturating_add(each.fee().grains()));
        let reward = RewardSchedule::of(params).at(block.index()).grains();
        let payments = bundle.transactions.iter().map(|each| {
            let Transfer { from, to, amount, .. } = each.transfer();
            PaymentSummary { id: each.id(), from, to, amount: amount.grains(), fee: each.fee().grains() }
        });
        Self {
            miner: Some(bundle.miner_address),
            count: bundle.transactions.len(),
            payments: payments.collect(),
            bytes,
            earned: reward.saturating_add(fees),
        }
    }

    /// What the block changes, in grains by address; `None` if its payments are not kept.
    pub(crate) fn changes(&self) -> Option<BTreeMap<Address, i128>> {
        if self.payments.len() < self.count {
            return None;
        }
        let mut changes = BTreeMap::new();
        let mut add = |address: Address, grains: i128| *changes.entry(address).or_insert(0) += grains;
        if let Some(miner) = self.miner {
            add(miner, self.earned.into());
        }
        for payment in &self.payments {
            add(payment.from, -i128::from(payment.amount) - i128::from(payment.fee));
            add(payment.to, payment.amount.into());
        }
        Some(changes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples;

    #[test]
    fn what_a_block_changes_sums_to_its_reward() {
        let [genesis, block] = samples::blocks("for lunch");
        let params = Params::default();
        let contents = BlockContents::of(&block, &params);
        assert_eq!((contents.count, contents.payments.len()), (1, 1));
        let changes = contents.changes().expect("all payments are kept");
        let reward = RewardSchedule::of(&params).at(block.index()).grains();
        assert_eq!(changes.values().sum::<i128>(), reward.into());
        assert_eq!(BlockContents::of(&genesis, &params).changes(), Some(BTreeMap::new()));
        assert_eq!(BlockContents { payments: Vec::new(), ..contents }.changes(), None);
    }
}
