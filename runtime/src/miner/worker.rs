//! One mining thread: searches a batch of nonces, checks whether anything changed, and takes the next batch.

use super::job::{MinedHeader, Search};
use super::{MinerCore, MinerState};
use shared::block::Header;
use std::sync::atomic::Ordering::Acquire;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// Duration of a batch: a new job waits no longer for a thread, and the timestamp of a block is its time of find.
const BATCH: Duration = Duration::from_micros(500);
const SMALLEST_BATCH: u64 = 64;
const LARGEST_BATCH: u64 = 1 << 17;

/// The next work of a thread.
struct Turn {
    search: Arc<Search>,
    /// The version of the state from which this was decided.
    version: u64,
    /// The hashes that the throttle allows; `None` without a throttle.
    booked: Option<u64>,
}

/// Runs until the miner stops.
pub(super) fn run(core: &MinerCore) {
    let mut batch = SMALLEST_BATCH;
    while let Some(turn) = next_turn(core, batch) {
        match turn.booked {
            Some(count) => {
                search_batch(core, &turn.search, count, &mut batch);
            }
            None => {
                while core.version.load(Acquire) == turn.version {
                    let count = batch;
                    search_batch(core, &turn.search, count, &mut batch);
                }
            }
        }
    }
}

/// Waits for a job, and for the throttle unless the job ignores it; `None` once the miner stops.
fn next_turn(core: &MinerCore, batch: u64) -> Option<Turn> {
    let mut state = core.lock();
    loop {
        if state.stopping {
            return None;
        }
        let MinerState { search, throttle, .. } = &mut *state;
        let wait = match (search, throttle) {
            (None, _) => None,
            (Some(search), Some(throttle)) if !search.job.full_speed => {
                let count = throttle.batch().min(batch);
                match throttle.book(Instant::now(), count) {
                    Ok(()) => return Some(turn(core, search, Some(count))),
                    Err(wait) => Some(wait),
                }
            }
            (Some(search), _) => return Some(turn(core, search, None)),
        };
        state = match wait {
            None => core.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            Some(wait) => core.changed.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0,
        };
    }
}

/// Must be called under the lock, so that version and search belong together.
fn turn(core: &MinerCore, search: &Arc<Search>, booked: Option<u64>) -> Turn {
    Turn { search: Arc::clone(search), version: core.version.load(Acquire), booked }
}

/// Tries `count` nonces, reports a hit, and adapts `batch` to the duration.
fn search_batch(core: &MinerCore, search: &Arc<Search>, count: u64, batch: &mut u64) {
    let begin = Instant::now();
    let first = search.take(count);
    let fields = search.fields_at((core.clock)());
    let hit = shared::work::search(&fields.seal(), &search.target, first, count);
    let tried = hit.map_or(count, |nonce| nonce.0.wrapping_sub(first.0) + 1);
    let end = Instant::now();
    core.hash_meter.add(end, tried);
    match hit {
        Some(nonce) => report(core, search, Header::new(fields, nonce)),
        None => *batch = adapted(*batch, count, end.saturating_duration_since(begin)),
    }
}

/// The batch that would take [`BATCH`], at most twice the last one: one odd measurement must not make a long batch.
fn adapted(batch: u64, count: u64, took: Duration) -> u64 {
    let took_ns = took.as_nanos().max(1);
    let ideal = u64::try_from(u128::from(count) * BATCH.as_nanos() / took_ns).unwrap_or(u64::MAX);
    ideal.min(batch.saturating_mul(2)).clamp(SMALLEST_BATCH, LARGEST_BATCH)
}

/// Ends the search and reports the header, unless another thread or a new job ended the search before.
fn report(core: &MinerCore, search: &Arc<Search>, header: Header) {
    let mut is_first = false;
    core.change(|state| {
        if state.search.as_ref().is_some_and(|current| Arc::ptr_eq(current, search)) {
            state.search = None;
            is_first = true;
        }
    });
    if is_first {
        (core.on_mined)(MinedHeader { job: search.job.id, header });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_grows_and_shrinks_to_the_measured_speed() {
        let at_speed = |per_ms: u64| {
            (0..40).fold(SMALLEST_BATCH, |batch, _| {
                adapted(batch, batch, Duration::from_nanos(batch * 1_000_000 / per_ms))
            })
        };
        assert!(at_speed(24_000).abs_diff(12_000) < 10, "{}", at_speed(24_000));
        assert_eq!(at_speed(10), SMALLEST_BATCH);
        assert_eq!(at_speed(1_000_000_000), LARGEST_BATCH);
    }

    #[test]
    fn one_odd_measurement_does_not_make_a_long_batch() {
        assert_eq!(adapted(1000, 1000, Duration::ZERO), 2000);
        assert_eq!(adapted(1000, 1000, Duration::from_secs(10)), SMALLEST_BATCH);
    }
}
