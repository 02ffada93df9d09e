//! One mining thread: take a batch of nonces, look whether anything changed, take the next.

use super::job::{MinedHeader, Search};
use super::{MinerCore, MinerState};
use shared::block::Header;
use std::sync::atomic::Ordering::Acquire;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// How long a batch should take: the longest that a new job waits for a thread, and short enough that a block's
/// timestamp is the time of its find.
const BATCH: Duration = Duration::from_micros(500);
const SMALLEST_BATCH: u64 = 64;
const LARGEST_BATCH: u64 = 1 << 17;

/// What a thread may do next.
struct Turn {
    search: Arc<Search>,
    /// The version of the state that this was decided on.
    version: u64,
    /// How many hashes the throttle let begin; none where it does not hold back.
    booked: Option<u64>,
}

/// Works until the miner stops.
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

/// Waits for a job, and for the throttle where the job heeds it; none when the miner stops.
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

/// Called under the lock, so that version and search belong together.
fn turn(core: &MinerCore, search: &Arc<Search>, booked: Option<u64>) -> Turn {
    Turn { search: Arc::clone(search), version: core.version.load(Acquire), booked }
}

/// Tries `count` nonces, reports a hit, and adapts `batch` to how long it took.
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

/// The batch that would take [`BATCH`], at most twice the one before: one odd measurement must not make a long one.
fn adapted(batch: u64, count: u64, took: Duration) -> u64 {
    let took_ns = took.as_nanos().max(1);
    let ideal = u64::try_from(u128::from(count) * BATCH.as_nanos() / took_ns).unwrap_or(u64::MAX);
    ideal.min(batch.saturating_mul(2)).clamp(SMALLEST_BATCH, LARGEST_BATCH)
}

/// Ends the search with its one report, unless another thread or a new job ended it before.
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
