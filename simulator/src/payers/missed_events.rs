//! Outcomes of payments that were missed while the mempool's event stream was broken, or while another mempool took
//! over: a mempool sends each event only once.

use super::PayersInput;
use runtime::client::Client;
use shared::ledger::TransactionId;
use shared::wire::{ConfirmedEvent, EvictedEvent, PoolEvent, TransactionStatus};
use tokio::sync::mpsc::Sender;

/// Most payments that are looked up.
const MAX_PAYMENTS: usize = 1000;
/// The reason that the book records for a payment which the mempool does not know.
const UNKNOWN: &str = "the mempool has forgotten it";

/// Looks up each of these payments, which were pending when the stream broke.
pub(super) async fn fetch(client: Client, mempool: String, pending: Vec<TransactionId>, inputs: Sender<PayersInput>) {
    for id in pending.into_iter().take(MAX_PAYMENTS) {
        let event = match client.transaction(&mempool, &id).await {
            Ok(TransactionStatus { block: Some(block), .. }) => PoolEvent::Confirmed(ConfirmedEvent { id, block }),
            Ok(_) => continue,
            Err(error) if error.status() == Some(404) => {
                PoolEvent::Evicted(EvictedEvent { id, reason: UNKNOWN.to_owned(), by: None })
            }
            // The mempool is away again; the next attempt comes when it is back.
            Err(_) => return,
        };
        if inputs.send(PayersInput::Missed(event)).await.is_err() {
            return;
        }
    }
}
