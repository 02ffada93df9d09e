//! The invariants: after every event, on every drop of a peer, and over whole chains at the end.

use crate::node::{Node, number};
use crate::world::World;
use shared::block::{Block, BlockHash, Height};
use shared::chain::Chain;
use shared::sync::{PeerAddress, PeerRequest, RequestId};
use shared::wire::PeerEvent;
use shared::work::{Difficulty, Work, retarget};
use std::collections::{BTreeMap, BTreeSet};

/// Requests of one syncer under way, pushes aside: for each of up to 43 peers one for its info and two announcements,
/// those of downloads, a few for peers.
const MOST_WAITING: usize = 3 * 43 + 20;
/// Pushes to one peer under way.
const MOST_PUSHES: usize = 8;
const MOST_WAKEUPS_A_SECOND: u32 = 100;
/// Pushes aside: each block goes to each peer that may lack it.
const MOST_REQUESTS_A_SECOND: u32 = 100;
/// In ten seconds, from all addresses of a machine, however many they are: a failure makes all of them wait.
const MOST_HEADERS_REQUESTS: u32 = 40;

/// What must hold for a node at any moment.
pub fn after_event(node: &mut Node, now_ms: u64) {
    let address = node.address.clone();
    if node.this_second.0 != now_ms / 1000 {
        node.this_second = (now_ms / 1000, 0, 0);
    }
    let (_, wakeups, requests) = node.this_second;
    assert!(wakeups <= MOST_WAKEUPS_A_SECOND, "{address} is woken again and again: {wakeups} times in a second");
    assert!(requests <= MOST_REQUESTS_A_SECOND, "{address} asks again and again: {requests} times in a second");
    let latest = node.time(now_ms).plus_ms(node.rules.params().max_future_ms);
    let clock_is_right = node.clock_offset_ms == 0;
    let Some(running) = &mut node.running else { return };
    running.waiting.retain(|_, deadline_ms| *deadline_ms > now_ms);
    running.pushing.retain(|id, _| running.waiting.contains_key(id));
    let waiting = running.waiting.len() - running.pushing.len();
    assert!(waiting <= MOST_WAITING, "{address} waits for {waiting} responses");
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
pub fn may_be_asked(node: &mut Node, id: RequestId, peer: &PeerAddress, request: &PeerRequest, now_ms: u64) {
    let Node { address, record, this_second, liar, running, .. } = node;
    let until_ms = record.avoids.get(peer).copied().unwrap_or(0);
    assert!(now_ms >= until_ms || liar.is_some(), "{address} sends a request to {peer}, which it dropped for a while");
    if !matches!(request, PeerRequest::Push(_) | PeerRequest::Announce(_)) {
        this_second.2 += 1;
    }
    match request {
        PeerRequest::Push(block) => {
            let Some(running) = running else { return };
            running.pushing.retain(|id, _| running.waiting.contains_key(id));
            let pushed = (peer.clone(), block.hash());
            let is_pushed = running.pushing.values().any(|pushing| *pushing == pushed);
            assert!(!is_pushed, "{address} pushes block {} to {peer} twice at a time", block.index());
            let to_one = running.pushing.values().filter(|(to, _)| to == peer).count();
            assert!(to_one < MOST_PUSHES, "{address} pushes too much to {peer} at a time");
            running.pushing.insert(id, pushed);
        }
        PeerRequest::Headers { .. } => {
            record.headers_requests += 1;
            if record.headers_lately.0 != now_ms / 10_000 {
                record.headers_lately = (now_ms / 10_000, BTreeMap::new());
            }
            let lately = record.headers_lately.1.entry(peer.host().to_owned()).or_default();
            *lately += 1;
            let is_bounded = *lately <= MOST_HEADERS_REQUESTS || liar.is_some();
            assert!(is_bounded, "{address} requested headers of {} {lately} times in ten seconds", peer.host());
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
