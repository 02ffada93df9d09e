//! Mines a little for the members, for one after the other, as an external miner that gets its work from the nodes. So
//! the members have money on a network where new addresses get none.

use crate::payers::wallets::MemberWallets;
use runtime::client::Client;
use shared::block::Nonce;
use shared::wire::{WorkOffer, WorkSolution};
use shared::work::search;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval, sleep};

/// Each second's hashes are spread over this many parts.
const PARTS: u64 = 20;
/// Parts until new work is requested, since the chain may have grown.
const PARTS_PER_OFFER: u64 = PARTS;
/// Time before another attempt, if a node has no work.
const RETRY: Duration = Duration::from_secs(1);

/// Mines for ever with at most `hashrate` hashes per second, with work from one of the `nodes` after the other.
pub(super) async fn mine(
    client: Client,
    nodes: watch::Receiver<Vec<String>>,
    wallets: Arc<MemberWallets>,
    hashrate: u64,
) {
    let (mut turn, mut found) = (0, 0);
    loop {
        let node = {
            let nodes = nodes.borrow();
            nodes.get(turn % nodes.len().max(1)).cloned()
        };
        let member = &wallets.list[found % wallets.list.len()];
        let offer = match &node {
            Some(node) => client.work(node, &member.pair.address()).await.ok(),
            None => None,
        };
        let (Some(node), Some(offer)) = (node, offer) else {
            turn = turn.wrapping_add(1);
            sleep(RETRY).await;
            continue;
        };
        if let Some(nonce) = search_for_a_while(&offer, hashrate).await {
            // Refused if another block came first.
            let solution = WorkSolution { seal: offer.seal, nonce };
            if client.solve_work(&node, &solution).await.is_ok() {
                found = found.wrapping_add(1);
            }
            turn = turn.wrapping_add(1);
        }
    }
}

/// Searches until it finds a nonce or the offer may be outdated.
async fn search_for_a_while(offer: &WorkOffer, hashrate: u64) -> Option<Nonce> {
    let mut next = getrandom::u64().ok()?;
    let count = (hashrate / PARTS).max(1);
    let mut ticks = interval(Duration::from_secs(1) / u32::try_from(PARTS).ok()?);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for _ in 0..PARTS_PER_OFFER {
        ticks.tick().await;
        let (seal, target, first) = (offer.seal, offer.target, Nonce(next));
        if let Some(nonce) = spawn_blocking(move || search(&seal, &target, first, count)).await.ok()? {
            return Some(nonce);
        }
        next = next.wrapping_add(count);
    }
    None
}
