//! Applies the transactions of a block one after another, for validation and templates alike (docs/protocol.md §15).

use super::Settings;
use super::facts::{self, Placed};
use super::outcome::Outcome;
use crate::layer::account_balance::read_balance;
use crate::layer::transaction::{payment_of, rows as money};
use crate::layer::{EffectError, Position};
use crate::ledger::{Address, Amount, OutcomeHash, Payment, Span, Transaction};
use crate::program::{
    self, Account, AccountId, Call, CallKind, Changes, EngineError, Environment, Execution, LiveRows, Log, Machine,
    Message, Status, Target, Word,
};
use crate::state::StateRead;
use crate::store::StoreError;
use crate::violation::RuleViolation;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// A block whose transactions are being applied.
pub(super) struct BlockRun<'a> {
    settings: &'a Settings,
    position: Position,
    miner: Address,
    rows: &'a LiveRows<'a>,
    machine: Box<dyn Machine + 'a>,
    outcome: Outcome,
    /// Reward and fees so far, in grains.
    earned: u128,
}

/// How a call or deployment ended.
pub(super) struct Ended {
    pub(super) status: &'static str,
    pub(super) gas_used: u64,
    pub(super) output: Vec<u8>,
    pub(super) logs: Vec<Log>,
    pub(super) changes: Changes,
    /// The programs that it made.
    pub(super) made: Vec<AccountId>,
}

/// Whether the balance of the miner is watched.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Watch {
    /// A transaction is refused if the block would become invalid with it: in templates.
    Miner,
    /// Only the end of the block decides.
    Nothing,
}

impl<'a> BlockRun<'a> {
    pub(super) fn new(settings: &'a Settings, position: &Position, miner: &Address, rows: &'a LiveRows<'a>) -> Self {
        let environment = environment_of(settings.chain_id, settings.max_block_gas, position, miner);
        // Programs may ask for the hash of the parent from now on.
        rows.write(|state| {
            program::write_block_hash(state, position.index.minus(1).0, &Word(*position.parent.as_bytes()));
        });
        Self {
            settings,
            position: *position,
            miner: *miner,
            rows,
            machine: settings.engine.machine(&environment, rows),
            outcome: Outcome::default(),
            earned: u128::from(settings.reward.at(position.index).grains()),
        }
    }

    /// Applies one transaction that keeps the rules that need no state. After a broken rule, nothing of it is written.
    pub(super) fn apply(
        &mut self,
        transaction: &Transaction,
        place: u32,
        span: Span,
        watch: Watch,
    ) -> Result<(), EffectError> {
        let transaction = payment_of(transaction)?;
        let sender = self.check_is_new(transaction)?;
        let placed = Placed { transaction, index: self.position.index, place, span };
        let call = transaction.call().map_err(RuleViolation::from)?;
        match (call, transaction.call_kind()) {
            (Some(call), Some(kind)) => self.call(placed, sender, &call, kind, watch)?,
            _ => self.pay(placed, sender, watch)?,
        }
        self.earned += u128::from(transaction.fee.grains());
        self.rows.write(|state| {
            let row = money::transaction_row(self.position.index, span);
            state.put(&money::transaction_key(&transaction.id), &row);
        });
        Ok(())
    }

    /// Pays the miner; returns the outcome.
    pub(super) fn finish(self, count: u32) -> Result<OutcomeHash, EffectError> {
        let miner = self.miner.account();
        self.check_miner(read_balance(self.rows, &miner)?, 0)?;
        // It fits: it was added to a balance.
        let earned = u64::try_from(self.earned).ok().and_then(Amount::new).unwrap_or(Amount::MAX);
        if earned > Amount::ZERO {
            self.add(&miner, earned)?;
            if self.rows.keeps_history() {
                let index = self.position.index;
                self.rows.write(|state| facts::note_reward(&self.miner, index, count, earned, state))?;
            }
        }
        Ok(self.outcome.finish())
    }

    /// Returns the sender and what it has.
    fn check_is_new(&self, transaction: &Payment) -> Result<(AccountId, Account), EffectError> {
        let id = &transaction.id;
        if let Some(row) = self.rows.get(&money::transaction_key(id))? {
            let (height, _) = money::parse_transaction_row(&row)?;
            let detail = format!("transaction {id} is in block {height} of this chain already");
            return Err(RuleViolation { rule: "known-id", detail }.into());
        }
        let Payment { from, amount, fee, .. } = transaction;
        let sender = from.account();
        let account = self.account(&sender)?;
        let has = amount_of(Some(&account))?;
        if has < transaction.cost() {
            let detail =
                format!("{from} has {has} LAB at this point and cannot pay {amount} LAB and a fee of {fee} LAB");
            return Err(RuleViolation { rule: "balance", detail }.into());
        }
        Ok((sender, account))
    }

    fn pay(&self, placed: Placed<'_>, sender: (AccountId, Account), watch: Watch) -> Result<(), EffectError> {
        let Payment { to, amount, fee, .. } = placed.transaction;
        let receiver = to.account();
        let before = [sender, (receiver, self.account(&receiver)?)];
        self.take(sender, placed.transaction.cost())?;
        let is_done = self.add(&receiver, *amount).and_then(|()| match watch {
            Watch::Miner => self.check_miner(read_balance(self.rows, &self.miner.account())?, fee.grains()),
            Watch::Nothing => Ok(()),
        });
        if is_done.is_err() {
            self.restore(&before);
        } else if self.rows.keeps_history() {
            self.rows.write(|state| facts::note_transaction(placed, &BTreeMap::new(), state))?;
        }
        is_done
    }

    fn call(
        &mut self,
        placed: Placed<'_>,
        sender: (AccountId, Account),
        call: &Call,
        kind: CallKind,
        watch: Watch,
    ) -> Result<(), EffectError> {
        let transaction = placed.transaction;
        self.take(sender, transaction.fee)?;
        let message = message(transaction, sender.0, call, kind);
        let target = match message.target {
            Target::Call(account) | Target::Create(account) => account,
        };
        let ended = self.run(&message).and_then(|ended| {
            if watch == Watch::Miner {
                let miner = self.miner.account();
                let balance = match ended.changes.accounts.get(&miner) {
                    Some(account) => amount_of(account.as_ref())?,
                    None => read_balance(self.rows, &miner)?,
                };
                self.check_miner(balance, transaction.fee.grains())?;
            }
            Ok(ended)
        });
        let ended = match ended {
            Ok(ended) => ended,
            Err(error) => {
                self.restore(&[sender]);
                return Err(error);
            }
        };
        let keeps_history = self.rows.keeps_history();
        let moved = if keeps_history { self.moved(&ended.changes)? } else { BTreeMap::new() };
        self.rows.write(|state| ended.changes.apply(state));
        let Ended { status, gas_used, output, logs, changes, .. } = &ended;
        self.outcome.add(&transaction.id, status, *gas_used, output, logs, changes);
        if keeps_history {
            self.rows.write(|state| {
                facts::note_transaction(placed, &moved, state)?;
                facts::note_call(placed, call.gas, target, &ended, &moved, state)
            })?;
        }
        Ok(())
    }

    /// Runs a message. What fails is a result; only what could not begin breaks a rule.
    fn run(&mut self, message: &Message<'_>) -> Result<Ended, EffectError> {
        let failed = |status, gas_used, output| Ended {
            status,
            gas_used,
            output,
            logs: Vec::new(),
            changes: Changes::default(),
            made: Vec::new(),
        };
        if let Target::Call(program) = &message.target
            && self.account(program)?.code_hash.is_none()
        {
            return Ok(failed("no-program", self.settings.engine.intrinsic_gas(message), Vec::new()));
        }
        let Execution { status, gas_used, output, logs, changes } =
            self.machine.run(message).map_err(|error| match error {
                EngineError::Refused(reason) => RuleViolation { rule: "call", detail: reason }.into(),
                EngineError::State(error) => EffectError::Failed(error),
                EngineError::Stopped | EngineError::Failed(_) => EffectError::Machine(error.to_string()),
            })?;
        if status != Status::Succeeded {
            return Ok(failed(status.name(), gas_used, output));
        }
        if changes.accounts.values().flatten().any(|account| amount_of(Some(account)).is_err()) {
            return Ok(failed("max-balance", gas_used, Vec::new()));
        }
        let mut made = Vec::new();
        for (id, account) in &changes.accounts {
            let is_program = account.as_ref().is_some_and(|account| account.code_hash.is_some());
            if is_program && self.account(id)?.code_hash.is_none() {
                made.push(*id);
            }
        }
        Ok(Ended { status: status.name(), gas_used, output, logs, changes, made })
    }

    /// The balances before `changes`, of the accounts whose balance they change.
    fn moved(&self, changes: &Changes) -> Result<BTreeMap<AccountId, Amount>, StoreError> {
        let mut moved = BTreeMap::new();
        for (id, account) in &changes.accounts {
            let before = read_balance(self.rows, id)?;
            let after = account.as_ref().map_or(Word::ZERO, |account| account.balance);
            if after != Word::from(before.grains()) {
                moved.insert(*id, before);
            }
        }
        Ok(moved)
    }

    /// Whether the miner could still be paid, with this balance and `fee` more grains.
    fn check_miner(&self, balance: Amount, fee: u64) -> Result<(), EffectError> {
        sum(&self.miner, balance, self.earned + u128::from(fee)).map(drop)
    }

    fn account(&self, id: &AccountId) -> Result<Account, StoreError> {
        Ok(program::read_account(self.rows, id)?.unwrap_or_default())
    }

    /// Takes money from an account that has this now.
    fn take(&self, (id, account): (AccountId, Account), amount: Amount) -> Result<(), EffectError> {
        let left = amount_of(Some(&account))?.checked_sub(amount).unwrap_or(Amount::ZERO);
        self.put(&id, account, left);
        Ok(())
    }

    /// Takes the fee of a transaction that is not applied any further.
    pub(super) fn take_fee(&self, transaction: &Payment) -> Result<(), EffectError> {
        let sender = transaction.from.account();
        self.take((sender, self.account(&sender)?), transaction.fee)
    }

    fn add(&self, id: &AccountId, amount: Amount) -> Result<(), EffectError> {
        let account = self.account(id)?;
        let sum = sum(&Address::of_program(*id), amount_of(Some(&account))?, u128::from(amount.grains()))?;
        self.put(id, account, sum);
        Ok(())
    }

    fn put(&self, id: &AccountId, account: Account, balance: Amount) {
        let account = Account { balance: Word::from(balance.grains()), ..account };
        self.rows.write(|state| program::write_account(state, id, &account));
    }

    fn restore(&self, accounts: &[(AccountId, Account)]) {
        for (id, account) in accounts {
            self.rows.write(|state| program::write_account(state, id, account));
        }
    }
}

/// What the programs of a block at `position` see of the chain.
pub(super) fn environment_of(chain_id: u64, gas_limit: u64, position: &Position, miner: &Address) -> Environment {
    Environment {
        number: position.index.0,
        timestamp: position.parent_time.as_ms() / 1000,
        randomness: Word(*position.parent.as_bytes()),
        miner: miner.account(),
        gas_limit,
        chain_id,
    }
}

/// A call or deployment as the machine gets it.
pub(super) fn message<'a>(transaction: &Payment, caller: AccountId, call: &'a Call, kind: CallKind) -> Message<'a> {
    Message {
        caller,
        target: match kind {
            CallKind::Call => Target::Call(transaction.to.account()),
            CallKind::Deploy => Target::Create(account_of_new_program(&transaction.id)),
        },
        value: transaction.amount.grains(),
        gas: call.gas,
        input: &call.input,
    }
}

/// The account of the program that a transaction deploys.
pub(super) fn account_of_new_program(id: &crate::ledger::TransactionId) -> AccountId {
    let hash = Sha256::digest(format!("chainlab program:{id}"));
    let mut account = AccountId::default();
    account.0.copy_from_slice(&hash[12..]);
    account
}

fn sum(address: &Address, balance: Amount, grains: u128) -> Result<Amount, EffectError> {
    let sum = u64::try_from(u128::from(balance.grains()) + grains).ok().and_then(Amount::new);
    sum.ok_or_else(|| {
        let detail = format!("{address} has {balance} LAB and would get {grains} grains: more than there can be");
        RuleViolation { rule: "max-balance", detail }.into()
    })
}

fn amount_of(account: Option<&Account>) -> Result<Amount, StoreError> {
    let balance = account.map_or(Word::ZERO, |account| account.balance);
    let damaged = || StoreError::Damaged("the balance of an account is more than there can be".to_owned());
    balance.to_u64().and_then(Amount::new).ok_or_else(damaged)
}
