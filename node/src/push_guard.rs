//! What invalid pushes cost the machine that they come from.
//!
//! A caller may name any node as the sender of a block, so an invalid block is held against the IP address of its
//! connection, never against that node. Pushes from a machine that sent too many invalid blocks are not read for a
//! while. They still count as hints, so that a node on the same machine is polled and loses no block by it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Most invalid blocks of one machine within [`PERIOD`].
const MAX_INVALID: u32 = 64;
/// How long an invalid block counts, and how long pushes are refused.
const PERIOD: Duration = Duration::from_secs(30);
/// Most machines that are remembered.
const MAX_MACHINES: usize = 1024;

#[derive(Default)]
pub(crate) struct PushGuard {
    machines: Mutex<HashMap<IpAddr, Record>>,
}

struct Record {
    invalid: u32,
    last: Instant,
}

impl PushGuard {
    pub(crate) fn is_refused(&self, ip: IpAddr) -> bool {
        self.is_refused_at(ip, Instant::now())
    }

    pub(crate) fn record_invalid(&self, ip: IpAddr) {
        self.record_invalid_at(ip, Instant::now());
    }

    fn is_refused_at(&self, ip: IpAddr, now: Instant) -> bool {
        let machines = self.machines.lock().unwrap_or_else(PoisonError::into_inner);
        machines.get(&ip).is_some_and(|record| record.invalid >= MAX_INVALID && now < record.last + PERIOD)
    }

    fn record_invalid_at(&self, ip: IpAddr, now: Instant) {
        let mut machines = self.machines.lock().unwrap_or_else(PoisonError::into_inner);
        machines.retain(|_, record| now < record.last + PERIOD);
        if machines.len() >= MAX_MACHINES && !machines.contains_key(&ip) {
            let oldest = machines.iter().min_by_key(|(_, record)| record.last).map(|(ip, _)| *ip);
            oldest.and_then(|oldest| machines.remove(&oldest));
        }
        let record = machines.entry(ip).or_insert(Record { invalid: 0, last: now });
        (record.invalid, record.last) = (record.invalid + 1, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_that_pushes_invalid_blocks_is_refused_for_a_while_and_others_are_not() {
        let (guard, now) = (PushGuard::default(), Instant::now());
        let [bad, good] = ["10.0.0.1", "10.0.0.2"].map(|ip| ip.parse::<IpAddr>().unwrap());
        for _ in 0..MAX_INVALID {
            assert!(!guard.is_refused_at(bad, now));
            guard.record_invalid_at(bad, now);
        }
        assert!(guard.is_refused_at(bad, now) && !guard.is_refused_at(good, now));
        assert!(!guard.is_refused_at(bad, now + PERIOD), "it is not refused for ever");
    }

    #[test]
    fn the_table_of_machines_is_bounded() {
        let (guard, now) = (PushGuard::default(), Instant::now());
        for number in 0..2 * MAX_MACHINES as u32 {
            guard.record_invalid_at(IpAddr::V4(number.into()), now);
        }
        assert_eq!(guard.machines.lock().unwrap().len(), MAX_MACHINES);
    }
}
