//! Layer `utxo`: data is a bundle of signed transactions that destroy coins and make coins (docs/protocol.md §16).
//!
//! `effect` holds the rules that need the unspent coins, `rows` the bytes of the state, `queries` what services show.
//! The rules of a transaction by itself are `ledger`'s. A balance is the sum of an address's coins: only the history
//! has it, in the rows of layer `transaction`.

mod effect;
mod queries;
mod rows;

pub use queries::{coins_of, spent, unspent, unspent_coins};

use super::transaction::{RewardSchedule, broken_message, keep_rules, read_bundle};
use super::{Effect, EffectError, Layer, Position, TemplateRequest};
use crate::block::{BlockHash, Height};
use crate::keys::Verifier;
use crate::ledger::{Address, Amount, Bundle, BundleWriter, CoinName, Transaction, TransactionId, TransactionRules};
use crate::ledger::{json_of, message};
use crate::params::{DEFAULT_MATURITY, Params};
use crate::state::{Overlay, StateRead};
use crate::violation::RuleViolation;
use effect::Spends;
use std::sync::Arc;

/// A coin: an output of a transaction, or what a miner got for a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coin {
    /// Its owner.
    pub address: Address,
    /// What it is worth; never 0.
    pub amount: Amount,
    /// The height of the block that made it.
    pub made_in: Height,
    /// Whether it is reward and fees of that block.
    pub is_miners: bool,
}

/// What a network's parameters say about coins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoinRules {
    network: BlockHash,
    reward: RewardSchedule,
    maturity: u64,
}

impl CoinRules {
    /// The rules that `params` choose.
    pub fn of(params: &Params) -> Self {
        let maturity = params.coinbase_maturity.unwrap_or(DEFAULT_MATURITY);
        Self { network: params.network_id(), reward: RewardSchedule::of(params), maturity }
    }

    /// The height of the first block that may spend a coin.
    pub fn spendable_from(&self, coin: &Coin) -> Height {
        if coin.is_miners { Height(coin.made_in.0.saturating_add(self.maturity)) } else { coin.made_in }
    }

    /// The coin that the block at `index` makes for its miner, with these fees; `None` if it is worth nothing.
    ///
    /// Its name is a hash of the height and of all that it is, so that equal names are equal coins on every branch.
    pub fn miners_coin(&self, index: Height, miner: &Address, fees: u128) -> Option<(CoinName, Amount)> {
        let grains = u128::from(self.reward.at(index).grains()) + fees;
        // It fits: rewards are capped, and fees are parts of earlier ones.
        let amount = u64::try_from(grains).ok().and_then(Amount::new).filter(|amount| *amount > Amount::ZERO)?;
        let text = format!("{}:coinbase:{index}:{miner}:{}", self.network, amount.grains());
        Some((CoinName { id: TransactionId::of(&text), place: 0 }, amount))
    }
}

/// The coin that a block made for its miner.
pub fn miners_coin(rules: &CoinRules, index: Height, bundle: &Bundle) -> Option<(CoinName, Amount)> {
    let fees = bundle.transactions.iter().map(|transaction| u128::from(transaction.fee().grains())).sum();
    rules.miners_coin(index, &bundle.miner_address, fees)
}

/// Checks that a block at `index` could take a transaction: that its coins are there, as it says, and mature.
///
/// # Errors
/// The rule that it breaks, or our own failure.
pub(super) fn check_inputs(
    transaction: &Transaction,
    index: Height,
    params: &Params,
    state: &dyn StateRead,
) -> Result<(), EffectError> {
    let rules = CoinRules::of(params);
    let inputs = &effect::spend_of(transaction)?.inputs;
    inputs.iter().try_for_each(|input| effect::spendable(input, index, &rules, state).map(drop))
}

/// The rules of one network's coins.
pub(super) struct Coins {
    rules: TransactionRules,
    coin_rules: CoinRules,
    max_transactions: u64,
    max_data_bytes: u64,
    verifier: Arc<dyn Verifier>,
}

impl Coins {
    pub(super) fn new(params: &Params, verifier: Arc<dyn Verifier>) -> Self {
        Self {
            rules: TransactionRules::of(params),
            coin_rules: CoinRules::of(params),
            max_transactions: params.max_transactions,
            max_data_bytes: params.max_data_bytes,
            verifier,
        }
    }
}

impl Layer for Coins {
    fn read(&self, data: &str) -> Result<Box<dyn Effect>, RuleViolation> {
        let (bundle, spans) = read_bundle(data, &self.rules, self.max_transactions, self.verifier.as_ref())?;
        Ok(Box::new(Spends { bundle, spans, rules: self.coin_rules }))
    }

    fn template(
        &self,
        position: &Position,
        state: &dyn StateRead,
        wanted: &TemplateRequest<'_>,
    ) -> Result<String, EffectError> {
        let no_miner = || RuleViolation { rule: "miner", detail: "no address to mine to was given".to_owned() };
        let miner = wanted.miner.ok_or_else(no_miner)?;
        message::check(wanted.message, self.rules.max_msg_bytes).map_err(broken_message)?;
        self.verifier.is_point(&miner).map_err(RuleViolation::from)?;
        let keep_rules = keep_rules(wanted.candidates, &self.rules, self.verifier.as_ref());
        let mut writer = BundleWriter::new(wanted.message, &miner);
        let mut trial = Overlay::new(state);
        for (transaction, keeps_rules) in wanted.candidates.iter().zip(keep_rules) {
            if writer.count() as u64 == self.max_transactions {
                break;
            }
            let json = json_of(transaction);
            let fits = writer.length_with(json.len()) as u64 <= self.max_data_bytes;
            if !fits || !keeps_rules.into_inner() {
                continue;
            }
            let mut one = Overlay::new(&trial);
            match effect::spend(transaction, position.index, &self.coin_rules, &mut one) {
                Ok(()) => {
                    let writes = one.into_writes();
                    trial.absorb(writes);
                    writer.push(&json);
                }
                Err(EffectError::Invalid(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let (data, limit) = (writer.finish().0, self.max_data_bytes);
        if data.len() as u64 > limit {
            // There is no transaction, so the message is too long.
            let detail = format!("the message leaves a block of {} bytes, at most {limit} are allowed", data.len());
            return Err(RuleViolation { rule: "max-data-bytes", detail }.into());
        }
        Ok(data)
    }
}
