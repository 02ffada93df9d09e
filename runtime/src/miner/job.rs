//! A mining job, and how threads share its nonces.

use shared::block::{Header, HeaderFields, Nonce, Timestamp};
use shared::work::Target;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A header to find a nonce for.
#[derive(Debug, Clone, Copy)]
pub struct Job {
    /// Identifies the job in [`MinedHeader`]; the caller chooses unique ids.
    pub id: u64,
    /// The header without its nonce. Its timestamp is the earliest valid one, parent + 1 ms (docs/protocol.md §4), and
    /// follows the clock during the search.
    pub fields: HeaderFields,
    /// The nonce at which the search begins.
    pub first_nonce: Nonce,
    /// Whether the limit of the hash rate is ignored, as for `POST /mine`.
    pub full_speed: bool,
}

/// A header that meets its target.
#[derive(Debug, Clone)]
pub struct MinedHeader {
    /// The id of its job.
    pub job: u64,
    /// The sealed header; its timestamp is at most one batch older than the find.
    pub header: Header,
}

/// A job that threads are working on.
#[derive(Debug)]
pub(super) struct Search {
    pub(super) job: Job,
    pub(super) target: Target,
    next: AtomicU64,
}

impl Search {
    pub(super) fn new(job: Job) -> Self {
        Self { job, target: job.fields.difficulty.target(), next: AtomicU64::new(job.first_nonce.0) }
    }

    /// Reserves `count` nonces (wrapping around) for the caller, and returns the first.
    pub(super) fn take(&self, count: u64) -> Nonce {
        Nonce(self.next.fetch_add(count, Relaxed))
    }

    /// The header fields for a seal made at `now`.
    pub(super) fn fields_at(&self, now: Timestamp) -> HeaderFields {
        HeaderFields { timestamp: now.max(self.job.fields.timestamp), ..self.job.fields }
    }
}
