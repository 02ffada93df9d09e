//! One mining clock for all: when the next block is found, and by whom, while difficulty differs from branch to branch
//! and hash rate comes and goes.
//!
//! A block takes an exponentially distributed amount of work. The work is drawn when the last block is found, and done
//! at the rate of all hash rate together, each share divided by the difficulty that its branch demands. The rate
//! changes when a node changes to a branch of another difficulty; work that was done stays done, so that chance is
//! exact. While the rate is 1, the numbers drawn and the times are those of a clock without any of this.

use crate::kernel::{Probability, exponential};
use crate::network::Network;
use crate::tree::{BlockId, Tree};
use shared::params::RetargetRule;
use shared::random::Random;
use std::collections::BTreeMap;

/// Who finds a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finder {
    Pool,
    Node(u32),
}

#[derive(Debug)]
pub(super) struct Clock {
    mean_ms: f64,
    initial: f64,
    pool_share: f64,
    pool_factor: f64,
    pool_difficulty: u64,
    /// Whether difficulty and hash rate are what they were at the start, everywhere and for ever.
    constant: bool,
    /// By node: difficulty of what it looks for, and its factor of hash rate in thousandths.
    nodes: Vec<(u64, u32)>,
    /// Hash rate at the start, by difficulty and factor.
    groups: BTreeMap<(u64, u32), u64>,
    total_power: u64,
    /// What is left of the work, in blocks of the initial difficulty, and since when it is being done.
    left: f64,
    since_ms: u64,
    /// Difficulties above blocks, by block; 0 is unknown.
    next_difficulty: Vec<u64>,
}

impl Clock {
    pub(super) fn new(
        network: &Network,
        params: &shared::params::Params,
        pool_share: f64,
        hash_rate_changes: bool,
    ) -> Self {
        let initial = params.initial_difficulty.value();
        let constant = params.retarget == RetargetRule::Fixed && !hash_rate_changes;
        let nodes = if constant { Vec::new() } else { vec![(initial, 1000); network.len()] };
        Self {
            mean_ms: params.block_interval_ms as f64,
            initial: initial as f64,
            pool_share,
            pool_factor: 1.0,
            pool_difficulty: initial,
            constant,
            nodes,
            groups: BTreeMap::from([((initial, 1000), network.total_power())]),
            total_power: network.total_power(),
            left: 0.0,
            since_ms: 0,
            next_difficulty: Vec::new(),
        }
    }

    /// Draws the work of the next block.
    pub(super) fn draw(&mut self, random: &mut Random, now_ms: u64) {
        (self.left, self.since_ms) = (exponential(random), now_ms);
    }

    /// Nobody finds a block any more.
    pub(super) const fn stop(&mut self) {
        self.left = f64::INFINITY;
    }

    /// When the next block is found, if nothing changes until then; `u64::MAX` where nobody mines.
    pub(super) fn next_ms(&self) -> u64 {
        let rate = self.rate();
        if rate > 0.0 { self.since_ms.saturating_add((self.left * self.mean_ms / rate) as u64) } else { u64::MAX }
    }

    /// Who has found the block.
    pub(super) fn finder(&self, network: &Network, random: &mut Random) -> Finder {
        let pool = if self.constant { self.pool_share } else { self.pool_rate() / self.rate() };
        if Probability::new(pool).happens(random) {
            return Finder::Pool;
        }
        let most = self.groups.keys().map(|group| self.pace(*group)).fold(0.0, f64::max);
        loop {
            let node = network.miner_at(random.below(self.total_power));
            let Some(&group) = self.nodes.get(node as usize) else { return Finder::Node(node) };
            let pace = self.pace(group);
            if pace >= most || Probability::new(pace / most).happens(random) {
                return Finder::Node(node);
            }
        }
    }

    /// The node now looks for a block on top of `tip`.
    pub(super) fn node_mines_on(&mut self, network: &Network, tree: &mut Tree, node: u32, tip: BlockId, now_ms: u64) {
        let Some(&(before, factor)) = self.nodes.get(node as usize) else { return };
        let difficulty = self.difficulty_above(tree, tip);
        if difficulty != before {
            self.work_until(now_ms);
            self.regroup(network.power(node), (before, factor), (difficulty, factor));
            if let Some(group) = self.nodes.get_mut(node as usize) {
                group.0 = difficulty;
            }
        }
    }

    /// The pool now looks for a block on top of `tip`.
    pub(super) fn pool_mines_on(&mut self, tree: &mut Tree, tip: BlockId, now_ms: u64) {
        if !self.constant && self.pool_share > 0.0 {
            let difficulty = self.difficulty_above(tree, tip);
            if difficulty != self.pool_difficulty {
                self.work_until(now_ms);
                self.pool_difficulty = difficulty;
            }
        }
    }

    /// The hash rate of a node is now `factor` times what it was at the start.
    pub(super) fn set_node_factor(&mut self, network: &Network, node: u32, factor: f64, now_ms: u64) {
        self.work_until(now_ms);
        let thousandths = (factor * 1000.0) as u32;
        let Some(group) = self.nodes.get_mut(node as usize) else { return };
        let before = std::mem::replace(group, (group.0, thousandths));
        let after = *group;
        self.regroup(network.power(node), before, after);
    }

    /// The hash rate of the pool is now `factor` times what it was at the start.
    pub(super) fn set_pool_factor(&mut self, factor: f64, now_ms: u64) {
        self.work_until(now_ms);
        self.pool_factor = factor;
    }

    /// The difficulty of a block on top of `block`.
    pub(super) fn difficulty_above(&mut self, tree: &mut Tree, block: BlockId) -> u64 {
        let place = block.0 as usize;
        if place >= self.next_difficulty.len() {
            self.next_difficulty.resize(place + 1, 0);
        }
        if self.next_difficulty[place] == 0 {
            self.next_difficulty[place] = tree.difficulty_after(block).value();
        }
        self.next_difficulty[place]
    }

    fn regroup(&mut self, power: u64, before: (u64, u32), after: (u64, u32)) {
        if let Some(sum) = self.groups.get_mut(&before) {
            *sum -= power;
            if *sum == 0 {
                self.groups.remove(&before);
            }
        }
        *self.groups.entry(after).or_insert(0) += power;
    }

    /// Notes the work that was done at the rate so far.
    fn work_until(&mut self, now_ms: u64) {
        let done = (now_ms - self.since_ms) as f64 * self.rate() / self.mean_ms;
        self.left = (self.left - done).max(0.0);
        self.since_ms = now_ms;
    }

    /// How fast a node of this group finds blocks, compared with the start.
    fn pace(&self, (difficulty, factor): (u64, u32)) -> f64 {
        f64::from(factor) / 1000.0 * (self.initial / difficulty as f64)
    }

    fn pool_rate(&self) -> f64 {
        self.pool_share * self.pool_factor * (self.initial / self.pool_difficulty as f64)
    }

    /// Blocks per interval, of all miners together.
    fn rate(&self) -> f64 {
        if self.constant {
            return 1.0;
        }
        let others = self.groups.iter().map(|(group, power)| *power as f64 * self.pace(*group)).sum::<f64>();
        self.pool_rate() + (1.0 - self.pool_share) * (others / self.total_power as f64)
    }
}
