//! The members' own book: what they sent, what the mempool said of it, and what each can spend. Payments that somebody
//! else makes with a member's key, or an earlier run made, are in it as soon as the mempool tells of them.
//!
//! Bounded: when it is full, the oldest payments are forgotten and counted.

use shared::ledger::{Address, Transaction, TransactionId};
use shared::wire::PoolEvent;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// Payments that are remembered.
const REMEMBERED: usize = 100_000;

/// Where a payment is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// On its way to the mempool.
    Sent,
    /// The mempool has it.
    Pending,
    /// A block has it.
    Confirmed,
    /// It left the mempool for this reason.
    GivenUp(String),
}

#[derive(Debug)]
struct Entry {
    payer: usize,
    cost: u64,
    is_accepted: bool,
    state: State,
}

/// What was sent, and what became of it.
#[derive(Debug)]
pub struct Book {
    members: HashMap<Address, usize>,
    entries: BTreeMap<TransactionId, Entry>,
    /// In the order of sending; has refused ones too.
    order: VecDeque<TransactionId>,
    /// What each member has, as far as it was told.
    balances: Vec<u64>,
    /// What each member's payments cost that no block has.
    owed: Vec<u64>,
    /// Payments that the mempool has taken.
    pub accepted: u64,
    /// Payments that it refused, or that did not come through.
    pub refused: u64,
    /// Accepted payments that had to be forgotten.
    pub forgotten: u64,
}

impl Book {
    /// A book for members of these addresses, who have nothing yet.
    pub fn new(addresses: impl Iterator<Item = Address>) -> Self {
        let members: HashMap<Address, usize> = addresses.zip(0..).collect();
        Self {
            entries: BTreeMap::new(),
            order: VecDeque::new(),
            balances: vec![0; members.len()],
            owed: vec![0; members.len()],
            members,
            accepted: 0,
            refused: 0,
            forgotten: 0,
        }
    }

    /// What each member can spend without counting on anything that is pending.
    pub fn spendable(&self) -> Vec<u64> {
        self.balances.iter().zip(&self.owed).map(|(balance, owed)| balance.saturating_sub(*owed)).collect()
    }

    /// What a member has by the chain.
    pub fn set_balance(&mut self, member: usize, grains: u64) {
        self.balances[member] = grains;
    }

    /// A member's payment is on its way, or was told of.
    pub fn sent(&mut self, transaction: &Transaction) {
        let Transaction { id, ref from, .. } = *transaction;
        let Some(payer) = self.members.get(from).copied().filter(|_| !self.entries.contains_key(&id)) else { return };
        let cost = transaction.cost().grains();
        self.entries.insert(id, Entry { payer, cost, is_accepted: false, state: State::Sent });
        self.owed[payer] += cost;
        self.order.push_back(id);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
            && self.remove(&oldest).is_some_and(|entry| entry.is_accepted)
        {
            self.forgotten += 1;
        }
    }

    /// The mempool took it.
    pub fn accepted(&mut self, id: TransactionId) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        self.accepted += u64::from(!std::mem::replace(&mut entry.is_accepted, true));
        if entry.state == State::Sent {
            entry.state = State::Pending;
        }
    }

    /// The mempool refused it, or no answer came; if it has told of it nevertheless, it was taken.
    pub fn refused(&mut self, id: TransactionId) {
        if self.entries.get(&id).is_some_and(|entry| entry.state == State::Sent) {
            self.remove(&id);
            self.refused += 1;
        }
    }

    /// Takes notice of what the mempool tells.
    pub fn hear(&mut self, event: &PoolEvent) {
        let (id, state) = match event {
            PoolEvent::Transaction(transaction) => {
                self.sent(transaction);
                return self.accepted(transaction.id);
            }
            PoolEvent::Confirmed(event) => (event.id, State::Confirmed),
            PoolEvent::Returned(event) => (event.id, State::Pending),
            PoolEvent::Evicted(event) => (event.id, State::GivenUp(event.reason.clone())),
        };
        self.accepted(id);
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let owed = |state: &State| matches!(state, State::Sent | State::Pending);
        let before = std::mem::replace(&mut entry.state, state);
        match (owed(&before), owed(&entry.state)) {
            (true, false) => self.owed[entry.payer] = self.owed[entry.payer].saturating_sub(entry.cost),
            (false, true) => self.owed[entry.payer] += entry.cost,
            _ => {}
        }
        if entry.state == State::Confirmed {
            // Until the balance is told anew.
            self.balances[entry.payer] = self.balances[entry.payer].saturating_sub(entry.cost);
        }
    }

    /// The accepted payments that are remembered.
    pub fn payments(&self) -> impl Iterator<Item = (&TransactionId, &State)> {
        self.entries.iter().filter(|(_, entry)| entry.is_accepted).map(|(id, entry)| (id, &entry.state))
    }

    fn remove(&mut self, id: &TransactionId) -> Option<Entry> {
        let entry = self.entries.remove(id)?;
        if matches!(entry.state, State::Sent | State::Pending) {
            self.owed[entry.payer] = self.owed[entry.payer].saturating_sub(entry.cost);
        }
        Some(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::block::{BlockHash, BlockId, Height};
    use shared::keys::KeyPair;
    use shared::ledger::{Amount, Unsigned, Uuid};
    use shared::wire::{ConfirmedEvent, EvictedEvent, ReturnedEvent};

    fn key(name: &str) -> KeyPair {
        KeyPair::from_seed(name)
    }

    /// A payment of so much without a fee; the number makes it differ from others.
    fn payment(number: u8, from: &str, grains: u64) -> Transaction {
        let (pair, to) = (key(from), key("somebody").address());
        let (amount, from) = (Amount::new(grains).unwrap(), pair.address());
        let unsigned = Unsigned { uuid: Uuid([number; 16]), from, to, amount, fee: Amount::ZERO, msg: String::new() };
        pair.sign_transaction(unsigned, BlockHash::ZERO)
    }

    fn confirmed(id: TransactionId) -> PoolEvent {
        let block = BlockId { index: Height(1), hash: BlockHash::ZERO };
        PoolEvent::Confirmed(ConfirmedEvent { id, block })
    }

    /// Ada has 100, and Ben nothing.
    fn book() -> Book {
        let mut book = Book::new(["ada", "ben"].into_iter().map(|name| key(name).address()));
        book.set_balance(0, 100);
        book
    }

    /// Ada has sent 30 of her 100, and the mempool took them.
    fn book_with_payment() -> (Book, TransactionId) {
        let (mut book, payment) = (book(), payment(1, "ada", 30));
        book.sent(&payment);
        book.accepted(payment.id);
        (book, payment.id)
    }

    fn states(book: &Book) -> Vec<State> {
        book.payments().map(|(_, state)| state.clone()).collect()
    }

    #[test]
    fn what_is_pending_cannot_be_spent_again() {
        let (mut book, id) = book_with_payment();
        assert_eq!((book.spendable(), book.accepted), (vec![70, 0], 1));
        book.hear(&confirmed(id));
        assert_eq!((book.spendable(), states(&book)), (vec![70, 0], vec![State::Confirmed]));
        book.set_balance(0, 70);
        assert_eq!(book.spendable(), [70, 0]);
    }

    #[test]
    fn a_returned_payment_is_owed_again() {
        let (mut book, id) = book_with_payment();
        book.hear(&confirmed(id));
        book.hear(&PoolEvent::Returned(ReturnedEvent { id }));
        book.set_balance(0, 100);
        assert_eq!((book.spendable(), states(&book)), (vec![70, 0], vec![State::Pending]));
    }

    #[test]
    fn what_is_refused_or_given_up_can_be_spent() {
        let (mut book, id) = book_with_payment();
        book.hear(&PoolEvent::Evicted(EvictedEvent { id, reason: "expired".to_owned() }));
        assert_eq!((book.spendable(), states(&book)), (vec![100, 0], vec![State::GivenUp("expired".to_owned())]));
        let another = payment(2, "ada", 50);
        book.sent(&another);
        assert_eq!(book.spendable(), [50, 0]);
        book.refused(another.id);
        assert_eq!((book.spendable(), book.refused, book.accepted), (vec![100, 0], 1, 1));
    }

    #[test]
    fn a_payment_that_the_mempool_tells_of_before_it_answers_was_accepted() {
        let (mut book, payment) = (book(), payment(1, "ada", 30));
        book.sent(&payment);
        book.hear(&confirmed(payment.id));
        // Its answer was lost on the way.
        book.refused(payment.id);
        book.accepted(payment.id);
        assert_eq!((book.accepted, book.refused, states(&book)), (1, 0, vec![State::Confirmed]));
    }

    #[test]
    fn payments_that_others_make_with_a_members_key_count_and_those_of_strangers_do_not() {
        let mut book = book();
        book.hear(&PoolEvent::Transaction(Box::new(payment(1, "ada", 30))));
        book.hear(&PoolEvent::Transaction(Box::new(payment(1, "ada", 30))));
        book.hear(&PoolEvent::Transaction(Box::new(payment(1, "stranger", 30))));
        assert_eq!((book.spendable(), book.accepted, states(&book)), (vec![70, 0], 1, vec![State::Pending]));
    }

    #[test]
    fn the_oldest_are_forgotten_and_counted() {
        let (mut book, _) = book_with_payment();
        let free = payment(2, "ben", 0);
        for number in 2..=u32::try_from(REMEMBERED).unwrap() + 1 {
            book.sent(&Transaction { id: TransactionId::of(number.to_string()), ..free.clone() });
        }
        assert_eq!((book.forgotten, book.entries.len(), book.owed[0]), (1, REMEMBERED, 0));
    }
}
