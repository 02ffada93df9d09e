//! Mines a little for the members, one after the other, as an outside miner of any node: so they have something to pay with
//! on a network where nobody is given anything.

use crate::payers::wallets::Wallets;
use runtime::client::Client;
use shared::block::Nonce;
use shared::wire::{WorkOffer, WorkSolution};
use shared::work::search;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval, sleep};

/// Hashes are made in so many parts of a second.
const PARTS: u64 = 20;
/// Parts after which work is asked for anew: the chain may have gone on.
const FRESH: u64 = PARTS;
/// How soon it is tried again where no node has work.
const RETRY: Duration = Duration::from_secs(1);

/// Mines for ever, `hashrate` hashes a second at most, with work of one of the `nodes` at a time.
pub(super) async fn mine(client: Client, nodes: watch::Receiver<Vec<String>>, wallets: Arc<Wallets>, hashrate: u64) {
    let (mut node, mut found) = (0, 0);
    loop {
        let at = {
            let nodes = nodes.borrow();
            nodes.get(node % nodes.len().max(1)).cloned()
        };
        let member = &wallets.list[found % wallets.list.len()];
        let offer = match &at {
            Some(at) => client.work(at, &member.pair.address()).await.ok(),
            None => None,
        };
        let (Some(at), Some(offer)) = (at, offer) else {
            node = node.wrapping_add(1);
            sleep(RETRY).await;
            continue;
        };
        if let Some(nonce) = search_for_a_while(&offer, hashrate).await {
            // Another block may have come first; then it was in vain, as for any miner.
            let solution = WorkSolution { seal: offer.seal, nonce };
            if client.solve_work(&at, &solution).await.is_ok() {
                found = found.wrapping_add(1);
            }
            node = node.wrapping_add(1);
        }
    }
}

/// A nonce for the offer, if it is found before the offer is old.
async fn search_for_a_while(offer: &WorkOffer, hashrate: u64) -> Option<Nonce> {
    let mut next = getrandom::u64().ok()?;
    let count = (hashrate / PARTS).max(1);
    let mut ticks = interval(Duration::from_secs(1) / u32::try_from(PARTS).ok()?);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for _ in 0..FRESH {
        ticks.tick().await;
        let (seal, target, first) = (offer.seal, offer.target, Nonce(next));
        if let Some(nonce) = spawn_blocking(move || search(&seal, &target, first, count)).await.ok()? {
            return Some(nonce);
        }
        next = next.wrapping_add(count);
    }
    None
}
