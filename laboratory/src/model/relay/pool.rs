//! The pool: what it hears, what its strategy does, and what share of the others it wins in ties.

use super::Pool;
use super::run::{FROM_POOL, OVERHEAD_MS, POOL, POOL_HEARS, Run, WAKE_POOL};
use super::transfer::{PROCESSING_MS, RelayMode};
use crate::model::Step;
use crate::strategy::{Act, View};
use crate::tree::BlockId;

/// Why the strategy is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    Found(BlockId),
    Heard(BlockId),
    Woken,
}

impl Run<'_, '_> {
    /// The pool will hear of a block that a node has found.
    pub(super) fn tell_pool(&mut self, node: u32, flight: super::flight::FlightId) {
        if let Some(Pool { link_ms, .. }) = self.relay.pool {
            let at_ms = self.wheel.now_ms() + self.exchange_ms(link_ms);
            self.send(at_ms, POOL_HEARS, flight, node, 0);
        }
    }

    /// Asks the pool's strategy, and does what it says.
    pub(super) fn ask_pool(&mut self, occasion: Occasion) {
        let mut acts = Vec::new();
        let now_ms = self.wheel.now_ms();
        let view = View::new(&self.tree, POOL, self.pool_mines_on, now_ms);
        match occasion {
            Occasion::Found(block) => self.strategy.found(&view, block, &mut acts),
            Occasion::Heard(block) => self.strategy.heard(&view, block, &mut acts),
            Occasion::Woken => self.strategy.woken(&view, &mut acts),
        }
        for act in acts {
            match act {
                Act::MineOn(block) => self.pool_mines_on = block,
                Act::Publish(block) => self.publish(block, matches!(occasion, Occasion::Heard(_))),
                Act::WakeAt(at_ms) => {
                    let at_ms = at_ms.max(now_ms + 1);
                    self.pool_wakes_at_ms = Some(at_ms);
                    self.wheel.add(at_ms, WAKE_POOL);
                }
            }
        }
        self.clock.pool_mines_on(&mut self.tree, self.pool_mines_on, now_ms);
        self.set_limit();
    }

    /// The time that the strategy named has come, unless it has named another one since.
    pub(super) fn wake_pool(&mut self) {
        if self.pool_wakes_at_ms == Some(self.wheel.now_ms()) {
            self.pool_wakes_at_ms = None;
            self.ask_pool(Occasion::Woken);
        }
    }

    fn publish(&mut self, block: BlockId, is_answer: bool) {
        let Some(Pool { link_ms, .. }) = self.relay.pool else { return };
        if self.tree.is_published(block) {
            return;
        }
        self.tree.publish(block);
        let now_ms = self.wheel.now_ms();
        if let Some(watcher) = &mut self.watcher {
            watcher(&Step::Published { at_ms: now_ms, block: block.0 });
        }
        if self.tree.work(block) == self.tree.work(self.public) && is_answer {
            self.tie = Some(block);
        }
        let arrival_ms = now_ms + self.exchange_ms(link_ms);
        let Some(flight) = self.start_flight(block, now_ms) else { return };
        for node in 0..self.network.len() as u32 {
            self.send(arrival_ms, FROM_POOL, flight, 0, node);
        }
    }

    /// How long a block takes over one of the pool's links: announced, requested and sent, or only sent.
    fn exchange_ms(&self, link_ms: u64) -> u64 {
        match self.relay.mode {
            RelayMode::Push => link_ms + PROCESSING_MS,
            RelayMode::Compact | RelayMode::Inv => 3 * link_ms + 2 * OVERHEAD_MS + PROCESSING_MS,
        }
    }

    /// At the end of a tie: which share of the others' hash rate mines on the pool's branch.
    pub(super) fn measure_tie(&mut self) {
        let Some(ours) = self.tie.take() else { return };
        if self.tree.work(ours) < self.tree.work(self.public) {
            return;
        }
        let nodes = 0..self.network.len() as u32;
        let with_us: u64 =
            nodes.filter(|&node| self.tips[node as usize] == ours).map(|node| self.network.power(node)).sum();
        self.ties.0 += 1;
        self.ties.1 += with_us as f64 / self.network.total_power() as f64;
    }
}
