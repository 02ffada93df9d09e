//! One node: a chain in memory, a syncer, and its answers to others (docs/protocol.md §10).

use core::net::{IpAddr, Ipv4Addr};
use shared::block::{Block, BlockHash, DataHash, HeaderFields, Nonce, Timestamp};
use shared::chain::{Accepted, BlockError, Chain, Rules, SideLimits};
use shared::layer::TemplateRequest;
use shared::ledger::Address;
use shared::store::{MemoryStore, StoreError};
use shared::sync::{
    Announcements, BLOCKS_PER_REQUEST, Failure, HEADERS_PER_REQUEST, Now, PeerAddress, PeerRequest, PeerResponse,
    PeerSource, SyncSettings, Syncer,
};
use shared::wire::BlockSource;
use shared::work::search;
use std::collections::HashSet;
use std::sync::Arc;

/// Most bytes of a response with blocks.
const RESPONSE_BYTES: usize = 8 << 20;

/// What a node is made with.
pub(super) struct NodeSetting<'a> {
    pub(super) rules: &'a Arc<Rules>,
    /// With the chain that the run goes on from, or empty.
    pub(super) store: MemoryStore,
    pub(super) neighbours: &'a [u32],
    pub(super) poll_ms: u64,
    /// How many bytes a block takes on its way, whatever it really has.
    pub(super) block_bytes: u64,
    pub(super) seed: u64,
}

pub(super) struct Node {
    pub(super) address: PeerAddress,
    pub(super) chain: Chain,
    pub(super) syncer: Syncer,
    announcements: Announcements,
    /// When it is to be woken.
    pub(super) wake_at_ms: Option<u64>,
    /// Until when its upload is busy.
    pub(super) busy_until_ms: u64,
    /// Blocks that it has.
    pub(super) has: HashSet<BlockHash>,
}

/// Nodes have machines of their own.
pub(crate) fn address(number: u32) -> Option<PeerAddress> {
    let [_, high, middle, low] = number.to_be_bytes();
    PeerAddress::new(&format!("10.{high}.{middle}.{low}:8100"))
}

/// The number of the node with this address.
pub(super) fn number(address: &PeerAddress) -> Option<u32> {
    match address.ip()? {
        IpAddr::V4(ip) => Some(ip.to_bits() & 0x00ff_ffff),
        IpAddr::V6(_) => None,
    }
}

impl Node {
    /// A node; `None` if it has no address, which cannot be.
    pub(super) fn new(number: u32, setting: NodeSetting<'_>, now: Now) -> Option<Self> {
        let NodeSetting { rules, store, neighbours, poll_ms, block_bytes, seed } = setting;
        let chain = Chain::open(rules.clone(), Arc::new(store), SideLimits::default()).ok()?;
        let own = address(number)?;
        let unasked = SyncSettings::default().unasked_bytes as u64;
        let settings = SyncSettings {
            own_address: Some(own.clone()),
            // Callers get three quarters of the places, and each neighbour may be one.
            max_peers: neighbours.len() * 2 + 8,
            poll_ms,
            unasked_bytes: if block_bytes <= unasked { usize::MAX } else { 0 },
        };
        let mut syncer = Syncer::new(settings, seed);
        syncer.add_peers(neighbours.iter().filter_map(|&node| address(node)), PeerSource::Tracker, now);
        let (announcements, has) = (Announcements::default(), HashSet::new());
        Some(Self { address: own, chain, syncer, announcements, wake_at_ms: None, busy_until_ms: 0, has })
    }

    /// Whether it leaves its miner idle, since blocks of a better branch are arriving.
    pub(super) fn pauses_mining(&self, now: Now) -> bool {
        self.syncer.is_syncing(now)
    }

    /// Mines the next block on its tip, for `earner`, with a message.
    pub(super) fn mine(&mut self, message: &str, earner: Option<Address>, first: Nonce, now: Now) -> Option<Block> {
        let tip = &self.chain.tip().header;
        let wanted = TemplateRequest { message, miner: earner, candidates: &[] };
        let data = self.chain.template(&wanted).ok()?;
        let fields = HeaderFields {
            index: tip.index.next(),
            prev_hash: tip.hash(),
            timestamp: now.time.max(tip.timestamp.plus_ms(1)),
            difficulty: self.chain.next_difficulty(),
            data_hash: DataHash::of(&data),
        };
        let nonce = search(&fields.seal(), &fields.difficulty.target(), first, u64::MAX)?;
        let block = Block::new(fields, nonce, data);
        self.syncer.handle_block(block.clone(), BlockSource::Mined, None, &mut self.chain, now).ok()?;
        Some(block)
    }

    /// Its response to a request of `from`.
    pub(super) fn serve(
        &mut self,
        from: &PeerAddress,
        request: &PeerRequest,
        now: Now,
    ) -> Result<PeerResponse, Failure> {
        let failed = |error: StoreError| Failure::Refused(error.to_string());
        if matches!(request, PeerRequest::Info) {
            self.syncer.handle_caller(from, now);
        }
        let reader = self.chain.view().reader().map_err(failed)?;
        match request {
            PeerRequest::Info => {
                let (address, network) = (self.address.to_string(), self.chain.rules().params().network_id());
                let tip = Some(self.chain.tip().tip());
                Ok(PeerResponse::Info { address, network, difference: None, tip, ip: None })
            }
            // The graph decides all links, so nodes do not tell each other of peers.
            PeerRequest::Peers => Ok(PeerResponse::Peers(Vec::new())),
            PeerRequest::Headers { locator, limit } => {
                let headers = reader.headers_after(locator, (*limit).min(HEADERS_PER_REQUEST)).map_err(failed)?;
                let nothing = || Failure::Refused("none of these is on my chain".to_owned());
                headers.map(PeerResponse::Headers).ok_or_else(nothing)
            }
            PeerRequest::Blocks { hashes } => {
                let hashes = &hashes[..hashes.len().min(BLOCKS_PER_REQUEST)];
                reader.blocks_by_hash(hashes, RESPONSE_BYTES).map(PeerResponse::Blocks).map_err(failed)
            }
            PeerRequest::Announce(hash) => {
                let is_stored = reader.find(hash).map_err(failed)?.is_some();
                let source = machine(from);
                Ok(PeerResponse::Announced(self.announcements.answer(*hash, source, is_stored, now.uptime_ms)))
            }
            PeerRequest::Push(block) => {
                drop(reader);
                self.take_pushed(block, from, now)
            }
        }
    }

    fn take_pushed(&mut self, block: &Arc<Block>, from: &PeerAddress, now: Now) -> Result<PeerResponse, Failure> {
        let (hash, block) = (block.hash(), Block::clone(block));
        let result = self.syncer.handle_block(block, BlockSource::Pushed, Some(from), &mut self.chain, now);
        if let Ok(accepted) = result {
            self.announcements.record_push(hash, machine(from), accepted, now.uptime_ms);
        }
        match result {
            Ok(accepted) => Ok(PeerResponse::Pushed { was_taken: accepted != Accepted::Known, missing: None }),
            Err(BlockError::NotYet(_)) => Ok(PeerResponse::Pushed { was_taken: false, missing: None }),
            Err(BlockError::Invalid(broken)) => Err(Failure::Refused(broken.to_string())),
            Err(BlockError::Failed(error)) => Err(Failure::Refused(error.to_string())),
        }
    }
}

fn machine(node: &PeerAddress) -> IpAddr {
    node.ip().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

/// What a node's clocks show at `now_ms`: genesis is at virtual time 0.
pub(super) fn now(genesis: Timestamp, now_ms: u64) -> Now {
    Now { time: genesis.plus_ms(now_ms), uptime_ms: now_ms }
}
