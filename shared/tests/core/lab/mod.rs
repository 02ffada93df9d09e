//! The language of the scripts: blocks have names, forks are lines of names, and each push is checked as a whole.
//!
//! ```text
//! lab.mine("genesis", "a1 a2 a3");      mines three blocks, one on the other; nobody has seen them yet
//! lab.mine_with("b1", "genesis", "…");  mines one with data for the layer `ledger`
//! lab.best("a1 a2");                    pushes them: each must become the tip
//! lab.side("b1");                       pushes it: it must be kept beside the best chain
//! ```
//!
//! A block without data of its own writes its name, so that every block changes the state and undoing always matters.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests: this is how they fail

mod faulty;
mod invariants;
pub(crate) mod ledger;

pub(crate) use faulty::FaultyStore;
pub(crate) use invariants::{check_whole, model_state};

use ledger::Ledger;
use shared::block::{Block, BlockHash, DataHash, HeaderFields, Nonce, Timestamp};
use shared::chain::{Accepted, BlockError, BlockViolation, Chain, NotYet, Origin, Rules, SideLimits};
use shared::params::{LayerName, Params, RetargetRule};
use shared::store::StoreError;
use shared::work::retarget::Ancestor;
use shared::work::{Difficulty, Work, search};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Parameters under which every block has the same difficulty.
pub(crate) fn fixed(difficulty: u64) -> Params {
    Params {
        retarget: RetargetRule::Fixed,
        initial_difficulty: Difficulty::new(difficulty).unwrap(),
        name: "lab".to_owned(),
        layer: LayerName::Data,
        ..Params::default()
    }
}

/// Parameters under which branches differ in weight: from block 3 on, the time between two blocks moves the difficulty
/// of the next two by a factor of up to four.
pub(crate) fn lively() -> Params {
    Params { retarget: RetargetRule::Epoch, retarget_window: 2, ..fixed(16) }
}

/// Mines a block on `branch`, whose blocks start with genesis, `gap_ms` after its parent.
pub(crate) fn mine_on(rules: &Rules, branch: &[&Block], gap_ms: u64, data: &str) -> Block {
    let ancestors: Vec<_> = branch
        .iter()
        .map(|block| Ancestor { timestamp: block.header().timestamp, difficulty: block.header().difficulty })
        .collect();
    let parent = branch.last().unwrap();
    let index = parent.index().next();
    let fields = HeaderFields {
        index,
        prev_hash: parent.hash(),
        timestamp: parent.header().timestamp.plus_ms(gap_ms),
        difficulty: rules.retarget().next(index, &ancestors),
        data_hash: DataHash::of(data),
    };
    seal(fields, data)
}

/// Finds the nonce for `fields`, valid or not.
pub(crate) fn seal(fields: HeaderFields, data: &str) -> Block {
    let fields = HeaderFields { data_hash: DataHash::of(data), ..fields };
    let nonce = search(&fields.seal(), &fields.difficulty.target(), Nonce(0), u64::MAX).unwrap();
    Block::new(fields, nonce, data.to_owned())
}

/// A chain, its store, and the blocks of a script by name.
pub(crate) struct Lab {
    pub(crate) rules: Arc<Rules>,
    pub(crate) store: FaultyStore,
    pub(crate) chain: Chain,
    pub(crate) now: Timestamp,
    /// Milliseconds from a mined block to its parent.
    pub(crate) gap_ms: u64,
    limits: SideLimits,
    blocks: BTreeMap<String, Block>,
}

impl Lab {
    pub(crate) fn new(params: Params) -> Self {
        Self::with_limits(params, SideLimits::default())
    }

    pub(crate) fn with_limits(params: Params, limits: SideLimits) -> Self {
        params.check().unwrap();
        let genesis = params.genesis();
        let now = params.genesis_time.plus_ms(365 * 24 * 60 * 60 * 1000);
        let gap_ms = params.block_interval_ms;
        let rules = Arc::new(Rules::with_layer(params, Box::new(Ledger)));
        let store = FaultyStore::new();
        let chain = Chain::open(rules.clone(), Arc::new(store.clone()), limits).unwrap();
        let blocks = BTreeMap::from([("genesis".to_owned(), genesis)]);
        Self { rules, store, chain, now, gap_ms, limits, blocks }
    }

    /// Mines a line of blocks on `parent`, each of which writes its name.
    pub(crate) fn mine(&mut self, parent: &str, names: &str) {
        let mut parent = parent.to_owned();
        for name in names.split_whitespace() {
            self.mine_with(name, &parent, &format!("put last {name}\nclaim by-{name} {parent}"));
            name.clone_into(&mut parent);
        }
    }

    /// Mines one block with this data.
    pub(crate) fn mine_with(&mut self, name: &str, parent: &str, data: &str) {
        let block = mine_on(&self.rules, &self.branch(parent), self.gap_ms, data);
        self.keep(name, block);
    }

    /// Mines a valid block after `change` has modified its fields.
    pub(crate) fn forge(&mut self, name: &str, parent: &str, change: impl FnOnce(&mut HeaderFields)) {
        let right = mine_on(&self.rules, &self.branch(parent), self.gap_ms, "say forged");
        let mut fields = **right.header();
        change(&mut fields);
        self.keep(name, seal(fields, right.data()));
    }

    pub(crate) fn keep(&mut self, name: &str, block: Block) {
        assert!(self.blocks.insert(name.to_owned(), block).is_none(), "the script has two blocks {name}");
    }

    pub(crate) fn block(&self, name: &str) -> &Block {
        self.blocks.get(name).unwrap_or_else(|| panic!("the script has no block {name}"))
    }

    pub(crate) fn hash(&self, name: &str) -> BlockHash {
        self.block(name).hash()
    }

    pub(crate) fn name(&self, hash: BlockHash) -> &str {
        self.blocks.iter().find(|(_, block)| block.hash() == hash).map_or("a block without name", |(name, _)| name)
    }

    /// Genesis to `name`.
    pub(crate) fn branch(&self, name: &str) -> Vec<&Block> {
        let by_hash: BTreeMap<_, _> = self.blocks.values().map(|block| (block.hash(), block)).collect();
        let mut branch = vec![self.block(name)];
        while let Some(parent) = by_hash.get(&branch[branch.len() - 1].header().prev_hash) {
            branch.push(parent);
        }
        branch.reverse();
        branch
    }

    pub(crate) fn work(&self, name: &str) -> Work {
        self.branch(name).iter().map(|block| block.header().difficulty.work()).sum()
    }

    /// Pushes the block without any check of the result.
    pub(crate) fn give(&mut self, name: &str, origin: Origin) -> Result<Accepted, BlockError> {
        let block = self.block(name).clone();
        self.chain.accept(block, self.now, origin)
    }

    /// Pushes a block and checks the invariants of memory and store, whatever the verdict.
    pub(crate) fn push(&mut self, name: &str) -> Result<Accepted, BlockError> {
        let result = self.give(name, Origin::Single);
        if !matches!(result, Err(BlockError::Failed(_))) {
            check_whole(self);
        }
        result
    }

    fn push_all(&mut self, names: &str, expected: Accepted) {
        for name in names.split_whitespace() {
            assert_eq!(self.push(name), Ok(expected), "block {name}");
        }
    }

    pub(crate) fn best(&mut self, names: &str) {
        for name in names.split_whitespace() {
            self.push_all(name, Accepted::Best);
            self.expect_tip(name);
        }
    }

    pub(crate) fn side(&mut self, names: &str) {
        self.push_all(names, Accepted::Side);
    }

    pub(crate) fn known(&mut self, names: &str) {
        self.push_all(names, Accepted::Known);
    }

    /// Pushes a block that must break `rule`; returns the violation.
    pub(crate) fn broken(&mut self, name: &str, rule: &str) -> BlockViolation {
        match self.push(name) {
            Err(BlockError::Invalid(broken)) => {
                assert_eq!(broken.name(), rule, "block {name} broke another rule: {broken}");
                broken
            }
            other => panic!("block {name} should break the rule {rule}, but: {other:?}"),
        }
    }

    pub(crate) fn not_yet(&mut self, name: &str) -> NotYet {
        match self.push(name) {
            Err(BlockError::NotYet(reason)) => reason,
            other => panic!("block {name} should be put off, but: {other:?}"),
        }
    }

    pub(crate) fn failed(&mut self, name: &str) -> StoreError {
        match self.push(name) {
            Err(BlockError::Failed(error)) => error,
            other => panic!("we should have failed on block {name}, but: {other:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn expect_tip(&self, name: &str) {
        let tip = self.chain.tip();
        assert_eq!(self.name(tip.hash()), name, "the tip is another block");
        assert_eq!(tip.work, self.work(name), "work of the tip {name}");
    }

    /// The state of a chain that is opened on a copy of the store.
    pub(crate) fn state(&self) -> BTreeMap<String, String> {
        invariants::stored_state(self)
    }

    /// A new chain on the same store, as after a restart.
    pub(crate) fn restart(&mut self) {
        self.chain = Chain::open(self.rules.clone(), Arc::new(self.store.clone()), self.limits).unwrap();
        check_whole(self);
    }

    pub(crate) const fn limits(&self) -> SideLimits {
        self.limits
    }
}
