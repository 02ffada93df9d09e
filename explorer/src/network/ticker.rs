//! What happened, in words for somebody who has never seen a blockchain; the same fact told by several is told once.

use super::links::Links;
use super::picture::{Fact, Topic};
use crate::view::short;
use runtime::printable;
use shared::block::{BlockHash, BlockId, Timestamp};
use shared::ledger::{Transaction, TransactionId};
use shared::wire::{PeerChange, PeerEvent, PoolEvent, ReorgEvent};
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// How many facts are kept.
const MAX_FACTS: usize = 50;
/// How many of them may be about the same topic, so that payments do not hide blocks.
const MAX_OF_TOPIC: usize = 20;
/// How many facts are remembered as told, and how many payments by their ids.
const REMEMBERED: usize = 4000;
/// Longest text of a stranger, in characters.
const SAID: usize = 120;

/// What is told once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Told {
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
pub(super) struct Ticker {
    /// Newest first.
    facts: VecDeque<Fact>,
    told: Recent<Told, ()>,
    payments: Recent<TransactionId, Payment>,
    /// The links that were told of last.
    links: Option<Links>,
}

#[derive(Debug, Clone, Default)]
struct Payment {
    words: Option<String>,
    block: Option<BlockHash>,
}

impl Ticker {
    pub(super) fn new() -> Self {
        Self { facts: VecDeque::new(), told: Recent::new(REMEMBERED), payments: Recent::new(REMEMBERED), links: None }
    }

    pub(super) fn facts(&self) -> &VecDeque<Fact> {
        &self.facts
    }

    /// A block was found; by whom is added when somebody says so. Tells whether anything is new.
    pub(super) fn found(&mut self, now: Timestamp, block: BlockId, miner: Option<&str>) -> bool {
        let words = match miner {
            Some(miner) => format!("{miner} found block {}", block.index),
            None => format!("Block {} was found", block.index),
        };
        if self.told.insert(Told::Found(block.hash), ()) {
            return self.add(now, Topic::Block, words, Some(block));
        }
        let is_it = |fact: &&mut Fact| fact.topic == Topic::Block && fact.block == Some(block);
        match self.facts.iter_mut().find(is_it) {
            Some(fact) if miner.is_some() && fact.words != words => fact.words = words,
            _ => return false,
        }
        true
    }

    /// A second block follows `parent`.
    pub(super) fn forked(&mut self, now: Timestamp, parent: BlockId) -> bool {
        let words = format!("Two blocks follow block {}: the chain forks", parent.index);
        self.told.insert(Told::Fork(parent.hash), ()) && self.add(now, Topic::Fork, words, Some(parent))
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
        self.told.insert(Told::Reorg { from: reorg.from.hash, to: reorg.to.hash }, ())
            && self.add(now, Topic::Fork, format!("{node} left {left} for {taken}"), Some(block))
    }

    /// All nodes are on one chain again.
    pub(super) fn healed(&mut self, now: Timestamp, tip: BlockId) -> bool {
        self.add(now, Topic::Fork, format!("All nodes are on one chain again, at block {}", tip.index), Some(tip))
    }

    /// Something about a service that we saw ourselves.
    pub(super) fn service(&mut self, now: Timestamp, words: String) -> bool {
        self.add(now, Topic::Service, words, None)
    }

    /// A node said something of a peer; what everybody sees of who comes and goes is not repeated.
    pub(super) fn peer(&mut self, now: Timestamp, node: &str, event: &PeerEvent) -> bool {
        let peer = said(&event.address);
        let words = match event.change {
            PeerChange::Connected | PeerChange::Lost => return false,
            change @ (PeerChange::Blocked | PeerChange::Unblocked) => return self.link(now, change, node, &peer),
            PeerChange::Dropped => match &event.reason {
                Some(reason) => format!("{node} leaves {peer} alone for a while: {}", said(reason)),
                None => format!("{node} leaves {peer} alone for a while"),
            },
            PeerChange::Removed => format!("{node} was told to forget {peer}"),
        };
        self.add(now, Topic::Service, words, None)
    }

    /// A link was cut, or may be used again; what belongs together is one fact, which grows.
    fn link(&mut self, now: Timestamp, change: PeerChange, node: &str, peer: &str) -> bool {
        let mut links = match self.links.take() {
            Some(links) if links.goes_on(change, now) => links,
            _ => Links::new(change, now),
        };
        let before = links.words();
        let is_new = links.add(node, peer);
        let words = links.words();
        self.links = Some(links);
        if !is_new {
            return false;
        }
        match self.facts.iter_mut().find(|fact| fact.topic == Topic::Service && fact.words == before) {
            Some(fact) if fact.words != words => fact.words = words,
            Some(_) => return false,
            None => return self.add(now, Topic::Service, words, None),
        }
        true
    }

    /// A mempool said something of a payment.
    pub(super) fn payment(&mut self, now: Timestamp, event: &PoolEvent) -> bool {
        let is_new = match event {
            PoolEvent::Transaction(payment) => {
                let words = payment_words(payment);
                let told = self.told.insert(Told::Pending(payment.id), ());
                self.payments.entry(payment.id).words = Some(words.clone());
                told && self.add(now, Topic::Payment, format!("{words}: waits for a block"), None)
            }
            PoolEvent::Confirmed(confirmed) => {
                let payment = self.payments.entry(confirmed.id);
                payment.block = Some(confirmed.block.hash);
                let words = format!("{}: is in block {}", name(payment, &confirmed.id), confirmed.block.index);
                self.told.insert(Told::Confirmed(confirmed.id, confirmed.block.hash), ())
                    && self.add(now, Topic::Payment, words, Some(confirmed.block))
            }
            PoolEvent::Returned(returned) => {
                let payment = self.payments.entry(returned.id);
                let words = format!("{}: its block was left, it waits again", name(payment, &returned.id));
                let told = Told::Returned(returned.id, payment.block);
                self.told.insert(told, ()) && self.add(now, Topic::Payment, words, None)
            }
            PoolEvent::Evicted(evicted) => {
                let payment = self.payments.entry(evicted.id);
                let reason = eviction(&evicted.reason);
                let words = format!("{}: was dropped, {reason}", name(payment, &evicted.id));
                self.told.insert(Told::Evicted(evicted.id), ()) && self.add(now, Topic::Payment, words, None)
            }
        };
        if is_new && let Some(fact) = self.facts.front_mut() {
            fact.payment = Some(id(event));
        }
        is_new
    }

    fn add(&mut self, at: Timestamp, topic: Topic, words: String, block: Option<BlockId>) -> bool {
        self.facts.push_front(Fact { at, topic, words, block, payment: None });
        let mut of_topic = self.facts.iter().enumerate().filter(|(_, fact)| fact.topic == topic);
        if let Some((oldest, _)) = of_topic.nth(MAX_OF_TOPIC) {
            self.facts.remove(oldest);
        }
        self.facts.truncate(MAX_FACTS);
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
    payment.words.clone().unwrap_or_else(|| format!("Payment {}", id.short()))
}

fn eviction(reason: &str) -> String {
    match reason {
        "outbid" => "others paid more".to_owned(),
        "expired" => "it waited for too long".to_owned(),
        "not-covered" => "the sender has no money for it any more".to_owned(),
        other => said(other),
    }
}

/// A stranger's text, made short and fit for people.
pub(super) fn said(text: &str) -> String {
    printable::line(text).chars().take(SAID).collect()
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
    use crate::network::notebook::tests::hash;
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

    fn words(ticker: &Ticker) -> Vec<&str> {
        ticker.facts().iter().map(|fact| fact.words.as_str()).collect()
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
        let mut ticker = Ticker::new();
        assert!(ticker.found(NOW, block(7, "7"), None));
        assert!(!ticker.found(NOW, block(7, "7"), None));
        assert!(ticker.found(NOW, block(7, "7"), Some("a:1")));
        assert!(!ticker.found(NOW, block(7, "7"), None));
        assert!(!ticker.found(NOW, block(7, "7"), Some("a:1")));
        assert_eq!(words(&ticker), ["a:1 found block 7"]);
    }

    #[test]
    fn forks_begin_and_are_left_once_whoever_says_so() {
        let mut ticker = Ticker::new();
        let tip = |index, name| Tip { index: Height(index), hash: hash(name), timestamp: NOW, work: Work(1) };
        let reorg = ReorgEvent { fork: block(1, "1"), from: tip(3, "3"), to: tip(4, "4"), undone: 2, applied: 3 };
        assert!(ticker.forked(NOW, block(1, "1")) && !ticker.forked(NOW, block(1, "1")));
        assert!(ticker.reorganised(NOW, "a:1", &reorg) && !ticker.reorganised(NOW, "b:1", &reorg));
        let one = ReorgEvent { to: tip(5, "5"), undone: 1, applied: 1, ..reorg };
        assert!(ticker.reorganised(NOW, "b:1", &one));
        assert_eq!(
            words(&ticker),
            [
                "b:1 left the last block of its branch for 1 heavier one",
                "a:1 left 2 blocks of its branch for 3 heavier ones",
                "Two blocks follow block 1: the chain forks"
            ]
        );
    }

    #[test]
    fn a_payment_is_followed_in_words_however_many_mempools_tell_of_it() {
        let mut ticker = Ticker::new();
        let (payment, block) = (payment(), block(9, "9"));
        let id = payment.id;
        let events = [
            PoolEvent::Transaction(Box::new(payment)),
            PoolEvent::Confirmed(ConfirmedEvent { id, block }),
            PoolEvent::Returned(ReturnedEvent { id }),
            PoolEvent::Evicted(EvictedEvent { id, reason: "outbid".to_owned() }),
        ];
        for event in &events {
            assert!(ticker.payment(NOW, event));
        }
        assert!(!events.iter().any(|event| ticker.payment(NOW, event)));
        let told: Vec<_> = words(&ticker).iter().map(|words| words.split_once(": ").unwrap().1.to_owned()).collect();
        assert_eq!(
            told,
            [
                "was dropped, others paid more",
                "its block was left, it waits again",
                "is in block 9",
                "waits for a block"
            ]
        );
        assert!(words(&ticker).iter().all(|words| words.starts_with("1.5 LAB from lab1")), "{:?}", words(&ticker));
    }

    #[test]
    fn many_payments_do_not_hide_the_blocks_and_memory_is_bounded() {
        let mut ticker = Ticker::new();
        ticker.found(NOW, block(7, "7"), None);
        for number in 0..REMEMBERED + 100 {
            let id = TransactionId::of(number.to_string());
            assert!(ticker.payment(NOW, &PoolEvent::Returned(ReturnedEvent { id })));
            ticker.service(NOW, number.to_string());
        }
        assert_eq!(ticker.facts().len(), 2 * MAX_OF_TOPIC + 1);
        assert_eq!(words(&ticker).last(), Some(&"Block 7 was found"));
        assert_eq!((ticker.told.entries.len(), ticker.told.order.len()), (REMEMBERED, REMEMBERED));
        assert_eq!(ticker.payments.entries.len(), REMEMBERED);
    }

    #[test]
    fn a_cut_that_both_sides_tell_of_is_told_once_but_each_time() {
        let mut ticker = Ticker::new();
        let of = |address: &str, change| PeerEvent { address: address.to_owned(), change, reason: None };
        assert!(ticker.peer(NOW, "a:1", &of("b:1", PeerChange::Blocked)));
        assert!(!ticker.peer(NOW, "b:1", &of("a:1", PeerChange::Blocked)));
        assert!(ticker.peer(NOW, "b:1", &of("a:1", PeerChange::Unblocked)));
        assert!(ticker.peer(NOW.plus_ms(60_000), "b:1", &of("a:1", PeerChange::Blocked)));
        assert_eq!(
            words(&ticker),
            ["a:1 was cut off from b:1", "a:1 may talk to b:1 again", "a:1 was cut off from b:1"]
        );
    }

    #[test]
    fn a_network_that_is_split_is_one_fact() {
        let mut ticker = Ticker::new();
        let halves = [["a:1", "b:1"], ["c:1", "d:1"]];
        for (own, others) in [(halves[0], halves[1]), (halves[1], halves[0])] {
            for (node, other) in own.into_iter().flat_map(|node| others.map(|other| (node, other))) {
                let event = PeerEvent { address: other.to_owned(), change: PeerChange::Blocked, reason: None };
                ticker.peer(NOW, node, &event);
            }
        }
        assert_eq!(words(&ticker), ["a:1, b:1 were cut off from c:1, d:1"]);
    }

    #[test]
    fn what_strangers_say_is_short_and_cannot_turn_the_writing() {
        let mut ticker = Ticker::new();
        let event = PeerEvent {
            address: "\u{202e}evil".to_owned(),
            change: PeerChange::Dropped,
            reason: Some("x".repeat(10_000)),
        };
        assert!(ticker.peer(NOW, "a:1", &event));
        assert!(!ticker.peer(NOW, "a:1", &PeerEvent { change: PeerChange::Lost, ..event }));
        let words = words(&ticker)[0].to_owned();
        assert!(words.starts_with("a:1 leaves \u{fffd}evil alone") && words.len() < 200, "{words}");
    }
}
