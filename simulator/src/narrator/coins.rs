//! What the narration says of a transaction that spends coins: how many coins it takes, what comes back as change, and
//! whether it replaces one with a lower fee.

use crate::event::{RunEvent, SpentCoins};
use shared::ledger::{Amount, CoinName, Spend, TransactionId};
use std::collections::{HashMap, VecDeque};

/// Most coins that are remembered as spent.
const MAX_COINS: usize = 20_000;

/// The coins that reported transactions spend.
#[derive(Debug, Default)]
pub(super) struct SeenCoins {
    spent_by: HashMap<CoinName, TransactionId>,
    /// The oldest first.
    order: VecDeque<CoinName>,
}

impl SeenCoins {
    /// Takes a transaction that the mempool reports, and returns what to say of its coins. It replaces another one if
    /// that spent one of its coins.
    pub(super) fn observe(&mut self, spend: &Spend) -> SpentCoins {
        let mut replaces = false;
        for input in &spend.inputs {
            match self.spent_by.insert(input.coin, spend.id) {
                Some(before) => replaces |= before != spend.id,
                None => self.order.push_back(input.coin),
            }
        }
        while self.order.len() > MAX_COINS {
            self.order.pop_front().map(|oldest| self.spent_by.remove(&oldest));
        }
        let is_payer = |address| spend.inputs.iter().any(|input| input.address == address);
        let back = spend.outputs.iter().filter(|output| is_payer(output.address));
        let change = back.fold(Amount::ZERO, |sum, output| sum.checked_add(output.amount).unwrap_or(Amount::MAX));
        SpentCoins { spent: spend.inputs.len() as u64, change, replaces }
    }
}

/// The event about a transaction whose coins all go back to those who paid: `None` for a payment to somebody else.
pub(super) fn rearranged(spend: &Spend, from: String) -> Option<RunEvent> {
    let is_payer = |address| spend.inputs.iter().any(|input| input.address == address);
    if !spend.outputs.iter().all(|output| is_payer(output.address)) {
        return None;
    }
    let (spent, made) = (spend.inputs.len() as u64, spend.outputs.len() as u64);
    let amount = spend.outputs.iter().map(|output| u128::from(output.amount.grains())).sum();
    Some(RunEvent::Coins { id: spend.id, from, spent, made, amount })
}
