//! What an address can spend now: what is confirmed, less what it has already sent.
//!
//! What is on its way in does not count, as the mempool does not count it either.

use crate::Error;
use crate::services::Found;
use shared::ledger::{Address, Amount};
use shared::wire::TransactionState;

/// Entries of a page of history: as many as a mempool gives.
const PAGE: usize = 200;
/// Most pages that are read: more than a mempool lets one sender have pending.
const MOST_PAGES: usize = 300;

/// Money of one address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Funds {
    /// In the chain.
    pub(crate) confirmed: Amount,
    /// On its way out, fees included.
    pub(crate) outgoing: Amount,
    /// On its way in.
    pub(crate) incoming: Amount,
}

impl Funds {
    /// Asks a mempool.
    pub(crate) async fn of(found: &Found, address: &Address) -> Result<Self, Error> {
        let action = || format!("ask for the balance of {}", address.short());
        // The balance first: what a block confirms in between is then seen as pending no more, and counted at most once.
        let confirmed = found.client.balance(&found.at, address, 1).await.map_err(found.failed(action()))?;
        let mut funds = Self { confirmed: Amount::new(confirmed).unwrap_or(Amount::MAX), ..Self::default() };
        let mut before = None;
        for _ in 0..MOST_PAGES {
            let page = found.client.history(&found.at, address, before.as_deref(), PAGE).await;
            let page = page.map_err(found.failed(action()))?;
            for entry in &page.entries {
                // Pending ones come first.
                if entry.status == TransactionState::Confirmed {
                    return Ok(funds);
                }
                let Some(payment) = &entry.transaction else { continue };
                if payment.from == *address {
                    funds.outgoing = funds.outgoing.checked_add(payment.cost()).unwrap_or(Amount::MAX);
                }
                if payment.to == *address {
                    funds.incoming = funds.incoming.checked_add(payment.amount).unwrap_or(Amount::MAX);
                }
            }
            match page.next {
                Some(next) => before = Some(next),
                None => break,
            }
        }
        Ok(funds)
    }

    /// What a new payment and its fee may take.
    pub(crate) fn spendable(&self) -> Amount {
        self.confirmed.checked_sub(self.outgoing).unwrap_or_default()
    }

    /// Refuses a payment that would be refused by everybody.
    pub(crate) fn cover(&self, who: &str, amount: Amount, fee: Amount) -> Result<(), Error> {
        let needed = amount.checked_add(fee).unwrap_or(Amount::MAX);
        if self.spendable() >= needed {
            return Ok(());
        }
        Err(Error::Balance { who: who.to_owned(), amount, fee, needed, has: self.in_words() })
    }

    fn in_words(&self) -> String {
        let mut words = format!("it has {} LAB", self.confirmed);
        if self.outgoing > Amount::ZERO {
            words += &format!(", of which {} LAB are on their way out, so {} LAB", self.outgoing, self.spendable());
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
        let funds = Funds { confirmed: grains(100), outgoing: grains(40), incoming: grains(1000) };
        assert_eq!(funds.spendable(), grains(60));
        funds.cover("x", grains(50), grains(10)).unwrap();
        let error = funds.cover("alice", grains(51), grains(10)).unwrap_err().to_string();
        for words in
            ["alice cannot pay", "0.00000061 LAB", "0.000001 LAB", "0.0000004 LAB", "0.0000006 LAB", "0.00001 LAB"]
        {
            assert!(error.contains(words), "{words}: {error}");
        }
    }

    #[test]
    fn more_than_there_can_be_is_not_covered() {
        let funds = Funds { confirmed: Amount::MAX, ..Funds::default() };
        funds.cover("x", Amount::MAX, Amount::ZERO).unwrap();
        let poor = Funds { confirmed: grains(5), outgoing: grains(9), ..Funds::default() };
        assert_eq!(poor.spendable(), Amount::ZERO);
        poor.cover("x", grains(1), Amount::ZERO).unwrap_err();
    }
}
