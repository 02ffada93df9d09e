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
    /// The last one that the first peer pushed.
    block: Block,
    next: Vec<Block>,
}

type Requests = Vec<(RequestId, PeerAddress)>;

const PEERS: usize = 6;
const LARGE: usize = 20_000;

fn peer(number: usize) -> PeerAddress {
    PeerAddress::new(&format!("10.0.0.{number}:8100")).unwrap()
}

fn addresses(requests: Requests) -> Vec<PeerAddress> {
    requests.into_iter().map(|(_, address)| address).collect()
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
        let next = blocks(&params, 6, |_| "x".repeat(bytes));
        let mut relay = Self { syncer, chain, block: next[0].clone(), next };
        relay.push_next(10);
        relay
    }

    /// The first peer pushes the next block.
    fn push_next(&mut self, uptime_ms: u64) {
        let Self { syncer, chain, block, next } = self;
        *block = next.remove(0);
        syncer.handle_block(block.clone(), BlockSource::Pushed, Some(&peer(0)), chain, at(uptime_ms)).unwrap();
    }

    /// What it sends about the block by this time: announcements, and pushes.
    fn sends(&mut self, uptime_ms: u64) -> (Requests, Requests) {
        self.syncer.handle_wakeup(&mut self.chain, at(uptime_ms));
        let (mut announced, mut pushed) = (Vec::new(), Vec::new());
        while let Some(output) = self.syncer.poll_output() {
            match output {
                SyncOutput::Request { id, peer, request: PeerRequest::Announce(hash), .. } => {
                    assert_eq!(hash, self.block.hash());
                    announced.push((id, peer));
                }
                SyncOutput::Request { id, peer, request: PeerRequest::Push(block), .. } => {
                    assert_eq!(block.hash(), self.block.hash());
                    pushed.push((id, peer));
                }
                _ => {}
            }
        }
        (announced, pushed)
    }

    fn answer(&mut self, asked: &[(RequestId, PeerAddress)], interest: Interest, uptime_ms: u64) {
        self.respond(asked, &PeerResponse::Announced(interest), uptime_ms);
    }

    fn respond(&mut self, asked: &[(RequestId, PeerAddress)], response: &PeerResponse, uptime_ms: u64) {
        for (id, _) in asked {
            self.syncer.handle_response(*id, Ok(response.clone()), &mut self.chain, at(uptime_ms));
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
    assert_eq!((again.len(), addresses(pushed)), (0, vec![asked[0].1.clone()]));
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
    assert_eq!(addresses(relay.sends(20).1), [refusing]);
}

#[test]
fn a_small_block_goes_to_the_first_peers_unasked_and_is_announced_to_the_others() {
    let mut relay = Relay::of_a_pushed_block(10_000);
    let (announced, pushed) = relay.sends(10);
    assert_eq!((announced.len(), pushed.len()), (0, 4));
    let (announced, pushed) = relay.sends(110);
    assert_eq!((announced.len(), pushed.len()), (1, 0));
}

#[test]
fn a_small_block_goes_out_a_moment_later_if_no_peer_took_the_last_one() {
    let [known, taken] = [false, true].map(|was_taken| PeerResponse::Pushed { was_taken, missing: None });
    let mut relay = Relay::of_a_pushed_block(100);
    let (_, pushed) = relay.sends(10);
    relay.respond(&pushed, &known, 20);

    relay.push_next(1_000);
    assert_eq!(relay.sends(1_009).1.len(), 0, "the miner is given time to push it to all");
    let (_, pushed) = relay.sends(1_010);
    assert_eq!(pushed.len(), 4);
    relay.respond(&pushed[1..], &known, 1_020);
    relay.respond(&pushed[..1], &taken, 1_020);

    relay.push_next(2_000);
    let (_, pushed) = relay.sends(2_000);
    assert_eq!(pushed.len(), 4, "one peer took the last one");
    relay.push_next(2_010);
    relay.respond(&pushed, &taken, 2_020);
    assert_eq!(relay.sends(2_020).1.len(), 4);
    relay.push_next(3_000);
    assert_eq!(relay.sends(3_009).1.len(), 0, "responses about an earlier block say nothing of the last one");
    relay.sends(3_010);
    let (announced, _) = relay.sends(3_100);
    relay.answer(&announced, Interest::Coming, 3_110);
    relay.sends(3_700);
    let (_, pushed) = relay.sends(4_500);
    relay.respond(&pushed[..1], &taken, 4_600);
    relay.push_next(5_000);
    assert_eq!(relay.sends(5_000).1.len(), 4, "one peer took the last one, though late");
}
