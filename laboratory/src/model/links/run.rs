//! The run: who finds the next block, what it has heard of by then, and what strategies make of it.

use super::{Delays, Links};
use crate::kernel::{Stream, exponential_ms, mixed, stream};
use crate::model::tally::count;
use crate::model::{Outcome, Step, Watcher};
use crate::strategy::{Act, Strategy, StrategyName, View};
use crate::tree::{BlockId, MinerId, Tree};
use shared::random::Random;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A published block that somebody may still mine on.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    block: BlockId,
    from: usize,
    published_ms: u64,
}

/// A miner with a strategy other than honest.
struct Strategist {
    node: usize,
    strategy: Box<dyn Strategy + Send>,
    mining_on: BlockId,
    wake_at_ms: Option<u64>,
}

/// Why a strategy is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Occasion {
    Found(BlockId),
    Heard(BlockId),
    Woken,
}

struct Run<'a, 'w> {
    links: &'a Links,
    delays: &'a Delays,
    watcher: Watcher<'w>,
    tree: Tree,
    /// By node: which strategist it is.
    strategist_of: Vec<Option<usize>>,
    strategists: Vec<Strategist>,
    candidates: Vec<Candidate>,
    /// What strategists hear, in order of time and of publication.
    heard: BinaryHeap<Reverse<(u64, u64, usize, Occasion)>>,
    sequence: u64,
    /// The best published block, the first of equal ones.
    public: BlockId,
    /// The first miner's answer to `public` of equal work, while nobody has found a block on top.
    tie: Option<BlockId>,
    ties: (u64, f64),
    now_ms: u64,
    digest: u64,
}

pub(super) fn run(links: &Links, delays: &Delays, seed: u64, watcher: Watcher<'_>) -> Outcome {
    let mut strategist_of = vec![None; links.miners.len()];
    let mut strategists = Vec::new();
    for (node, miner) in links.miners.iter().enumerate() {
        if miner.strategy.name() != StrategyName::Honest {
            strategist_of[node] = Some(strategists.len());
            let (strategy, mining_on) = (miner.strategy.build(), BlockId::GENESIS);
            strategists.push(Strategist { node, strategy, mining_on, wake_at_ms: None });
        }
    }
    let mut run = Run {
        links,
        delays,
        watcher,
        tree: Tree::new(&links.params),
        strategist_of,
        strategists,
        candidates: Vec::new(),
        heard: BinaryHeap::new(),
        sequence: 0,
        public: BlockId::GENESIS,
        tie: None,
        ties: (0, 0.0),
        now_ms: 0,
        digest: seed,
    };
    let (mut miners, mut times) = (stream(seed, Stream::Miner), stream(seed, Stream::Time));
    let thresholds = thresholds(links);
    for _ in 0..links.warm_up + links.blocks {
        let found_ms = run.now_ms + exponential_ms(&mut times, links.params.block_interval_ms as f64);
        run.hear_until(found_ms);
        run.now_ms = found_ms;
        run.find_block(pick(&thresholds, &mut miners));
    }
    run.hear_until(u64::MAX);
    run.outcome()
}

/// By node: the sum of the shares up to and including it, of 2^64; the last one is all.
fn thresholds(links: &Links) -> Vec<u64> {
    let total: f64 = links.miners.iter().map(|miner| miner.power).sum();
    let mut sum = 0.0;
    let mut thresholds: Vec<u64> = links
        .miners
        .iter()
        .map(|miner| {
            sum += miner.power / total;
            (sum * 18_446_744_073_709_551_616.0) as u64
        })
        .collect();
    if let Some(last) = thresholds.last_mut() {
        *last = u64::MAX;
    }
    thresholds
}

fn pick(thresholds: &[u64], random: &mut Random) -> usize {
    let point = random.next_u64();
    thresholds.partition_point(|threshold| *threshold <= point).min(thresholds.len() - 1)
}

impl Run<'_, '_> {
    fn find_block(&mut self, node: usize) {
        self.measure_tie();
        let strategist = self.strategist_of[node];
        let parent = match strategist {
            Some(index) => self.strategists[index].mining_on,
            None => self.tip(node, self.now_ms),
        };
        let difficulty = self.links.params.initial_difficulty;
        let miner = MinerId(node as u16);
        let block = self.tree.add(parent, miner, self.now_ms, difficulty);
        self.digest = mixed(self.digest, &[u64::from(parent.0) << 16 | u64::from(miner.0), self.now_ms]);
        if let Some(watcher) = &mut self.watcher {
            watcher(&Step::found(&self.tree, block, self.now_ms, None));
        }
        match strategist {
            Some(index) => {
                self.strategists[index].mining_on = block;
                self.ask(index, Occasion::Found(block));
            }
            None => self.publish(block, node, false),
        }
    }

    /// What an honest miner mines on: of all blocks that it has heard of, one with most work, the first that it heard
    /// of; of blocks that arrive at the same time, the first that was published.
    fn tip(&self, node: usize, now_ms: u64) -> BlockId {
        let arrivals = self.candidates.iter().enumerate();
        let arrivals = arrivals.map(|(place, candidate)| (self.arrival_ms(candidate, node), place, candidate.block));
        let known = arrivals.filter(|(at_ms, ..)| *at_ms <= now_ms);
        let best = known.max_by_key(|(at_ms, place, block)| (self.tree.work(*block), Reverse((*at_ms, *place))));
        best.map_or(BlockId::GENESIS, |(.., block)| block)
    }

    fn arrival_ms(&self, candidate: &Candidate, node: usize) -> u64 {
        let wait_ms = if candidate.from == node { 0 } else { self.links.validation_ms };
        candidate.published_ms + wait_ms + self.delays.ms(candidate.from, node)
    }

    fn publish(&mut self, block: BlockId, from: usize, is_answer: bool) {
        if self.tree.is_published(block) {
            return;
        }
        self.tree.publish(block);
        let (work, best) = (self.tree.work(block), self.tree.work(self.public));
        if work > best {
            (self.public, self.tie) = (block, None);
        } else if work == best && is_answer && from == 0 {
            self.tie = Some(block);
        }
        self.prune();
        let candidate = Candidate { block, from, published_ms: self.now_ms };
        self.candidates.push(candidate);
        for index in 0..self.strategists.len() {
            let node = self.strategists[index].node;
            if node != from {
                self.sequence += 1;
                let at_ms = self.arrival_ms(&candidate, node);
                self.heard.push(Reverse((at_ms, self.sequence, index, Occasion::Heard(block))));
            }
        }
    }

    /// Drops blocks that nobody mines on any more, since everybody has heard of a better one.
    fn prune(&mut self) {
        let (now_ms, validation_ms) = (self.now_ms, self.links.validation_ms);
        let is_everywhere = |candidate: &&Candidate| {
            candidate.published_ms + validation_ms + self.delays.longest_ms(candidate.from) <= now_ms
        };
        let everywhere = self.candidates.iter().filter(is_everywhere);
        if let Some(least) = everywhere.map(|candidate| self.tree.work(candidate.block)).max() {
            let tree = &self.tree;
            self.candidates.retain(|candidate| tree.work(candidate.block) >= least);
        }
    }

    /// Lets strategists hear what reaches them until `limit_ms`, and wakes them.
    fn hear_until(&mut self, limit_ms: u64) {
        while let Some(&Reverse((at_ms, _, index, occasion))) = self.heard.peek() {
            if at_ms > limit_ms {
                return;
            }
            self.heard.pop();
            if occasion == Occasion::Woken {
                // At the end, nobody is woken any more.
                if limit_ms == u64::MAX || self.strategists[index].wake_at_ms != Some(at_ms) {
                    continue;
                }
                self.strategists[index].wake_at_ms = None;
            }
            self.now_ms = at_ms;
            self.ask(index, occasion);
        }
    }

    /// Asks a strategist what to do, and does it.
    fn ask(&mut self, index: usize, occasion: Occasion) {
        let mut acts = Vec::new();
        let strategist = &mut self.strategists[index];
        let node = strategist.node;
        let view = View::new(&self.tree, MinerId(node as u16), strategist.mining_on, self.now_ms);
        match occasion {
            Occasion::Found(block) => strategist.strategy.found(&view, block, &mut acts),
            Occasion::Heard(block) => strategist.strategy.heard(&view, block, &mut acts),
            Occasion::Woken => strategist.strategy.woken(&view, &mut acts),
        }
        for act in acts {
            match act {
                Act::MineOn(block) => self.strategists[index].mining_on = block,
                Act::Publish(block) => {
                    if let Some(watcher) = &mut self.watcher {
                        watcher(&Step::Published { at_ms: self.now_ms, block: block.0 });
                    }
                    self.publish(block, node, matches!(occasion, Occasion::Heard(_)));
                }
                Act::WakeAt(at_ms) => {
                    let at_ms = at_ms.max(self.now_ms + 1);
                    self.strategists[index].wake_at_ms = Some(at_ms);
                    self.sequence += 1;
                    self.heard.push(Reverse((at_ms, self.sequence, index, Occasion::Woken)));
                }
            }
        }
    }

    /// At the end of a tie: which share of the others' hash rate mines on the first miner's branch.
    fn measure_tie(&mut self) {
        let Some(ours) = self.tie.take() else { return };
        let others = || self.links.miners.iter().enumerate().skip(1);
        let total: f64 = others().map(|(_, miner)| miner.power).sum();
        let with_us = others().filter(|(node, _)| self.tip(*node, self.now_ms) == ours);
        let gamma = with_us.map(|(_, miner)| miner.power).sum::<f64>() / total;
        self.ties = (self.ties.0 + 1, self.ties.1 + gamma);
    }

    fn outcome(self) -> Outcome {
        let honest = (0..self.links.miners.len()).filter(|node| self.strategist_of[*node].is_none());
        let mut tips: Vec<BlockId> = honest.map(|node| self.tip(node, u64::MAX)).collect();
        tips.extend(self.strategists.iter().map(|strategist| strategist.mining_on));
        tips.sort_unstable();
        tips.dedup();
        let counted = count(&self.tree, &tips, self.links.warm_up, self.links.miners.len());
        let first = self.strategists.iter().find(|strategist| strategist.node == 0);
        Outcome {
            miners: counted.miners,
            elapsed_ms: counted.elapsed_ms,
            thefts: first.and_then(|strategist| strategist.strategy.thefts()),
            gamma: (self.ties.0 > 0).then(|| self.ties.1 / self.ties.0 as f64),
            batches: counted.batches,
            digest: self.digest,
            ..Outcome::default()
        }
    }
}
