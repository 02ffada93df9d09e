//! `POST /api/split` and `POST /api/heal`: keeps the network in two halves for a while, so that a fork can be seen when
//! somebody wants to see one.
//!
//! One split at a time. A task of its own heals it: also when who asked for it has gone away, and when the explorer stops.

use super::{Link, Outcome, SYNC_TIME, within};
use crate::network::{Agreement, NetworkState, Watch};
use crate::service::Explorer;
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

/// How long the halves are kept apart.
pub(crate) const SPLIT_TIME: Duration = Duration::from_secs(20);
/// The longest, where one of them has found no block by then: without one there is no fork to be seen.
const MAX_SPLIT_TIME: Duration = Duration::from_secs(60);
/// How long a fork that came late is there to be seen.
const SHOW_TIME: Duration = Duration::from_secs(5);
/// How often nodes are told to talk again before it is given up, and how long it is waited in between.
const MAX_TRIES: usize = 5;
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// How long healing may hold up the end of the explorer.
const CLOSE_TIME: Duration = Duration::from_secs(2);

/// A split that goes on, for pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Split {
    pub(crate) halves: [Vec<String>; 2],
    /// When it heals; none while it is waited for a block of each half.
    pub(crate) until: Option<Timestamp>,
}

/// Splits and heals.
#[derive(Debug)]
pub(crate) struct Splitter {
    client: Client,
    watch: Watch,
    clock: Clock,
    shutdown: CancellationToken,
    /// What goes on, and what ends it early.
    running: watch::Sender<Option<(Split, CancellationToken)>>,
}

/// A node, what steering it needs, and the nodes that it is kept apart from.
struct Member {
    address: String,
    token: String,
    others: Vec<String>,
}

impl Splitter {
    pub(crate) fn new(client: Client, watch: Watch, clock: Clock, shutdown: CancellationToken) -> Self {
        Self { client, watch, clock, shutdown, running: watch::channel(None).0 }
    }

    /// What goes on, if anything does.
    pub(crate) fn now(&self) -> Option<Split> {
        self.running.borrow().as_ref().map(|(split, _)| split.clone())
    }

    /// Waits, but not for long, until nothing goes on any more; the shutdown has told it to end.
    pub(crate) async fn close(&self) {
        // Whoever is kept apart after that was told to be so by nobody who is still there.
        let _ = timeout(CLOSE_TIME, self.healed()).await;
    }

    async fn healed(&self) {
        // The sender is ours, so it cannot have gone.
        let _ = self.running.subscribe().wait_for(Option::is_none).await;
    }

    /// Cuts, waits, heals; `begun` is told whether the cut was made.
    async fn keep(&self, members: Vec<Member>, heal: CancellationToken, begun: oneshot::Sender<Result<(), String>>) {
        let refused = self.update_links(&members.iter().collect::<Vec<_>>(), Link::Cut).await.into_iter().next();
        let is_cut = refused.is_none();
        // Who asked may have gone away.
        let _ = begun.send(refused.map_or(Ok(()), |(member, error)| Err(format!("{}: {error}", member.address))));
        if is_cut {
            self.watch.nudge();
            tokio::select! {
                () = heal.cancelled() => {}
                () = self.shutdown.cancelled() => {}
                () = self.last() => {}
            }
        }
        self.heal(&members).await;
        self.running.send_replace(None);
        self.watch.nudge();
    }

    /// Until there was time to see a fork.
    async fn last(&self) {
        sleep(SPLIT_TIME).await;
        if is_forked(&self.watch.state()) {
            return;
        }
        self.running.send_modify(|running| running.iter_mut().for_each(|(split, _)| split.until = None));
        self.watch.nudge();
        if timeout(MAX_SPLIT_TIME - SPLIT_TIME, self.watch.wait_until(is_forked)).await.is_ok() {
            sleep(SHOW_TIME).await;
        }
    }

    async fn heal(&self, members: &[Member]) {
        let mut left: Vec<&Member> = members.iter().collect();
        for _ in 0..MAX_TRIES {
            left = self.update_links(&left, Link::Allow).await.into_iter().map(|(member, _)| member).collect();
            if left.is_empty() || timeout(RETRY_PAUSE, self.shutdown.cancelled()).await.is_ok() {
                break;
            }
        }
        for member in left {
            tracing::warn!(node = member.address, "it was not told that it may talk to the other half again");
        }
        if !self.shutdown.is_cancelled() {
            // Who asked before the other side would answer again would wait for its next poll.
            let sync = |member: &Member| {
                let (client, address, token) = (self.client.clone(), member.address.clone(), member.token.clone());
                async move { within(SYNC_TIME, client.sync_now(&address, &token)).await.is_ok() }
            };
            join_all(members.iter().map(sync)).await;
        }
    }

    /// Answers who did not obey, and why.
    async fn update_links<'a>(&self, members: &[&'a Member], link: Link) -> Vec<(&'a Member, Error)> {
        let results = join_all(members.iter().map(|member| {
            let update = link.update(member.others.clone());
            async move { self.client.update_peers(&member.address, &member.token, &update).await }
        }));
        let results = members.iter().zip(results.await);
        results.filter_map(|(member, results)| Some((*member, results.err()?))).collect()
    }
}

fn is_forked(state: &NetworkState) -> bool {
    Agreement::of(state).is_forked()
}

/// Whether all nodes that answer can be told to be apart.
pub(crate) fn is_possible(explorer: &Explorer) -> bool {
    members(explorer).is_ok()
}

/// Keeps the network in two halves.
pub(super) async fn split(explorer: &Explorer) -> Result<Outcome, Problem> {
    let (halves, members) = members(explorer)?;
    let splitter = &explorer.splitter;
    let heal = CancellationToken::new();
    let until = splitter.clock.time().plus_ms(1000 * SPLIT_TIME.as_secs());
    let split = Split { halves, until: Some(until) };
    let message = format!("The network is split. It heals by itself in {} seconds.", SPLIT_TIME.as_secs());
    let is_first = splitter.running.send_if_modified(|running| {
        let is_first = running.is_none();
        if is_first {
            *running = Some((split, heal.clone()));
        }
        is_first
    });
    if !is_first {
        return Err(server::conflict("the network is split already"));
    }
    let (begun, results) = oneshot::channel();
    let keeper = Arc::clone(splitter);
    tokio::spawn(async move { keeper.keep(members, heal, begun).await });
    match results.await {
        Ok(Ok(())) => Ok(Outcome { message, blocks: Vec::new() }),
        Ok(Err(refused)) => Err(server::unavailable(format!("it was not split: {refused}"))),
        Err(_) => Err(server::internal("splitting ended unexpectedly")),
    }
}

/// Lets the halves talk again at once.
pub(super) async fn heal(explorer: &Explorer) -> Result<Outcome, Problem> {
    let splitter = &explorer.splitter;
    match &*splitter.running.borrow() {
        Some((_, heal)) => heal.cancel(),
        None => return Err(server::conflict("the network is not split")),
    }
    splitter.healed().await;
    Ok(Outcome { message: "Both halves talk again.".to_owned(), blocks: Vec::new() })
}

/// The nodes in two halves, in the order of their addresses, and what each of them is told.
fn members(explorer: &Explorer) -> Result<([Vec<String>; 2], Vec<Member>), Problem> {
    let state = explorer.watch.state();
    let nodes: Vec<String> = state.answering().map(|(address, _)| address.clone()).collect();
    if nodes.len() < 2 {
        return Err(server::conflict("two nodes must be there to be kept apart"));
    }
    let (first, second) = nodes.split_at(nodes.len() / 2);
    let sides = [(first, second), (second, first)];
    let member = |address: &String, others: &[String]| {
        let token = explorer.token(address).ok_or_else(|| {
            server::forbidden(format!("the explorer was not given the token of {address}, so it cannot steer it"))
        })?;
        Ok(Member { address: address.clone(), token: token.to_owned(), others: others.to_vec() })
    };
    let members = sides.into_iter().flat_map(|(own, others)| own.iter().map(move |address| member(address, others)));
    Ok(([first.to_vec(), second.to_vec()], members.collect::<Result<_, Problem>>()?))
}
