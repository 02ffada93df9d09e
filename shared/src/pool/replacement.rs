//! Coins in the pool: replacement by fee, and dust (docs/protocol.md §16).
//!
//! Both are policy of one mempool: a block may spend a coin by any of two rivals, and may make coins of any size.

use super::pending::saturated;
use super::{AdmissionError, Pending, Pool};
use crate::ledger::{Amount, CoinName, Holding};
use serde::Deserialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The most pending transactions that one newcomer may replace.
const MAX_REPLACED: usize = 100;

/// Change below this is left to the miner: to spend it later would cost about as much as it is worth. Mempools refuse
/// outputs below it unless they are told otherwise.
pub const DUST: Amount = match Amount::new(546) {
    Some(dust) => dust,
    None => Amount::ZERO,
};

/// A pending transaction that takes a coin of a newcomer, and the first such coin.
pub(super) type Rival = (CoinName, Pending);

/// What happens to a newcomer that takes a coin which a pending transaction takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Replacement {
    /// It replaces the pending one if it pays enough more.
    #[default]
    Full,
    /// It is refused: the first one wins.
    FirstSeen,
}

/// What newcomers may do with coins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoinPolicy {
    /// Whether they may replace a pending transaction.
    pub replacement: Replacement,
    /// The smallest coin that they may make; 0 for no limit.
    pub dust: Amount,
}

impl CoinPolicy {
    /// The first one wins, and coins of any amount pass.
    pub const FIRST_SEEN: Self = Self { replacement: Replacement::FirstSeen, dust: Amount::ZERO };
}

impl Default for CoinPolicy {
    /// Replacement, and no coin that wallets would not make.
    fn default() -> Self {
        Self { replacement: Replacement::Full, dust: DUST }
    }
}

impl Pool {
    /// The pending transactions that the newcomer would replace.
    ///
    /// # Errors
    /// There are some, and the first one wins. Or it does not pay enough to replace them: at least their fees together
    /// and a grain for each byte of its own, and more per byte than each of them. Or they are more than 100.
    pub(super) fn rivals(&self, newcomer: &Pending) -> Result<Vec<Rival>, AdmissionError> {
        let mut rivals = BTreeMap::new();
        for part in newcomer.takes() {
            let Holding::Coin(coin) = part.holding else { continue };
            if let Some(rival) = self.first_taker(&part.holding) {
                rivals.entry(rival.age()).or_insert_with(|| (coin, rival.clone()));
            }
        }
        let rivals: Vec<Rival> = rivals.into_values().collect();
        let mut names = rivals.iter().map(|(coin, rival)| (*coin, rival.id()));
        let Some((coin, pending)) = names.next() else { return Ok(rivals) };
        let others = names.collect();
        if self.limits.coins.replacement == Replacement::FirstSeen {
            return Err(AdmissionError::Conflict { coin, pending, others });
        }
        if rivals.len() > MAX_REPLACED {
            return Err(AdmissionError::TooManyRivals { coin, pending, others, limit: MAX_REPLACED });
        }
        let fee = newcomer.transaction.fee();
        let least = least_fee(&rivals, newcomer);
        if fee < least { Err(AdmissionError::Replacement { coin, pending, others, fee, least }) } else { Ok(rivals) }
    }

    /// Whether a newcomer makes no coin that is too small to be worth spending.
    pub(super) fn check_dust(&self, newcomer: &Pending) -> Result<(), AdmissionError> {
        let least = self.limits.coins.dust;
        let is_dust = |holding: &Holding, amount| matches!(holding, Holding::Coin(_)) && amount < least;
        let made = newcomer.transaction.gives();
        match made.iter().position(|part| is_dust(&part.holding, part.amount)) {
            Some(output) => Err(AdmissionError::Dust { output, amount: made[output].amount, least }),
            None => Ok(()),
        }
    }
}

/// The smallest fee with which a newcomer replaces its rivals.
fn least_fee(rivals: &[Rival], newcomer: &Pending) -> Amount {
    let fees: u128 = rivals.iter().map(|(_, rival)| u128::from(rival.transaction.fee().grains())).sum();
    let above_each = rivals.iter().map(|(_, rival)| rival.fee_rate().fee_above(newcomer.weight)).max();
    above_each.unwrap_or_default().max(saturated(fees + newcomer.bytes as u128))
}
