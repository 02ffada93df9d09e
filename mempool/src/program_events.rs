//! What subscribers learn of confirmed calls: their receipts and logs, briefly. `/receipt` and `/logs` have all of it.

use runtime::server::ServerEvent;
use shared::block::BlockId;
use shared::chain::ChainSnapshot;
use shared::layer::program;
use shared::ledger::Bundle;
use shared::program::HexBytes;
use shared::store::StoreError;
use shared::wire::{LogEvent, PoolEvent, ReceiptEvent};

/// Most bytes of a log's data in an event.
const MAX_DATA: usize = 1024;

/// An event of a mempool.
#[derive(Debug)]
pub(crate) enum MempoolEvent {
    Pool(PoolEvent),
    Receipt(ReceiptEvent),
    Log(LogEvent),
}

impl TryFrom<&MempoolEvent> for ServerEvent {
    type Error = serde_json::Error;

    fn try_from(event: &MempoolEvent) -> Result<Self, serde_json::Error> {
        match event {
            MempoolEvent::Pool(event) => Self::try_from(event),
            MempoolEvent::Receipt(data) => Self::new("receipt", data),
            MempoolEvent::Log(data) => Self::new("log", data),
        }
    }
}

/// Adds the events of a confirmed block to `events`, which hold at most `limit`.
pub(crate) fn add_events(
    snapshot: &ChainSnapshot,
    block: BlockId,
    bundle: &Bundle,
    limit: usize,
    events: &mut Vec<MempoolEvent>,
) -> Result<(), StoreError> {
    for transaction in bundle.transactions.iter().filter(|transaction| transaction.call_kind().is_some()) {
        if events.len() >= limit {
            break;
        }
        let Some(receipt) = program::receipt(snapshot, &transaction.id())? else { continue };
        events.push(MempoolEvent::Receipt(ReceiptEvent {
            id: receipt.id,
            status: receipt.status,
            program: receipt.program,
            gas_used: receipt.gas_used,
            block,
        }));
        let room = limit.saturating_sub(events.len());
        events.extend(receipt.logs.into_iter().take(room).map(|log| {
            MempoolEvent::Log(LogEvent {
                address: log.address,
                topics: log.topics,
                data_bytes: log.data.0.len() as u64,
                data: HexBytes(log.data.0[..log.data.0.len().min(MAX_DATA)].to_vec()),
                transaction: receipt.id,
                block,
            })
        }));
    }
    Ok(())
}
