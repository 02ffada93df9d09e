//! The clocks: the only place that reads the system's time for the core.

use shared::block::Timestamp;
use shared::sync::Now;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The system's wall clock, moved by an offset for experiments with wrong clocks, and a monotonic clock.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    offset_ms: i64,
    started: Instant,
}

impl Clock {
    /// Clocks that start now; the wall clock is `offset_ms` ahead of the system's.
    pub fn new(offset_ms: i64) -> Self {
        Self { offset_ms, started: Instant::now() }
    }

    /// The time of the wall clock.
    pub fn time(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let ms = u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX);
        Timestamp::from_ms(ms.saturating_add_signed(self.offset_ms))
    }

    /// The time of both clocks, as the core takes it.
    pub fn now(&self) -> Now {
        let uptime_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Now { time: self.time(), uptime_ms }
    }
}
