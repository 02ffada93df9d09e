//! What a node does with a block that a peer pushed: whom it announces it to, when it sends it, and what it does if the
//! block that another has promised does not come.

use crate::damaged_block::{at, blocks, easy_params};
use shared::block::Block;
use shared::chain::{Chain, Rules, SideLimits};
use shared::store::MemoryStore;
use shared::sync::{Failure, Interest, PeerAddress, PeerRequest, PeerResponse, PeerSource, RequestId};
use shared::sync::{SyncOutput, SyncSettings, Syncer};
use shared::wire::BlockSource;
use std::sync::Arc;

/// A node that six peers are connected to.
struct Relay {
    syncer: Syncer,
    chain: Chain,
    block: Block,
}

const PEERS: usize = 6;
const LARGE: usize = 20_000;

fn peer(number: usize) -> PeerAddress {
    PeerAddress::new(&format!("10.0.0.{number}:8100")).unwrap()
}

impl Relay {
    /// The first peer has pushed a block with this much data.
    fn of_a_pushed_block(bytes: usize) -> Self {
        let params = easy_params();
        let rules = Arc::new(Rules::new(params.clone()));
        let mut chain = Chain::open(rules, Arc::new(MemoryStore::default()), SideLimits::default()).unwrap();
        let mut syncer = Syncer::new(SyncSettings::default(), 1);
        syncer.add_peers((0..PEERS).map(peer), PeerSource::Manual, at(0));
        syncer.handle_wakeup(&mut chain, at(0));
        while let Some(output) = syncer.poll_output() {
            if let SyncOutput::Request { id, peer, request: PeerRequest::Info, .. } = output {
                let (address, network) = (peer.to_string(), params.network_id());
                let tip = Some(chain.tip().tip());
                let info = PeerResponse::Info { address, network, difference: None, tip, ip: None };
                syncer.handle_response(id, Ok(info), &mut chain, at(0));
            }
        }
        let block = blocks(&params, 1, |_| "x".repeat(bytes)).remove(0);
        syncer.handle_block(block.clone(), BlockSource::Pushed, Some(&peer(0)), &mut chain, at(10)).unwrap();
        Self { syncer, chain, block }
    }

    /// What it sends about the block by this time: announcements, and pushes.
    fn sends(&mut self, uptime_ms: u64) -> (Vec<(RequestId, PeerAddress)>, Vec<PeerAddress>) {
        self.syncer.handle_wakeup(&mut self.chain, at(uptime_ms));
        let (mut announced, mut pushed) = (Vec::new(), Vec::new());
        while let Some(output) = self.syncer.poll_output() {
            match output {
                SyncOutput::Request { id, peer, request: PeerRequest::Announce(hash), .. } => {
                    assert_eq!(hash, self.block.hash());
                    announced.push((id, peer));
                }
                SyncOutput::Request { peer, request: PeerRequest::Push(_), .. } => pushed.push(peer),
                _ => {}
            }
        }
        (announced, pushed)
    }

    fn answer(&mut self, asked: &[(RequestId, PeerAddress)], interest: Interest, uptime_ms: u64) {
        for (id, _) in asked {
            let response = Ok(PeerResponse::Announced(interest));
            self.syncer.handle_response(*id, response, &mut self.chain, at(uptime_ms));
        }
    }
}

#[test]
fn a_large_block_is_announced_to_all_and_goes_only_to_those_that_want_it() {
    let mut relay = Relay::of_a_pushed_block(LARGE);
    let (asked, pushed) = relay.sends(10);
    assert_eq!((asked.len(), pushed.len()), (5, 0), "all hear of it at once, and nobody gets it unasked");
    assert!(asked.iter().all(|(_, address)| *address != peer(0)), "its sender has it");
    relay.answer(&asked[..1], Interest::Wanted, 20);
    relay.answer(&asked[1..], Interest::Known, 20);
    let (again, pushed) = relay.sends(20);
    assert_eq!((again.len(), pushed), (0, vec![asked[0].1.clone()]));
    for uptime_ms in [700, 1_600] {
        let (announced, pushed) = relay.sends(uptime_ms);
        assert_eq!((announced.len(), pushed.len()), (0, 0), "all have it");
    }
}

#[test]
fn a_block_that_does_not_come_as_promised_is_announced_again_and_then_pushed() {
    let mut relay = Relay::of_a_pushed_block(LARGE);
    let (first, _) = relay.sends(10);
    relay.answer(&first, Interest::Coming, 20);
    assert_eq!(relay.sends(110).0.len(), 0, "they wait for the one that promised it");
    let (second, pushed) = relay.sends(710);
    assert_eq!((second.len(), pushed.len()), (5, 0));
    relay.answer(&second[..3], Interest::Coming, 720);
    relay.answer(&second[3..], Interest::Known, 720);
    let (announced, pushed) = relay.sends(1_510);
    assert_eq!((announced.len(), pushed.len()), (0, 3), "whatever they were promised");
}

#[test]
fn a_node_that_refuses_announcements_gets_the_block() {
    let mut relay = Relay::of_a_pushed_block(LARGE);
    let (first, _) = relay.sends(10);
    let (id, refusing) = first[0].clone();
    let refused = Err(Failure::Refused("404".to_owned()));
    relay.syncer.handle_response(id, refused, &mut relay.chain, at(20));
    assert_eq!(relay.sends(20).1, [refusing]);
}

#[test]
fn a_small_block_goes_to_the_first_peers_unasked_and_is_announced_to_the_others() {
    let mut relay = Relay::of_a_pushed_block(10_000);
    let (announced, pushed) = relay.sends(10);
    assert_eq!((announced.len(), pushed.len()), (0, 4));
    let (announced, pushed) = relay.sends(110);
    assert_eq!((announced.len(), pushed.len()), (1, 0));
}
