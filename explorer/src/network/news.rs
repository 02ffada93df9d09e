//! What happens in the network, in sentences for people who have never seen a blockchain. An event that several
//! services report becomes one item.

mod cut_links;
mod recent;

use super::state::{NewsItem, Topic};
use cut_links::LinkChanges;
use recent::Recent;
use runtime::sanitize;
use shared::block::{BlockHash, BlockId, Timestamp};
use shared::ledger::{Transaction, TransactionId};
use shared::wire::{PeerChange, PeerEvent, PoolEvent, ReorgEvent};
use std::collections::VecDeque;

/// Most items that are kept.
const MAX_ITEMS: usize = 50;
/// Most items of one topic, so that payments do not hide blocks.
const MAX_OF_TOPIC: usize = 20;
/// Most events that are remembered as reported, and most payments that are remembered by their ids.
const MAX_REMEMBERED: usize = 4000;
/// Longest text of another service, in characters.
const MAX_TEXT_CHARS: usize = 120;

/// Identifies an event that is reported only once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum NewsKey {
    Found(BlockHash),
    /// The parent of the two blocks.
    Fork(BlockHash),
    Reorg {
        from: BlockHash,
        to: BlockHash,
    },
    Pending(TransactionId),
    Confirmed(TransactionId, BlockHash),
    /// The payment, and the block that it was in.
    Returned(TransactionId, Option<BlockHash>),
    Evicted(TransactionId),
}

#[derive(Debug)]
pub(super) struct News {
    /// Newest first.
    items: VecDeque<NewsItem>,
    reported: Recent<NewsKey, ()>,
    payments: Recent<TransactionId, Payment>,
    /// The changes of links that the newest item about links is about.
    links: Option<LinkChanges>,
}

#[derive(Debug, Clone, Default)]
struct Payment {
    text: Option<String>,
    block: Option<BlockHash>,
}

impl News {
    pub(super) fn new() -> Self {
        Self {
            items: VecDeque::new(),
            reported: Recent::new(MAX_REMEMBERED),
            payments: Recent::new(MAX_REMEMBERED),
            links: None,
        }
    }

    pub(super) fn items(&self) -> &VecDeque<NewsItem> {
        &self.items
    }

    /// Reports a block, or adds its miner to the earlier report. This and the functions below return whether the news
    /// have changed.
    pub(super) fn block_found(&mut self, now: Timestamp, block: BlockId, miner: Option<&str>) -> bool {
        let text = match miner {
            Some(miner) => format!("{miner} found block {}", block.index),
            None => format!("Block {} was found", block.index),
        };
        if self.reported.insert(NewsKey::Found(block.hash), ()) {
            return self.add(now, Topic::Block, text, Some(block));
        }
        let is_it = |item: &&mut NewsItem| item.topic == Topic::Block && item.block == Some(block);
        match self.items.iter_mut().find(is_it) {
            Some(item) if miner.is_some() && item.text != text => item.text = text,
            _ => return false,
        }
        true
    }

    /// Reports a second block on `parent`.
    pub(super) fn fork_seen(&mut self, now: Timestamp, parent: BlockId) -> bool {
        let text = format!("Two blocks follow block {}: the chain forks", parent.index);
        self.reported.insert(NewsKey::Fork(parent.hash), ()) && self.add(now, Topic::Fork, text, Some(parent))
    }

    /// Reports that a node changed to another branch.
    pub(super) fn reorganised(&mut self, now: Timestamp, node: &str, reorg: &ReorgEvent) -> bool {
        let left = match reorg.undone {
            1 => "the last block of its branch".to_owned(),
            blocks => format!("{blocks} blocks of its branch"),
        };
        let taken = match reorg.applied {
            1 => "1 heavier one".to_owned(),
            blocks => format!("{blocks} heavier ones"),
        };
        let block = BlockId { index: reorg.to.index, hash: reorg.to.hash };
        self.reported.insert(NewsKey::Reorg { from: reorg.from.hash, to: reorg.to.hash }, ())
            && self.add(now, Topic::Fork, format!("{node} left {left} for {taken}"), Some(block))
    }

    /// Reports that all nodes are on one chain again.
    pub(super) fn agreed_again(&mut self, now: Timestamp, tip: BlockId) -> bool {
        self.add(now, Topic::Fork, format!("All nodes are on one chain again, at block {}", tip.index), Some(tip))
    }

    /// Reports a change of a service that the explorer has observed itself.
    pub(super) fn service(&mut self, now: Timestamp, text: String) -> bool {
        self.add(now, Topic::Service, text, None)
    }

    /// Reports what a node says of a peer, except that it connected or was lost: the explorer observes that itself.
    pub(super) fn peer(&mut self, now: Timestamp, node: &str, event: &PeerEvent) -> bool {
        let peer = sanitized(&event.address);
        let text = match event.change {
            PeerChange::Connected | PeerChange::Lost => return false,
            change @ (PeerChange::Blocked | PeerChange::Unblocked) => return self.link(now, change, node, &peer),
            PeerChange::Dropped => match &event.reason {
                Some(reason) => format!("{node} ignores {peer} for a while: {}", sanitized(reason)),
                None => format!("{node} ignores {peer} for a while"),
            },
            PeerChange::Removed => format!("{node} was told to forget {peer}"),
        };
        self.add(now, Topic::Service, text, None)
    }

    /// Reports that a link was cut or may be used again. Changes at about the same time share an item, which grows.
    fn link(&mut self, now: Timestamp, change: PeerChange, node: &str, peer: &str) -> bool {
        let mut links = match self.links.take() {
            Some(links) if links.continues(change, now) => links,
            _ => LinkChanges::new(change, now),
        };
        let before = links.sentence();
        let is_new = links.add(node, peer);
        let text = links.sentence();
        self.links = Some(links);
        if !is_new {
            return false;
        }
        match self.items.iter_mut().find(|item| item.topic == Topic::Service && item.text == before) {
            Some(item) if item.text != text => item.text = text,
            Some(_) => return false,
            None => return self.add(now, Topic::Service, text, None),
        }
        true
    }

    /// Reports what a mempool says of a payment.
    pub(super) fn payment(&mut self, now: Timestamp, event: &PoolEvent) -> bool {
        let is_new = match event {
            PoolEvent::Transaction(payment) => {
                let text = payment_words(payment);
                let reported = self.reported.insert(NewsKey::Pending(payment.id), ());
                self.payments.entry(payment.id).text = Some(text.clone());
                reported && self.add(now, Topic::Payment, format!("{text}: waits for a block"), None)
            }
            PoolEvent::Confirmed(confirmed) => {
                let payment = self.payments.entry(confirmed.id);
                payment.block = Some(confirmed.block.hash);
                let text = format!("{}: is in block {}", name(payment, &confirmed.id), confirmed.block.index);
                self.reported.insert(NewsKey::Confirmed(confirmed.id, confirmed.block.hash), ())
                    && self.add(now, Topic::Payment, text, Some(confirmed.block))
            }
            PoolEvent::Returned(returned) => {
                let payment = self.payments.entry(returned.id);
                let text = format!(
                    "{}: its block is no longer on the best chain, so it waits again",
                    name(payment, &returned.id)
                );
                let reported = NewsKey::Returned(returned.id, payment.block);
                self.reported.insert(reported, ()) && self.add(now, Topic::Payment, text, None)
            }
            PoolEvent::Evicted(evicted) => {
                let payment = self.payments.entry(evicted.id);
                let reason = eviction(&evicted.reason);
                let text = format!("{}: was dropped {reason}", name(payment, &evicted.id));
                self.reported.insert(NewsKey::Evicted(evicted.id), ()) && self.add(now, Topic::Payment, text, None)
            }
        };
        if is_new && let Some(item) = self.items.front_mut() {
            item.payment = Some(id(event));
        }
        is_new
    }

    fn add(&mut self, at: Timestamp, topic: Topic, text: String, block: Option<BlockId>) -> bool {
        self.items.push_front(NewsItem { at, topic, text, block, payment: None });
        let mut of_topic = self.items.iter().enumerate().filter(|(_, item)| item.topic == topic);
        if let Some((oldest, _)) = of_topic.nth(MAX_OF_TOPIC) {
            self.items.remove(oldest);
        }
        self.items.truncate(MAX_ITEMS);
        true
    }
}

fn id(event: &PoolEvent) -> TransactionId {
    match event {
        PoolEvent::Transaction(payment) => payment.id,
        PoolEvent::Confirmed(confirmed) => confirmed.id,
        PoolEvent::Returned(returned) => returned.id,
        PoolEvent::Evicted(evicted) => evicted.id,
    }
}

fn payment_words(payment: &Transaction) -> String {
    format!("{} LAB from {} to {}", payment.amount, payment.from.short(), payment.to.short())
}

fn name(payment: &Payment, id: &TransactionId) -> String {
    payment.text.clone().unwrap_or_else(|| format!("Payment {}", id.short()))
}

fn eviction(reason: &str) -> String {
    match reason {
        "outbid" => "because others paid more".to_owned(),
        "expired" => "because it waited too long".to_owned(),
        "not-covered" => "because the sender can no longer pay it".to_owned(),
        other => format!("({})", sanitized(other)),
    }
}

/// The text of another service, cut to [`MAX_TEXT_CHARS`] and safe to show.
pub(super) fn sanitized(text: &str) -> String {
    sanitize::line(text).chars().take(MAX_TEXT_CHARS).collect()
}

#[cfg(test)]
mod tests;
