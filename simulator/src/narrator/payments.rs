//! Makes a story of payments: what the mempool and the blocks tell in, [`Told`] out.
//!
//! Pure, like the narrator of blocks. Few payments a second are told one by one; of many, the first of each second and
//! the sum of the others, so that any rate can be read. What blocks confirm is told a moment later, after the block itself.

use crate::economy::PoolSeen;
use crate::ledger::Bundle;
use crate::tale::{Tale, Told};
use shared::block::BlockId;
use shared::ledger::{Address, Transaction};
use shared::wire::PoolEvent;
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
    window: Window,
    returned: Gathered,
    given_up: BTreeMap<String, Gathered>,
    blocks: Vec<(u64, Tale)>,
    pending: Option<u64>,
    told: Vec<Told>,
}

/// The payments of a second.
#[derive(Debug)]
struct Window {
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

impl Window {
    const fn new(since_ms: u64, one_by_one: u64) -> Self {
        Self { since_ms, payments: 0, one_by_one, more: 0, more_amount: 0, more_refused: 0 }
    }

    /// Whether one more payment is told by itself.
    const fn tells_one_more(&mut self, at_ms: u64) -> bool {
        if self.payments == 0 {
            self.since_ms = at_ms;
        }
        self.payments += 1;
        self.payments <= self.one_by_one
    }
}

/// Things that are counted since a moment.
#[derive(Debug, Default)]
struct Gathered {
    since_ms: u64,
    count: u64,
}

impl Gathered {
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
            window: Window::new(0, ONE_BY_ONE),
            returned: Gathered::default(),
            given_up: BTreeMap::new(),
            blocks: Vec::new(),
            pending: None,
            told: Vec::new(),
        }
    }

    /// Whoever is at `address` is called `name`, unless they have a name already.
    pub fn call(&mut self, address: String, name: String) {
        if self.names.len() < MOST_NAMES {
            self.names.entry(address).or_insert(name);
        }
    }

    /// Takes what was seen of the mempool.
    pub fn see(&mut self, at_ms: u64, seen: &PoolSeen) {
        self.tick(at_ms);
        let mempool = || "the mempool".to_owned();
        match seen {
            PoolSeen::Event(PoolEvent::Transaction(transaction)) => self.see_payment(at_ms, transaction),
            // Blocks tell it themselves.
            PoolSeen::Event(PoolEvent::Confirmed(_)) => {}
            PoolSeen::Event(PoolEvent::Returned(_)) => self.returned.add(at_ms),
            PoolSeen::Event(PoolEvent::Evicted(event)) => {
                self.given_up.entry(event.reason.clone()).or_default().add(at_ms);
            }
            PoolSeen::Pending(count) => self.pending = Some(*count),
            PoolSeen::Refused { from, to, amount, reason } => {
                if !self.window.tells_one_more(at_ms) {
                    self.window.more_refused += 1;
                    return;
                }
                let (name, to) = (self.name(from.as_str()), self.name(to.as_str()));
                let reason = reason.replace(from.as_str(), &name);
                self.tell(at_ms, Tale::Refused { from: name, to, amount: *amount, reason });
            }
            PoolSeen::Silent(reason) => self.tell(at_ms, Tale::Silent { node: mempool(), reason: reason.clone() }),
            PoolSeen::Back => self.tell(at_ms, Tale::Back { node: mempool() }),
        }
    }

    /// Takes what a block says of money.
    pub fn see_bundle(&mut self, at_ms: u64, block: BlockId, bundle: &Bundle, reward: u64) {
        let amount = bundle.payments.iter().map(|payment| u128::from(payment.amount)).sum();
        let fees: u64 = bundle.payments.iter().map(|payment| payment.fee).fold(0, u64::saturating_add);
        let (payments, miner) = (bundle.payments.len() as u64, self.name(&bundle.miner));
        let tale = Tale::Confirmed { block, payments, amount, miner, earned: reward.saturating_add(fees) };
        self.blocks.push((at_ms + ORDER_MS, tale));
    }

    /// Payments that wait for a block, if the mempool has said.
    pub const fn pending(&self) -> Option<u64> {
        self.pending
    }

    /// Gathers what is due by now.
    pub fn tick(&mut self, at_ms: u64) {
        self.gather(at_ms, false);
    }

    /// Gathers all that is left.
    pub fn finish(&mut self, at_ms: u64) {
        self.gather(at_ms, true);
    }

    /// What is to be told now, in order.
    pub fn take(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.told)
    }

    fn see_payment(&mut self, at_ms: u64, transaction: &Transaction) {
        let Transaction { id, from, to, amount, fee, msg, .. } = transaction;
        if !self.window.tells_one_more(at_ms) {
            self.window.more += 1;
            self.window.more_amount += u128::from(amount.grains());
            return;
        }
        let (from, to) = (self.name(from.as_str()), self.name(to.as_str()));
        self.tell(at_ms, Tale::Payment { id: *id, from, to, amount: *amount, fee: *fee, msg: msg.clone() });
    }

    fn gather(&mut self, at_ms: u64, all: bool) {
        if self.window.payments > 0 && (all || at_ms >= self.window.since_ms + WINDOW_MS) {
            let one_by_one = if self.window.payments > ONE_BY_ONE { ONE_OF_MANY } else { ONE_BY_ONE };
            let over = std::mem::replace(&mut self.window, Window::new(at_ms, one_by_one));
            let (count, amount, refused) = (over.more, over.more_amount, over.more_refused);
            if count + refused > 0 {
                self.tell(at_ms, Tale::Payments { count, amount, refused });
            }
        }
        let due = self.blocks.extract_if(.., |(due_ms, _)| all || at_ms >= *due_ms);
        self.told.extend(due.map(|(_, tale)| Told { at_ms, tale }));
        if self.returned.is_due(at_ms, all) {
            let Gathered { count, .. } = std::mem::take(&mut self.returned);
            self.tell(at_ms, Tale::Returned { count });
        }
        let due = self.given_up.extract_if(.., |_, gathered| gathered.is_due(at_ms, all));
        let tales = due.map(|(reason, Gathered { count, .. })| Tale::GivenUp { count, reason });
        self.told.extend(tales.map(|tale| Told { at_ms, tale }));
    }

    fn name(&self, address: &str) -> String {
        let stranger = || format!("{}…", address.get(..SHOWN_ADDRESS).unwrap_or(address));
        self.names.get(address).cloned().unwrap_or_else(stranger)
    }

    fn tell(&mut self, at_ms: u64, tale: Tale) {
        self.told.push(Told { at_ms, tale });
    }
}
