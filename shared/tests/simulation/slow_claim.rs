//! A stranger that claims a lot of work and proves little of it, at a good pace, holds up no other peer.

use crate::damaged_block::{at, blocks, easy_params};
use shared::block::Block;
use shared::chain::{Chain, Origin, Rules, SideLimits, Tip};
use shared::store::MemoryStore;
use shared::sync::{PeerAddress, PeerRequest, PeerResponse, PeerSource, RequestId, SyncOutput, SyncSettings, Syncer};
use shared::work::Work;
use std::sync::Arc;

const OURS: u64 = 1_500;
/// Headers of a page of the stranger, which sends one each half second.
const PAGE: usize = 60;

fn peer(address: &str) -> PeerAddress {
    PeerAddress::new(address).unwrap()
}

#[test]
fn a_claim_that_is_far_from_proven_after_ten_seconds_lets_another_peer_deliver() {
    let params = easy_params();
    let mut chain =
        Chain::open(Arc::new(Rules::new(params.clone())), Arc::new(MemoryStore::default()), SideLimits::default())
            .unwrap();
    let ours = blocks(&params, OURS + 1, |_| "ours".to_owned());
    for block in &ours[..OURS as usize] {
        chain.accept(block.clone(), at(0).time, Origin::Single).unwrap();
    }
    let theirs = blocks(&params, OURS, |_| "theirs".to_owned());
    let (stranger, honest) = (peer("10.0.0.1:8100"), peer("10.0.0.2:8100"));
    let tip = |block: &Block, index: u64, work: u128| Tip {
        index: shared::block::Height(index),
        hash: block.hash(),
        timestamp: block.header().timestamp,
        work: Work(work),
    };
    let claimed = tip(&theirs[0], 1 << 40, 1 << 80);
    let true_tip = tip(&ours[OURS as usize], OURS + 1, u128::from(OURS) + 2);

    let mut syncer = Syncer::new(SyncSettings::default(), 1);
    syncer.add_peers([stranger.clone()], PeerSource::Manual, at(0));
    let (mut sent, mut asked): (usize, Option<RequestId>) = (0, None);
    for now in (0..15_000).step_by(500).map(at) {
        if now.uptime_ms == 1_000 {
            syncer.add_peers([honest.clone()], PeerSource::Manual, now);
        }
        if let Some(id) = asked.take() {
            let page = theirs[sent..sent + PAGE].iter().map(|block| block.header().clone()).collect();
            sent += PAGE;
            syncer.handle_response(id, Ok(PeerResponse::Headers(page)), &mut chain, now);
        }
        syncer.handle_wakeup(&mut chain, now);
        while let Some(output) = syncer.poll_output() {
            let SyncOutput::Request { id, peer, request, .. } = output else { continue };
            match request {
                PeerRequest::Info => {
                    let tip = Some(if peer == stranger { claimed } else { true_tip });
                    let (address, network) = (peer.to_string(), params.network_id());
                    let info = PeerResponse::Info { address, network, difference: None, tip, ip: None };
                    syncer.handle_response(id, Ok(info), &mut chain, now);
                }
                PeerRequest::Headers { .. } if peer == stranger => asked = Some(id),
                PeerRequest::Headers { .. } => {
                    assert!((10_000..12_000).contains(&now.uptime_ms), "{}", now.uptime_ms);
                    return;
                }
                _ => {}
            }
        }
    }
    panic!("the stranger holds up the other peer");
}
