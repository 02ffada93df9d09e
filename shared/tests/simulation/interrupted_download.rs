//! One download, step by step: what is left when a peer stops delivering in the middle of a better branch.

use shared::block::{Block, DataHash, Header, HeaderFields, Nonce, Timestamp};
use shared::chain::{Chain, Origin, Rules, SideLimits, Tip};
use shared::params::{LayerName, Params, RetargetRule};
use shared::store::MemoryStore;
use shared::sync::{
    Failure, Now, PeerAddress, PeerRequest, PeerResponse, PeerSource, RequestId, SyncOutput, SyncSettings, Syncer,
};
use shared::work::{Difficulty, Work};
use std::sync::Arc;

const NOW: Now = Now { time: Timestamp::from_ms(1_900_000_000_000), uptime_ms: 1000 };

/// `count` blocks on genesis, each found with the first nonce.
fn branch(params: &Params, count: u64, data: &str) -> Vec<Block> {
    let mut parent: Header = params.genesis().header().clone();
    let mine = |_| {
        let fields = HeaderFields {
            index: parent.index.next(),
            prev_hash: parent.hash(),
            timestamp: parent.timestamp.plus_ms(1000),
            difficulty: Difficulty::MIN,
            data_hash: DataHash::of(data),
        };
        let block = Block::new(fields, Nonce(0), data.to_owned());
        parent = block.header().clone();
        block
    };
    (0..count).map(mine).collect()
}

fn asked(syncer: &mut Syncer, wanted: impl Fn(&PeerRequest) -> bool) -> RequestId {
    while let Some(output) = syncer.poll_output() {
        if let SyncOutput::Request { id, request, .. } = output
            && wanted(&request)
        {
            return id;
        }
    }
    panic!("the syncer did not ask")
}

#[test]
fn a_branch_that_nobody_completes_leaves_everything_durable() {
    let params = Params {
        initial_difficulty: Difficulty::MIN,
        retarget: RetargetRule::Fixed,
        layer: LayerName::Data,
        ..Params::default()
    };
    let limits = SideLimits { blocks: 2, ..SideLimits::default() };
    let rules = Arc::new(Rules::new(params.clone()));
    let mut chain = Chain::open(rules, Arc::new(MemoryStore::default()), limits).unwrap();
    for block in branch(&params, 6, "ours") {
        chain.accept(block, NOW.time, Origin::Single).unwrap();
    }
    let theirs = branch(&params, 8, "theirs");
    let last = theirs[7].header();
    let tip = Tip { index: last.index, hash: last.hash(), timestamp: last.timestamp, work: Work(9) };

    let mut syncer = Syncer::new(SyncSettings::default(), 1);
    syncer.add_peers(PeerAddress::new("peer:8100"), PeerSource::Manual, NOW);
    syncer.handle_wakeup(&mut chain, NOW);
    let id = asked(&mut syncer, |request| matches!(request, PeerRequest::Info));
    let (address, network) = ("peer:8100".to_owned(), params.network_id());
    let info = PeerResponse::Info { address, network, difference: None, tip: Some(tip), ip: None };
    syncer.handle_response(id, Ok(info), &mut chain, NOW);
    let id = asked(&mut syncer, |request| matches!(request, PeerRequest::Headers { .. }));
    let headers = theirs.iter().map(|block| block.header().clone()).collect();
    syncer.handle_response(id, Ok(PeerResponse::Headers(headers)), &mut chain, NOW);
    let id = asked(&mut syncer, |request| matches!(request, PeerRequest::Blocks { .. }));
    syncer.handle_response(id, Ok(PeerResponse::Blocks(theirs[..5].to_vec())), &mut chain, NOW);
    assert!(syncer.is_syncing(NOW), "five of eight blocks are here");

    let id = asked(&mut syncer, |request| matches!(request, PeerRequest::Blocks { .. }));
    syncer.handle_response(id, Err(Failure::Refused("gone".to_owned())), &mut chain, NOW);
    assert!(
        !syncer.is_fetching() && chain.is_committed(),
        "the eviction must be durable, too, or no status is published any more"
    );
    assert_eq!(chain.tips().len(), 2, "two side blocks are kept, one on the other");
}
