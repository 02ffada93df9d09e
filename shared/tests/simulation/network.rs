//! The network between the nodes: whether and when each message arrives. Every fault is a named option.
//!
//! It stands for HTTP over TCP, so a request arrives once or not at all; a response may be handed over
//! twice, and any two messages may overtake one another where delays differ.

use crate::kernel::{between, percent};
use shared::random::Random;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

/// What goes wrong with messages, as long as it is set.
#[derive(Debug, Clone)]
pub struct Faults {
    /// Messages that vanish: no error reaches the node that waits for them.
    pub loss_percent: u64,
    /// How long a message takes; where it differs, messages overtake one another.
    pub delay_ms: RangeInclusive<u64>,
    /// Responses that arrive a second time.
    pub duplicated_responses_percent: u64,
}

impl Faults {
    pub const NONE: Self = Self { loss_percent: 0, delay_ms: 5..=50, duplicated_responses_percent: 0 };
    pub const LOSSY: Self = Self { loss_percent: 10, delay_ms: 0..=2000, duplicated_responses_percent: 10 };
}

/// The fate of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is lost without an error.
    Vanishes,
    /// The sender gets an error: there is no node.
    Refused { after_ms: u64 },
    /// It arrives, perhaps twice.
    Arrives { after_ms: u64, again_after_ms: Option<u64> },
}

pub struct Network {
    pub faults: Faults,
    /// The nodes on one side of a partition; empty without a partition.
    left: BTreeSet<usize>,
    /// Whether messages across the partition vanish, or are refused.
    cut_is_silent: bool,
    unreachable: BTreeSet<usize>,
    /// Nodes that can call others and cannot be called, as behind a router.
    pub uncallable: BTreeSet<usize>,
    random: Random,
}

impl Network {
    pub fn new(faults: Faults, seed: u64) -> Self {
        let random = Random::new(seed);
        let (left, unreachable, uncallable) = <_>::default();
        Self { faults, left, cut_is_silent: false, unreachable, uncallable, random }
    }

    pub fn partition(&mut self, left: BTreeSet<usize>, silently: bool) {
        (self.left, self.cut_is_silent) = (left, silently);
    }

    pub fn set_unreachable(&mut self, node: usize, unreachable: bool) {
        if unreachable {
            self.unreachable.insert(node)
        } else {
            self.unreachable.remove(&node)
        };
    }

    pub fn heal(&mut self) {
        self.left.clear();
        self.unreachable.clear();
        self.faults = Faults::NONE;
    }

    pub fn request(&mut self, from: usize, to: usize) -> Fate {
        if self.uncallable.contains(&to) {
            return Fate::Refused { after_ms: self.delay_ms() };
        }
        self.pass(from, to)
    }

    fn pass(&mut self, from: usize, to: usize) -> Fate {
        if self.unreachable.contains(&from) || self.unreachable.contains(&to) {
            return Fate::Refused { after_ms: self.delay_ms() };
        }
        if self.left.contains(&from) != self.left.contains(&to) {
            let after_ms = self.delay_ms();
            return if self.cut_is_silent { Fate::Vanishes } else { Fate::Refused { after_ms } };
        }
        self.carry()
    }

    /// A response across a new partition, or from a node that has gone, is a broken connection.
    pub fn response(&mut self, from: usize, to: usize) -> Fate {
        match self.pass(from, to) {
            Fate::Arrives { after_ms, .. } => {
                let again = percent(&mut self.random, self.faults.duplicated_responses_percent);
                let again_after_ms = again.then(|| self.delay_ms());
                Fate::Arrives { after_ms, again_after_ms }
            }
            fate => fate,
        }
    }

    fn carry(&mut self) -> Fate {
        if percent(&mut self.random, self.faults.loss_percent) {
            return Fate::Vanishes;
        }
        Fate::Arrives { after_ms: self.delay_ms(), again_after_ms: None }
    }

    fn delay_ms(&mut self) -> u64 {
        between(&mut self.random, &self.faults.delay_ms)
    }
}
