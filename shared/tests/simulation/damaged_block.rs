//! A stored block that the disk has changed is fetched again from a peer, and from the next one if that has another.

use shared::block::{Block, BlockHash, BlockId, DataHash, Header, HeaderFields, Nonce, Timestamp};
use shared::chain::{Chain, Origin, Rules, SideLimits, Tip};
use shared::params::{LayerName, Params, RetargetRule};
use shared::store::{Batch, MemoryStore, Store, StoreError, Table};
use shared::sync::{
    Interest, Now, PeerAddress, PeerRequest, PeerResponse, PeerSource, SyncOutput, SyncSettings, Syncer,
};
use shared::work::{Difficulty, Work};
use std::sync::Arc;

pub fn at(uptime_ms: u64) -> Now {
    Now { time: Timestamp::from_ms(1_900_000_000_000), uptime_ms }
}

/// A network on which every nonce is valid.
pub fn easy_params() -> Params {
    Params {
        initial_difficulty: Difficulty::MIN,
        retarget: RetargetRule::Fixed,
        layer: LayerName::Data,
        ..Params::default()
    }
}

pub fn blocks(params: &Params, count: u64, data: impl Fn(u64) -> String) -> Vec<Block> {
    let mut parent: Header = params.genesis().header().clone();
    let mine = |number: u64| {
        let data = data(number);
        let fields = HeaderFields {
            index: parent.index.next(),
            prev_hash: parent.hash(),
            timestamp: parent.timestamp.plus_ms(1000),
            difficulty: Difficulty::MIN,
            data_hash: DataHash::of(&data),
        };
        let block = Block::new(fields, Nonce(0), data);
        parent = block.header().clone();
        block
    };
    (0..count).map(mine).collect()
}

/// Answers everything as a peer at `tip` would, with `delivered` for any request for blocks; returns the hashes asked
/// for.
fn serve(syncer: &mut Syncer, chain: &mut Chain, tip: Tip, delivered: &Block, now: Now) -> Vec<BlockHash> {
    let mut asked = Vec::new();
    syncer.handle_wakeup(chain, now);
    while let Some(output) = syncer.poll_output() {
        let SyncOutput::Request { id, peer, request, .. } = output else { continue };
        let response = match request {
            PeerRequest::Info => {
                let network = chain.rules().params().network_id();
                PeerResponse::Info { address: peer.to_string(), network, difference: None, tip: Some(tip), ip: None }
            }
            PeerRequest::Peers => PeerResponse::Peers(Vec::new()),
            PeerRequest::Blocks { hashes } => {
                asked.extend(&hashes);
                PeerResponse::Blocks(vec![delivered.clone()])
            }
            PeerRequest::Headers { .. } => PeerResponse::Headers(Vec::new()),
            PeerRequest::Announce(_) => PeerResponse::Announced(Interest::Known),
            PeerRequest::Push(_) => PeerResponse::Pushed { was_taken: true, missing: None },
        };
        syncer.handle_response(id, Ok(response), chain, now);
    }
    asked
}

#[test]
fn a_damaged_block_is_fetched_again() {
    let params = easy_params();
    let store = MemoryStore::default();
    let rules = Arc::new(Rules::new(params.clone()));
    let mut chain = Chain::open(rules, Arc::new(store.clone()), SideLimits::default()).unwrap();
    let blocks = blocks(&params, 4, |number| format!("block {number}"));
    for block in &blocks {
        chain.accept(block.clone(), at(0).time, Origin::Single).unwrap();
    }
    let (damaged, other) = (&blocks[1], &blocks[2]);
    let id = BlockId { index: damaged.index(), hash: damaged.hash() };
    let key = [&id.index.0.to_be_bytes()[..], &id.hash.as_bytes()[..]].concat();
    let mut batch = Batch::default();
    batch.put(Table::Bodies, &key, "block l");
    store.commit(&batch).unwrap();
    chain.flush().unwrap();
    let read = |chain: &Chain| chain.view().reader().unwrap().block(id);
    assert!(matches!(read(&chain), Err(StoreError::DamagedBlock { .. })));

    let last = blocks[3].header();
    let tip = Tip { index: last.index, hash: last.hash(), timestamp: last.timestamp, work: Work(5) };
    let mut syncer = Syncer::new(SyncSettings::default(), 1);
    syncer.add_peers(PeerAddress::new("peer:8100"), PeerSource::Manual, at(0));
    syncer.repair(id);
    assert_eq!(syncer.take_damaged(), [id], "the damage is news");
    syncer.repair(id);
    assert_eq!(syncer.take_damaged(), [], "the same damage is not");

    assert!(serve(&mut syncer, &mut chain, tip, other, at(0)).is_empty(), "there is no peer yet");
    assert_eq!(serve(&mut syncer, &mut chain, tip, other, at(2_000)), [id.hash]);
    assert!(read(&chain).is_err() && syncer.is_damaged(&id), "another block repairs nothing");
    assert!(serve(&mut syncer, &mut chain, tip, damaged, at(2_001)).is_empty(), "it waits before it asks again");
    assert_eq!(serve(&mut syncer, &mut chain, tip, damaged, at(4_000)), [id.hash]);
    assert_eq!(read(&chain).unwrap(), *damaged);
    assert!(!syncer.is_damaged(&id));
    assert!(serve(&mut syncer, &mut chain, tip, damaged, at(60_000)).is_empty(), "whole blocks are not fetched");
}
