//! Plays any strategy on a tree of blocks, with real retarget rules: work decides, time passes, difficulty follows.

use super::Race;
use crate::kernel::{Probability, Stream, exponential_ms, mixed, stream};
use crate::model::Outcome;
use crate::model::tally::count;
use crate::strategy::{Act, Strategy, View};
use crate::tree::{BlockId, MinerId, Tree};
use shared::random::Random;

const OURS: MinerId = MinerId(0);
const OTHERS: MinerId = MinerId(1);

struct Run<'a> {
    race: &'a Race,
    tree: Tree,
    strategy: &'a mut dyn Strategy,
    mining_on: BlockId,
    /// What the others mine on.
    public: BlockId,
    /// An equally good branch, published in answer to `public`, on which a share gamma of the others mines.
    rival: Option<BlockId>,
    now_ms: u64,
    digest: u64,
    acts: Vec<Act>,
}

pub(super) fn run(race: &Race, strategy: &mut dyn Strategy, seed: u64) -> Outcome {
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
        digest: seed,
        acts: Vec::new(),
    };
    for _ in 0..race.warm_up + race.blocks {
        run.find_block(&mut miners, &mut times);
    }
    run.outcome()
}

impl Run<'_> {
    fn find_block(&mut self, miners: &mut Random, times: &mut Random) {
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
        self.now_ms += exponential_ms(times, race.params.block_interval_ms as f64 / (initial * total));
        if Probability::new(our_rate / total).happens(miners) {
            let block = self.add(self.mining_on, OURS);
            self.mining_on = block;
            self.ask(block, true);
        } else {
            let joins =
                self.rival.is_some() && Probability::new(rival_rate / (rival_rate + public_rate)).happens(miners);
            let parent = if joins { self.rival.unwrap_or(self.public) } else { self.public };
            let block = self.add(parent, OTHERS);
            self.tree.publish(block);
            if self.tree.work(block) > self.tree.work(self.public) {
                (self.public, self.rival) = (block, None);
            }
            self.ask(block, false);
        }
    }

    fn add(&mut self, parent: BlockId, miner: MinerId) -> BlockId {
        let difficulty = self.tree.difficulty_after(parent);
        let block = self.tree.add(parent, miner, self.now_ms, difficulty);
        self.digest = mixed(self.digest, &[u64::from(parent.0) << 16 | u64::from(miner.0), self.now_ms]);
        block
    }

    /// Asks the strategy what to do about a block, and does it.
    fn ask(&mut self, block: BlockId, is_ours: bool) {
        self.acts.clear();
        let view = View::new(&self.tree, OURS, self.mining_on);
        if is_ours {
            self.strategy.found(&view, block, &mut self.acts);
        } else {
            self.strategy.heard(&view, block, &mut self.acts);
        }
        for act in std::mem::take(&mut self.acts) {
            match act {
                Act::MineOn(block) => self.mining_on = block,
                Act::Publish(block) => {
                    self.tree.publish(block);
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
        let counted = count(&self.tree, [self.mining_on, self.public], self.race.warm_up, 2);
        Outcome {
            miners: counted.miners,
            elapsed_ms: counted.elapsed_ms,
            thefts: self.strategy.thefts(),
            digest: self.digest,
            ..Outcome::default()
        }
    }
}
