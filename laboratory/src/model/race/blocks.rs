//! Plays any strategy on a tree of blocks, with real retarget rules: work decides, time passes, difficulty follows.

use super::Race;
use crate::kernel::{Probability, Stream, exponential_ms, mixed, stream};
use crate::model::tally::count;
use crate::model::{Outcome, Step, Watcher};
use crate::strategy::{Act, Strategy, View};
use crate::tree::{BlockId, MinerId, Tree};
use shared::random::Random;

const OURS: MinerId = MinerId(0);
const OTHERS: MinerId = MinerId(1);

struct Run<'a, 'w> {
    race: &'a Race,
    tree: Tree,
    strategy: &'a mut dyn Strategy,
    mining_on: BlockId,
    /// What the others mine on.
    public: BlockId,
    /// An equally good branch, published in answer to `public`, on which a share gamma of the others mines.
    rival: Option<BlockId>,
    now_ms: u64,
    /// When the strategy wants to be woken.
    wake_at_ms: Option<u64>,
    digest: u64,
    acts: Vec<Act>,
    watcher: Watcher<'w>,
}

/// Why a strategy is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Occasion {
    Found(BlockId),
    Heard(BlockId),
    Woken,
}

pub(super) fn run(race: &Race, strategy: &mut dyn Strategy, seed: u64, watcher: Watcher<'_>) -> Outcome {
    let mut miners = stream(seed, Stream::Miner);
    let mut times = stream(seed, Stream::Time);
    let mut run = Run {
        race,
        tree: Tree::new(&race.params),
        strategy,
        mining_on: BlockId::GENESIS,
        public: BlockId::GENESIS,
        rival: None,
        now_ms: 0,
        wake_at_ms: None,
        digest: seed,
        acts: Vec::new(),
        watcher,
    };
    for _ in 0..race.warm_up + race.blocks {
        run.find_block(&mut miners, &mut times);
    }
    run.outcome()
}

impl Run<'_, '_> {
    fn find_block(&mut self, miners: &mut Random, times: &mut Random) {
        while !self.try_to_find(miners, times) {}
    }

    /// Goes on to the next block, or to the time at which the strategy wants to be woken; returns whether it was found.
    fn try_to_find(&mut self, miners: &mut Random, times: &mut Random) -> bool {
        let race = self.race;
        let difficulty_of = |tree: &mut Tree, parent| tree.difficulty_after(parent).value() as f64;
        let our_rate = race.share / difficulty_of(&mut self.tree, self.mining_on);
        let rival_rate = match self.rival {
            Some(rival) => (1.0 - race.share) * race.gamma / difficulty_of(&mut self.tree, rival),
            None => 0.0,
        };
        let stay = if self.rival.is_some() { 1.0 - race.gamma } else { 1.0 };
        let public_rate = (1.0 - race.share) * stay / difficulty_of(&mut self.tree, self.public);
        let total = our_rate + rival_rate + public_rate;

        // All hash rate together finds a block of the initial difficulty once per interval.
        let initial = race.params.initial_difficulty.value() as f64;
        let found_ms = self.now_ms + exponential_ms(times, race.params.block_interval_ms as f64 / (initial * total));
        if let Some(wake_at_ms) = self.wake_at_ms.filter(|wake_at_ms| *wake_at_ms <= found_ms) {
            // Searching has no memory: the time to the next block is drawn anew.
            self.now_ms = self.now_ms.max(wake_at_ms);
            self.wake_at_ms = None;
            self.ask(Occasion::Woken);
            return false;
        }
        self.now_ms = found_ms;
        if Probability::new(our_rate / total).happens(miners) {
            let block = self.add(self.mining_on, OURS);
            self.mining_on = block;
            self.ask(Occasion::Found(block));
        } else {
            let joins =
                self.rival.is_some() && Probability::new(rival_rate / (rival_rate + public_rate)).happens(miners);
            let parent = if joins { self.rival.unwrap_or(self.public) } else { self.public };
            let block = self.add(parent, OTHERS);
            self.tree.publish(block);
            if self.tree.work(block) > self.tree.work(self.public) {
                (self.public, self.rival) = (block, None);
            }
            self.ask(Occasion::Heard(block));
        }
        true
    }

    fn add(&mut self, parent: BlockId, miner: MinerId) -> BlockId {
        let difficulty = self.tree.difficulty_after(parent);
        let ahead_ms = if miner == OURS { self.race.clock_ahead_ms } else { 0 };
        let block = self.tree.add(parent, miner, self.now_ms + ahead_ms, difficulty);
        self.digest = mixed(self.digest, &[u64::from(parent.0) << 16 | u64::from(miner.0), self.now_ms]);
        if let Some(watcher) = &mut self.watcher {
            watcher(&Step::found(&self.tree, block, self.now_ms, None));
        }
        block
    }

    /// Asks the strategy what to do, and does it.
    fn ask(&mut self, occasion: Occasion) {
        self.acts.clear();
        let view = View::new(&self.tree, OURS, self.mining_on, self.now_ms);
        match occasion {
            Occasion::Found(block) => self.strategy.found(&view, block, &mut self.acts),
            Occasion::Heard(block) => self.strategy.heard(&view, block, &mut self.acts),
            Occasion::Woken => self.strategy.woken(&view, &mut self.acts),
        }
        let is_ours = !matches!(occasion, Occasion::Heard(_));
        for act in std::mem::take(&mut self.acts) {
            match act {
                Act::MineOn(block) => self.mining_on = block,
                Act::WakeAt(at_ms) => self.wake_at_ms = Some(at_ms),
                Act::Publish(block) => {
                    self.tree.publish(block);
                    if let Some(watcher) = &mut self.watcher {
                        watcher(&Step::Published { at_ms: self.now_ms, block: block.0 });
                    }
                    let (ours, public) = (self.tree.work(block), self.tree.work(self.public));
                    if ours > public {
                        (self.public, self.rival) = (block, None);
                    } else if ours == public && block != self.public && !is_ours {
                        // In answer to a block that is still on its way: it reaches a share gamma first.
                        self.rival = Some(block);
                    }
                }
            }
        }
    }

    fn outcome(self) -> Outcome {
        let counted = count(&self.tree, &[self.mining_on, self.public], self.race.warm_up, 2);
        Outcome {
            miners: counted.miners,
            elapsed_ms: counted.elapsed_ms,
            thefts: self.strategy.thefts(),
            batches: counted.batches,
            digest: self.digest,
            ..Outcome::default()
        }
    }
}
