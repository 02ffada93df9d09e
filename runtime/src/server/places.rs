//! Pools that all clients share, with a share for each source: connections, streams, subscribers, bytes of answers.
//!
//! Without a share, one client could take a whole pool and leave nothing to the others. A source is an IPv4 address or
//! an IPv6 network of 64 bits, since one machine usually has a whole such network. Sources on the service's own machine
//! may take three quarters, because whole laboratories run on one machine.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;

/// Percent of a pool that a source on the service's own machine may take.
pub const LOCAL_PERCENT: usize = 75;

/// Where a request comes from, as far as shares are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Source {
    network: IpAddr,
    is_here: bool,
}

impl Source {
    /// The source of a connection from `remote` to the address `local` of this machine.
    pub fn new(remote: IpAddr, local: IpAddr) -> Self {
        let (remote, local) = (remote.to_canonical(), local.to_canonical());
        let network = match remote {
            IpAddr::V4(_) => remote,
            IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).into(),
        };
        let is_here = remote.is_loopback() || remote == local;
        // ::1 and :: would be the same network.
        Self { network: if is_here { remote } else { network }, is_here }
    }

    /// Whether it is the service's own machine.
    pub const fn is_here(&self) -> bool {
        self.is_here
    }
}

/// Why a pool has no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// All places are taken.
    #[error("all are in use")]
    All,
    /// The source has taken its share.
    #[error("your address has its share in use")]
    Source,
}

/// A pool of places.
///
/// # Invariants
/// At most `total` places are taken, and at most the share of its source by each source.
#[derive(Debug)]
pub struct Places {
    total: usize,
    remote_share: usize,
    local_share: usize,
    taken: Mutex<Taken>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_source: HashMap<Source, usize>,
}

/// Places of a pool, given back when this is dropped.
#[derive(Debug)]
pub struct Place {
    pool: Arc<Places>,
    source: Source,
    count: usize,
}

impl Places {
    /// A pool of `total` places, of which one source may take `percent` percent, at least one place.
    pub fn new(total: usize, percent: usize) -> Arc<Self> {
        let share = |percent: usize| total.saturating_mul(percent.min(100)).div_ceil(100).max(1);
        Arc::new(Self {
            total,
            remote_share: share(percent),
            local_share: share(percent.max(LOCAL_PERCENT)),
            taken: Mutex::default(),
            freed: Notify::new(),
        })
    }

    /// Takes `count` places. Beyond the share of the source, `count` counts as the whole share, so that what is larger
    /// than a share is possible while its source has nothing else.
    ///
    /// # Errors
    /// [`Full`].
    pub fn try_take(self: &Arc<Self>, source: Source, count: usize) -> Result<Place, Full> {
        let count = self.add(source, 0, count)?;
        Ok(Place { pool: self.clone(), source, count })
    }

    /// As [`Places::try_take`], but waits for at most `wait` until there are places.
    ///
    /// # Errors
    /// [`Full`] after that time.
    pub async fn take(self: &Arc<Self>, source: Source, count: usize, wait: Duration) -> Result<Place, Full> {
        let taken = async {
            loop {
                let freed = self.freed.notified();
                match self.try_take(source, count) {
                    Ok(place) => return place,
                    Err(_) => freed.await,
                }
            }
        };
        match timeout(wait, taken).await {
            Ok(place) => Ok(place),
            Err(_) => self.try_take(source, count),
        }
    }

    /// Adds `wanted` places to the `had` ones of one [`Place`], and returns its new number.
    fn add(&self, source: Source, had: usize, wanted: usize) -> Result<usize, Full> {
        let share = if source.is_here { self.local_share } else { self.remote_share };
        let more = wanted.min(share - had.min(share));
        let mut taken = self.taken();
        let held = taken.by_source.get(&source).copied().unwrap_or_default();
        if held + more > share {
            return Err(Full::Source);
        }
        if taken.all + more > self.total {
            return Err(Full::All);
        }
        taken.all += more;
        taken.by_source.insert(source, held + more);
        Ok(had + more)
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        // The counts are changed together, so a lock that a panic poisoned is still usable.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Takes further places, until there are `count`.
    ///
    /// # Errors
    /// [`Full`]; then the number of places is unchanged.
    pub fn grow_to(&mut self, count: usize) -> Result<(), Full> {
        let more = count.saturating_sub(self.count);
        self.count = self.pool.add(self.source, self.count, more)?;
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        {
            let mut taken = self.pool.taken();
            taken.all -= self.count;
            if let Some(held) = taken.by_source.get_mut(&self.source) {
                *held -= self.count;
                if *held == 0 {
                    taken.by_source.remove(&self.source);
                }
            }
        }
        self.pool.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(remote: &str) -> Source {
        Source::new(remote.parse().unwrap(), "192.0.2.100".parse().unwrap())
    }

    #[test]
    fn one_source_takes_a_quarter_and_the_own_machine_three() {
        for (remote, share) in [
            ("192.0.2.1", 25),
            ("::ffff:192.0.2.1", 25),
            ("2001:db8::1", 25),
            ("127.0.0.1", 75),
            ("::1", 75),
            ("192.0.2.100", 75),
        ] {
            let pool = Places::new(100, 25);
            let taken: Vec<_> = (0..100).map_while(|_| pool.try_take(source(remote), 1).ok()).collect();
            assert_eq!(taken.len(), share, "{remote}");
            assert_eq!(pool.try_take(source(remote), 1).unwrap_err(), Full::Source);
            assert!(pool.try_take(source("198.51.100.7"), 1).is_ok(), "others have places");
            drop(taken);
            assert!(pool.try_take(source(remote), share).is_ok(), "all are given back");
        }
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one_source() {
        assert_eq!(source("2001:db8::1"), source("2001:db8::ffff:1:2:3"));
        assert_ne!(source("2001:db8::1"), source("2001:db8:0:1::1"));
        assert_ne!(source("192.0.2.1"), source("192.0.2.2"));
    }

    #[test]
    fn many_sources_together_take_no_more_than_there_is() {
        let pool = Places::new(4, 25);
        let taken: Vec<_> = (1..=4).map(|n| pool.try_take(source(&format!("192.0.2.{n}")), 1).unwrap()).collect();
        assert_eq!(pool.try_take(source("192.0.2.9"), 1).unwrap_err(), Full::All);
        drop(taken);
    }

    #[test]
    fn what_is_larger_than_a_share_counts_as_the_share() {
        let pool = Places::new(100, 25);
        let mut first = pool.try_take(source("192.0.2.1"), 10).unwrap();
        assert_eq!(pool.try_take(source("192.0.2.1"), 90).unwrap_err(), Full::Source);
        first.grow_to(90).unwrap();
        assert_eq!(first.count, 25);
        drop(first);
        assert_eq!(pool.try_take(source("192.0.2.1"), 90).unwrap().count, 25);
    }

    #[test]
    fn the_smallest_pool_has_a_place_for_everybody() {
        let pool = Places::new(1, 25);
        drop(pool.try_take(source("192.0.2.1"), 1).unwrap());
        drop(pool.try_take(source("127.0.0.1"), 1).unwrap());
    }

    #[tokio::test]
    async fn a_place_that_is_given_back_is_found_by_those_who_wait() {
        let pool = Places::new(1, 100);
        let first = pool.try_take(source("192.0.2.1"), 1).unwrap();
        assert!(pool.take(source("192.0.2.2"), 1, Duration::ZERO).await.is_err());
        let waiting = pool.take(source("192.0.2.2"), 1, Duration::from_secs(60));
        let (taken, ()) = tokio::join!(waiting, async { drop(first) });
        assert!(taken.is_ok());
    }
}
