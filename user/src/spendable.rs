//! The money that an address can spend now: its confirmed balance less its pending payments.
//!
//! Pending incoming payments do not count; the mempool does not count them either.

use crate::Error;
use crate::answers;
use crate::services::RemoteService;
use shared::ledger::{Address, Amount};
use shared::wire::TransactionState;

/// Entries to ask for in a page of history: the most that a mempool returns.
const PAGE: usize = 200;
/// Pages to read at most: more than a mempool's limit of pending payments of one sender.
const MAX_PAGES: usize = 300;

/// The money of one address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Spendable {
    /// Balance in the chain.
    pub(crate) confirmed: Amount,
    /// Pending payments from the address, with their fees.
    pub(crate) outgoing: Amount,
    /// Pending payments to the address.
    pub(crate) incoming: Amount,
}

impl Spendable {
    /// Asks a mempool for the balance and the pending payments.
    pub(crate) async fn of(mempool: &RemoteService, address: &Address) -> Result<Self, Error> {
        let action = format!("ask for the balance of {}", address.short());
        // The balance is read first: a payment that a block confirms between the two requests then counts in neither
        // figure, instead of in both.
        let confirmed = mempool
            .client
            .balance(&mempool.address, address, 1)
            .await
            .map_err(mempool.request_error(action.as_str()))?;
        let mut spendable = Self { confirmed: Amount::new(confirmed).unwrap_or(Amount::MAX), ..Self::default() };
        let mut before = None;
        for _ in 0..MAX_PAGES {
            let page = answers::history(mempool, address, before.as_deref(), PAGE, &action).await?;
            for entry in &page.entries {
                // Pending entries come first.
                if entry.status == TransactionState::Confirmed {
                    return Ok(spendable);
                }
                let Some(payment) = &entry.transaction else { continue };
                for part in payment.takes().iter().filter(|part| part.address == *address) {
                    spendable.outgoing = spendable.outgoing.checked_add(part.amount).unwrap_or(Amount::MAX);
                }
                for part in payment.gives().iter().filter(|part| part.address == *address) {
                    spendable.incoming = spendable.incoming.checked_add(part.amount).unwrap_or(Amount::MAX);
                }
            }
            match page.next {
                Some(next) => before = Some(next),
                None => break,
            }
        }
        Ok(spendable)
    }

    /// What is left for a new payment and its fee.
    pub(crate) fn available(&self) -> Amount {
        self.confirmed.checked_sub(self.outgoing).unwrap_or_default()
    }

    /// Fails if the payment is not covered, which every mempool would refuse.
    pub(crate) fn check_covers(&self, who: &str, amount: Amount, fee: Amount) -> Result<(), Error> {
        let needed = amount.checked_add(fee).unwrap_or(Amount::MAX);
        if self.available() >= needed {
            return Ok(());
        }
        Err(Error::InsufficientBalance { who: who.to_owned(), amount, fee, needed, has: self.summary() })
    }

    fn summary(&self) -> String {
        let mut words = format!("it has {} LAB", self.confirmed);
        if self.outgoing > Amount::ZERO {
            words += &format!(", of which {} LAB are on their way out, so {} LAB", self.outgoing, self.available());
        }
        if self.incoming > Amount::ZERO {
            words += &format!("; {} LAB on their way in count once they are confirmed", self.incoming);
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grains(grains: u64) -> Amount {
        Amount::new(grains).unwrap()
    }

    #[test]
    fn what_is_on_its_way_out_cannot_be_spent_again() {
        let spendable = Spendable { confirmed: grains(100), outgoing: grains(40), incoming: grains(1000) };
        assert_eq!(spendable.available(), grains(60));
        spendable.check_covers("x", grains(50), grains(10)).unwrap();
        let error = spendable.check_covers("alice", grains(51), grains(10)).unwrap_err().to_string();
        for words in
            ["alice cannot pay", "0.00000061 LAB", "0.000001 LAB", "0.0000004 LAB", "0.0000006 LAB", "0.00001 LAB"]
        {
            assert!(error.contains(words), "{words}: {error}");
        }
    }

    #[test]
    fn more_than_there_can_be_is_not_covered() {
        let spendable = Spendable { confirmed: Amount::MAX, ..Spendable::default() };
        spendable.check_covers("x", Amount::MAX, Amount::ZERO).unwrap();
        let poor = Spendable { confirmed: grains(5), outgoing: grains(9), ..Spendable::default() };
        assert_eq!(poor.available(), Amount::ZERO);
        poor.check_covers("x", grains(1), Amount::ZERO).unwrap_err();
    }
}
