//! Mining threads around `shared::work::search`, separate from tokio's threads, which must stay free for requests.
//!
//! A miner has a job and a clock but no chain: the owner of the chain gives it the next job. A new job, or the end,
//! interrupts a search within one batch (half a millisecond), and a wait at once.

mod hash_meter;
mod job;
mod throttle;
mod worker;

pub use job::{Job, MinedHeader};
pub use shared::config::Hashrate;

use hash_meter::HashMeter;
use job::Search;
use shared::block::Timestamp;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Release};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;
use throttle::Throttle;

/// Most threads of a miner.
pub const MAX_THREADS: usize = 256;

/// Threads and hash rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MinerSettings {
    /// 1 to [`MAX_THREADS`].
    pub threads: usize,
    /// Of all threads together.
    pub hashrate: Hashrate,
}

/// Why a miner could not start.
#[derive(Debug, thiserror::Error)]
pub enum MinerError {
    /// The number of threads is out of bounds.
    #[error("{got} mining threads: expected 1 to {MAX_THREADS}")]
    Threads {
        /// The requested number.
        got: usize,
    },
    /// The operating system refused a thread.
    #[error("cannot start a mining thread: {0}")]
    Spawn(#[from] std::io::Error),
}

/// Mining threads and their job; without a job they wait.
///
/// Dropping it stops and joins the threads.
pub struct Miner {
    core: Arc<MinerCore>,
    threads: Vec<JoinHandle<()>>,
}

/// The state that all threads share.
struct MinerCore {
    state: Mutex<MinerState>,
    changed: Condvar,
    /// Counts the changes of `state`, so that a thread can notice one between two batches without the lock.
    version: AtomicU64,
    hash_meter: HashMeter,
    clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    on_mined: Box<dyn Fn(MinedHeader) + Send + Sync>,
}

struct MinerState {
    search: Option<Arc<Search>>,
    throttle: Option<Throttle>,
    stopping: bool,
}

impl Miner {
    /// Starts the threads, which wait for a job.
    ///
    /// `on_mined` is called on a mining thread, at most once per job, and only while the job is still set. It should
    /// pass the header on and return. It may call the miner.
    ///
    /// # Errors
    /// [`MinerError::Threads`] outside 1 to [`MAX_THREADS`]; [`MinerError::Spawn`].
    pub fn start(
        settings: MinerSettings,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
        on_mined: Box<dyn Fn(MinedHeader) + Send + Sync>,
    ) -> Result<Self, MinerError> {
        if !(1..=MAX_THREADS).contains(&settings.threads) {
            return Err(MinerError::Threads { got: settings.threads });
        }
        let now = Instant::now();
        let core = Arc::new(MinerCore {
            state: Mutex::new(MinerState {
                search: None,
                throttle: Throttle::new(settings.hashrate, now),
                stopping: false,
            }),
            changed: Condvar::new(),
            version: AtomicU64::new(0),
            hash_meter: HashMeter::new(now),
            clock: Box::new(clock),
            on_mined,
        });
        // If a thread cannot be started, dropping `miner` ends those started before.
        let mut miner = Self { core, threads: Vec::with_capacity(settings.threads) };
        for number in 0..settings.threads {
            let core = Arc::clone(&miner.core);
            let thread = std::thread::Builder::new().name(format!("miner-{number}"));
            miner.threads.push(thread.spawn(move || worker::run(&core))?);
        }
        Ok(miner)
    }

    /// Replaces the job, and drops the previous one, even if a header was found for it and not yet reported.
    pub fn set_job(&self, job: Option<Job>) {
        let search = job.map(|job| Arc::new(Search::new(job)));
        self.core.change(|state| state.search = search);
    }

    /// Changes the limit of the hash rate at once.
    pub fn set_hashrate(&self, hashrate: Hashrate) {
        self.core.change(|state| state.throttle = Throttle::new(hashrate, Instant::now()));
    }

    /// Hashes per second over the last 5 seconds; cheap.
    pub fn hashrate(&self) -> u64 {
        self.core.hash_meter.per_second(Instant::now())
    }

    /// Hashes done since the start; cheap.
    pub fn hashes(&self) -> u64 {
        self.core.hash_meter.total()
    }

    /// The number of threads.
    pub fn threads(&self) -> usize {
        self.threads.len()
    }

    /// Ends the threads and waits for them; dropping does the same.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Miner {
    fn drop(&mut self) {
        self.core.change(|state| {
            state.stopping = true;
            state.search = None;
        });
        let own = std::thread::current().id();
        for thread in self.threads.drain(..) {
            // `on_mined` may drop the miner on one of its threads, which cannot join itself, and ends anyway.
            if thread.thread().id() != own && thread.join().is_err() {
                tracing::error!("a mining thread had panicked");
            }
        }
    }
}

impl fmt::Debug for Miner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Miner").field("threads", &self.threads.len()).field("hashes", &self.hashes()).finish()
    }
}

impl MinerCore {
    fn lock(&self) -> MutexGuard<'_, MinerState> {
        // No code leaves the state half changed under the lock, so a lock that a panic poisoned is still usable.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut MinerState)) {
        let mut state = self.lock();
        change(&mut state);
        self.version.fetch_add(1, Release);
        drop(state);
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests;
