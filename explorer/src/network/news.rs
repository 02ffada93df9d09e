//! What happened, in words for somebody who has never seen a blockchain; the same fact told by several is told once.

use super::link_changes::LinkChanges;
use super::state::{NewsItem, Topic};
use crate::view::short;
use runtime::sanitize;
use shared::block::{BlockHash, BlockId, Timestamp};
use shared::ledger::{Transaction, TransactionId};
use shared::wire::{PeerChange, PeerEvent, PoolEvent, ReorgEvent};
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// How many facts are kept.
const MAX_ITEMS: usize = 50;
/// How many of them may be about the same topic, so that payments do not hide blocks.
const MAX_OF_TOPIC: usize = 20;
/// How many facts are remembered as told, and how many payments by their ids.
const MAX_REMEMBERED: usize = 4000;
/// Longest text of a stranger, in characters.
const MAX_TEXT_CHARS: usize = 120;

/// What is told once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum NewsKey {
    Found(BlockHash),
    /// By the block that two others follow.
    Fork(BlockHash),
    Reorg {
        from: BlockHash,
        to: BlockHash,
    },
    Pending(TransactionId),
    Confirmed(TransactionId, BlockHash),
    /// With the block that it was in.
    Returned(TransactionId, Option<BlockHash>),
    Evicted(TransactionId),
}

/// The facts, and what has been told already.
#[derive(Debug)]
pub(super) struct News {
    /// Newest first.
    items: VecDeque<NewsItem>,
    reported: Recent<NewsKey, ()>,
    payments: Recent<TransactionId, Payment>,
    /// The links that were told of last.
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

    /// A block was found; by whom is added when somebody says so. Tells whether anything is new.
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

    /// A second block follows `parent`.
    pub(super) fn fork_seen(&mut self, now: Timestamp, parent: BlockId) -> bool {
        let text = format!("Two blocks follow block {}: the chain forks", parent.index);
        self.reported.insert(NewsKey::Fork(parent.hash), ()) && self.add(now, Topic::Fork, text, Some(parent))
    }

    /// A node went over to another branch.
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

    /// All nodes are on one chain again.
    pub(super) fn agreed_again(&mut self, now: Timestamp, tip: BlockId) -> bool {
        self.add(now, Topic::Fork, format!("All nodes are on one chain again, at block {}", tip.index), Some(tip))
    }

    /// Something about a service that we saw ourselves.
    pub(super) fn service(&mut self, now: Timestamp, text: String) -> bool {
        self.add(now, Topic::Service, text, None)
    }

    /// A node said something of a peer; what everybody sees of who comes and goes is not repeated.
    pub(super) fn peer(&mut self, now: Timestamp, node: &str, event: &PeerEvent) -> bool {
        let peer = sanitized(&event.address);
        let text = match event.change {
            PeerChange::Connected | PeerChange::Lost => return false,
            change @ (PeerChange::Blocked | PeerChange::Unblocked) => return self.link(now, change, node, &peer),
            PeerChange::Dropped => match &event.reason {
                Some(reason) => format!("{node} leaves {peer} alone for a while: {}", sanitized(reason)),
                None => format!("{node} leaves {peer} alone for a while"),
            },
            PeerChange::Removed => format!("{node} was told to forget {peer}"),
        };
        self.add(now, Topic::Service, text, None)
    }

    /// A link was cut, or may be used again; what belongs together is one fact, which grows.
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

    /// A mempool said something of a payment.
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
                let text = format!("{}: its block was left, it waits again", name(payment, &returned.id));
                let reported = NewsKey::Returned(returned.id, payment.block);
                self.reported.insert(reported, ()) && self.add(now, Topic::Payment, text, None)
            }
            PoolEvent::Evicted(evicted) => {
                let payment = self.payments.entry(evicted.id);
                let reason = eviction(&evicted.reason);
                let text = format!("{}: was dropped, {reason}", name(payment, &evicted.id));
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
    let (from, to) = (payment.from.to_string(), payment.to.to_string());
    format!("{} LAB from {} to {}", payment.amount, short(&from), short(&to))
}

fn name(payment: &Payment, id: &TransactionId) -> String {
    payment.text.clone().unwrap_or_else(|| format!("Payment {}", id.short()))
}

fn eviction(reason: &str) -> String {
    match reason {
        "outbid" => "others paid more".to_owned(),
        "expired" => "it waited for too long".to_owned(),
        "not-covered" => "the sender has no money for it any more".to_owned(),
        other => sanitized(other),
    }
}

/// A stranger's text, made short and fit for people.
pub(super) fn sanitized(text: &str) -> String {
    sanitize::line(text).chars().take(MAX_TEXT_CHARS).collect()
}

/// A map that forgets its oldest entries.
#[derive(Debug)]
struct Recent<K, V> {
    entries: HashMap<K, V>,
    order: VecDeque<K>,
    capacity: usize,
}

impl<K: Copy + Eq + Hash, V> Recent<K, V> {
    fn new(capacity: usize) -> Self {
        Self { entries: HashMap::new(), order: VecDeque::new(), capacity }
    }

    /// Tells whether the key is new.
    fn insert(&mut self, key: K, value: V) -> bool {
        let is_new = self.entries.insert(key, value).is_none();
        if is_new {
            self.order.push_back(key);
            if self.order.len() > self.capacity {
                self.order.pop_front().map(|oldest| self.entries.remove(&oldest));
            }
        }
        is_new
    }

    fn entry(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        if !self.entries.contains_key(&key) {
            self.insert(key, V::default());
        }
        self.entries.entry(key).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::reducer::tests::hash;
    use shared::block::Height;
    use shared::chain::Tip;
    use shared::keys::KeyPair;
    use shared::ledger::{Amount, Unsigned, Uuid};
    use shared::wire::{ConfirmedEvent, EvictedEvent, ReturnedEvent};
    use shared::work::Work;

    const NOW: Timestamp = Timestamp::from_ms(5000);

    fn block(index: u64, name: &str) -> BlockId {
        BlockId { index: Height(index), hash: hash(name) }
    }

    fn text(news: &News) -> Vec<&str> {
        news.items().iter().map(|item| item.text.as_str()).collect()
    }

    fn payment() -> Transaction {
        let unsigned = Unsigned {
            uuid: Uuid([0; 16]),
            from: KeyPair::from_seed("alice").address(),
            to: KeyPair::from_seed("bob").address(),
            amount: Amount::new(150_000_000).unwrap(),
            fee: Amount::new(1).unwrap(),
            msg: "<script>".to_owned(),
        };
        KeyPair::from_seed("alice").sign_transaction(unsigned, hash("network"))
    }

    #[test]
    fn a_block_is_told_once_and_its_miner_added_when_known() {
        let mut news = News::new();
        assert!(news.block_found(NOW, block(7, "7"), None));
        assert!(!news.block_found(NOW, block(7, "7"), None));
        assert!(news.block_found(NOW, block(7, "7"), Some("a:1")));
        assert!(!news.block_found(NOW, block(7, "7"), None));
        assert!(!news.block_found(NOW, block(7, "7"), Some("a:1")));
        assert_eq!(text(&news), ["a:1 found block 7"]);
    }

    #[test]
    fn forks_begin_and_are_left_once_whoever_says_so() {
        let mut news = News::new();
        let tip = |index, name| Tip { index: Height(index), hash: hash(name), timestamp: NOW, work: Work(1) };
        let reorg = ReorgEvent { fork: block(1, "1"), from: tip(3, "3"), to: tip(4, "4"), undone: 2, applied: 3 };
        assert!(news.fork_seen(NOW, block(1, "1")) && !news.fork_seen(NOW, block(1, "1")));
        assert!(news.reorganised(NOW, "a:1", &reorg) && !news.reorganised(NOW, "b:1", &reorg));
        let one = ReorgEvent { to: tip(5, "5"), undone: 1, applied: 1, ..reorg };
        assert!(news.reorganised(NOW, "b:1", &one));
        assert_eq!(
            text(&news),
            [
                "b:1 left the last block of its branch for 1 heavier one",
                "a:1 left 2 blocks of its branch for 3 heavier ones",
                "Two blocks follow block 1: the chain forks"
            ]
        );
    }

    #[test]
    fn a_payment_is_followed_in_words_however_many_mempools_tell_of_it() {
        let mut news = News::new();
        let (payment, block) = (payment(), block(9, "9"));
        let id = payment.id;
        let events = [
            PoolEvent::Transaction(Box::new(payment)),
            PoolEvent::Confirmed(ConfirmedEvent { id, block }),
            PoolEvent::Returned(ReturnedEvent { id }),
            PoolEvent::Evicted(EvictedEvent { id, reason: "outbid".to_owned() }),
        ];
        for event in &events {
            assert!(news.payment(NOW, event));
        }
        assert!(!events.iter().any(|event| news.payment(NOW, event)));
        let reported: Vec<_> = text(&news).iter().map(|text| text.split_once(": ").unwrap().1.to_owned()).collect();
        assert_eq!(
            reported,
            [
                "was dropped, others paid more",
                "its block was left, it waits again",
                "is in block 9",
                "waits for a block"
            ]
        );
        assert!(text(&news).iter().all(|text| text.starts_with("1.5 LAB from lab1")), "{:?}", text(&news));
    }

    #[test]
    fn many_payments_do_not_hide_the_blocks_and_memory_is_bounded() {
        let mut news = News::new();
        news.block_found(NOW, block(7, "7"), None);
        for number in 0..MAX_REMEMBERED + 100 {
            let id = TransactionId::of(number.to_string());
            assert!(news.payment(NOW, &PoolEvent::Returned(ReturnedEvent { id })));
            news.service(NOW, number.to_string());
        }
        assert_eq!(news.items().len(), 2 * MAX_OF_TOPIC + 1);
        assert_eq!(text(&news).last(), Some(&"Block 7 was found"));
        assert_eq!((news.reported.entries.len(), news.reported.order.len()), (MAX_REMEMBERED, MAX_REMEMBERED));
        assert_eq!(news.payments.entries.len(), MAX_REMEMBERED);
    }

    #[test]
    fn a_cut_that_both_sides_tell_of_is_told_once_but_each_time() {
        let mut news = News::new();
        let of = |address: &str, change| PeerEvent { address: address.to_owned(), change, reason: None };
        assert!(news.peer(NOW, "a:1", &of("b:1", PeerChange::Blocked)));
        assert!(!news.peer(NOW, "b:1", &of("a:1", PeerChange::Blocked)));
        assert!(news.peer(NOW, "b:1", &of("a:1", PeerChange::Unblocked)));
        assert!(news.peer(NOW.plus_ms(60_000), "b:1", &of("a:1", PeerChange::Blocked)));
        assert_eq!(text(&news), ["a:1 was cut off from b:1", "a:1 may talk to b:1 again", "a:1 was cut off from b:1"]);
    }

    #[test]
    fn a_network_that_is_split_is_one_fact() {
        let mut news = News::new();
        let halves = [["a:1", "b:1"], ["c:1", "d:1"]];
        for (own, others) in [(halves[0], halves[1]), (halves[1], halves[0])] {
            for (node, other) in own.into_iter().flat_map(|node| others.map(|other| (node, other))) {
                let event = PeerEvent { address: other.to_owned(), change: PeerChange::Blocked, reason: None };
                news.peer(NOW, node, &event);
            }
        }
        assert_eq!(text(&news), ["a:1, b:1 were cut off from c:1, d:1"]);
    }

    #[test]
    fn what_strangers_say_is_short_and_cannot_turn_the_writing() {
        let mut news = News::new();
        let event = PeerEvent {
            address: "\u{202e}evil".to_owned(),
            change: PeerChange::Dropped,
            reason: Some("x".repeat(10_000)),
        };
        assert!(news.peer(NOW, "a:1", &event));
        assert!(!news.peer(NOW, "a:1", &PeerEvent { change: PeerChange::Lost, ..event }));
        let text = text(&news)[0].to_owned();
        assert!(text.starts_with("a:1 leaves \u{fffd}evil alone") && text.len() < 200, "{text}");
    }
}
