//! The members' payments with their outcomes, and how much each member can spend. A payment that someone else makes
//! with a member's key, or that an earlier run made, is added once the mempool reports it.
//!
//! Bounded: when the book is full, the oldest payments are forgotten and only counted.

use shared::ledger::{Address, Transaction, TransactionId, Transfer};
use shared::wire::PoolEvent;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// Payments that are remembered.
const REMEMBERED: usize = 100_000;

/// Where a payment is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentState {
    /// On its way to the mempool.
    Sent,
    /// The mempool has it.
    Pending,
    /// A block on the mempool's chain has it.
    Confirmed,
    /// The mempool dropped it, for this reason.
    GivenUp(String),
}

impl PaymentState {
    const fn is_owed(&self) -> bool {
        matches!(self, Self::Sent | Self::Pending)
    }
}

#[derive(Debug)]
struct BookedPayment {
    /// The member's number.
    payer: usize,
    /// Amount and fee, in grains.
    cost: u64,
    is_accepted: bool,
    state: PaymentState,
}

/// A member's money, in grains.
#[derive(Debug, Clone, Default)]
struct MemberFunds {
    /// By the chain, as the mempool reported it last.
    balance: u64,
    /// The cost of payments that are in no block yet.
    owed: u64,
}

#[derive(Debug)]
pub struct PaymentBook {
    members: HashMap<Address, usize>,
    sent: BTreeMap<TransactionId, BookedPayment>,
    /// In the order of sending, refused payments included.
    order: VecDeque<TransactionId>,
    /// By the member's number.
    funds: Vec<MemberFunds>,
    /// Payments that the mempool has ever accepted.
    pub accepted: u64,
    /// Payments that the mempool refused, or that were lost on the way.
    pub refused: u64,
    /// Accepted payments that are no longer remembered.
    pub forgotten: u64,
}

impl PaymentBook {
    /// For members of these addresses, with a balance of 0 each.
    pub fn new(addresses: impl Iterator<Item = Address>) -> Self {
        let members: HashMap<Address, usize> = addresses.zip(0..).collect();
        Self {
            sent: BTreeMap::new(),
            order: VecDeque::new(),
            funds: vec![MemberFunds::default(); members.len()],
            members,
            accepted: 0,
            refused: 0,
            forgotten: 0,
        }
    }

    /// How many grains each member can spend without counting on pending payments.
    pub fn spendable(&self) -> Vec<u64> {
        self.funds.iter().map(|funds| funds.balance.saturating_sub(funds.owed)).collect()
    }

    /// Sets the balance that a member has by the chain.
    pub fn set_balance(&mut self, member: usize, grains: u64) {
        self.funds[member].balance = grains;
    }

    /// Adds a payment, if a member made it. It is on its way, or the mempool reported it.
    pub fn record_sent(&mut self, transaction: &Transaction) {
        let (id, Transfer { from, .. }) = (transaction.id(), transaction.transfer());
        let Some(payer) = self.members.get(&from).copied().filter(|_| !self.sent.contains_key(&id)) else { return };
        let cost = transaction.takes().iter().map(|part| part.amount.grains()).sum();
        self.sent.insert(id, BookedPayment { payer, cost, is_accepted: false, state: PaymentState::Sent });
        self.funds[payer].owed += cost;
        self.order.push_back(id);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
            && self.remove(&oldest).is_some_and(|payment| payment.is_accepted)
        {
            self.forgotten += 1;
        }
    }

    /// Records that the mempool accepted a payment.
    pub fn record_accepted(&mut self, id: TransactionId) {
        let Some(payment) = self.sent.get_mut(&id) else { return };
        self.accepted += u64::from(!std::mem::replace(&mut payment.is_accepted, true));
        if payment.state == PaymentState::Sent {
            payment.state = PaymentState::Pending;
        }
    }

    /// Records that the mempool refused a payment or that no reply came, unless the mempool has reported the payment.
    pub fn record_refused(&mut self, id: TransactionId) {
        if self.sent.get(&id).is_some_and(|payment| payment.state == PaymentState::Sent) {
            self.remove(&id);
            self.refused += 1;
        }
    }

    pub fn apply_event(&mut self, event: &PoolEvent) {
        let (id, state) = match event {
            PoolEvent::Transaction(transaction) => {
                self.record_sent(transaction);
                return self.record_accepted(transaction.id());
            }
            PoolEvent::Confirmed(event) => (event.id, PaymentState::Confirmed),
            PoolEvent::Returned(event) => (event.id, PaymentState::Pending),
            PoolEvent::Evicted(event) => (event.id, PaymentState::GivenUp(event.reason.clone())),
            // If the newcomer was taken, the eviction of the other one is told, too.
            PoolEvent::Conflict(_) => return,
        };
        self.record_accepted(id);
        let Some(payment) = self.sent.get_mut(&id) else { return };
        let funds = &mut self.funds[payment.payer];
        let before = std::mem::replace(&mut payment.state, state);
        match (before.is_owed(), payment.state.is_owed()) {
            (true, false) => funds.owed = funds.owed.saturating_sub(payment.cost),
            (false, true) => funds.owed += payment.cost,
            _ => {}
        }
        if payment.state == PaymentState::Confirmed {
            // An estimate until the mempool reports the new balance.
            funds.balance = funds.balance.saturating_sub(payment.cost);
        }
    }

    pub fn payments(&self) -> impl Iterator<Item = (&TransactionId, &PaymentState)> {
        self.sent.iter().filter(|(_, payment)| payment.is_accepted).map(|(id, payment)| (id, &payment.state))
    }

    /// The number of the member who pays, and the cost in grains.
    pub fn payer(&self, id: &TransactionId) -> Option<(usize, u64)> {
        self.sent.get(id).map(|payment| (payment.payer, payment.cost))
    }

    fn remove(&mut self, id: &TransactionId) -> Option<BookedPayment> {
        let payment = self.sent.remove(id)?;
        if payment.state.is_owed() {
            let funds = &mut self.funds[payment.payer];
            funds.owed = funds.owed.saturating_sub(payment.cost);
        }
        Some(payment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::block::{BlockHash, BlockId, Height};
    use shared::keys::KeyPair;
    use shared::ledger::{Amount, Payment, Unsigned, Uuid};
    use shared::wire::{ConfirmedEvent, EvictedEvent, ReturnedEvent};

    fn key(name: &str) -> KeyPair {
        KeyPair::from_seed(name)
    }

    /// A payment without a fee; the number makes it differ from others.
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
    fn book() -> PaymentBook {
        let mut book = PaymentBook::new(["ada", "ben"].into_iter().map(|name| key(name).address()));
        book.set_balance(0, 100);
        book
    }

    /// Ada has sent 30 of her 100, and the mempool accepted the payment.
    fn book_with_payment() -> (PaymentBook, TransactionId) {
        let (mut book, payment) = (book(), payment(1, "ada", 30));
        book.record_sent(&payment);
        book.record_accepted(payment.id());
        (book, payment.id())
    }

    fn states(book: &PaymentBook) -> Vec<PaymentState> {
        book.payments().map(|(_, state)| state.clone()).collect()
    }

    #[test]
    fn what_is_pending_cannot_be_spent_again() {
        let (mut book, id) = book_with_payment();
        assert_eq!((book.spendable(), book.accepted), (vec![70, 0], 1));
        book.apply_event(&confirmed(id));
        assert_eq!((book.spendable(), states(&book)), (vec![70, 0], vec![PaymentState::Confirmed]));
        book.set_balance(0, 70);
        assert_eq!(book.spendable(), [70, 0]);
    }

    #[test]
    fn a_returned_payment_is_owed_again() {
        let (mut book, id) = book_with_payment();
        book.apply_event(&confirmed(id));
        book.apply_event(&PoolEvent::Returned(ReturnedEvent { id }));
        book.set_balance(0, 100);
        assert_eq!((book.spendable(), states(&book)), (vec![70, 0], vec![PaymentState::Pending]));
    }

    #[test]
    fn what_is_refused_or_dropped_can_be_spent() {
        let (mut book, id) = book_with_payment();
        book.apply_event(&PoolEvent::Evicted(EvictedEvent { id, reason: "expired".to_owned(), by: None }));
        assert_eq!(
            (book.spendable(), states(&book)),
            (vec![100, 0], vec![PaymentState::GivenUp("expired".to_owned())])
        );
        let another = payment(2, "ada", 50);
        book.record_sent(&another);
        assert_eq!(book.spendable(), [50, 0]);
        book.record_refused(another.id());
        assert_eq!((book.spendable(), book.refused, book.accepted), (vec![100, 0], 1, 1));
    }

    #[test]
    fn a_payment_that_the_mempool_reports_before_it_replies_was_accepted() {
        let (mut book, payment) = (book(), payment(1, "ada", 30));
        book.record_sent(&payment);
        book.apply_event(&confirmed(payment.id()));
        // Its reply was lost on the way.
        book.record_refused(payment.id());
        book.record_accepted(payment.id());
        assert_eq!((book.accepted, book.refused, states(&book)), (1, 0, vec![PaymentState::Confirmed]));
    }

    #[test]
    fn payments_that_others_make_with_a_members_key_count_and_those_of_strangers_do_not() {
        let mut book = book();
        book.apply_event(&PoolEvent::Transaction(Box::new(payment(1, "ada", 30))));
        book.apply_event(&PoolEvent::Transaction(Box::new(payment(1, "ada", 30))));
        book.apply_event(&PoolEvent::Transaction(Box::new(payment(1, "stranger", 30))));
        assert_eq!((book.spendable(), book.accepted, states(&book)), (vec![70, 0], 1, vec![PaymentState::Pending]));
    }

    #[test]
    fn the_oldest_are_forgotten_and_counted() {
        let (mut book, _) = book_with_payment();
        let free = payment(2, "ben", 0);
        for number in 2..=u32::try_from(REMEMBERED).unwrap() + 1 {
            let free = free.as_payment().unwrap().clone();
            book.record_sent(&Payment { id: TransactionId::of(number.to_string()), ..free }.into());
        }
        assert_eq!((book.forgotten, book.sent.len(), book.funds[0].owed), (1, REMEMBERED, 0));
    }
}
