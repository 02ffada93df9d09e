//! What the attacker knows and does with blocks: a chain that follows the nodes, a chain with the secret branch, and
//! the strategy of the laboratory that decides between them. No requests here.

use anyhow::{Context, bail};
use laboratory::strategy::{Act, Strategy, StrategySetting, Thefts, View};
use laboratory::tree::{BlockId as Handle, MinerId, Tree};
use shared::block::{Block, BlockHash, DataHash, Header, HeaderFields, Timestamp};
use shared::chain::{Accepted, BlockError, Chain, ChainEntry, Origin, Rules, SideLimits};
use shared::layer::TemplateRequest;
use shared::ledger::{Address, Transaction};
use shared::store::MemoryStore;
use std::collections::HashMap;
use std::sync::Arc;

const OURS: MinerId = MinerId(0);
const OTHERS: MinerId = MinerId(1);

/// The attacker's two chains, and its strategy.
pub(super) struct Branches {
    rules: Arc<Rules>,
    /// What the nodes have.
    public: Chain,
    /// What the attacker mines on.
    secret: Chain,
    strategy: Box<dyn Strategy + Send>,
    /// The blocks since the strategy began, as it sees them; genesis stands for the block that it began on.
    tree: Tree,
    handles: HashMap<BlockHash, Handle>,
    hashes: Vec<BlockHash>,
    mining_on: Handle,
    /// The lengths of both branches when the strategy was last asked.
    pub(super) lengths_before: (u64, u64),
    /// When the strategy wants to be woken, in milliseconds since genesis.
    pub(super) wake_at_ms: Option<u64>,
}

/// Why the strategy is asked.
enum Occasion {
    Found(Handle),
    Heard(Handle),
    Woken,
}

impl Branches {
    /// Empty chains; the attacker is honest until [`Branches::begin`].
    pub(super) fn new(rules: Arc<Rules>) -> anyhow::Result<Self> {
        let (public, secret) = (open(&rules)?, open(&rules)?);
        let genesis = public.tip().hash();
        let tree = Tree::new(rules.params());
        Ok(Self {
            rules,
            public,
            secret,
            strategy: StrategySetting::Honest.build(),
            tree,
            handles: HashMap::from([(genesis, Handle::GENESIS)]),
            hashes: vec![genesis],
            mining_on: Handle::GENESIS,
            lengths_before: (0, 0),
            wake_at_ms: None,
        })
    }

    /// The best block of the nodes.
    pub(super) const fn public_tip(&self) -> &ChainEntry {
        self.public.tip()
    }

    /// Hashes of the public chain, newest first.
    pub(super) fn locator(&self) -> anyhow::Result<Vec<BlockHash>> {
        Ok(self.public.view().reader()?.locator()?)
    }

    /// Starts a strategy on the best public block.
    pub(super) fn begin(&mut self, strategy: &StrategySetting) -> anyhow::Result<()> {
        let root = self.public.tip().hash();
        self.tree = Tree::new(self.rules.params());
        self.handles = HashMap::from([(root, Handle::GENESIS)]);
        self.hashes = vec![root];
        (self.mining_on, self.wake_at_ms) = (Handle::GENESIS, None);
        self.strategy = strategy.build();
        self.lead_secret_to(root)
    }

    /// Thefts that the strategy has tried and managed.
    pub(super) fn thefts(&self) -> Thefts {
        self.strategy.thefts().unwrap_or_default()
    }

    /// How many blocks the secret branch and the public one have since they parted.
    pub(super) fn lengths(&self) -> (u64, u64) {
        let public = self.handles.get(&self.public.tip().hash()).copied().unwrap_or(Handle::GENESIS);
        let fork = self.tree.height(self.tree.fork_point(self.mining_on, public));
        let length = |tip| u64::from(self.tree.height(tip) - fork);
        (length(self.mining_on), length(public))
    }

    /// Takes a block of the nodes, and returns what the strategy publishes.
    pub(super) fn hear(&mut self, block: Block, now: Timestamp) -> anyhow::Result<Vec<Block>> {
        let (hash, parent) = (block.hash(), block.header().prev_hash);
        let (difficulty, timestamp) = (block.header().difficulty, block.header().timestamp);
        match self.public.accept(block, now, Origin::Single) {
            Ok(Accepted::Known) => return Ok(Vec::new()),
            Ok(_) => {}
            Err(BlockError::Invalid(broken)) => bail!("a node has a block that breaks a rule: {broken}"),
            // It comes again with the next request.
            Err(_) => return Ok(Vec::new()),
        }
        // A block beside the strategy's first one, and all above it, is none of its business.
        let Some(&below) = self.handles.get(&parent) else { return Ok(Vec::new()) };
        let handle = self.add(hash, below, OTHERS, timestamp, difficulty);
        self.tree.publish(handle);
        self.ask(&Occasion::Heard(handle), now)
    }

    /// Takes a block that the attacker has found, and returns what the strategy publishes.
    pub(super) fn found(&mut self, header: Header, data: String, now: Timestamp) -> anyhow::Result<Vec<Block>> {
        let fields = HeaderFields {
            index: header.index,
            prev_hash: header.prev_hash,
            timestamp: header.timestamp,
            difficulty: header.difficulty,
            data_hash: DataHash::of(&data),
        };
        let block = Block::new(fields, header.nonce(), data);
        let hash = block.hash();
        let Some(&below) = self.handles.get(&fields.prev_hash) else { return Ok(Vec::new()) };
        if self.secret.accept(block, now, Origin::Single).is_err() {
            return Ok(Vec::new());
        }
        let handle = self.add(hash, below, OURS, fields.timestamp, fields.difficulty);
        self.mining_on = handle;
        self.ask(&Occasion::Found(handle), now)
    }

    /// Wakes the strategy if it is time, and returns what it publishes.
    pub(super) fn wake(&mut self, now: Timestamp) -> anyhow::Result<Vec<Block>> {
        if self.wake_at_ms.is_none_or(|at_ms| at_ms > self.ms_since_genesis(now)) {
            return Ok(Vec::new());
        }
        self.wake_at_ms = None;
        self.ask(&Occasion::Woken, now)
    }

    /// The header to search a nonce for, and its data: on top of the block that the strategy mines on.
    pub(super) fn job(
        &self,
        miner: Address,
        candidates: &[Arc<Transaction>],
    ) -> anyhow::Result<(HeaderFields, String)> {
        let data = self.secret.template(&TemplateRequest { message: "", miner: Some(miner), candidates })?;
        let tip = self.secret.tip();
        let fields = HeaderFields {
            index: tip.header.index.next(),
            prev_hash: tip.hash(),
            timestamp: tip.header.timestamp.plus_ms(1),
            difficulty: self.secret.next_difficulty(),
            data_hash: DataHash::of(&data),
        };
        Ok((fields, data))
    }

    fn add(
        &mut self,
        hash: BlockHash,
        below: Handle,
        miner: MinerId,
        timestamp: Timestamp,
        difficulty: shared::work::Difficulty,
    ) -> Handle {
        let handle = self.tree.add(below, miner, self.ms_since_genesis(timestamp), difficulty);
        self.handles.insert(hash, handle);
        self.hashes.push(hash);
        handle
    }

    fn ms_since_genesis(&self, time: Timestamp) -> u64 {
        u64::try_from(time.ms_since(self.rules.params().genesis_time)).unwrap_or(0)
    }

    fn ask(&mut self, occasion: &Occasion, now: Timestamp) -> anyhow::Result<Vec<Block>> {
        self.lengths_before = self.lengths();
        let mut acts = Vec::new();
        let view = View::new(&self.tree, OURS, self.mining_on, self.ms_since_genesis(now));
        match occasion {
            Occasion::Found(block) => self.strategy.found(&view, *block, &mut acts),
            Occasion::Heard(block) => self.strategy.heard(&view, *block, &mut acts),
            Occasion::Woken => self.strategy.woken(&view, &mut acts),
        }
        let mut published = Vec::new();
        for act in acts {
            match act {
                Act::MineOn(block) => {
                    self.mining_on = block;
                    self.lead_secret_to(self.hash(block)?)?;
                }
                Act::Publish(block) => published.extend(self.publish(block, now)?),
                Act::WakeAt(at_ms) => self.wake_at_ms = Some(at_ms),
            }
        }
        Ok(published)
    }

    /// Makes a block and its ancestors public; returns those that were secret, the oldest first.
    fn publish(&mut self, block: Handle, now: Timestamp) -> anyhow::Result<Vec<Block>> {
        let mut secret = Vec::new();
        let mut here = block;
        while !self.tree.is_published(here) {
            secret.push(self.hash(here)?);
            here = self.tree.parent(here);
        }
        secret.reverse();
        self.tree.publish(block);
        let blocks = self.secret.view().reader()?.blocks_by_hash(&secret, usize::MAX)?;
        for block in &blocks {
            // Our own chain has judged them already.
            let _ = self.public.accept(block.clone(), now, Origin::Single);
        }
        Ok(blocks)
    }

    fn hash(&self, handle: Handle) -> anyhow::Result<BlockHash> {
        self.hashes.get(handle.0 as usize).copied().context("the strategy names a block that does not exist")
    }

    /// Makes a block of the public chain the tip of the secret one.
    fn lead_secret_to(&mut self, wanted: BlockHash) -> anyhow::Result<()> {
        self.feed_secret(wanted)?;
        if self.secret.tip().hash() != wanted {
            // The secret branch has as much work: a chain without it.
            self.secret = open(&self.rules)?;
            self.feed_secret(wanted)?;
        }
        if self.secret.tip().hash() != wanted {
            bail!("cannot mine on block {wanted}");
        }
        Ok(())
    }

    fn feed_secret(&mut self, wanted: BlockHash) -> anyhow::Result<()> {
        let reader = self.public.view().reader()?;
        let mut missing = Vec::new();
        let mut hash = wanted;
        while !self.secret.contains(&hash)? {
            let id = reader.find(&hash)?.context("a block of the public chain is missing")?;
            missing.push(id);
            hash = reader.entry(id)?.header.prev_hash;
        }
        for id in missing.into_iter().rev() {
            let block = reader.block(id)?;
            // The chain that follows the nodes has judged its time already.
            let time = block.header().timestamp;
            self.secret.accept(block, time, Origin::Single).map_err(|error| anyhow::anyhow!("{error}"))?;
        }
        Ok(())
    }
}

fn open(rules: &Arc<Rules>) -> anyhow::Result<Chain> {
    Ok(Chain::open(rules.clone(), Arc::new(MemoryStore::default()), SideLimits::default())?)
}

#[cfg(test)]
mod tests;
