//! Makes a story of payments: what the mempool and the blocks tell in, [`TimedEvent`] out.
//!
//! Pure, like the narrator of blocks. Few payments a second are told one by one; of many, the first of each second and
//! the sum of the others, so that any rate can be read. What blocks confirm is told a moment later, after the block itself.

use crate::event::{RunEvent, TimedEvent};
use crate::payers::MempoolObservation;
use crate::replayed_ledger::BlockPayments;
use shared::ledger::{Address, Transaction};
use shared::wire::{BlockId, PoolEvent};
use std::collections::{BTreeMap, HashMap};

/// How long payments are counted together.
const WINDOW_MS: u64 = 1000;
/// Payments of a window that are told one by one …
const ONE_BY_ONE: u64 = 5;
/// … and where the window before had more than these.
const ONE_OF_MANY: u64 = 1;
/// How long returned and given up payments are gathered.
const GATHER_MS: u64 = 250;
/// How long a block's payments wait for the block itself to be told.
const ORDER_MS: u64 = 150;
/// Most people who are known by name.
const MOST_NAMES: usize = 1000;
/// Characters of an address that nobody is known by.
const SHOWN_ADDRESS: usize = 10;

/// Turns what is seen of money into what is told to people.
#[derive(Debug)]
pub struct PaymentNarrator {
    names: HashMap<String, String>,
    window: PaymentWindow,
    returned: GatheredCount,
    given_up: BTreeMap<String, GatheredCount>,
    blocks: Vec<(u64, RunEvent)>,
    pending: Option<u64>,
    events: Vec<TimedEvent>,
}

/// The payments of a second.
#[derive(Debug)]
struct PaymentWindow {
    since_ms: u64,
    /// How many, refused ones too.
    payments: u64,
    /// How many of them are told one by one.
    one_by_one: u64,
    /// Those that are not: how many, and what they move.
    more: u64,
    more_amount: u128,
    more_refused: u64,
}

impl PaymentWindow {
    const fn new(since_ms: u64, one_by_one: u64) -> Self {
        Self { since_ms, payments: 0, one_by_one, more: 0, more_amount: 0, more_refused: 0 }
    }

    /// Whether one more payment is told by itself.
    const fn has_room_for_one(&mut self, at_ms: u64) -> bool {
        if self.payments == 0 {
            self.since_ms = at_ms;
        }
        self.payments += 1;
        self.payments <= self.one_by_one
    }
}

/// Things that are counted since a moment.
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
    /// Among people of these addresses and names.
    pub fn new(directory: impl Iterator<Item = (Address, String)>) -> Self {
        Self {
            names: directory.map(|(address, name)| (address.to_string(), name)).collect(),
            window: PaymentWindow::new(0, ONE_BY_ONE),
            returned: GatheredCount::default(),
            given_up: BTreeMap::new(),
            blocks: Vec::new(),
            pending: None,
            events: Vec::new(),
        }
    }

    /// Whoever is at `address` is called `name`, unless they have a name already.
    pub fn add_name(&mut self, address: String, name: String) {
        if self.names.len() < MOST_NAMES {
            self.names.entry(address).or_insert(name);
        }
    }

    /// Takes what was seen of the mempool.
    pub fn observe(&mut self, at_ms: u64, seen: &MempoolObservation) {
        self.tick(at_ms);
        let mempool = || "the mempool".to_owned();
        match seen {
            MempoolObservation::Event(PoolEvent::Transaction(transaction)) => self.observe_payment(at_ms, transaction),
            // Blocks tell it themselves.
            MempoolObservation::Event(PoolEvent::Confirmed(_)) => {}
            MempoolObservation::Event(PoolEvent::Returned(_)) => self.returned.add(at_ms),
            MempoolObservation::Event(PoolEvent::Evicted(event)) => {
                self.given_up.entry(event.reason.clone()).or_default().add(at_ms);
            }
            MempoolObservation::Pending(count) => self.pending = Some(*count),
            MempoolObservation::Refused { from, to, amount, reason } => {
                if !self.window.has_room_for_one(at_ms) {
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

    /// Takes what a block says of money.
    pub fn add_block_payments(&mut self, at_ms: u64, block: BlockId, bundle: &BlockPayments, reward: u64) {
        let amount = bundle.payments.iter().map(|payment| u128::from(payment.amount)).sum();
        let fees: u64 = bundle.payments.iter().map(|payment| payment.fee).fold(0, u64::saturating_add);
        let (payments, miner) = (bundle.payments.len() as u64, self.name(&bundle.miner));
        let event = RunEvent::Confirmed { block, payments, amount, miner, earned: reward.saturating_add(fees) };
        self.blocks.push((at_ms + ORDER_MS, event));
    }

    /// Payments that wait for a block, if the mempool has said.
    pub const fn pending(&self) -> Option<u64> {
        self.pending
    }

    /// Gathers what is due by now.
    pub fn tick(&mut self, at_ms: u64) {
        self.push_due(at_ms, false);
    }

    /// Gathers all that is left.
    pub fn finish(&mut self, at_ms: u64) {
        self.push_due(at_ms, true);
    }

    /// What is to be told now, in order.
    pub fn take_events(&mut self) -> Vec<TimedEvent> {
        std::mem::take(&mut self.events)
    }

    fn observe_payment(&mut self, at_ms: u64, transaction: &Transaction) {
        let Transaction { id, from, to, amount, fee, msg, .. } = transaction;
        if !self.window.has_room_for_one(at_ms) {
            self.window.more += 1;
            self.window.more_amount += u128::from(amount.grains());
            return;
        }
        let (from, to) = (self.name(from.as_str()), self.name(to.as_str()));
        self.push(at_ms, RunEvent::Payment { id: *id, from, to, amount: *amount, fee: *fee, msg: msg.clone() });
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
        let due = self.given_up.extract_if(.., |_, gathered| gathered.is_due(at_ms, all));
        let events = due.map(|(reason, GatheredCount { count, .. })| RunEvent::GivenUp { count, reason });
        self.events.extend(events.map(|event| TimedEvent { at_ms, event }));
    }

    fn name(&self, address: &str) -> String {
        let stranger = || format!("{}…", address.get(..SHOWN_ADDRESS).unwrap_or(address));
        self.names.get(address).cloned().unwrap_or_else(stranger)
    }

    fn push(&mut self, at_ms: u64, event: RunEvent) {
        self.events.push(TimedEvent { at_ms, event });
    }
}
