//! Transactions in the answers of a mempool, each bound to its id.
//!
//! A mempool may lie. An id is the hash of the content (docs/protocol.md §7 and §16), so an answer whose content has
//! another hash is refused here, before anybody reads, believes or signs it. Signatures are not checked: the id does
//! not cover them, and only `user bump` and `user verify` rely on them.

use crate::Error;
use crate::services::RemoteService;
use runtime::client::{self, ListPage};
use shared::ledger::{Address, Transaction, TransactionId, TransactionRules};
use shared::wire::{HistoryEntry, PoolEvent, TransactionStatus};

/// Fetches a transaction from a mempool, and checks that it is the one that was asked for.
pub(crate) async fn fetch(mempool: &RemoteService, id: TransactionId) -> Result<TransactionStatus, Error> {
    match mempool.client.transaction(&mempool.address, &id).await {
        Ok(status) if status.transaction.id() == id => {
            check(mempool, [&status.transaction])?;
            Ok(status)
        }
        Ok(status) => Err(invented(mempool, format!("asked for {id}, got {}", status.transaction.id()))),
        Err(error) if error.status() == Some(404) => Err(Error::UnknownTransaction(id)),
        Err(error) => Err(mempool.request_error("ask for the transaction")(error)),
    }
}

/// Fetches a page of the history of an address; `action` completes the sentence "cannot …".
pub(crate) async fn history(
    mempool: &RemoteService,
    of: &Address,
    before: Option<&str>,
    limit: usize,
    action: &str,
) -> Result<ListPage<HistoryEntry>, Error> {
    let page = mempool.client.history(&mempool.address, of, before, limit).await;
    let page = page.map_err(mempool.request_error(action))?;
    check(mempool, page.entries.iter().filter_map(|entry| entry.transaction.as_ref()))?;
    Ok(page)
}

/// An event of a mempool, if it is true to the ids in it.
pub(crate) fn event(event: PoolEvent, rules: &TransactionRules) -> Result<PoolEvent, client::Error> {
    if let PoolEvent::Transaction(transaction) = &event {
        let checked = transaction.check_content(rules);
        checked.map_err(|violation| client::Error::Malformed(violation.to_string()))?;
    }
    Ok(event)
}

fn check<'a>(mempool: &RemoteService, transactions: impl IntoIterator<Item = &'a Transaction>) -> Result<(), Error> {
    let rules = TransactionRules::of(&mempool.params);
    for transaction in transactions {
        transaction.check_content(&rules).map_err(|violation| invented(mempool, violation.to_string()))?;
    }
    Ok(())
}

fn invented(mempool: &RemoteService, reason: String) -> Error {
    Error::NotATransaction { origin: format!("the answer of {}", mempool.address), reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::keys::KeyPair;
    use shared::ledger::{Amount, Unsigned, Uuid};
    use shared::params::Params;

    #[test]
    fn an_event_about_an_invented_payment_is_an_error() {
        let (params, pair) = (Params::default(), KeyPair::from_seed("alice"));
        let unsigned = Unsigned {
            uuid: Uuid([1; 16]),
            from: pair.address(),
            to: KeyPair::from_seed("bob").address(),
            amount: Amount::new(7).unwrap(),
            fee: Amount::ZERO,
            msg: String::new(),
        };
        let honest = pair.sign_transaction(unsigned, params.network_id());
        let mut payment = honest.as_payment().unwrap().clone();
        payment.amount = Amount::new(7_000_000).unwrap();
        let rules = TransactionRules::of(&params);
        let checked = |transaction: Transaction| event(PoolEvent::Transaction(Box::new(transaction)), &rules);
        assert!(checked(honest).is_ok());
        let error = checked(payment.into()).unwrap_err().to_string();
        assert!(error.contains("is not the hash of this content"), "{error}");
    }
}
