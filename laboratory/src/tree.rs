//! The tree of all blocks of a run: who found which block when, its difficulty by the real retarget rule, and its work.
//!
//! Blocks live in one arena and are never removed: a run holds 64 bytes a block.

use shared::block::{Height, Timestamp};
use shared::params::{Params, RetargetRule};
use shared::work::retarget::{Ancestor, Retarget};
use shared::work::{Difficulty, Work};

/// A block of the tree. Numbers count up in the order in which blocks were found; 0 is genesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockId(pub u32);

impl BlockId {
    /// The block that everything begins with.
    pub const GENESIS: Self = Self(0);
}

/// A miner of the scenario, by its place in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MinerId(pub u16);

impl MinerId {
    /// Nobody: the finder of genesis.
    pub const NOBODY: Self = Self(u16::MAX);
}

#[derive(Debug, Clone, Copy)]
struct Node {
    work: Work,
    timestamp_ms: u64,
    difficulty: Difficulty,
    parent: BlockId,
    height: u32,
    miner: MinerId,
    published: bool,
}

/// All blocks of a run.
pub struct Tree {
    nodes: Vec<Node>,
    rule: Box<dyn Retarget>,
    /// The branch that a difficulty was last computed for, by height, so that the rule gets its ancestors as one slice.
    branch: Vec<BlockId>,
    /// What is below genesis and counts for difficulties, and then that branch.
    ancestors: Vec<Ancestor>,
    /// How many of the ancestors are below genesis.
    below: usize,
    /// The height of genesis on the chain that it stands for.
    base: u64,
}

impl std::fmt::Debug for Tree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tree").field("nodes", &self.nodes).finish_non_exhaustive()
    }
}

impl Tree {
    /// A tree with genesis at time 0, under the retarget rule of `params`.
    pub fn new(params: &Params) -> Self {
        let genesis = Node {
            work: Difficulty::MIN.work(),
            timestamp_ms: 0,
            difficulty: Difficulty::MIN,
            parent: BlockId::GENESIS,
            height: 0,
            miner: MinerId::NOBODY,
            published: true,
        };
        let ancestor = Ancestor { timestamp: Timestamp::from_ms(0), difficulty: Difficulty::MIN };
        Self {
            nodes: vec![genesis],
            rule: RetargetRule::build(params),
            branch: vec![BlockId::GENESIS],
            ancestors: vec![ancestor],
            below: 0,
            base: 0,
        }
    }

    /// A tree whose genesis stands for the last block of `chain`, all blocks of which count for difficulties. Times are
    /// in milliseconds since the genesis of that chain, which `chain` begins with.
    pub fn on(params: &Params, chain: &[(u64, Difficulty)]) -> Self {
        let mut tree = Self::new(params);
        let ancestor =
            |&(ms, difficulty): &(u64, Difficulty)| Ancestor { timestamp: Timestamp::from_ms(ms), difficulty };
        if let Some(&(timestamp_ms, difficulty)) = chain.last() {
            (tree.nodes[0].timestamp_ms, tree.nodes[0].difficulty) = (timestamp_ms, difficulty);
            tree.ancestors = chain.iter().map(ancestor).collect();
            (tree.below, tree.base) = (chain.len() - 1, chain.len() as u64 - 1);
        }
        tree
    }

    /// The height of a block on the chain that genesis stands on.
    pub fn chain_height(&self, block: BlockId) -> u64 {
        self.base + u64::from(self.height(block))
    }

    /// The difficulty that a block on top of `parent` must have.
    pub fn difficulty_after(&mut self, parent: BlockId) -> Difficulty {
        self.follow(parent);
        let last = self.below + self.height(parent) as usize;
        let oldest = (last + 1).saturating_sub(self.rule.reach());
        self.rule.next(Height(self.chain_height(parent) + 1), &self.ancestors[oldest..=last])
    }

    /// Adds a secret block. Its timestamp is `now_ms`, or one more than its parent's where that is later.
    pub fn add(&mut self, parent: BlockId, miner: MinerId, now_ms: u64, difficulty: Difficulty) -> BlockId {
        let below = self.nodes[parent.0 as usize];
        let block = BlockId(self.nodes.len() as u32);
        self.nodes.push(Node {
            work: below.work + difficulty.work(),
            timestamp_ms: now_ms.max(below.timestamp_ms + 1),
            difficulty,
            parent,
            height: below.height + 1,
            miner,
            published: false,
        });
        block
    }

    /// Makes `block` and every ancestor public.
    pub fn publish(&mut self, block: BlockId) {
        let mut block = block;
        while !self.is_published(block) {
            self.nodes[block.0 as usize].published = true;
            block = self.parent(block);
        }
    }

    /// How many blocks there are, genesis included.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Never: genesis is always there.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The parent; genesis is its own.
    pub fn parent(&self, block: BlockId) -> BlockId {
        self.nodes[block.0 as usize].parent
    }

    /// The number of blocks below it.
    pub fn height(&self, block: BlockId) -> u32 {
        self.nodes[block.0 as usize].height
    }

    /// The work of the chain that ends in it.
    pub fn work(&self, block: BlockId) -> Work {
        self.nodes[block.0 as usize].work
    }

    /// Its difficulty.
    pub fn difficulty(&self, block: BlockId) -> Difficulty {
        self.nodes[block.0 as usize].difficulty
    }

    /// When it says that it was found, in milliseconds from genesis.
    pub fn timestamp_ms(&self, block: BlockId) -> u64 {
        self.nodes[block.0 as usize].timestamp_ms
    }

    /// Who found it.
    pub fn miner(&self, block: BlockId) -> MinerId {
        self.nodes[block.0 as usize].miner
    }

    /// Whether it is public.
    pub fn is_published(&self, block: BlockId) -> bool {
        self.nodes[block.0 as usize].published
    }

    /// The ancestor of `block` at `height`, or `block` itself where it is not higher than that.
    pub fn ancestor_at(&self, block: BlockId, height: u32) -> BlockId {
        let mut block = block;
        while self.height(block) > height {
            block = self.parent(block);
        }
        block
    }

    /// The last block that two chains have in common.
    pub fn fork_point(&self, one: BlockId, other: BlockId) -> BlockId {
        let (mut one, mut other) = (one, other);
        while one != other {
            // Ids grow along every branch, so the larger one cannot be the common ancestor.
            if one > other { one = self.parent(one) } else { other = self.parent(other) }
        }
        one
    }

    /// Makes `branch` the chain that ends in `tip`; walks only as far as the two differ.
    fn follow(&mut self, tip: BlockId) {
        let height = self.height(tip) as usize;
        let mut missing = Vec::new();
        let mut block = tip;
        while self.branch.get(self.height(block) as usize) != Some(&block) {
            missing.push(block);
            block = self.parent(block);
        }
        self.branch.truncate(self.height(block) as usize + 1);
        self.ancestors.truncate(self.below + self.branch.len());
        for &block in missing.iter().rev() {
            self.branch.push(block);
            self.ancestors.push(Ancestor {
                timestamp: Timestamp::from_ms(self.timestamp_ms(block)),
                difficulty: self.difficulty(block),
            });
        }
        debug_assert_eq!(self.branch.len(), height + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(retarget: RetargetRule, window: u64) -> Params {
        Params { retarget, retarget_window: window, block_interval_ms: 1000, ..Params::default() }
    }

    fn extend(tree: &mut Tree, parent: BlockId, now_ms: u64) -> BlockId {
        let difficulty = tree.difficulty_after(parent);
        tree.add(parent, MinerId(0), now_ms, difficulty)
    }

    #[test]
    fn difficulties_are_those_of_the_real_rule_on_every_branch() {
        for rule in [RetargetRule::Fixed, RetargetRule::Epoch, RetargetRule::Lwma] {
            let params = params(rule, 5);
            let mut tree = Tree::new(&params);
            // Two branches that part after block 12; one is mined twice as fast. They are extended in turn.
            let (mut slow, mut fast) = (BlockId::GENESIS, BlockId::GENESIS);
            let (mut slow_times, mut fast_times) = (vec![0], vec![0]);
            for step in 1..60_u64 {
                slow = extend(&mut tree, slow, step * 1000);
                slow_times.push(step * 1000);
                if step <= 12 {
                    (fast, fast_times) = (slow, slow_times.clone());
                } else {
                    let time = 12_000 + (step - 12) * 500;
                    fast = extend(&mut tree, fast, time);
                    fast_times.push(time);
                }
            }
            for (tip, times) in [(slow, slow_times), (fast, fast_times)] {
                let mut expected = shared::work::retarget::replay(RetargetRule::build(&params).as_ref(), &times);
                assert_eq!(expected.pop(), Some(tree.difficulty_after(tip)), "{rule:?}");
                let found = (0..60).map(|height| tree.difficulty(tree.ancestor_at(tip, height)));
                assert_eq!(found.collect::<Vec<_>>(), expected, "{rule:?}");
                assert_eq!(tree.work(tip), expected.iter().map(|difficulty| difficulty.work()).sum());
            }
        }
    }

    #[test]
    fn a_tree_on_a_chain_goes_on_with_the_difficulties_of_that_chain() {
        for rule in [RetargetRule::Fixed, RetargetRule::Epoch, RetargetRule::Lwma] {
            let params = params(rule, 5);
            let mut whole = Tree::new(&params);
            let (mut tip, mut chain) = (BlockId::GENESIS, vec![(0, Difficulty::MIN)]);
            for step in 1..=23 {
                tip = extend(&mut whole, tip, step * 700);
                chain.push((step * 700, whole.difficulty(tip)));
            }
            let mut rest = Tree::on(&params, &chain);
            let mut rest_tip = BlockId::GENESIS;
            assert_eq!(rest.chain_height(rest_tip), 23);
            for step in 24..60 {
                (tip, rest_tip) = (extend(&mut whole, tip, step * 300), extend(&mut rest, rest_tip, step * 300));
                assert_eq!(rest.difficulty(rest_tip), whole.difficulty(tip), "{rule:?} {step}");
            }
        }
    }

    #[test]
    fn branches_part_where_they_do_and_publishing_includes_ancestors() {
        let mut tree = Tree::new(&params(RetargetRule::Fixed, 5));
        // 0 ─ 1 ─ 2 ─ 4
        //      └─ 3 ─ 5
        let one = extend(&mut tree, BlockId::GENESIS, 10);
        let two = extend(&mut tree, one, 20);
        let three = extend(&mut tree, one, 30);
        let four = extend(&mut tree, two, 40);
        let five = extend(&mut tree, three, 5);
        assert_eq!((tree.fork_point(four, five), tree.fork_point(two, four)), (one, two));
        assert_eq!(tree.timestamp_ms(five), 31, "a timestamp is later than the parent's");
        tree.publish(three);
        let public: Vec<bool> = [one, two, three, four, five].iter().map(|&b| tree.is_published(b)).collect();
        assert_eq!(public, [true, false, true, false, false]);
    }
}
