//! What comes of answers and events: the picture, and what is remembered to paint it. It asks nobody and reads no clock.

use super::Change;
use super::agreement::Agreement;
use super::picture::{Contact, Picture, Seen};
use super::ticker::{Ticker, said};
use serde_json::Value;
use shared::block::{BlockId, Timestamp};
use shared::chain::Tip;
use shared::params::Params;
use shared::wire::{BlockEvent, BlockSource, Info, NodeEvent, PoolEvent, Role};
use std::collections::BTreeMap;

/// How many services are watched.
const MAX_SERVICES: usize = 64;
/// How long a service stays that the tracker no longer lists.
const GONE_AFTER_MS: i64 = 60_000;

/// A service that is watched.
pub(super) type Service = (Role, String);

#[derive(Debug)]
pub(super) struct Notebook {
    picture: Picture,
    ticker: Ticker,
    /// When the tracker listed each service last.
    listed: BTreeMap<Service, Timestamp>,
    /// The parameters as `/info` carries them.
    params: Value,
    was_forked: bool,
}

impl Notebook {
    pub(super) fn new(tracker: &str, params: &Params) -> Self {
        Self {
            picture: Picture { tracker: tracker.to_owned(), ..Picture::default() },
            ticker: Ticker::new(),
            listed: BTreeMap::new(),
            params: serde_json::to_value(params).unwrap_or_default(),
            was_forked: false,
        }
    }

    /// The picture as it is now.
    pub(super) fn picture(&self) -> &Picture {
        &self.picture
    }

    /// The tracker lists these services now. Answers who is to be watched, new ones too.
    pub(super) fn listed(&mut self, now: Timestamp, services: impl IntoIterator<Item = Service>) -> Vec<Service> {
        self.tracker_says(None);
        let (known, new): (Vec<_>, Vec<_>) =
            services.into_iter().partition(|service| self.listed.contains_key(service));
        self.listed.extend(known.into_iter().map(|service| (service, now)));
        let gone: Vec<_> = self.listed.iter().filter(|(_, at)| now.ms_since(**at) > GONE_AFTER_MS).collect();
        let gone: Vec<_> = gone.into_iter().map(|(service, _)| service.clone()).collect();
        gone.iter().for_each(|service| self.gone(now, service));
        let room = MAX_SERVICES.saturating_sub(self.listed.len());
        self.listed.extend(new.into_iter().take(room).map(|service| (service, now)));
        let watched: Vec<_> = self.listed.keys().cloned().collect();
        for (role, address) in &watched {
            let contacts = self.contacts(*role);
            if !contacts.contains_key(address) {
                contacts.insert(address.clone(), Contact::default());
                self.mark(Change::Nodes);
            }
        }
        watched
    }

    /// The tracker did not answer, for this reason.
    pub(super) fn tracker_failed(&mut self, error: &str) {
        self.tracker_says(Some(said(error)));
    }

    fn tracker_says(&mut self, error: Option<String>) {
        if self.picture.tracker_error != error {
            self.picture.tracker_error = error;
            self.mark(Change::Nodes);
        }
    }

    fn gone(&mut self, now: Timestamp, service: &Service) {
        let (role, address) = service;
        self.listed.remove(service);
        if self.contacts(*role).remove(address).is_some_and(|contact| contact.info.is_some()) {
            let words = format!("{} {address} is gone", role_name(*role));
            self.tell(|ticker| ticker.service(now, words));
        }
        self.mark(Change::Nodes);
        self.tips_moved(now);
    }

    /// A service answered `/info`.
    pub(super) fn answered(&mut self, now: Timestamp, role: Role, address: &str, info: Info) {
        let info = self.tamed(info);
        let Some(contact) = self.contacts(role).get_mut(address) else { return };
        let before = std::mem::replace(contact, Contact { info: Some(info), last_seen: Some(now), error: None });
        if let (Some(old), Some(new)) = (&before.info, &mut contact.info) {
            keep_newer_tip(old, new);
        }
        let after = contact.clone();
        if let Some(words) = arrival(role, address, &before, &after) {
            self.tell(|ticker| ticker.service(now, words));
        }
        if shown(&before) != shown(&after) {
            self.mark(Change::Nodes);
        }
        if pool(&before) != pool(&after) {
            self.mark(Change::Pool);
        }
        if before.tip().map(|tip| tip.hash) != after.tip().map(|tip| tip.hash) || before.error.is_some() {
            self.tips_moved(now);
        }
    }

    /// A service did not answer.
    pub(super) fn failed(&mut self, now: Timestamp, role: Role, address: &str, error: &str) {
        let error = Some(said(error));
        let Some(contact) = self.contacts(role).get_mut(address) else { return };
        if contact.error == error {
            return;
        }
        let before = std::mem::replace(&mut contact.error, error);
        if before.is_none() && contact.info.is_some() {
            let words = format!("{} {address} does not answer", role_name(role));
            self.tell(|ticker| ticker.service(now, words));
        }
        self.mark(Change::Nodes);
        self.tips_moved(now);
    }

    /// A node told what happened.
    pub(super) fn node_said(&mut self, now: Timestamp, node: &str, event: &NodeEvent) {
        if !self.picture.nodes.contains_key(node) {
            return;
        }
        match event {
            NodeEvent::Block(block) => self.block(now, node, block),
            NodeEvent::Reorg(reorg) => {
                self.tell(|ticker| ticker.reorganised(now, node, reorg));
                self.stands_on(now, node, reorg.to);
            }
            NodeEvent::Peer(peer) => self.tell(|ticker| ticker.peer(now, node, peer)),
            // Who found a block is told by the block's own event, the rest by `/info`.
            NodeEvent::Mining(_) => {}
        }
    }

    fn block(&mut self, now: Timestamp, node: &str, event: &BlockEvent) {
        let miner = (event.source == BlockSource::Mined).then_some(node);
        let block = BlockId { index: event.index, hash: event.hash };
        if event.source != BlockSource::Synced {
            let sibling = |seen: &Seen| seen.prev_hash == event.prev_hash && seen.hash != event.hash;
            let parent = BlockId { index: event.index.minus(1), hash: event.prev_hash };
            let is_new = !self.picture.blocks.contains_key(&event.hash);
            if is_new && self.picture.blocks.values().any(sibling) {
                self.tell(|ticker| ticker.forked(now, parent));
            }
            self.tell(|ticker| ticker.found(now, block, miner));
        }
        let seen = Seen { mined_by: miner.map(str::to_owned), ..Seen::from(event) };
        self.insert(seen);
        if event.best {
            let (timestamp, work) = (event.timestamp, event.work);
            self.stands_on(now, node, Tip { index: event.index, hash: event.hash, timestamp, work });
        } else {
            self.picture.forget_blocks();
        }
    }

    /// Blocks that were asked for.
    pub(super) fn learnt(&mut self, blocks: impl IntoIterator<Item = Seen>) {
        blocks.into_iter().for_each(|block| self.insert(block));
        self.picture.forget_blocks();
    }

    fn insert(&mut self, block: Seen) {
        let hash = block.hash;
        let known = self.picture.blocks.entry(hash).or_insert_with(|| Seen { mined_by: None, ..block.clone() });
        if known.mined_by.is_none() {
            known.mined_by = block.mined_by;
        }
        self.mark(Change::Blocks);
    }

    /// A mempool told what happened.
    pub(super) fn pool_said(&mut self, now: Timestamp, mempool: &str, event: &PoolEvent) {
        if self.picture.mempools.contains_key(mempool) {
            self.mark(Change::Pool);
            self.tell(|ticker| ticker.payment(now, event));
        }
    }

    fn stands_on(&mut self, now: Timestamp, node: &str, tip: Tip) {
        let info = self.picture.nodes.get_mut(node).and_then(|contact| contact.info.as_mut());
        if let Some(info) = info.filter(|info| info.tip.is_none_or(|old| old.work <= tip.work && old != tip)) {
            info.tip = Some(tip);
            self.mark(Change::Nodes);
            self.tips_moved(now);
        }
    }

    fn tips_moved(&mut self, now: Timestamp) {
        self.mark(Change::Blocks);
        self.picture.forget_blocks();
        let agreement = Agreement::of(&self.picture);
        let is_forked = agreement.is_forked();
        if let [branch] = &*agreement.branches
            && self.was_forked
        {
            self.tell(|ticker| ticker.healed(now, branch.tip));
        }
        self.was_forked = is_forked;
    }

    fn tell(&mut self, tell: impl FnOnce(&mut Ticker) -> bool) {
        if tell(&mut self.ticker) {
            self.picture.ticker.clone_from(self.ticker.facts());
            self.mark(Change::Ticker);
        }
    }

    /// Notes that pages are to be made anew for this.
    pub(super) fn mark(&mut self, change: Change) {
        self.picture.versions.mark(change);
    }

    fn contacts(&mut self, role: Role) -> &mut BTreeMap<String, Contact> {
        match role {
            Role::Node => &mut self.picture.nodes,
            Role::Mempool => &mut self.picture.mempools,
        }
    }

    /// What a stranger says of itself, cut to what is worth keeping.
    fn tamed(&self, mut info: Info) -> Info {
        for text in [&mut info.service, &mut info.version, &mut info.address] {
            *text = said(text);
        }
        if let Some(address) = info.mining.as_mut().and_then(|mining| mining.address.as_mut()) {
            *address = said(address);
        }
        if info.network != self.params {
            info.network = Value::Null;
        }
        info
    }
}

/// An answer may be older than an event; only a restart makes a chain lighter.
fn keep_newer_tip(old: &Info, new: &mut Info) {
    if let (Some(known), Some(tip)) = (old.tip, new.tip)
        && old.started == new.started
        && tip.work < known.work
    {
        new.tip = Some(known);
    }
}

fn arrival(role: Role, address: &str, before: &Contact, after: &Contact) -> Option<String> {
    let name = role_name(role);
    match (&before.info, &before.error) {
        (None, _) => Some(match after.tip() {
            Some(tip) => format!("{name} {address} is here, at block {}", tip.index),
            None => format!("{name} {address} is here"),
        }),
        (Some(_), Some(_)) => Some(format!("{name} {address} answers again")),
        (Some(_), None) => None,
    }
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Node => "Node",
        Role::Mempool => "Mempool",
    }
}

/// What pages show of a service, but for its pool.
fn shown(contact: &Contact) -> impl PartialEq + use<> {
    let info = contact.info.as_ref();
    let mining = info.and_then(|info| info.mining.clone());
    let mining = mining.map(|mining| (mining.enabled, mining.address, mining.threads, mining.hashrate));
    let said = info.map(|info| (info.tip, info.peers, info.started, info.version.clone()));
    (contact.error.clone(), mining, said)
}

fn pool(contact: &Contact) -> Option<(u64, u64)> {
    let pool = contact.info.as_ref()?.pool.as_ref()?;
    Some((pool.count, pool.bytes))
}

#[cfg(test)]
pub(super) mod tests;
