//! Turns observations of the mempool and the payments in blocks into events of the run.
//!
//! Pure, like the narrator of blocks. At a low rate each payment gets an event of its own. At a high rate only the
//! first one of each second does, and the others are summed up, so that the narration stays readable. The event about a
//! block's payments waits for the event about the block.

use super::coins::{SeenCoins, rearranged};
use crate::event::{RunEvent, SpentCoins, TimedEvent};
use crate::ledger::BlockPayments;
use crate::numbers::{lab, plural};
use crate::payers::MempoolObservation;
use crate::payers::programs::{FAUCET_PAYS, Kind, read_transfer};
use shared::block::{BlockHash, BlockId};
use shared::layer::program::new_program;
use shared::ledger::{AccountId, Address, Amount, CallKind, Transaction, TransactionId, Transfer};
use shared::wire::PoolEvent;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

/// How long payments are counted together.
const WINDOW_MS: u64 = 1000;
/// Payments in a window that get an event of their own …
const ONE_BY_ONE: u64 = 5;
/// … and how many do if the window before had more payments than that.
const ONE_OF_MANY: u64 = 1;
/// How long returned and dropped payments are counted together.
const GATHER_MS: u64 = 250;
/// How long the event about a block's payments waits for the event about the block.
const ORDER_MS: u64 = 150;
/// Most addresses that are known by a name.
const MAX_NAMES: usize = 1000;
/// Most blocks whose miners are remembered.
const MAX_REWARDS: usize = 10_000;
/// Most payments that are remembered as told, and as told before the mempool has reported them.
const MAX_TOLD: usize = 256;
const MAX_TOLD_AHEAD: usize = 16;
/// Miners of blocks that came from outside, where they are not known.
pub(crate) const OTHERS: &str = "others";
/// Characters that are shown of an address without a name.
const SHOWN_ADDRESS: usize = 10;

/// The state machine: `observe` takes observations, [`PaymentNarrator::take_events`] returns events.
#[derive(Debug)]
pub struct PaymentNarrator {
    /// By address.
    names: HashMap<String, String>,
    /// The names of members by their accounts, as programs know them.
    accounts: HashMap<AccountId, String>,
    window: PaymentWindow,
    returned: GatheredCount,
    /// By the mempool's reason.
    given_up: BTreeMap<String, GatheredCount>,
    /// Events about blocks' payments, and when each is due.
    blocks: Vec<(u64, RunEvent)>,
    /// The last blocks on all branches, and the addresses that they paid a reward to.
    rewards: VecDeque<(BlockId, String)>,
    pending: Option<u64>,
    coins: SeenCoins,
    /// The last payments that got an event of their own.
    told: VecDeque<TransactionId>,
    /// Those of them that the mempool has not reported yet.
    told_ahead: Vec<TransactionId>,
    events: Vec<TimedEvent>,
}

#[derive(Debug)]
struct PaymentWindow {
    since_ms: u64,
    /// Refused ones included.
    payments: u64,
    /// How many of them get an event of their own.
    one_by_one: u64,
    /// The others, and their sum in grains.
    more: u64,
    more_amount: u128,
    more_refused: u64,
}

impl PaymentWindow {
    const fn new(since_ms: u64, one_by_one: u64) -> Self {
        Self { since_ms, payments: 0, one_by_one, more: 0, more_amount: 0, more_refused: 0 }
    }

    /// Counts a payment, and returns whether it gets an event of its own.
    const fn count_one(&mut self, at_ms: u64) -> bool {
        if self.payments == 0 {
            self.since_ms = at_ms;
        }
        self.payments += 1;
        self.payments <= self.one_by_one
    }
}

/// A count of things since the first of them.
#[derive(Debug, Default)]
struct GatheredCount {
    since_ms: u64,
    count: u64,
}

impl GatheredCount {
    fn add(&mut self, at_ms: u64) {
        if self.count == 0 {
            self.since_ms = at_ms;
        }
        self.count += 1;
    }

    fn is_due(&self, at_ms: u64, all: bool) -> bool {
        self.count > 0 && (all || at_ms >= self.since_ms + GATHER_MS)
    }
}

impl PaymentNarrator {
    /// Knows these addresses by their names.
    pub fn new(directory: impl Iterator<Item = (Address, String)>) -> Self {
        let directory: Vec<_> = directory.collect();
        let accounts = directory.iter().map(|(address, name)| (address.account(), name.clone()));
        Self {
            accounts: accounts.collect(),
            names: directory.into_iter().map(|(address, name)| (address.to_string(), name)).collect(),
            window: PaymentWindow::new(0, ONE_BY_ONE),
            returned: GatheredCount::default(),
            given_up: BTreeMap::new(),
            blocks: Vec::new(),
            rewards: VecDeque::new(),
            pending: None,
            coins: SeenCoins::default(),
            told: VecDeque::new(),
            told_ahead: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Names an address, unless it has a name already.
    pub fn add_name(&mut self, address: String, name: String) {
        if self.names.len() < MAX_NAMES {
            self.names.entry(address).or_insert(name);
        }
    }

    /// Takes an observation of the mempool.
    pub fn observe(&mut self, at_ms: u64, observation: &MempoolObservation) {
        self.tick(at_ms);
        let mempool = || "the mempool".to_owned();
        match observation {
            MempoolObservation::Event(PoolEvent::Transaction(transaction)) => self.observe_payment(at_ms, transaction),
            // The block's own event counts its payments, and an eviction tells of a replacement.
            MempoolObservation::Event(PoolEvent::Confirmed(_) | PoolEvent::Conflict(_)) => {}
            MempoolObservation::Event(PoolEvent::Returned(_)) => self.returned.add(at_ms),
            MempoolObservation::Event(PoolEvent::Evicted(event)) => {
                self.given_up.entry(event.reason.clone()).or_default().add(at_ms);
            }
            MempoolObservation::Pending(count) => self.pending = Some(*count),
            MempoolObservation::Refused { from, to, amount, reason } => {
                if !self.window.count_one(at_ms) {
                    self.window.more_refused += 1;
                    return;
                }
                let (name, to) = (self.name(from.as_str()), self.name(to.as_str()));
                let reason = reason.replace(from.as_str(), &name);
                self.push(at_ms, RunEvent::Refused { from: name, to, amount: *amount, reason });
            }
            MempoolObservation::Silent(reason) => {
                self.push(at_ms, RunEvent::Silent { node: mempool(), reason: reason.clone() })
            }
            MempoolObservation::Back => self.push(at_ms, RunEvent::Back { node: mempool() }),
        }
    }

    /// Takes the payments in a block, and its reward in grains.
    pub fn add_block_payments(&mut self, at_ms: u64, block: BlockId, block_payments: &BlockPayments, reward: u64) {
        let amount = block_payments.payments.iter().map(|payment| u128::from(payment.amount)).sum();
        let fees: u64 = block_payments.payments.iter().map(|payment| payment.fee).fold(0, u64::saturating_add);
        let (payments, miner) = (block_payments.payments.len() as u64, self.name(&block_payments.miner));
        let event = RunEvent::Confirmed { block, payments, amount, miner, earned: reward.saturating_add(fees) };
        self.blocks.push((at_ms + ORDER_MS, event));
        if self.rewards.len() == MAX_REWARDS {
            self.rewards.pop_front();
        }
        self.rewards.push_back((block, block_payments.miner.clone()));
    }

    /// The last blocks on all branches, and the addresses that they paid a reward to.
    pub const fn rewards(&self) -> &VecDeque<(BlockId, String)> {
        &self.rewards
    }

    /// How many of these blocks each miner has found, by name; blocks whose miners are not known are those of `others`.
    pub fn miners_of(&self, blocks: &HashSet<BlockHash>) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        let known = self.rewards.iter().filter(|(block, _)| blocks.contains(&block.hash));
        let by_block: BTreeMap<BlockHash, &String> = known.map(|(block, miner)| (block.hash, miner)).collect();
        by_block.values().for_each(|miner| *counts.entry(self.name(miner)).or_default() += 1);
        let others = blocks.len().saturating_sub(by_block.len()) as u64;
        if others > 0 {
            *counts.entry(OTHERS.to_owned()).or_default() += others;
        }
        counts
    }

    /// How many payments wait for a block, if the mempool has reported it.
    pub const fn pending(&self) -> Option<u64> {
        self.pending
    }

    /// Adds the events that are due by now.
    pub fn tick(&mut self, at_ms: u64) {
        self.push_due(at_ms, false);
    }

    /// Adds the events that still wait.
    pub fn finish(&mut self, at_ms: u64) {
        self.push_due(at_ms, true);
    }

    /// Removes and returns the events, in order.
    pub fn take_events(&mut self) -> Vec<TimedEvent> {
        std::mem::take(&mut self.events)
    }

    /// Tells a payment now, unless it was told already: the story goes on with it.
    pub fn tell(&mut self, at_ms: u64, transaction: &Transaction) {
        if !self.told.contains(&transaction.id()) {
            self.push_payment(at_ms, transaction, None);
            // Few: a report that never comes is forgotten with the next ones.
            self.told_ahead.truncate(MAX_TOLD_AHEAD - 1);
            self.told_ahead.insert(0, transaction.id());
        }
    }

    fn observe_payment(&mut self, at_ms: u64, transaction: &Transaction) {
        let coins = transaction.as_spend().map(|spend| self.coins.observe(spend));
        if let Some(place) = self.told_ahead.iter().position(|told| *told == transaction.id()) {
            self.told_ahead.remove(place);
            return;
        }
        if !self.window.count_one(at_ms) {
            self.window.more += 1;
            self.window.more_amount += u128::from(transaction.transfer().amount.grains());
            return;
        }
        self.push_payment(at_ms, transaction, coins);
    }

    fn push_payment(&mut self, at_ms: u64, transaction: &Transaction, coins: Option<SpentCoins>) {
        let (id, fee, msg) = (transaction.id(), transaction.fee(), transaction.msg().to_owned());
        let Transfer { from, to, amount, .. } = transaction.transfer();
        if self.told.len() == MAX_TOLD {
            self.told.pop_front();
        }
        self.told.push_back(id);
        let from = self.name(from.as_str());
        if let Some((does, program)) = self.call(transaction) {
            return self.push(at_ms, RunEvent::Call { id, from, does, program });
        }
        if let Some(event) = transaction.as_spend().and_then(|spend| rearranged(spend, from.clone())) {
            return self.push(at_ms, event);
        }
        let to = self.name(to.as_str());
        self.push(at_ms, RunEvent::Payment { id, from, to, amount, fee, msg, coins });
    }

    /// What a call or deployment asks for, and of which program; `None` for a payment.
    fn call(&mut self, transaction: &Transaction) -> Option<(String, String)> {
        let call = transaction.as_payment()?.call().ok().flatten()?;
        let to = transaction.transfer().to;
        if transaction.call_kind() == Some(CallKind::Deploy) {
            let made = Address::of_program(new_program(&transaction.id()));
            if let Some(kind) = Kind::of_deployment(transaction) {
                self.add_name(made.to_string(), kind.name().to_owned());
            }
            return Some(("makes the".to_owned(), self.program_name(&made)));
        }
        let program = self.program_name(&to);
        let is = |kind: Kind| self.names.get(to.as_str()).is_some_and(|name| name == kind.name());
        let does = match read_transfer(&call.input) {
            Some((to, tokens)) if is(Kind::Token) => {
                let to = self.accounts.get(&to).cloned().unwrap_or_else(|| to.to_string());
                format!("moves {} to {to} with", plural(tokens, "token"))
            }
            _ if is(Kind::Faucet) => {
                let pays = Amount::new(FAUCET_PAYS).unwrap_or(Amount::ZERO);
                format!("takes {} from", lab(u128::from(pays.grains())))
            }
            _ => "calls".to_owned(),
        };
        Some((does, program))
    }

    /// The name of a program that members made, with the beginning of its account: addresses of programs look alike.
    fn program_name(&self, program: &Address) -> String {
        let account = program.account().to_string();
        let short = account.get(..SHOWN_ADDRESS).unwrap_or(&account);
        match self.names.get(program.as_str()) {
            Some(name) => format!("{name} ({short}…)"),
            None => format!("{short}…"),
        }
    }

    fn push_due(&mut self, at_ms: u64, all: bool) {
        if self.window.payments > 0 && (all || at_ms >= self.window.since_ms + WINDOW_MS) {
            let one_by_one = if self.window.payments > ONE_BY_ONE { ONE_OF_MANY } else { ONE_BY_ONE };
            let over = std::mem::replace(&mut self.window, PaymentWindow::new(at_ms, one_by_one));
            let (count, amount, refused) = (over.more, over.more_amount, over.more_refused);
            if count + refused > 0 {
                self.push(at_ms, RunEvent::Payments { count, amount, refused });
            }
        }
        let due = self.blocks.extract_if(.., |(due_ms, _)| all || at_ms >= *due_ms);
        self.events.extend(due.map(|(_, event)| TimedEvent { at_ms, event }));
        if self.returned.is_due(at_ms, all) {
            let GatheredCount { count, .. } = std::mem::take(&mut self.returned);
            self.push(at_ms, RunEvent::Returned { count });
        }
        let due = self.given_up.extract_if(.., |_, count| count.is_due(at_ms, all));
        let events = due.map(|(reason, GatheredCount { count, .. })| RunEvent::GivenUp { count, reason });
        self.events.extend(events.map(|event| TimedEvent { at_ms, event }));
    }

    fn name(&self, address: &str) -> String {
        let shortened = || format!("{}…", address.get(..SHOWN_ADDRESS).unwrap_or(address));
        self.names.get(address).cloned().unwrap_or_else(shortened)
    }

    fn push(&mut self, at_ms: u64, event: RunEvent) {
        self.events.push(TimedEvent { at_ms, event });
    }
}
