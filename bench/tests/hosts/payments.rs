//! Payments, and what became of them.

use crate::host_process::HostProcess;
use futures_util::StreamExt;
use runtime::client::{Error, Unprocessed};
use shared::block::BlockHash;
use shared::keys::KeyPair;
use shared::ledger::{Amount, Transaction, TransactionId, Unsigned, Uuid};
use shared::wire::{MAX_UNPROCESSED, PoolEvent, PoolOrder, TransactionState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use testkit::{DEADLINE, client, until_ok};
use tokio::task::JoinHandle;

/// Grains of every address at the start, on networks with payments.
pub(crate) const FUNDS: u64 = 1_000_000;
/// Fee of each payment, in grains.
pub(crate) const FEE: u64 = 1000;

/// A payment between two seeds; `n` makes it differ from others.
pub(crate) fn payment(from: &str, to: &str, grains: u64, n: u128, network: BlockHash) -> Transaction {
    let (pair, to) = (KeyPair::from_seed(from), KeyPair::from_seed(to).address());
    let (amount, fee) = (Amount::new(grains).unwrap(), Amount::new(FEE).unwrap());
    let unsigned = Unsigned { uuid: Uuid(n.to_be_bytes()), from: pair.address(), to, amount, fee, msg: String::new() };
    pair.sign_transaction(unsigned, network)
}

/// Pushes a payment, which must be accepted.
pub(crate) async fn push(mempool: &HostProcess, payment: &Transaction) {
    let pushed = client().push_transaction(&mempool.address, payment).await.unwrap();
    assert_eq!(pushed.id, payment.id());
}

/// What a mempool knows about a payment.
#[derive(Debug, PartialEq)]
pub(crate) enum PaymentOutcome {
    Confirmed,
    Pending,
    /// Known from a block that was undone, and kept though its sender cannot pay it on this chain.
    Uncovered,
    /// Unknown, and refused with this reason.
    Refused(String),
}

/// Asks a mempool about a payment; pushes it again if it is unknown.
pub(crate) async fn outcome(mempool: &HostProcess, payment: &Transaction) -> Result<PaymentOutcome, String> {
    let state = state(mempool, &payment.id()).await?;
    if state == Some(TransactionState::Confirmed) {
        return Ok(PaymentOutcome::Confirmed);
    }
    if state == Some(TransactionState::Pending) {
        let listed = client().unprocessed(&mempool.address, PoolOrder::Age, MAX_UNPROCESSED, None).await;
        let Unprocessed::Pending { transactions, .. } = listed.map_err(|error| error.to_string())? else {
            return Err("a list that was not asked for before is unchanged".to_owned());
        };
        // It may have been confirmed since it was looked up.
        let is_listed = transactions.iter().any(|listed| listed.id() == payment.id());
        let is_pending = is_listed || self::state(mempool, &payment.id()).await? != Some(TransactionState::Pending);
        return Ok(if is_pending { PaymentOutcome::Pending } else { PaymentOutcome::Uncovered });
    }
    match client().push_transaction(&mempool.address, payment).await {
        Ok(_) => Ok(PaymentOutcome::Pending),
        Err(Error::Refused(problem)) => match problem.rule {
            Some(rule) => Ok(PaymentOutcome::Refused(format!("{rule}: {}", problem.detail))),
            None => Err(format!("refused without a rule: {}", problem.detail)),
        },
        Err(error) => Err(error.to_string()),
    }
}

/// The state of a payment, if the mempool knows it.
async fn state(mempool: &HostProcess, id: &TransactionId) -> Result<Option<TransactionState>, String> {
    match client().transaction(&mempool.address, id).await {
        Ok(status) => Ok(Some(status.status)),
        Err(error) if error.status() == Some(404) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// Waits until a mempool confirms all transactions.
pub(crate) async fn all_confirmed(mempool: &HostProcess, ids: &[TransactionId]) {
    until_ok("all payments are confirmed", DEADLINE * 2, async || {
        for id in ids {
            match client().confirmations(&mempool.address, id).await {
                Ok(0) => return Err(format!("{id} is pending")),
                Ok(_) => {}
                Err(error) => return Err(format!("{id}: {error}")),
            }
        }
        Ok(())
    })
    .await;
}

/// Counts a mempool's events of payments that returned to the pool from undone blocks.
pub(crate) struct ReturnedCounter {
    count: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl ReturnedCounter {
    pub(crate) async fn listen(mempool: &HostProcess) -> Self {
        let count = Arc::<AtomicU64>::default();
        let counted = Arc::clone(&count);
        let mut events = Box::pin(client().pool_events(&mempool.address).await.unwrap());
        let task = tokio::spawn(async move {
            while let Some(Ok(event)) = events.next().await {
                if matches!(event, PoolEvent::Returned(_)) {
                    counted.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        Self { count, task }
    }

    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}

impl Drop for ReturnedCounter {
    fn drop(&mut self) {
        self.task.abort();
    }
}
