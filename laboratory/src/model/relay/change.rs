//! Scheduled changes: who is cut off from whom, how much hash rate there is, how slow messages are.

use super::run::{POOL, Run};
use crate::model::event::words;
use crate::model::{Change, Group, Step};
use crate::tree::BlockId;
use std::collections::BTreeMap;

impl Run<'_, '_> {
    /// Makes every change that is due.
    pub(super) fn make_changes(&mut self, found: u64) {
        let now_ms = self.wheel.now_ms();
        while let Some(change) = self.timeline.due(found, now_ms) {
            if let Some(watcher) = &mut self.watcher {
                watcher(&Step::Event { at_ms: now_ms, what: words(change) });
            }
            match change {
                Some(Change::Partition(group)) => {
                    let nodes = 0..self.network.len() as u32;
                    self.sides = nodes.map(|node| self.is_in(group, node)).collect();
                }
                None => self.reconnect(),
                Some(Change::HashRate(group, factor)) => self.change_hash_rate(group, factor),
                Some(Change::Latency(hundredths)) => self.latency_hundredths = hundredths,
            }
        }
        self.set_limit();
    }

    fn is_in(&self, group: Group, node: u32) -> bool {
        group.contains(node, self.network.len(), self.network.regions[node as usize])
    }

    fn change_hash_rate(&mut self, group: Group, factor: f64) {
        let now_ms = self.wheel.now_ms();
        if matches!(group, Group::All | Group::Pool) {
            self.clock.set_pool_factor(factor, now_ms);
        }
        for node in 0..self.network.len() as u32 {
            if self.is_in(group, node) {
                self.clock.set_node_factor(self.network, node, factor, now_ms);
            }
        }
    }

    /// Whether a partition is between two nodes.
    pub(super) fn is_cut(&self, one: u32, other: u32) -> bool {
        !self.sides.is_empty() && self.sides[one as usize] != self.sides[other as usize]
    }

    /// Ends a partition: nodes with links across announce their tips.
    fn reconnect(&mut self) {
        let sides = std::mem::take(&mut self.sides);
        if sides.is_empty() {
            return;
        }
        let mut border: BTreeMap<BlockId, Vec<u32>> = BTreeMap::new();
        for node in 0..self.network.len() as u32 {
            let across = |&other: &u32| sides[other as usize] != sides[node as usize];
            let tip = self.tips[node as usize];
            if tip != BlockId::GENESIS && self.network.graph.neighbours(node).iter().any(across) {
                border.entry(tip).or_default().push(node);
            }
        }
        for (tip, announcers) in border {
            let Some(flight) = self.start_flight(tip, self.wheel.now_ms()) else { return };
            self.flights.get(flight).events += 1;
            // Only the first flight of a block is measured.
            self.flights.get(flight).is_repeated = true;
            for node in 0..self.network.len() as u32 {
                if self.tips[node as usize] == tip {
                    self.flights.get(flight).gets(node);
                }
            }
            for node in announcers {
                self.pass_on(node, flight);
            }
            self.release(flight);
        }
    }

    /// Whether receipts of this flight say how fast blocks spread.
    pub(super) fn is_measured(&self, block: BlockId, is_repeated: bool) -> bool {
        self.tree.miner(block) != POOL && !is_repeated
    }
}
