//! What happens in the network, in sentences for people who have never seen a blockchain. An event that several
//! services report becomes one item.

mod cut_links;
mod recent;

use super::state::{NewsItem, Paid, Topic};
use super::words::{Word, Words};
use cut_links::LinkChanges;
use recent::Recent;
use runtime::sanitize;
use shared::block::{BlockHash, BlockId, Timestamp};
use shared::ledger::{Address, AddressKind, Amount, Transaction, TransactionId, Transfer};
use shared::wire::{ConflictEvent, PeerChange, PeerEvent, PoolEvent, ReorgEvent};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

/// Most items of a topic, so that none of them hides another.
const MAX_OF_TOPIC: usize = 20;
/// The same for payments, of which a busy network has several a second.
const MAX_PAYMENTS: usize = 60;
/// Most events that are remembered as reported, and most payments that are remembered by their ids.
const MAX_REMEMBERED: usize = 4000;
/// Most steps that are remembered of one payment, the first ones.
const MAX_STEPS: usize = 20;
/// Most nodes that one item names.
const MAX_NAMED: usize = 8;
/// Longest text of another service, in characters.
const MAX_TEXT_CHARS: usize = 120;

/// What happened to a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PaymentStep {
    /// A mempool has it.
    Pending,
    Confirmed(BlockId),
    /// Its block was undone.
    Returned,
    /// It was dropped, for this reason.
    Dropped(String),
    /// Another transaction takes a coin of it.
    Contested {
        by: TransactionId,
        /// Whether the other one replaces it.
        is_taken: bool,
    },
}

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
    /// The payment, and the transaction that takes a coin of it.
    Contested(TransactionId, TransactionId),
}

#[derive(Debug, Clone)]
pub(super) struct News {
    /// Newest first.
    items: VecDeque<Arc<NewsItem>>,
    reported: Recent<NewsKey, ()>,
    payments: Recent<TransactionId, Payment>,
    /// The changes of links that the newest item about links is about.
    links: Option<LinkChanges>,
}

#[derive(Debug, Clone, Default)]
struct Payment {
    words: Option<Words>,
    block: Option<BlockHash>,
    /// Oldest first.
    steps: Vec<(Timestamp, PaymentStep)>,
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

    pub(super) fn items(&self) -> &VecDeque<Arc<NewsItem>> {
        &self.items
    }

    /// What happened to a payment, oldest first, as far as it is remembered.
    pub(super) fn steps(&self, payment: &TransactionId) -> &[(Timestamp, PaymentStep)] {
        self.payments.get(payment).map_or(&[], |payment| &payment.steps)
    }

    /// Reports a block, or adds its miner to the earlier report. This and the functions below return whether the news
    /// have changed.
    pub(super) fn block_found(&mut self, now: Timestamp, block: BlockId, miner: Option<&str>) -> bool {
        let text = match miner {
            Some(miner) => Words::new().node(miner).text(" found block ").block(block),
            None => Words::new().text("Block ").block(block).text(" was found"),
        };
        if self.reported.insert(NewsKey::Found(block.hash), ()) {
            return self.add(now, Topic::Block, text, Some(block));
        }
        let is_it = |item: &&mut Arc<NewsItem>| item.topic == Topic::Block && item.block == Some(block);
        match self.items.iter_mut().find(is_it) {
            Some(item) if miner.is_some() && item.text != text => Arc::make_mut(item).text = text,
            _ => return false,
        }
        true
    }

    /// Names the finder of a block that a node only passed on.
    pub(super) fn found_outside(&mut self, block: BlockId, miner: Address, node: &str, is_browser: bool) -> bool {
        let what = if is_browser { "’s browser, by way of " } else { ", by way of " };
        let text = Words::new().person(miner).text(what).node(node).text(", found block ").block(block);
        let is_it = |item: &&mut Arc<NewsItem>| item.topic == Topic::Block && item.block == Some(block);
        match self.items.iter_mut().find(is_it) {
            Some(item) if item.text != text => Arc::make_mut(item).text = text,
            _ => return false,
        }
        true
    }

    /// Reports a second block on `parent`.
    pub(super) fn fork_seen(&mut self, now: Timestamp, parent: BlockId) -> bool {
        let text = Words::new().text("Fork: two different blocks now follow block ").block(parent);
        self.reported.insert(NewsKey::Fork(parent.hash), ()) && self.add(now, Topic::Fork, text, Some(parent))
    }

    /// Reports that a node changed to another branch.
    pub(super) fn reorganised(&mut self, now: Timestamp, node: &str, reorg: &ReorgEvent) -> bool {
        let dropped = if reorg.undone == 1 { "1 block".to_owned() } else { format!("{} blocks", reorg.undone) };
        let end = Word::Text(format!(" dropped {dropped} and switched to a branch with more work"));
        let block = BlockId { index: reorg.to.index, hash: reorg.to.hash };
        // Nodes that drop as much for the same block share an item, which grows.
        let is_it = |item: &&mut Arc<NewsItem>| item.block == Some(block) && item.text.0.last() == Some(&end);
        let Some(item) = self.items.iter_mut().find(is_it) else {
            return self.reported.insert(NewsKey::Reorg { from: reorg.from.hash, to: reorg.to.hash }, ())
                && self.add(now, Topic::Fork, Words(vec![Word::Node(node.to_owned()), end]), Some(block));
        };
        let mut nodes: BTreeSet<String> = item.text.nodes_named().map(str::to_owned).collect();
        let is_new = nodes.len() < MAX_NAMED && nodes.insert(node.to_owned());
        if is_new {
            let mut text = Words::new().all_nodes(&nodes);
            text.0.push(end);
            Arc::make_mut(item).text = text;
        }
        is_new
    }

    /// Reports that all nodes are on one chain again.
    pub(super) fn agreed_again(&mut self, now: Timestamp, tip: BlockId) -> bool {
        let text = Words::new().text("All nodes are on one chain again, at block ").block(tip);
        self.add(now, Topic::Healed, text, Some(tip))
    }

    /// Reports a change of a service that the explorer has observed itself.
    pub(super) fn service(&mut self, now: Timestamp, text: Words) -> bool {
        self.add(now, Topic::Service, text, None)
    }

    /// Reports what a node says of a peer, except that it connected or was lost: the explorer observes that itself.
    pub(super) fn peer(&mut self, now: Timestamp, node: &str, event: &PeerEvent) -> bool {
        let peer = sanitized(&event.address);
        let text = match event.change {
            PeerChange::Connected | PeerChange::Lost => return false,
            change @ (PeerChange::Blocked | PeerChange::Unblocked) => return self.link(now, change, node, &peer),
            PeerChange::Dropped => {
                let reason = event.reason.as_ref().map(|reason| format!(": {}", sanitized(reason)));
                let text = format!(" for a while{}", reason.unwrap_or_default());
                Words::new().node(node).text(" ignores ").node(&peer).text(text)
            }
            PeerChange::Removed => Words::new().node(node).text(" was told to forget ").node(&peer),
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
        match self.items.iter_mut().find(|item| item.topic == Topic::Fork && item.text == before) {
            Some(item) if item.text != text => Arc::make_mut(item).text = text,
            Some(_) => return false,
            None => return self.add(now, Topic::Fork, text, None),
        }
        true
    }

    /// Reports what a mempool says of a payment.
    pub(super) fn payment(&mut self, now: Timestamp, event: &PoolEvent) -> bool {
        let (id, step) = step(event);
        let payment = self.payments.entry(id);
        if let PoolEvent::Transaction(transaction) = event {
            payment.words = Some(payment_words(transaction));
        }
        let key = match &step {
            PaymentStep::Pending => NewsKey::Pending(id),
            PaymentStep::Confirmed(block) => {
                payment.block = Some(block.hash);
                NewsKey::Confirmed(id, block.hash)
            }
            PaymentStep::Returned => NewsKey::Returned(id, payment.block),
            PaymentStep::Dropped(_) => NewsKey::Evicted(id),
            PaymentStep::Contested { by, .. } => NewsKey::Contested(id, *by),
        };
        let block = match step {
            PaymentStep::Confirmed(block) => Some(block),
            _ => None,
        };
        let text = sentence(payment, &id, &step);
        if !self.reported.insert(key, ()) {
            return false;
        }
        if payment.steps.len() < MAX_STEPS {
            payment.steps.push((now, step));
        }
        self.add(now, Topic::Payment, text, block);
        if let Some(item) = self.items.front_mut() {
            let item = Arc::make_mut(item);
            item.payment = Some(id);
            item.paid = match event {
                PoolEvent::Transaction(paid) => {
                    let Transfer { from, to, amount, .. } = paid.transfer();
                    Some(Paid { from, to, amount })
                }
                _ => None,
            };
        }
        true
    }

    fn add(&mut self, at: Timestamp, topic: Topic, text: Words, block: Option<BlockId>) -> bool {
        self.items.push_front(Arc::new(NewsItem { at, topic, text, block, payment: None, paid: None }));
        let most = if topic == Topic::Payment { MAX_PAYMENTS } else { MAX_OF_TOPIC };
        let mut of_topic = self.items.iter().enumerate().filter(|(_, item)| item.topic == topic);
        if let Some((oldest, _)) = of_topic.nth(most) {
            self.items.remove(oldest);
        }
        true
    }
}

fn step(event: &PoolEvent) -> (TransactionId, PaymentStep) {
    match event {
        PoolEvent::Transaction(payment) => (payment.id(), PaymentStep::Pending),
        PoolEvent::Confirmed(confirmed) => (confirmed.id, PaymentStep::Confirmed(confirmed.block)),
        PoolEvent::Returned(returned) => (returned.id, PaymentStep::Returned),
        PoolEvent::Evicted(evicted) => (evicted.id, PaymentStep::Dropped(eviction(&evicted.reason))),
        PoolEvent::Conflict(ConflictEvent { pending, newcomer, taken, .. }) => {
            (*pending, PaymentStep::Contested { by: *newcomer, is_taken: *taken })
        }
    }
}

fn payment_words(payment: &Transaction) -> Words {
    let Transfer { from, to, amount, .. } = payment.transfer();
    let with = if amount == Amount::ZERO { String::new() } else { format!(" with {amount} LAB") };
    match to.kind() {
        AddressKind::Key => {}
        AddressKind::Program(_) => return Words::new().person(from).text(" calls program ").person(to).text(with),
        AddressKind::Nobody => return Words::new().person(from).text(format!(" deploys a program{with}")),
    }
    let pays = Words::new().person(from).text(" pays ").person(to);
    let what = match sanitized(payment.msg()) {
        text if text.is_empty() => String::new(),
        text => format!(" for {text}"),
    };
    pays.text(format!(" {amount} LAB{what}"))
}

fn sentence(payment: &Payment, id: &TransactionId, step: &PaymentStep) -> Words {
    let words = payment.words.clone().unwrap_or_else(|| Words::new().text(format!("Payment {}", id.short())));
    match step {
        PaymentStep::Pending => words.text(" (waiting for a block)"),
        PaymentStep::Confirmed(block) => words.text(": is in block ").block(*block),
        PaymentStep::Returned => words.text(": its block is no longer on the best chain, so it waits again"),
        PaymentStep::Dropped(reason) => words.text(format!(": was dropped {reason}")),
        PaymentStep::Contested { by, is_taken } => {
            let end = if *is_taken { "replaces it" } else { "was refused" };
            words.text(format!(": its coin is spent a second time, by {}, which {end}", by.short()))
        }
    }
}

fn eviction(reason: &str) -> String {
    match reason {
        "outbid" => "because others paid more".to_owned(),
        "replaced" => "because another spends the same coin and pays more".to_owned(),
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
