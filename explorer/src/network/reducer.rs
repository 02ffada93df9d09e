//! Turns what services answer and report into the state of the network. Sends no request and reads no clock.

mod finders;
mod recorded;

use super::agreement::Agreement;
use super::change::Change;
use super::contents::BlockContents;
use super::measures::Measures;
use super::news::{News, PaymentStep, sanitized};
use super::split;
use super::state::{BlockSummary, NetworkState, ServiceState};
use super::words::Words;
use serde_json::Value;
use shared::block::{BlockHash, BlockId, Timestamp};
use shared::chain::Tip;
use shared::ledger::TransactionId;
use shared::params::Params;
use shared::wire::{BlockEvent, BlockSource, Info, NodeEvent, PeerChange, PeerEvent, PeerInfo, PoolEvent, Role};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Most services that are monitored.
pub(crate) const MAX_SERVICES: usize = 64;
/// Most nodes whose letters are remembered.
const MAX_LETTERS: usize = 256;
/// Most peers of a node that are remembered.
const MAX_PEERS: usize = 100;
/// Most payments whose contents are kept, in all blocks together.
const MAX_KEPT_PAYMENTS: usize = 50_000;
/// How long a service is kept after the tracker last listed it.
const GONE_AFTER_MS: i64 = 60_000;

/// The role of a service, and its `host:port`.
pub(crate) type ServiceId = (Role, String);

#[derive(Debug, Clone)]
pub(crate) struct Reducer {
    state: NetworkState,
    news: News,
    measures: Measures,
    /// When the tracker listed each service last.
    listed: BTreeMap<ServiceId, Timestamp>,
    /// The parameters as they stand in `/info`.
    params: Value,
    was_forked: bool,
}

impl Reducer {
    /// `letters` are those of the nodes that are known by name, by `host:port`.
    pub(crate) fn new(tracker: &str, params: &Params, letters: BTreeMap<String, String>) -> Self {
        Self {
            state: NetworkState { tracker: tracker.to_owned(), letters, ..NetworkState::default() },
            news: News::new(),
            measures: Measures::default(),
            listed: BTreeMap::new(),
            params: serde_json::to_value(params).unwrap_or_default(),
            was_forked: false,
        }
    }

    pub(crate) fn state(&self) -> &NetworkState {
        &self.state
    }

    /// Takes over the services that the tracker lists now, and returns those that are to be monitored.
    pub(crate) fn set_members(
        &mut self,
        now: Timestamp,
        services: impl IntoIterator<Item = ServiceId>,
    ) -> Vec<ServiceId> {
        self.set_tracker_error(None);
        let (known, new): (Vec<_>, Vec<_>) =
            services.into_iter().partition(|service| self.listed.contains_key(service));
        self.listed.extend(known.into_iter().map(|service| (service, now)));
        let expired: Vec<_> = self.listed.iter().filter(|(_, at)| now.ms_since(**at) > GONE_AFTER_MS).collect();
        let expired: Vec<_> = expired.into_iter().map(|(service, _)| service.clone()).collect();
        expired.iter().for_each(|service| self.remove_service(now, service));
        let room = MAX_SERVICES.saturating_sub(self.listed.len());
        self.listed.extend(new.into_iter().take(room).map(|service| (service, now)));
        let watched: Vec<_> = self.listed.keys().cloned().collect();
        for (role, address) in &watched {
            if *role == Role::Node {
                self.give_letter(address);
            }
            let services = self.services(*role);
            if !services.contains_key(address) {
                services.insert(address.clone(), ServiceState::default());
                self.mark_changed(Change::Nodes);
            }
        }
        watched
    }

    /// Gives a node the first letter that no other node has: A to Z, then A2 to Z2, and so on.
    fn give_letter(&mut self, node: &str) {
        if self.state.letters.contains_key(node) || self.state.letters.len() >= MAX_LETTERS {
            return;
        }
        let taken: BTreeSet<&str> = self.state.letters.values().map(String::as_str).collect();
        let letter = (0..).map(letter).find(|letter| !taken.contains(letter.as_str())).unwrap_or_default();
        self.state.letters.insert(node.to_owned(), letter);
    }

    pub(crate) fn apply_tracker_error(&mut self, error: &str) {
        self.set_tracker_error(Some(sanitized(error)));
    }

    fn set_tracker_error(&mut self, error: Option<String>) {
        if self.state.tracker_error != error {
            self.state.tracker_error = error;
            self.mark_changed(Change::Nodes);
        }
    }

    fn remove_service(&mut self, now: Timestamp, service: &ServiceId) {
        let (role, address) = service;
        self.listed.remove(service);
        if self.services(*role).remove(address).is_some_and(|service| service.info.is_some()) {
            let words = service_words(*role, address).text(" is gone");
            self.report(|news| news.service(now, words));
        }
        self.mark_changed(Change::Nodes);
        self.update_agreement(now);
    }

    pub(crate) fn apply_info(&mut self, now: Timestamp, role: Role, address: &str, info: Info) {
        let info = self.sanitized_info(info);
        let Some(service) = self.services(role).get_mut(address) else { return };
        let before = service.clone();
        (service.info, service.last_seen, service.error) = (Some(info), Some(now), None);
        if let (Some(old), Some(new)) = (&before.info, &mut service.info) {
            keep_newer_tip(old, new);
        }
        let after = service.clone();
        if let Some(words) = arrival(role, address, &before, &after) {
            self.report(|news| news.service(now, words));
        }
        if shown_fields(&before) != shown_fields(&after) {
            self.mark_changed(Change::Nodes);
        }
        if pool_size(&before) != pool_size(&after) {
            self.mark_changed(Change::Pool);
        }
        if let Some((count, bytes)) = self.state.mempools.values().filter_map(pool_size).max() {
            self.measures.sample_pool(now, count, bytes);
        }
        if before.tip().map(|tip| tip.hash) != after.tip().map(|tip| tip.hash) || before.error.is_some() {
            self.update_agreement(now);
        }
    }

    /// Records that a request to a service failed.
    pub(crate) fn apply_error(&mut self, now: Timestamp, role: Role, address: &str, error: &str) {
        let error = Some(sanitized(error));
        let Some(service) = self.services(role).get_mut(address) else { return };
        if service.error == error {
            return;
        }
        let before = std::mem::replace(&mut service.error, error);
        if before.is_none() && service.info.is_some() {
            let words = service_words(role, address).text(" does not answer");
            self.report(|news| news.service(now, words));
        }
        self.mark_changed(Change::Nodes);
        self.update_agreement(now);
    }

    pub(crate) fn apply_node_event(&mut self, now: Timestamp, node: &str, event: &NodeEvent) {
        if !self.state.nodes.contains_key(node) {
            return;
        }
        match event {
            NodeEvent::Block(block) => self.apply_block(now, node, block),
            NodeEvent::Reorg(reorg) => {
                self.report(|news| news.reorganised(now, node, reorg));
                self.set_tip(now, node, reorg.to);
            }
            NodeEvent::Peer(peer) => self.apply_peer(now, node, peer),
            // The event of a block names its miner, and `/info` has the rest.
            NodeEvent::Mining(_) => {}
        }
    }

    fn apply_peer(&mut self, now: Timestamp, node: &str, event: &PeerEvent) {
        self.report(|news| news.peer(now, node, event));
        let Some(service) = self.state.nodes.get_mut(node) else { return };
        let is_changed = match event.change {
            PeerChange::Blocked => {
                service.refused.len() < MAX_PEERS && service.refused.insert(sanitized(&event.address))
            }
            PeerChange::Unblocked => service.refused.remove(&event.address),
            _ => false,
        };
        if is_changed {
            self.mark_changed(Change::Nodes);
            self.update_agreement(now);
        }
    }

    /// Takes over the peers that a node lists.
    pub(crate) fn apply_peers(&mut self, now: Timestamp, node: &str, peers: &[PeerInfo]) {
        let Some(service) = self.state.nodes.get_mut(node) else { return };
        let named = |is_chosen: fn(&PeerInfo) -> bool| -> BTreeSet<String> {
            peers.iter().take(MAX_PEERS).filter(|peer| is_chosen(peer)).map(|peer| sanitized(&peer.address)).collect()
        };
        let linked = named(PeerInfo::may_answer);
        let refused = named(|peer| peer.error.as_deref() == Some("blocked"));
        if (&service.linked, &service.refused) != (&linked, &refused) {
            (service.linked, service.refused) = (linked, refused);
            self.mark_changed(Change::Nodes);
            self.update_agreement(now);
        }
    }

    fn apply_block(&mut self, now: Timestamp, node: &str, event: &BlockEvent) {
        let miner = (event.source == BlockSource::Mined).then_some(node);
        let block = BlockId { index: event.index, hash: event.hash };
        if event.source != BlockSource::Synced {
            let sibling = |seen: &BlockSummary| seen.prev_hash == event.prev_hash && seen.hash != event.hash;
            let parent = BlockId { index: event.index.minus(1), hash: event.prev_hash };
            let is_new = !self.state.blocks.contains_key(&event.hash);
            if is_new && self.state.blocks.values().any(sibling) {
                self.report(|news| news.fork_seen(now, parent));
            }
            self.report(|news| news.block_found(now, block, miner));
            self.measures.heard(now, node, block, is_new);
        }
        let heard = if event.source == BlockSource::Synced { event.timestamp } else { now };
        let seen = BlockSummary { mined_by: miner.map(str::to_owned), heard, ..BlockSummary::from(event) };
        self.insert(seen);
        self.name_finder(event.hash);
        if event.best {
            let (timestamp, work) = (event.timestamp, event.work);
            self.set_tip(now, node, Tip { index: event.index, hash: event.hash, timestamp, work });
        } else {
            self.state.forget_blocks();
            self.measures.update(now, &self.state);
        }
    }

    /// Adds blocks that were fetched.
    pub(crate) fn add_blocks(&mut self, blocks: impl IntoIterator<Item = BlockSummary>) {
        blocks.into_iter().for_each(|block| self.insert(block));
        self.state.forget_blocks();
    }

    /// Takes over what is in a block.
    pub(crate) fn add_contents(&mut self, block: BlockHash, mut contents: BlockContents) {
        if !self.state.blocks.contains_key(&block) {
            return;
        }
        let kept: usize = self.state.contents.values().map(|contents| contents.payments.len()).sum();
        if kept + contents.payments.len() > MAX_KEPT_PAYMENTS {
            contents.payments = Vec::new();
        }
        self.state.contents.insert(block, Arc::new(contents));
        self.name_finder(block);
        self.mark_changed(Change::Blocks);
    }

    /// What happened to a payment, oldest first, as far as it is remembered.
    pub(crate) fn steps_of(&self, payment: &TransactionId) -> Vec<(Timestamp, PaymentStep)> {
        self.news.steps(payment).to_vec()
    }

    pub(crate) fn measures(&self) -> &Measures {
        &self.measures
    }

    fn insert(&mut self, block: BlockSummary) {
        let hash = block.hash;
        let known = self.state.blocks.entry(hash).or_insert_with(|| BlockSummary { mined_by: None, ..block.clone() });
        if known.mined_by.is_none() {
            known.mined_by = block.mined_by;
        }
        self.mark_changed(Change::Blocks);
    }

    pub(crate) fn apply_pool_event(&mut self, now: Timestamp, mempool: &str, event: &PoolEvent) {
        if self.state.mempools.contains_key(mempool) {
            self.mark_changed(Change::Pool);
            self.report(|news| news.payment(now, event));
        }
    }

    fn set_tip(&mut self, now: Timestamp, node: &str, tip: Tip) {
        let info = self.state.nodes.get_mut(node).and_then(|service| service.info.as_mut());
        if let Some(info) = info.filter(|info| info.tip.is_none_or(|old| old.work <= tip.work && old != tip)) {
            info.tip = Some(tip);
            self.mark_changed(Change::Nodes);
            self.update_agreement(now);
        }
    }

    fn update_agreement(&mut self, now: Timestamp) {
        self.mark_changed(Change::Blocks);
        self.state.forget_blocks();
        let agreement = Agreement::of(&self.state);
        let is_forked = agreement.is_forked();
        if let [branch] = &*agreement.branches
            && self.was_forked
        {
            self.report(|news| news.agreed_again(now, branch.tip));
        }
        self.was_forked = is_forked;
        self.state.split = split::update(self.state.split.take(), &self.state, now);
        self.measures.update(now, &self.state);
    }

    fn report(&mut self, report: impl FnOnce(&mut News) -> bool) {
        if report(&mut self.news) {
            self.state.news.clone_from(self.news.items());
            self.mark_changed(Change::News);
        }
    }

    /// Notes that pages must be rendered again where they show this.
    pub(crate) fn mark_changed(&mut self, change: Change) {
        self.state.versions.mark(change);
    }

    fn services(&mut self, role: Role) -> &mut BTreeMap<String, ServiceState> {
        match role {
            Role::Node => &mut self.state.nodes,
            Role::Mempool => &mut self.state.mempools,
        }
    }

    /// The answer of a service without what is too long or differs from this network.
    fn sanitized_info(&self, mut info: Info) -> Info {
        for text in [&mut info.service, &mut info.version, &mut info.address] {
            *text = sanitized(text);
        }
        if let Some(address) = info.mining.as_mut().and_then(|mining| mining.address.as_mut()) {
            *address = sanitized(address);
        }
        if info.network != self.params {
            info.network = Value::Null;
        }
        info
    }
}

/// Keeps the tip of an event that is newer than the answer. Only a restart makes a chain lighter.
fn keep_newer_tip(old: &Info, new: &mut Info) {
    if let (Some(known), Some(tip)) = (old.tip, new.tip)
        && old.started == new.started
        && tip.work < known.work
    {
        new.tip = Some(known);
    }
}

fn arrival(role: Role, address: &str, before: &ServiceState, after: &ServiceState) -> Option<Words> {
    let words = service_words(role, address);
    match (&before.info, &before.error) {
        (None, _) => Some(match after.tip() {
            Some(tip) => words.text(format!(" joined at block {}", tip.index)),
            None => words.text(" joined"),
        }),
        (Some(_), Some(_)) => Some(words.text(" answers again")),
        (Some(_), None) => None,
    }
}

fn service_words(role: Role, address: &str) -> Words {
    match role {
        Role::Node => Words::new().text("Node ").node(address),
        Role::Mempool => Words::new().text(format!("Mempool {address}")),
    }
}

/// A to Z, then A2 to Z2, and so on.
fn letter(number: u32) -> String {
    let letter = char::from_u32(u32::from(b'A') + number % 26).unwrap_or('A');
    match number / 26 {
        0 => letter.to_string(),
        round => format!("{letter}{}", round + 1),
    }
}

/// The fields of a service that pages show, without its pool.
fn shown_fields(service: &ServiceState) -> impl PartialEq + use<> {
    let info = service.info.as_ref();
    let mining = info.and_then(|info| info.mining.clone());
    let mining = mining.map(|mining| (mining.enabled, mining.address, mining.threads, mining.hashrate));
    let own = info.map(|info| (info.tip, info.peers, info.started, info.version.clone(), info.health.clone()));
    (service.error.clone(), mining, own)
}

fn pool_size(service: &ServiceState) -> Option<(u64, u64)> {
    let pool = service.info.as_ref()?.pool.as_ref()?;
    Some((pool.count, pool.bytes))
}

#[cfg(test)]
mod tests;
