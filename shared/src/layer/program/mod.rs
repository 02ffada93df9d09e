//! Layer `program`: payments, and programs that transactions deploy and call (docs/protocol.md §15).
//!
//! All of layer `transaction` holds: the same bundles, transactions and keys. A transaction to a program or to nobody
//! has a `msg` that is read as a call or as code. What it does, an injected [`Engine`] decides; this module decides who
//! pays, what is kept, and what everybody must agree on. `run` applies transactions, `outcome` hashes what calls did,
//! `facts` and `rows` remember it for people, and `queries` reads that.

mod facts;
mod outcome;
mod queries;
mod receipt;
mod rows;
mod run;

mod replay;

pub use queries::{
    LogQuery, PlacedLog, PlacedProgram, address_of_account, calls, logs, moved_accounts, program_origin, programs,
    receipt, slots,
};
pub use receipt::{LogEntry, Move, ProgramOrigin, Receipt};
pub use replay::trace_transaction;
pub use rows::Moment;

use super::transaction::{RewardSchedule, at, broken_message};
use super::{Effect, EffectError, Layer, Position, TemplateRequest};
use crate::keys::Verifier;
use crate::ledger::{
    Address, Bundle, BundleWriter, OUTCOME_BYTES, Span, Transaction, TransactionId, TransactionRules, json_of, message,
};
use crate::params::{DEFAULT_BLOCK_GAS, Params};
use crate::program::{AccountId, CallKind, Engine, Environment, LiveRows, Message, Target};
use crate::state::{Overlay, StateRead, StateView};
use crate::violation::RuleViolation;
use run::{BlockRun, Watch};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The rules of one network's transactions and programs.
pub(super) struct Programs(Arc<Settings>);

struct Settings {
    rules: TransactionRules,
    max_transactions: u64,
    max_data_bytes: u64,
    max_block_gas: u64,
    chain_id: u64,
    reward: RewardSchedule,
    verifier: Arc<dyn Verifier>,
    engine: Arc<dyn Engine>,
}

/// The account of the program that a transaction deploys: known before the transaction is in a block.
pub fn new_program(id: &TransactionId) -> AccountId {
    run::account_of_new_program(id)
}

/// The number by which programs know the network: the first 6 bytes of its id.
pub fn chain_id(params: &Params) -> u64 {
    params.network_id().as_bytes()[..6].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// What programs see if they are called on top of `position`'s parent, for calls that are no part of a block.
pub fn environment(params: &Params, position: &Position, miner: &Address) -> Environment {
    run::environment_of(chain_id(params), block_gas(params), position, miner)
}

/// The most gas that the transactions of a block may declare together.
pub fn block_gas(params: &Params) -> u64 {
    params.max_block_gas.unwrap_or(DEFAULT_BLOCK_GAS)
}

impl Programs {
    pub(super) fn new(params: &Params, verifier: Arc<dyn Verifier>, engine: Arc<dyn Engine>) -> Self {
        Self(Arc::new(Settings {
            rules: TransactionRules::of(params),
            max_transactions: params.max_transactions,
            max_data_bytes: params.max_data_bytes,
            max_block_gas: block_gas(params),
            chain_id: chain_id(params),
            reward: RewardSchedule::of(params),
            verifier,
            engine,
        }))
    }
}

impl Settings {
    /// The rules of a transaction that need no state.
    fn check(&self, transaction: &Transaction) -> Result<(), RuleViolation> {
        self.check_gas(transaction)?;
        Ok(transaction.check(&self.rules, self.verifier.as_ref())?)
    }

    /// Whether it declares the gas that its bytes cost; whatever else is wrong with it is left to other rules.
    fn check_gas(&self, transaction: &Transaction) -> Result<(), RuleViolation> {
        let Some(transaction) = transaction.as_payment() else { return Ok(()) };
        let (Some(kind), Ok(Some(call))) = (transaction.call_kind(), transaction.call()) else { return Ok(()) };
        // What the bytes cost depends on no account, and reading one from an address takes time.
        let nobody = AccountId::default();
        let target = match kind {
            CallKind::Call => Target::Call(nobody),
            CallKind::Deploy => Target::Create(nobody),
        };
        let message = Message { caller: nobody, target, value: 0, gas: call.gas, input: &call.input };
        let least = self.engine.intrinsic_gas(&message);
        if call.gas >= least {
            return Ok(());
        }
        let detail = format!("it declares {} gas, and its bytes alone cost {least}", call.gas);
        Err(RuleViolation { rule: "gas", detail })
    }

    /// Whether each of the candidates keeps the rules that need no state.
    fn holds(&self, candidates: &[Arc<Transaction>]) -> Vec<AtomicBool> {
        let holds: Vec<_> = candidates.iter().map(|_| AtomicBool::new(false)).collect();
        // The closure never fails, so every candidate is checked.
        let _ = self.verifier.check_each(candidates.len(), &|place| {
            holds[place].store(self.check(&candidates[place]).is_ok(), Ordering::Relaxed);
            Ok(())
        });
        holds
    }
}

impl Layer for Programs {
    fn read(&self, data: &str) -> Result<Box<dyn Effect>, RuleViolation> {
        let settings = &self.0;
        let (bundle, spans) = Bundle::from_data(data)?;
        if bundle.outcome.is_none() {
            let detail = "not a bundle of this layer: it has no outcome".to_owned();
            return Err(RuleViolation { rule: "bundle", detail });
        }
        let count = bundle.transactions.len();
        if count as u64 > settings.max_transactions {
            let detail = format!("{count} transactions, at most {} are allowed", settings.max_transactions);
            return Err(RuleViolation { rule: "max-transactions", detail });
        }
        message::check(&bundle.msg, settings.rules.max_msg_bytes).map_err(broken_message)?;
        settings.verifier.is_point(&bundle.miner_address)?;
        let gas = bundle.transactions.iter().fold(0_u64, |sum, one| sum.saturating_add(one.declared_gas()));
        if gas > settings.max_block_gas {
            let detail = format!("its transactions declare {gas} gas, at most {} are allowed", settings.max_block_gas);
            return Err(RuleViolation { rule: "block-gas", detail });
        }
        settings.verifier.check_each(count, &|place| {
            settings.check(&bundle.transactions[place]).map_err(|broken| at(place, broken))
        })?;
        Ok(Box::new(Calls { settings: settings.clone(), bundle, spans }))
    }

    fn check_machine_rules(&self, transaction: &Transaction) -> Result<(), RuleViolation> {
        self.0.check_gas(transaction)
    }

    fn template(
        &self,
        position: &Position,
        state: &dyn StateRead,
        wanted: &TemplateRequest<'_>,
    ) -> Result<String, EffectError> {
        let settings = &*self.0;
        let no_miner = || RuleViolation { rule: "miner", detail: "no address to mine to was given".to_owned() };
        let miner = wanted.miner.filter(Address::is_key).ok_or_else(no_miner)?;
        message::check(wanted.message, settings.rules.max_msg_bytes).map_err(broken_message)?;
        settings.verifier.is_point(&miner).map_err(RuleViolation::from)?;
        let holds = settings.holds(wanted.candidates);
        let mut writer = BundleWriter::new(wanted.message, &miner);
        let mut gas = 0;
        let mut trial = Overlay::new(state);
        let rows = LiveRows::new(&mut trial);
        let mut run = BlockRun::new(settings, position, &miner, &rows);
        for (transaction, holds) in wanted.candidates.iter().zip(holds) {
            if writer.count() as u64 == settings.max_transactions {
                break;
            }
            let json = json_of(transaction);
            let fits = (writer.length_with(json.len()) + OUTCOME_BYTES) as u64 <= settings.max_data_bytes;
            let with_gas = gas + transaction.declared_gas();
            if !fits || !holds.into_inner() || with_gas > settings.max_block_gas {
                continue;
            }
            match run.apply(transaction, writer.count() as u32, Span::default(), Watch::Miner) {
                Ok(()) => {
                    gas = with_gas;
                    writer.push(&json);
                }
                // A transaction that this machine cannot run must not keep the others out.
                Err(EffectError::Invalid(_) | EffectError::Machine(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let outcome = run.finish(writer.count() as u32)?;
        let (data, limit) = (writer.finish_with(outcome).0, settings.max_data_bytes);
        if data.len() as u64 > limit {
            // There is no transaction, so the message is too long.
            let detail = format!("the message leaves a block of {} bytes, at most {limit} are allowed", data.len());
            return Err(RuleViolation { rule: "max-data-bytes", detail }.into());
        }
        Ok(data)
    }
}

/// A bundle that passed the stateless checks.
struct Calls {
    settings: Arc<Settings>,
    bundle: Bundle,
    spans: Vec<Span>,
}

impl Effect for Calls {
    fn apply(&self, position: &Position, state: &mut dyn StateView) -> Result<(), EffectError> {
        let Self { settings, bundle, spans } = self;
        let rows = LiveRows::new(state);
        let mut run = BlockRun::new(settings, position, &bundle.miner_address, &rows);
        for (place, (transaction, span)) in bundle.transactions.iter().zip(spans).enumerate() {
            // At most max_transactions, 2^20.
            run.apply(transaction, place as u32, *span, Watch::Nothing).map_err(|error| match error {
                EffectError::Invalid(broken) => EffectError::Invalid(at(place, broken)),
                failed => failed,
            })?;
        }
        let outcome = run.finish(bundle.transactions.len() as u32)?;
        match bundle.outcome {
            Some(claimed) if claimed != outcome => {
                let detail = format!("the block claims the outcome {claimed}, its programs have the outcome {outcome}");
                Err(RuleViolation { rule: "outcome", detail }.into())
            }
            _ => Ok(()),
        }
    }
}
