//! The miner with a strategy among real nodes: it mines real blocks, keeps them or sends them to every node, and hears
//! of theirs, over links of its own.

use super::node::now;
use super::world::{Event, World};
use crate::kernel::mixed;
use crate::model::Step;
use crate::model::relay::Pool;
use crate::strategy::{Act, Strategy, View};
use crate::tree::{BlockId, MinerId};
use shared::block::{Block, DataHash, HeaderFields, Height, Nonce};
use shared::keys::KeyPair;
use shared::layer::{Position, TemplateRequest};
use shared::ledger::Address;
use shared::state::{StateRead, Value};
use shared::store::StoreError;
use shared::work::search;
use std::collections::BTreeMap;
use std::sync::Arc;

const POOL: MinerId = MinerId(0);

/// What the miner knows and does.
pub(super) struct PoolState {
    pub(super) strategy: Box<dyn Strategy>,
    /// How fast it finds blocks, compared with the start.
    pub(super) pace: f64,
    /// Its hash rate, compared with the start.
    pub(super) factor: f64,
    pub(super) earner: Address,
    mines_on: BlockId,
    wakes_at_ms: Option<u64>,
    /// Blocks that it keeps, by number.
    kept: BTreeMap<BlockId, Arc<Block>>,
}

/// Why the strategy is asked.
pub(super) enum Occasion {
    Found(BlockId),
    Heard(BlockId),
    Woken,
}

/// The state of a block without transactions: nobody reads it.
struct NoState;

impl StateRead for NoState {
    fn get(&self, _: &[u8]) -> Result<Option<Value>, StoreError> {
        Ok(None)
    }

    fn keeps_history(&self) -> bool {
        false
    }
}

impl PoolState {
    pub(super) fn new(pool: &Pool) -> Self {
        Self {
            strategy: pool.strategy.build(),
            pace: 1.0,
            factor: 1.0,
            earner: KeyPair::from_seed("pool").address(),
            mines_on: BlockId::GENESIS,
            wakes_at_ms: None,
            kept: BTreeMap::new(),
        }
    }
}

impl World<'_, '_> {
    /// Computes how fast the miner finds blocks where it mines.
    pub(super) fn set_pool_pace(&mut self) {
        if let Some(pool) = &mut self.pool {
            pool.pace = pool.factor * self.reference / self.tree.difficulty_after(pool.mines_on).value() as f64;
        }
    }

    /// The miner finds a block; returns whether there is such a miner.
    pub(super) fn find_pool_block(&mut self, block_number: u64) -> bool {
        let Some(block) = self.mine_for_pool(block_number) else { return false };
        let now_ms = self.queue.now_ms();
        let Some(pool) = &mut self.pool else { return false };
        let parent = pool.mines_on;
        let found_ms = now_ms.max(self.tree.timestamp_ms(parent) + 1);
        let id = self.tree.add(parent, POOL, found_ms, block.header().difficulty);
        self.blocks.insert(block.hash(), (id, now_ms));
        self.hashes.push(block.hash());
        pool.kept.insert(id, Arc::new(block));
        pool.mines_on = id;
        self.digest = mixed(self.digest, &[u64::from(parent.0) << 32 | u64::from(u32::MAX), now_ms]);
        if let Some(watcher) = &mut self.watcher {
            watcher(&Step::found(&self.tree, id, now_ms, None));
        }
        self.ask_pool(Occasion::Found(id));
        true
    }

    /// A real block on top of what the miner mines on; `None` where there is no such miner.
    fn mine_for_pool(&mut self, block_number: u64) -> Option<Block> {
        let pool = self.pool.as_ref()?;
        let parent = pool.mines_on;
        let parent_time = self.genesis.plus_ms(self.tree.timestamp_ms(parent));
        let prev_hash = *self.hashes.get(parent.0 as usize)?;
        let index = Height(self.tree.chain_height(parent) + 1);
        let message = format!("block {block_number} of the pool");
        let wanted = TemplateRequest { message: &message, miner: Some(pool.earner), candidates: &[] };
        let position = Position { index, parent: prev_hash, parent_time };
        let data = self.rules.layer().template(&position, &NoState, &wanted).ok()?;
        let timestamp = now(self.genesis, self.queue.now_ms()).time.max(parent_time.plus_ms(1));
        let difficulty = self.tree.difficulty_after(parent);
        let fields = HeaderFields { index, prev_hash, timestamp, difficulty, data_hash: DataHash::of(&data) };
        let nonce = search(&fields.seal(), &difficulty.target(), Nonce(mixed(self.seed, &[block_number])), u64::MAX)?;
        Some(Block::new(fields, nonce, data))
    }

    /// Asks the strategy, and does what it says.
    pub(super) fn ask_pool(&mut self, occasion: Occasion) {
        let Some(pool) = &mut self.pool else { return };
        let now_ms = self.queue.now_ms();
        let mut acts = Vec::new();
        let view = View::new(&self.tree, POOL, pool.mines_on, now_ms);
        match occasion {
            Occasion::Found(block) => pool.strategy.found(&view, block, &mut acts),
            Occasion::Heard(block) => pool.strategy.heard(&view, block, &mut acts),
            Occasion::Woken => pool.strategy.woken(&view, &mut acts),
        }
        for act in acts {
            match act {
                Act::MineOn(block) => {
                    if let Some(pool) = &mut self.pool {
                        pool.mines_on = block;
                    }
                }
                Act::Publish(block) => self.publish(block),
                Act::WakeAt(at_ms) => {
                    let at_ms = at_ms.max(now_ms + 1);
                    if let Some(pool) = &mut self.pool {
                        pool.wakes_at_ms = Some(at_ms);
                    }
                    self.queue.add(at_ms, Event::WakePool);
                }
            }
        }
        self.set_pool_pace();
    }

    /// The time that the strategy named has come, unless it has named another one since.
    pub(super) fn wake_pool(&mut self) {
        let now_ms = self.queue.now_ms();
        if let Some(pool) = self.pool.as_mut().filter(|pool| pool.wakes_at_ms == Some(now_ms)) {
            pool.wakes_at_ms = None;
            self.ask_pool(Occasion::Woken);
        }
    }

    /// Sends a block and its ancestors to every node, the oldest first.
    fn publish(&mut self, block: BlockId) {
        let (Some(pool), Some(state)) = (&self.core.pool, &mut self.pool) else { return };
        let mut secret = Vec::new();
        let mut here = block;
        while !self.tree.is_published(here) {
            secret.extend(state.kept.remove(&here).map(|block| (here, block)));
            here = self.tree.parent(here);
        }
        self.tree.publish(block);
        let now_ms = self.queue.now_ms();
        for (id, block) in secret.into_iter().rev() {
            if let Some(watcher) = &mut self.watcher {
                watcher(&Step::Published { at_ms: now_ms, block: id.0 });
            }
            for to in 0..self.nodes.len() as u32 {
                self.queue.add(now_ms + pool.link_ms, Event::FromPool { to, block: block.clone() });
            }
        }
    }
}
