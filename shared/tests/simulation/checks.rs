//! The invariants: after every event, on every drop of a peer, and over whole chains at the end.

use crate::node::{Node, number};
use crate::world::World;
use shared::block::{Block, BlockHash, Height};
use shared::chain::Chain;
use shared::sync::{PeerAddress, PeerRequest};
use shared::wire::PeerEvent;
use shared::work::{Difficulty, Work, retarget};
use std::collections::BTreeSet;

/// Requests of one syncer under way: per peer one for its info, eight pushes; a download's four; a few for peers.
const MOST_WAITING: usize = 64;
/// Of each peer, where there are many.
const MOST_WAITING_FOR_ONE: usize = 9;
const MOST_WAKEUPS_A_SECOND: u32 = 100;
const MOST_REQUESTS_A_SECOND: u32 = 150;
/// To each peer, where there are many.
const MOST_REQUESTS_A_SECOND_TO_ONE: u32 = 10;
/// In ten seconds, from few peers; …
const MOST_HEADERS_REQUESTS: u32 = 40;
/// … and from each where there are many: a peer that does not deliver rests for 2 s, then 4 s, then it is dropped.
const MOST_HEADERS_REQUESTS_TO_ONE: u32 = 4;

/// What must hold for a node at any moment.
pub fn after_event(node: &mut Node, now_ms: u64) {
    let address = node.address.clone();
    if node.this_second.0 != now_ms / 1000 {
        node.this_second = (now_ms / 1000, 0, 0);
    }
    let (_, wakeups, requests) = node.this_second;
    assert!(wakeups <= MOST_WAKEUPS_A_SECOND, "{address} is woken again and again: {wakeups} times in a second");
    let most = MOST_REQUESTS_A_SECOND.max(MOST_REQUESTS_A_SECOND_TO_ONE * node.roster.len() as u32);
    assert!(requests <= most, "{address} asks again and again: {requests} times in a second");
    let latest = node.time(now_ms).plus_ms(node.rules.params().max_future_ms);
    let clock_is_right = node.clock_offset_ms == 0;
    let Some(running) = &mut node.running else { return };
    running.waiting.retain(|_, deadline_ms| *deadline_ms > now_ms);
    let (waiting, most) = (running.waiting.len(), MOST_WAITING.max(MOST_WAITING_FOR_ONE * node.roster.len()));
    assert!(waiting <= most, "{address} waits for {waiting} responses");
    let tip = running.chain.tip();
    if clock_is_right && node.liar.is_none() && tip.work > node.work {
        assert!(tip.timestamp <= latest, "{address} adopted block {} from the future, {}", tip.index, tip.timestamp);
    }
    let durable = running.chain.view().reader().unwrap().tip().unwrap().work;
    assert!(durable >= node.durable_work, "{address} gave up durable work: {durable} after {}", node.durable_work);
    assert!(tip.work >= durable, "{address} has less in memory than in its store");
    // A commit that fails takes back what was not durable; nothing else does.
    assert!(tip.work >= node.work || node.full, "{address} went back from {} to {}", node.work, tip.work);
    (node.work, node.durable_work) = (tip.work, durable);
}

/// A node leaves a peer alone that it has dropped, and does not ask for the same headers again and again.
pub fn may_be_asked(node: &mut Node, peer: &PeerAddress, request: &PeerRequest, now_ms: u64) {
    let Node { address, record, this_second, liar, roster, .. } = node;
    this_second.2 += 1;
    let until_ms = record.avoids.get(peer).copied().unwrap_or(0);
    assert!(now_ms >= until_ms || liar.is_some(), "{address} sends a request to {peer}, which it dropped for a while");
    match request {
        PeerRequest::Headers { .. } => {
            record.headers_requests += 1;
            if record.headers_lately.0 != now_ms / 10_000 {
                record.headers_lately = (now_ms / 10_000, 0);
            }
            record.headers_lately.1 += 1;
            let lately = record.headers_lately.1;
            let most = MOST_HEADERS_REQUESTS.max(MOST_HEADERS_REQUESTS_TO_ONE * roster.len() as u32);
            assert!(lately <= most || liar.is_some(), "{address} requested headers {lately} times in ten seconds");
        }
        PeerRequest::Blocks { hashes } => {
            record.headers_first.get_or_insert(record.headers_requests);
            record.blocks_requests.push(hashes.len());
        }
        _ => {}
    }
}

/// Honest nodes may take one another for slow where messages vanish, and for nothing worse.
pub fn drop_is_fair(world: &World, node: usize, event: &PeerEvent) {
    let address = PeerAddress::new(&event.address).unwrap();
    let dropped = number(&address).unwrap();
    let reason = event.reason.as_deref().unwrap_or_default();
    let slow = world.silence_happens && reason.ends_with("it was too slow");
    if world.nodes[node].liar.is_some() {
        return;
    }
    let honest = world.nodes[dropped].is_honest() && world.nodes[node].is_honest();
    assert!(!honest || slow, "node {node} dropped the honest node {dropped}: {reason}");
}

/// At the end: the whole best chain judged again from its blocks alone, and all promises kept.
pub fn at_the_end(node: &Node, now_ms: u64) {
    let Some(running) = &node.running else { panic!("{} does not run", node.address) };
    let blocks = whole_chain(&running.chain);
    chain_is_valid(&running.chain, &blocks);
    let newest = blocks.last().unwrap().header().timestamp;
    let latest = node.time(now_ms).plus_ms(node.rules.params().max_future_ms);
    assert!(newest <= latest, "{} has a tip from the future: {newest}", node.address);
    for hash in &node.acknowledged {
        assert!(running.chain.contains(hash).unwrap(), "{} lost the acknowledged block {hash}", node.address);
    }
}

pub fn whole_chain(chain: &Chain) -> Vec<Block> {
    let reader = chain.view().reader().unwrap();
    let (mut blocks, end) = (Vec::new(), reader.tip_id().unwrap().index);
    while blocks.len() as u64 <= end.0 {
        blocks.extend(reader.blocks(Height(blocks.len() as u64), 500, 8 << 20).unwrap());
    }
    blocks
}

fn chain_is_valid(chain: &Chain, blocks: &[Block]) {
    let params = chain.rules().params();
    assert_eq!(blocks[0], params.genesis());
    let times: Vec<_> = blocks.iter().map(|block| block.header().timestamp.as_ms()).collect();
    let difficulties: Vec<Difficulty> = retarget::replay(chain.rules().retarget(), &times);
    let (mut work, mut parent, mut labels) = (Work::default(), BlockHash::ZERO, BTreeSet::new());
    for (index, block) in blocks.iter().enumerate() {
        let header = block.header();
        assert_eq!(header.index, Height(index as u64));
        assert_eq!(header.prev_hash, parent, "block {index} does not follow its parent");
        assert_eq!(header.difficulty, difficulties[index], "block {index} has a wrong difficulty");
        assert!(index == 0 || times[index] > times[index - 1], "block {index} is not later than its parent");
        assert_eq!(header.seal().block_hash(header.nonce()), header.hash(), "block {index} has a wrong hash");
        assert!(header.difficulty.target().is_met_by(&header.hash()), "block {index} misses its target");
        assert!(!block.data().starts_with("bad"), "block {index} breaks a rule of the layer");
        assert!(labels.insert(block.data()), "block {index} repeats a label");
        (work, parent) = (work + header.difficulty.work(), header.hash());
    }
    assert_eq!((work, parent), (chain.tip().work, chain.tip().hash()), "the tip is not the sum of its chain");
}
