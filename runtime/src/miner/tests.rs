//! Mining with real threads. The tests assert counts and order, and times only with minutes to spare.

use super::*;
use shared::block::{BlockHash, DataHash, HeaderFields, Height, Nonce};
use shared::work::Difficulty;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

const NOW: Timestamp = Timestamp::from_ms(1_795_231_740_123);
const LONG: Duration = Duration::from_secs(60);

fn job(id: u64, difficulty: Difficulty) -> Job {
    let fields = HeaderFields {
        index: Height(id),
        prev_hash: BlockHash::of("parent"),
        timestamp: Timestamp::EPOCH,
        difficulty,
        data_hash: DataHash::of("data"),
    };
    Job { id, fields, first_nonce: Nonce(0), full_speed: false }
}

fn easy(id: u64) -> Job {
    job(id, Difficulty::new(5000).unwrap())
}

fn impossible(id: u64) -> Job {
    job(id, Difficulty::MAX)
}

fn miner(threads: usize, hashrate: Hashrate) -> (Miner, Receiver<MinedHeader>) {
    let (sender, found) = channel();
    let on_mined = Box::new(move |hit| {
        let _ = sender.send(hit);
    });
    (Miner::start(MinerSettings { threads, hashrate }, || NOW, on_mined).unwrap(), found)
}

fn wait_for_hashes(miner: &Miner, more_than: u64) {
    let begin = Instant::now();
    while miner.hashes() <= more_than {
        assert!(begin.elapsed() < LONG, "only {} hashes", miner.hashes());
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_found_header_meets_its_target_and_is_reported_once() {
    let (miner, found) = miner(2, Hashrate::Unlimited);
    for id in 0..50 {
        miner.set_job(Some(easy(id)));
        let MinedHeader { job, header } = found.recv_timeout(LONG).unwrap();
        assert_eq!((job, header.index), (id, Height(id)));
        assert!(header.difficulty.target().is_met_by(&header.hash()));
        assert_eq!(header.timestamp, NOW);
    }
    // Joins all threads: nothing is reported after it.
    miner.stop();
    assert_eq!(found.recv_timeout(LONG).unwrap_err(), RecvTimeoutError::Disconnected);
}

#[test]
fn a_job_that_was_found_is_not_searched_on() {
    let (miner, found) = miner(1, Hashrate::Unlimited);
    miner.set_job(Some(job(1, Difficulty::MIN)));
    found.recv_timeout(LONG).unwrap();
    assert_eq!(miner.hashes(), 1);
    std::thread::sleep(Duration::from_millis(30));
    assert_eq!(miner.hashes(), 1);
}

#[test]
fn the_timestamp_is_never_below_the_minimum_and_follows_the_clock() {
    let later = NOW.plus_ms(77);
    let clock = Arc::new(AtomicU64::new(NOW.as_ms()));
    let (sender, found) = channel();
    let read = Arc::clone(&clock);
    let settings = MinerSettings { threads: 1, hashrate: Hashrate::Unlimited };
    let on_mined = Box::new(move |hit: MinedHeader| sender.send(hit.header.timestamp).unwrap_or_default());
    let miner = Miner::start(settings, move || Timestamp::from_ms(read.load(Relaxed)), on_mined).unwrap();
    let mut minimum = easy(1);
    minimum.fields.timestamp = later;
    miner.set_job(Some(minimum));
    assert_eq!(found.recv_timeout(LONG).unwrap(), later);
    clock.store(later.as_ms() + 1, Relaxed);
    miner.set_job(Some(minimum));
    assert_eq!(found.recv_timeout(LONG).unwrap(), later.plus_ms(1));
}

#[test]
fn the_search_begins_at_the_first_nonce() {
    let (miner, found) = miner(1, Hashrate::Unlimited);
    miner.set_job(Some(Job { first_nonce: Nonce(u64::MAX), ..job(1, Difficulty::MIN) }));
    assert_eq!(found.recv_timeout(LONG).unwrap().header.nonce(), Nonce(u64::MAX));
}

#[test]
fn a_new_job_interrupts_a_search() {
    let (miner, found) = miner(2, Hashrate::Unlimited);
    miner.set_job(Some(impossible(1)));
    wait_for_hashes(&miner, 1000);
    miner.set_job(Some(easy(2)));
    assert_eq!(found.recv_timeout(LONG).unwrap().job, 2);
}

#[test]
fn a_new_job_interrupts_the_wait_of_a_throttled_one() {
    let (miner, found) = miner(1, Hashrate::PerSecond(1));
    miner.set_job(Some(impossible(0)));
    wait_for_hashes(&miner, 0);
    let begin = Instant::now();
    // Each round begins a wait of a second; without interruption they would take 200 seconds.
    for id in 1..=200 {
        miner.set_job(Some(impossible(0)));
        std::thread::sleep(Duration::from_millis(1));
        miner.set_job(Some(Job { full_speed: true, ..easy(id) }));
        assert_eq!(found.recv_timeout(LONG).unwrap().job, id);
    }
    assert!(begin.elapsed() < LONG * 2, "{:?}", begin.elapsed());
}

#[test]
fn no_job_means_no_hashing() {
    let (miner, _found) = miner(2, Hashrate::Unlimited);
    miner.set_job(Some(impossible(1)));
    wait_for_hashes(&miner, 1000);
    miner.set_job(None);
    // A thread may be within a batch, which it still counts.
    let mut before = miner.hashes();
    let begin = Instant::now();
    loop {
        std::thread::sleep(Duration::from_millis(20));
        let now = miner.hashes();
        if now == before {
            break;
        }
        before = now;
        assert!(begin.elapsed() < LONG, "still hashing");
    }
}

#[test]
fn the_throttle_bounds_the_hashes_of_all_threads_together() {
    const RATE: u64 = 20_000;
    let begin = Instant::now();
    let (miner, _found) = miner(4, Hashrate::PerSecond(RATE));
    miner.set_job(Some(impossible(1)));
    wait_for_hashes(&miner, RATE / 4);
    let hashes = miner.hashes();
    let lasted = begin.elapsed() + throttle::CATCH_UP;
    let allowed = (RATE as u128 * lasted.as_millis() / 1000) as u64 + 4 * RATE / 200;
    assert!(hashes <= allowed, "{hashes} hashes in {lasted:?}, {allowed} allowed");
}

#[test]
fn a_job_at_full_speed_ignores_the_throttle() {
    let (miner, _found) = miner(1, Hashrate::PerSecond(1));
    miner.set_job(Some(Job { full_speed: true, ..impossible(1) }));
    // At one hash a second this would take more than a day.
    wait_for_hashes(&miner, 100_000);
}

#[test]
fn the_hash_rate_can_be_changed_while_mining() {
    let (miner, _found) = miner(1, Hashrate::PerSecond(1));
    miner.set_job(Some(impossible(1)));
    wait_for_hashes(&miner, 0);
    miner.set_hashrate(Hashrate::Unlimited);
    wait_for_hashes(&miner, 100_000);
    assert!(miner.hashrate() > 0);
}

#[test]
fn no_two_threads_get_the_same_nonces_of_a_job() {
    let first = u64::MAX - 1000;
    let search = Search::new(Job { first_nonce: Nonce(first), ..easy(1) });
    let mut taken: Vec<(u64, u64)> = std::thread::scope(|scope| {
        let take = |size: u64| {
            let search = &search;
            scope.spawn(move || (0..1000).map(|_| (search.take(size).0.wrapping_sub(first), size)).collect::<Vec<_>>())
        };
        let threads = [take(1), take(3), take(7), take(64)];
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    taken.sort_unstable();
    for pair in taken.windows(2) {
        assert_eq!(pair[0].0 + pair[0].1, pair[1].0, "batches overlap or leave a gap");
    }
    assert_eq!(taken.len(), 4000);
}

#[test]
fn stopping_joins_searching_and_waiting_threads() {
    let held = Arc::new(());
    for (hashrate, job) in [
        (Hashrate::Unlimited, Some(impossible(1))),
        (Hashrate::PerSecond(1), Some(impossible(1))),
        (Hashrate::Unlimited, None),
    ] {
        let kept = Arc::clone(&held);
        let on_mined = Box::new(move |_| drop(Arc::clone(&kept)));
        let miner = Miner::start(MinerSettings { threads: 8, hashrate }, || NOW, on_mined).unwrap();
        assert_eq!(miner.threads(), 8);
        miner.set_job(job);
        miner.stop();
        // Each thread held the callback, so it is dropped only after all have ended.
        assert_eq!(Arc::strong_count(&held), 1);
    }
}

#[test]
fn the_callback_may_set_the_next_job_and_drop_the_miner() {
    let (sender, done) = channel();
    let slot: Arc<Mutex<Option<Miner>>> = Arc::default();
    let own = Arc::clone(&slot);
    let on_mined = Box::new(move |hit: MinedHeader| {
        let mut slot = own.lock().unwrap();
        if hit.job < 5 {
            slot.as_ref().unwrap().set_job(Some(easy(hit.job + 1)));
        } else {
            drop(slot.take());
            sender.send(hit.job).unwrap();
        }
    });
    let settings = MinerSettings { threads: 2, hashrate: Hashrate::Unlimited };
    let miner = Miner::start(settings, || NOW, on_mined).unwrap();
    slot.lock().unwrap().insert(miner).set_job(Some(easy(1)));
    assert_eq!(done.recv_timeout(LONG).unwrap(), 5);
}

#[test]
fn no_thread_or_too_many_are_refused() {
    for threads in [0, MAX_THREADS + 1] {
        let settings = MinerSettings { threads, hashrate: Hashrate::Unlimited };
        let error = Miner::start(settings, || NOW, Box::new(|_| {})).unwrap_err().to_string();
        assert!(error.contains(&threads.to_string()) && error.contains("1 to 256"), "{error}");
    }
}
