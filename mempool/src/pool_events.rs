//! What subscribers learn of changes of the pool.

use shared::pool::{EvictionReason, PoolNews};
use shared::wire::{ConfirmedEvent, ConflictEvent, EvictedEvent, PoolEvent, ReturnedEvent};
use std::sync::Arc;

/// The events of one change: a replacement is also an attempt to spend a coin twice.
pub(crate) fn events_of(news: PoolNews) -> Vec<PoolEvent> {
    match news {
        PoolNews::Accepted(transaction) => vec![PoolEvent::Transaction(Box::new(Arc::unwrap_or_clone(transaction)))],
        PoolNews::Confirmed { id, block } => vec![PoolEvent::Confirmed(ConfirmedEvent { id, block })],
        PoolNews::Returned(id) => vec![PoolEvent::Returned(ReturnedEvent { id })],
        PoolNews::Conflict { coin, pending, newcomer } => {
            vec![PoolEvent::Conflict(ConflictEvent { coin, pending, newcomer, taken: true })]
        }
        PoolNews::Evicted { id, reason } => {
            let (by, conflict) = match reason {
                EvictionReason::Replaced { by, coin } => {
                    let conflict = ConflictEvent { coin, pending: id, newcomer: by, taken: true };
                    (Some(by), Some(PoolEvent::Conflict(conflict)))
                }
                _ => (None, None),
            };
            let evicted = PoolEvent::Evicted(EvictedEvent { id, reason: reason.name().to_owned(), by });
            conflict.into_iter().chain([evicted]).collect()
        }
    }
}
