//! Keeps the network in two halves for a while, so that people can see a fork.
//!
//! There is at most one split at a time. A task of its own heals it, even if the client that asked for it has gone, and
//! when the explorer stops.

use super::link::Link;
use super::time::{SYNC_TIME, within};
use super::tokens::Tokens;
use crate::monitor::Monitor;
use crate::network::{Agreement, Change, NetworkState};
use futures_util::future::join_all;
use runtime::client::{Client, Error};
use runtime::clock::Clock;
use runtime::server;
use shared::block::Timestamp;
use shared::wire::Problem;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How long a split lasts.
pub(crate) const SPLIT_TIME: Duration = Duration::from_secs(20);
/// The longest split, if one half has found no block by [`SPLIT_TIME`]: without a block there is no fork to see.
const MAX_SPLIT_TIME: Duration = Duration::from_secs(60);
/// How long a fork that came late stays.
const SHOW_TIME: Duration = Duration::from_secs(5);
/// How often, and with which pause, nodes that did not respond are told to talk again.
const MAX_TRIES: usize = 5;
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// How long healing may delay the end of the explorer.
const CLOSE_TIME: Duration = Duration::from_secs(2);

/// A split in progress, for pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Split {
    pub(crate) halves: [Vec<String>; 2],
    pub(crate) until: SplitEnd,
}

/// When a split heals, if nobody heals it earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SplitEnd {
    At(Timestamp),
    /// Soon after each half has found a block, and at the latest at this time.
    AtFork {
        latest: Timestamp,
    },
}

#[derive(Debug)]
pub(crate) struct Splitter {
    client: Client,
    monitor: Monitor,
    clock: Clock,
    shutdown: CancellationToken,
    /// The split in progress, and what ends it early.
    running: watch::Sender<Option<(Split, CancellationToken)>>,
}

/// The two halves of a network, and what each node is told.
struct Plan {
    halves: [Vec<String>; 2],
    nodes: Vec<PlannedNode>,
}

struct PlannedNode {
    address: String,
    token: String,
    /// The nodes of the other half.
    others: Vec<String>,
}

impl Splitter {
    pub(crate) fn new(client: Client, monitor: Monitor, clock: Clock, shutdown: CancellationToken) -> Self {
        Self { client, monitor, clock, shutdown, running: watch::channel(None).0 }
    }

    /// The split in progress, if there is one.
    pub(crate) fn current(&self) -> Option<Split> {
        self.running.borrow().as_ref().map(|(split, _)| split.clone())
    }

    /// The halves that a split would make; `None` if these tokens are not enough.
    pub(crate) fn halves(&self, tokens: &Tokens) -> Option<[Vec<String>; 2]> {
        Plan::new(&self.monitor.state(), tokens).ok().map(|plan| plan.halves)
    }

    /// Splits the network; returns once all nodes are cut off from those of the other half.
    ///
    /// # Errors
    /// 403 without any token, 409 if a split is in progress or there are fewer than two nodes, 503 if a node did
    /// not obey; then the network is healed.
    pub(crate) async fn split(self: &Arc<Self>, tokens: &Tokens) -> Result<(), Problem> {
        let Plan { halves, nodes } = Plan::new(&self.monitor.state(), tokens)?;
        let heal = CancellationToken::new();
        let until = self.clock.time().plus_ms(1000 * SPLIT_TIME.as_secs());
        let split = Split { halves, until: SplitEnd::At(until) };
        let is_first = self.running.send_if_modified(|running| {
            let is_first = running.is_none();
            if is_first {
                *running = Some((split, heal.clone()));
            }
            is_first
        });
        if !is_first {
            return Err(server::conflict("the network is split already"));
        }
        // Pages say so from now on, though the nodes are only being told.
        self.monitor.mark_changed(Change::Nodes);
        let (begun, result) = oneshot::channel();
        let splitter = Arc::clone(self);
        tokio::spawn(async move { splitter.keep(nodes, heal, begun).await });
        match result.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(refused)) => Err(server::unavailable(format!("the network was not split: {refused}"))),
            Err(_) => Err(server::internal("splitting ended unexpectedly")),
        }
    }

    /// Ends the split; returns once it is healed.
    ///
    /// # Errors
    /// 409 if there is no split.
    pub(crate) async fn heal(&self) -> Result<(), Problem> {
        match &*self.running.borrow() {
            Some((_, heal)) => heal.cancel(),
            None => return Err(server::conflict("the network is not split")),
        }
        self.healed().await;
        Ok(())
    }

    /// Waits until the split is healed, but for at most [`CLOSE_TIME`]. Called after `shutdown`, which ends the split.
    pub(crate) async fn close(&self) {
        // Nodes that are not reached in time stay cut off until their operator allows them to talk again.
        let _ = timeout(CLOSE_TIME, self.healed()).await;
    }

    async fn healed(&self) {
        // Fails only if the sender is gone, and the sender is ours.
        let _ = self.running.subscribe().wait_for(Option::is_none).await;
    }

    /// Cuts, waits and heals. Sends into `begun` whether the cut was made.
    async fn keep(&self, nodes: Vec<PlannedNode>, heal: CancellationToken, begun: oneshot::Sender<Result<(), String>>) {
        let refused = self.update_links(&nodes.iter().collect::<Vec<_>>(), Link::Cut).await.into_iter().next();
        let is_cut = refused.is_none();
        // The client may have gone away.
        let _ = begun.send(refused.map_or(Ok(()), |(node, error)| Err(format!("{}: {error}", node.address))));
        if is_cut {
            self.monitor.mark_changed(Change::Nodes);
            tokio::select! {
                () = heal.cancelled() => {}
                () = self.shutdown.cancelled() => {}
                () = self.wait_for_fork() => {}
            }
        }
        self.reconnect(&nodes).await;
        self.running.send_replace(None);
        self.monitor.mark_changed(Change::Nodes);
    }

    /// Waits until people had time to see a fork.
    async fn wait_for_fork(&self) {
        sleep(SPLIT_TIME).await;
        if is_forked(&self.monitor.state()) {
            return;
        }
        let left = MAX_SPLIT_TIME - SPLIT_TIME;
        self.announce(SplitEnd::AtFork { latest: self.clock.time().plus_ms(1000 * left.as_secs()) });
        if timeout(left, self.monitor.wait_until(is_forked)).await.is_ok() {
            self.announce(SplitEnd::At(self.clock.time().plus_ms(1000 * SHOW_TIME.as_secs())));
            sleep(SHOW_TIME).await;
        }
    }

    /// Shows on pages when the split heals.
    fn announce(&self, until: SplitEnd) {
        self.running.send_modify(|running| running.iter_mut().for_each(|(split, _)| split.until = until));
        self.monitor.mark_changed(Change::Nodes);
    }

    async fn reconnect(&self, nodes: &[PlannedNode]) {
        let mut left: Vec<&PlannedNode> = nodes.iter().collect();
        for _ in 0..MAX_TRIES {
            left = self.update_links(&left, Link::Allow).await.into_iter().map(|(node, _)| node).collect();
            if left.is_empty() || timeout(RETRY_PAUSE, self.shutdown.cancelled()).await.is_ok() {
                break;
            }
        }
        for node in left {
            tracing::warn!(node = node.address, "could not be told that it may talk to the other half again");
        }
        if !self.shutdown.is_cancelled() {
            // A node that polled before the other side would answer again would otherwise wait for its next poll.
            let sync = |node: &PlannedNode| {
                let (client, address, token) = (self.client.clone(), node.address.clone(), node.token.clone());
                async move { within(SYNC_TIME, client.sync_now(&address, &token)).await.is_ok() }
            };
            join_all(nodes.iter().map(sync)).await;
        }
    }

    /// Returns the nodes that did not obey, each with its error.
    async fn update_links<'a>(&self, nodes: &[&'a PlannedNode], link: Link) -> Vec<(&'a PlannedNode, Error)> {
        let results = join_all(nodes.iter().map(|node| {
            let update = link.update(node.others.clone());
            async move { self.client.update_peers(&node.address, &node.token, &update).await }
        }));
        let results = nodes.iter().zip(results.await);
        results.filter_map(|(node, result)| Some((*node, result.err()?))).collect()
    }
}

fn is_forked(state: &NetworkState) -> bool {
    Agreement::of(state).is_forked()
}

impl Plan {
    /// Splits the nodes in the order of their addresses. Nodes without a token are all in the second half, and the
    /// nodes of the first half refuse them: on both sides, one of them would carry blocks across.
    fn new(state: &NetworkState, tokens: &Tokens) -> Result<Self, Problem> {
        let nodes = state.answering().map(|(address, _)| address.clone());
        let (steered, foreign): (Vec<String>, Vec<String>) = nodes.partition(|node| tokens.contains(node));
        let count = steered.len() + foreign.len();
        if count < 2 {
            return Err(server::conflict("a split needs two nodes that answer"));
        }
        if let ([], Some(node)) = (&*steered, foreign.first()) {
            tokens.get(node)?;
        }
        let (first, second) = steered.split_at(steered.len().min(count / 2));
        let halves = [first.to_vec(), [second, &foreign].concat()];
        let planned = |address: &String, others: &[String]| {
            let token = tokens.get(address)?.to_owned();
            Ok(PlannedNode { address: address.clone(), token, others: others.to_vec() })
        };
        let nodes = first.iter().map(|node| planned(node, &halves[1]));
        let nodes = nodes.chain(second.iter().map(|node| planned(node, &halves[0]))).collect::<Result<_, Problem>>()?;
        Ok(Self { halves, nodes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::samples::put_node_at;

    /// The halves, and who refuses whom, as `a-cd` for a node that refuses two others.
    fn plan(nodes: &str, with_token: &str) -> Result<([String; 2], Vec<String>), u16> {
        let mut state = NetworkState::default();
        nodes.chars().for_each(|node| put_node_at(&mut state, &node.to_string(), 1, "1"));
        let tokens = with_token.chars().map(|node| (node.to_string(), "token".to_owned())).collect();
        let Plan { halves, nodes } = Plan::new(&state, &Tokens::new(tokens)).map_err(|problem| problem.status)?;
        let cuts = nodes.iter().map(|node| format!("{}-{}", node.address, node.others.concat()));
        Ok((halves.map(|half| half.concat()), cuts.collect()))
    }

    fn check(nodes: &str, with_token: &str, halves: [&str; 2], cuts: &[&str]) {
        let (planned, refused) = plan(nodes, with_token).unwrap();
        assert_eq!(
            (planned.each_ref().map(String::as_str), refused),
            (halves, cuts.iter().map(|cut| (*cut).to_owned()).collect())
        );
    }

    #[test]
    fn all_nodes_with_a_token_refuse_the_other_half() {
        check("abcd", "abcd", ["ab", "cd"], &["a-cd", "b-cd", "c-ab", "d-ab"]);
        check("abc", "abc", ["a", "bc"], &["a-bc", "b-a", "c-a"]);
    }

    #[test]
    fn nodes_without_a_token_are_on_one_side_and_bridge_nothing() {
        check("abcd", "acd", ["ac", "db"], &["a-db", "c-db", "d-ac"]);
        check("abcd", "d", ["d", "abc"], &["d-abc"]);
    }

    #[test]
    fn without_tokens_or_without_nodes_there_is_no_split() {
        assert_eq!((plan("abc", ""), plan("a", "a"), plan("", "")), (Err(403), Err(409), Err(409)));
    }
}
