//! What a miner searches, and how its threads share the nonces.

use shared::block::{Header, HeaderFields, Nonce, Timestamp};
use shared::work::Target;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A header to find a nonce for.
#[derive(Debug, Clone, Copy)]
pub struct Job {
    /// Names the job in [`MinedHeader`]; the caller gives each job another.
    pub id: u64,
    /// The header; its timestamp is the earliest that will do, parent + 1 ms (docs/protocol.md §4), and moves with the
    /// clock while the search goes on.
    pub fields: HeaderFields,
    /// Where the search begins.
    pub first_nonce: Nonce,
    /// Whether to ignore the limit of the hash rate (`POST /mine`).
    pub full_speed: bool,
}

/// A header that meets its target.
#[derive(Debug, Clone)]
pub struct MinedHeader {
    /// The job that it was found for.
    pub job: u64,
    /// The sealed header, its timestamp at most a batch older than the find.
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

    /// The first of `count` nonces (wrapping around) that no other call of this search gets.
    pub(super) fn take(&self, count: u64) -> Nonce {
        Nonce(self.next.fetch_add(count, Relaxed))
    }

    /// The header to seal at `now`.
    pub(super) fn fields_at(&self, now: Timestamp) -> HeaderFields {
        HeaderFields { timestamp: now.max(self.job.fields.timestamp), ..self.job.fields }
    }
}
