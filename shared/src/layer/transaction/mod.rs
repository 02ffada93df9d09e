//! Layer `transaction`: data is a bundle of signed payments between accounts (docs/protocol.md §7).
//!
//! `effect` holds the rules that need the balances, `rows` the bytes of the state, `history` the queries for
//! people. The rules of a transaction by itself are `ledger`'s.

mod effect;
mod history;
mod reward;
pub(super) mod rows;

pub(super) use history::has_room_for;
pub use history::{
    AccountBalance, BalanceChange, ChangeCause, HistoryPosition, TransactionLocation, account_balance, accounts,
    balance_at, balance_history, history_owner, locate_transaction, transaction_at,
};
pub use reward::RewardSchedule;

use super::{Effect, EffectError, Layer, Position, TemplateRequest};
use crate::keys::Verifier;
use crate::ledger::{Amount, Bundle, BundleWriter, Payment, Span, Transaction, TransactionRules};
use crate::ledger::{TransactionViolation, json_of, message};
use crate::params::Params;
use crate::state::{Overlay, StateRead};
use crate::violation::RuleViolation;
use effect::{Issuance, Payments};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The rules of one network's transactions.
pub(super) struct Transactions {
    rules: TransactionRules,
    max_transactions: u64,
    max_data_bytes: u64,
    issuance: Issuance,
    verifier: Arc<dyn Verifier>,
}

impl Transactions {
    pub(super) fn new(params: &Params, verifier: Arc<dyn Verifier>) -> Self {
        Self {
            rules: TransactionRules::of(params),
            max_transactions: params.max_transactions,
            max_data_bytes: params.max_data_bytes,
            issuance: Issuance { reward: RewardSchedule::of(params), new_address_balance: new_address_balance(params) },
            verifier,
        }
    }
}

/// Whether each of the candidates keeps the rules that need no state.
pub(super) fn keep_rules(
    candidates: &[Arc<Transaction>],
    rules: &TransactionRules,
    verifier: &dyn Verifier,
) -> Vec<AtomicBool> {
    let holds: Vec<_> = candidates.iter().map(|_| AtomicBool::new(false)).collect();
    // The closure never fails, so every candidate is checked.
    let _ = verifier.check_each(candidates.len(), &|place| {
        let keeps_rules = candidates[place].check(rules, verifier).is_ok();
        holds[place].store(keeps_rules, Ordering::Relaxed);
        Ok(())
    });
    holds
}

/// The balance of an address without a stored one.
pub fn new_address_balance(params: &Params) -> Amount {
    // Within bounds, since the parameters were checked.
    Amount::new(params.new_address_balance).unwrap_or(Amount::MAX)
}

impl Layer for Transactions {
    fn read(&self, data: &str) -> Result<Box<dyn Effect>, RuleViolation> {
        let (bundle, spans) = read_bundle(data, &self.rules, self.max_transactions, self.verifier.as_ref())?;
        Ok(Box::new(Payments { bundle, spans, issuance: self.issuance }))
    }

    fn template(
        &self,
        position: &Position,
        state: &dyn StateRead,
        wanted: &TemplateRequest<'_>,
    ) -> Result<String, EffectError> {
        let index = position.index;
        let no_miner = || RuleViolation { rule: "miner", detail: "no address to mine to was given".to_owned() };
        let miner = wanted.miner.ok_or_else(no_miner)?;
        message::check(wanted.message, self.rules.max_msg_bytes).map_err(broken_message)?;
        self.verifier.is_point(&miner).map_err(RuleViolation::from)?;
        let holds = keep_rules(wanted.candidates, &self.rules, self.verifier.as_ref());
        let mut writer = BundleWriter::new(wanted.message, &miner);
        let mut trial = Overlay::new(state);
        let mut earned = u128::from(self.issuance.reward.at(index).grains());
        for (transaction, holds) in wanted.candidates.iter().zip(holds) {
            if writer.count() as u64 == self.max_transactions {
                break;
            }
            let json = json_of(transaction);
            let fits = writer.length_with(json.len()) as u64 <= self.max_data_bytes;
            if !fits || !holds.into_inner() {
                continue;
            }
            let with_fee = earned + u128::from(transaction.fee().grains());
            let mut one = Overlay::new(&trial);
            let paid = payment_of(transaction)
                .map_err(EffectError::from)
                .and_then(|payment| effect::pay(payment, &self.issuance, &mut one))
                // A block is invalid if its miner's balance would exceed the largest amount.
                .and_then(|()| effect::sum(&miner, with_fee, &self.issuance, &one));
            match paid {
                Ok(_) => {
                    let writes = one.into_writes();
                    // Only that the id is used matters here, not where.
                    trial.absorb(writes);
                    effect::take_id(&transaction.id(), index, Default::default(), &mut trial);
                    earned = with_fee;
                    writer.push(&json);
                }
                Err(EffectError::Invalid(_)) => {}
                Err(error) => return Err(error),
            }
        }
        effect::sum(&miner, earned, &self.issuance, &trial)?;
        let (data, limit) = (writer.finish().0, self.max_data_bytes);
        if data.len() as u64 > limit {
            // There is no transaction, so the message is too long.
            let detail = format!("the message leaves a block of {} bytes, at most {limit} are allowed", data.len());
            return Err(RuleViolation { rule: "max-data-bytes", detail }.into());
        }
        Ok(data)
    }
}

/// Reads a bundle without programs and checks the rules that need no state.
pub(super) fn read_bundle(
    data: &str,
    rules: &TransactionRules,
    max_transactions: u64,
    verifier: &dyn Verifier,
) -> Result<(Bundle, Vec<Span>), RuleViolation> {
    let (bundle, spans) = Bundle::from_data(data)?;
    of_this_layer(&bundle)?;
    let count = bundle.transactions.len();
    if count as u64 > max_transactions {
        let detail = format!("{count} transactions, at most {max_transactions} are allowed");
        return Err(RuleViolation { rule: "max-transactions", detail });
    }
    message::check(&bundle.msg, rules.max_msg_bytes).map_err(broken_message)?;
    verifier.is_point(&bundle.miner_address)?;
    verifier.check_each(count, &|place| {
        bundle.transactions[place].check(rules, verifier).map_err(|broken| at(place, broken.into()))
    })?;
    Ok((bundle, spans))
}

/// Refuses what only bundles of layer `program` have.
fn of_this_layer(bundle: &Bundle) -> Result<(), RuleViolation> {
    let has_call = bundle.transactions.iter().any(|transaction| transaction.call_kind().is_some());
    if bundle.outcome.is_some() || has_call {
        let detail = "not a bundle of this layer: only layer program has programs and outcomes".to_owned();
        return Err(RuleViolation { rule: "bundle", detail });
    }
    Ok(())
}

/// The payment; layers of accounts have no other transactions.
pub(super) fn payment_of(transaction: &Transaction) -> Result<&Payment, RuleViolation> {
    transaction.as_payment().ok_or_else(|| TransactionViolation::OtherForm { has_coins: false }.into())
}

pub(super) fn broken_message(bad: crate::ledger::BadMessage) -> RuleViolation {
    RuleViolation { rule: "msg", detail: bad.to_string() }
}

/// Adds to the error which transaction of the bundle breaks the rule.
pub(super) fn at(place: usize, broken: RuleViolation) -> RuleViolation {
    RuleViolation { detail: format!("transaction {place} of the bundle: {}", broken.detail), ..broken }
}

impl From<crate::ledger::MalformedBundle> for RuleViolation {
    fn from(malformed: crate::ledger::MalformedBundle) -> Self {
        let rule = match malformed {
            crate::ledger::MalformedBundle::Json(_) => "bundle",
            crate::ledger::MalformedBundle::NotCanonical { .. } => "canonical",
        };
        Self { rule, detail: malformed.to_string() }
    }
}
