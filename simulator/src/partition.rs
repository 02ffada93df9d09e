//! `--partition`: when the nodes are cut in two halves, who is in which, and the requests that do it.
//!
//! Cutting and healing goes through `POST /peers` of each node, as anybody with its token could do it.

use crate::network::{MempoolAndWallets, NetworkNode, RunningNetwork};
use crate::random::SeededRandom;
use futures_util::future::join_all;
use shared::wire::PeersUpdate;
use std::str::FromStr;
use std::time::Duration;

/// A cut of the network and its healing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partition {
    /// When it begins, since the start of the run.
    pub after: Duration,
    /// How long it lasts.
    pub lasts: Duration,
}

impl Partition {
    /// When it is healed.
    pub fn end(&self) -> Duration {
        self.after + self.lasts
    }
}

impl FromStr for Partition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || "expected <after>:<for> in seconds, as in 10:20".to_owned();
        let (after, lasts) = text.split_once(':').ok_or_else(bad)?;
        let (after, lasts) = (seconds(after).map_err(|_| bad())?, seconds(lasts).map_err(|_| bad())?);
        if lasts.is_zero() { Err(bad()) } else { Ok(Self { after, lasts }) }
    }
}

/// Seconds as a decimal number.
///
/// # Errors
/// What was expected instead.
pub fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: Option<f64> = text.parse().ok().filter(|seconds| (0.0..=1e9).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "expected a number of seconds, as in 60 or 2.5".to_owned())
}

/// The nodes (by number) in two halves; the smaller first where they are not even.
pub fn halves(nodes: usize, random: &mut SeededRandom) -> [Vec<usize>; 2] {
    let mut order: Vec<usize> = (0..nodes).collect();
    random.shuffle(&mut order);
    let mut second = order.split_off(nodes / 2);
    order.sort_unstable();
    second.sort_unstable();
    [order, second]
}

/// Makes each half have nothing to do with the other; only the half `mempool` goes on taking payments from the mempool,
/// if there is one.
///
/// A mempool does not say who it is when it reads a chain, so it still follows whichever half has more work, as somebody
/// who reads along in both.
///
/// # Errors
/// Who did not obey and why; the others did.
pub async fn cut(network: &RunningNetwork, halves: &[Vec<usize>; 2], mempool: usize) -> Result<(), String> {
    steer(network, halves, mempool, |block| PeersUpdate { block, ..PeersUpdate::default() }).await
}

/// Allows the halves to talk again, and asks every node to look for better chains at once.
///
/// # Errors
/// Who did not obey and why; the others did.
pub async fn heal(network: &RunningNetwork, halves: &[Vec<usize>; 2], mempool: usize) -> Result<(), String> {
    let healed = steer(network, halves, mempool, |unblock| PeersUpdate { unblock, ..PeersUpdate::default() }).await;
    // Who asked before the other side was told to answer again would wait for its next poll.
    for NetworkNode { contact, token, .. } in &network.nodes {
        let Some(token) = token.clone() else { continue };
        let (client, address) = (network.client.clone(), contact.address.clone());
        // It answers when all is fetched, and whether it did shows by the tips.
        tokio::spawn(async move { client.sync_now(&address, &token).await.is_ok() });
    }
    healed
}

async fn steer(
    network: &RunningNetwork,
    halves: &[Vec<usize>; 2],
    mempool: usize,
    update: impl Fn(Vec<String>) -> PeersUpdate,
) -> Result<(), String> {
    let addresses = |side: usize| -> Vec<String> {
        let mempool = network.money.iter().filter(|_| side == mempool).map(MempoolAndWallets::mempool);
        let nodes = halves[side].iter().map(|node| network.nodes[*node].contact.address.clone());
        nodes.chain(mempool).collect()
    };
    let sides = [(&halves[0], addresses(1)), (&halves[1], addresses(0))];
    let orders = sides.into_iter().flat_map(|(half, others)| half.iter().map(move |node| (*node, others.clone())));
    let requests = orders.map(|(node, others)| {
        let (NetworkNode { contact, token, .. }, update) = (&network.nodes[node], update(others));
        async move {
            let Some(token) = token else { return Err(format!("{}: nobody knows its token", contact.name)) };
            let result = network.client.update_peers(&contact.address, token, &update).await;
            result.map_err(|error| format!("{}: {error}", contact.name))
        }
    });
    join_all(requests).await.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_is_two_numbers_of_seconds() {
        let ms = |after, lasts| Partition { after: Duration::from_millis(after), lasts: Duration::from_millis(lasts) };
        for (text, expected) in [
            ("10:20", Some(ms(10_000, 20_000))),
            ("0:0.5", Some(ms(0, 500))),
            ("10", None),
            ("10:", None),
            ("10:0", None),
            ("-1:5", None),
            ("1:NaN", None),
            ("1:1e300", None),
            ("a:b", None),
        ] {
            assert_eq!(text.parse::<Partition>().ok(), expected, "{text}");
        }
    }

    #[test]
    fn every_node_is_in_one_half_and_the_seed_says_which() {
        for nodes in 2..9 {
            let [first, second] = halves(nodes, &mut SeededRandom::new(7));
            assert_eq!((first.len(), second.len()), (nodes / 2, nodes - nodes / 2));
            let mut all = [first, second].concat();
            all.sort_unstable();
            assert_eq!(all, (0..nodes).collect::<Vec<_>>());
        }
        assert_eq!(halves(8, &mut SeededRandom::new(7)), halves(8, &mut SeededRandom::new(7)));
        assert!((0..20).any(|seed| halves(8, &mut SeededRandom::new(seed)) != halves(8, &mut SeededRandom::new(7))));
    }
}
