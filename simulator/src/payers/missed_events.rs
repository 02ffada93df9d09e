//! What became of payments while the mempool was away, or somebody else's place was taken by it: its events are told once.

use super::PayersInput;
use runtime::client::Client;
use shared::ledger::TransactionId;
use shared::wire::{ConfirmedEvent, EvictedEvent, PoolEvent, TransactionStatus};
use tokio::sync::mpsc::Sender;

/// Most payments that are asked for.
const MOST: usize = 1000;
/// Why the book has given up a payment that the mempool does not know.
const UNKNOWN: &str = "the mempool has forgotten it";

/// Asks the mempool for each of these payments, which it had when it was last heard of.
pub(super) async fn ask(client: Client, mempool: String, pending: Vec<TransactionId>, inputs: Sender<PayersInput>) {
    for id in pending.into_iter().take(MOST) {
        let event = match client.transaction(&mempool, &id).await {
            Ok(TransactionStatus { block: Some(block), .. }) => PoolEvent::Confirmed(ConfirmedEvent { id, block }),
            Ok(_) => continue,
            Err(error) if error.status() == Some(404) => {
                PoolEvent::Evicted(EvictedEvent { id, reason: UNKNOWN.to_owned() })
            }
            // It is away again, and will be asked again when it is back.
            Err(_) => return,
        };
        if inputs.send(PayersInput::Missed(event)).await.is_err() {
            return;
        }
    }
}
