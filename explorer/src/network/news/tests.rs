//! The same event reported by several services is one item, and the items are bounded.

use super::*;
use crate::network::samples::hash;
use shared::block::Height;
use shared::chain::Tip;
use shared::keys::KeyPair;
use shared::ledger::{AccountId, Payment, Unsigned, Uuid};
use shared::wire::{ConfirmedEvent, EvictedEvent, ReturnedEvent};
use shared::work::Work;

const NOW: Timestamp = Timestamp::from_ms(5000);

fn block(index: u64, name: &str) -> BlockId {
    BlockId { index: Height(index), hash: hash(name) }
}

fn text(news: &News) -> Vec<String> {
    news.items().iter().map(|item| item.text.to_string()).collect()
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
    assert!(news.reorganised(NOW, "d:1", &reorg) && news.reorganised(NOW, "c:1", &reorg));
    assert!(!news.reorganised(NOW, "d:1", &reorg), "it was told already");
    let one = ReorgEvent { to: tip(5, "5"), undone: 1, applied: 1, ..reorg };
    assert!(news.reorganised(NOW, "b:1", &one));
    assert_eq!(
        text(&news),
        [
            "b:1 dropped 1 block and switched to a branch with more work",
            "c:1 and d:1 dropped 2 blocks and switched to a branch with more work",
            "Fork: two different blocks now follow block 1"
        ]
    );
}

#[test]
fn a_payment_is_followed_in_words_however_many_mempools_tell_of_it() {
    let mut news = News::new();
    let (payment, block) = (payment(), block(9, "9"));
    let id = payment.id();
    let events = [
        PoolEvent::Transaction(Box::new(payment)),
        PoolEvent::Confirmed(ConfirmedEvent { id, block }),
        PoolEvent::Returned(ReturnedEvent { id }),
        PoolEvent::Evicted(EvictedEvent { id, reason: "outbid".to_owned(), by: None }),
    ];
    for event in &events {
        assert!(news.payment(NOW, event));
    }
    assert!(!events.iter().any(|event| news.payment(NOW, event)));
    let reported = text(&news);
    for (reported, end) in reported.iter().zip([
        ": was dropped because others paid more",
        ": its block is no longer on the best chain, so it waits again",
        ": is in block 9",
        " (waiting for a block)",
    ]) {
        assert!(reported.starts_with("lab1") && reported.contains(" 1.5 LAB for <script>"), "{reported}");
        assert!(reported.ends_with(end), "{reported}");
    }
    let steps: Vec<_> = news.steps(&id).iter().map(|(_, step)| step.clone()).collect();
    let dropped = PaymentStep::Dropped("because others paid more".to_owned());
    assert_eq!(steps, [PaymentStep::Pending, PaymentStep::Confirmed(block), PaymentStep::Returned, dropped]);
}

#[test]
fn calls_of_programs_are_no_payments() {
    let program = Address::of_program(AccountId([0x1f; 20]));
    let said = |to: Address, lab: u64| {
        let amount = Amount::new(lab * Amount::GRAINS_PER_LAB).expect("an amount");
        let call =
            Payment { to, amount, msg: "call 50000 0xa9059cbb".to_owned(), ..payment().as_payment().unwrap().clone() };
        let mut news = News::new();
        news.payment(NOW, &PoolEvent::Transaction(Box::new(call.into())));
        text(&news).concat()
    };
    for (said, expected) in [
        (said(Address::nobody(), 0), " deploys a program (waiting for a block)"),
        (said(program, 0), "w0ksf (waiting for a block)"),
        (said(program, 5), "w0ksf with 5 LAB (waiting for a block)"),
    ] {
        assert!(said.ends_with(expected) && !said.contains("pays"), "{said}");
    }
}

#[test]
fn many_payments_do_not_hide_the_blocks_and_memory_is_bounded() {
    let mut news = News::new();
    news.block_found(NOW, block(7, "7"), None);
    for number in 0..MAX_REMEMBERED + 100 {
        let id = TransactionId::of(number.to_string());
        assert!(news.payment(NOW, &PoolEvent::Returned(ReturnedEvent { id })));
        news.service(NOW, Words::new().text(number.to_string()));
    }
    assert_eq!(news.items().len(), MAX_PAYMENTS + MAX_OF_TOPIC + 1);
    assert_eq!(text(&news).last().map(String::as_str), Some("Block 7 was found"));
    assert_eq!((news.reported.len(), news.payments.len()), (MAX_REMEMBERED, MAX_REMEMBERED));
}

#[test]
fn a_cut_that_both_sides_tell_of_is_told_once_but_each_time() {
    let mut news = News::new();
    let of = |address: &str, change| PeerEvent { address: address.to_owned(), change, reason: None };
    assert!(news.peer(NOW, "a:1", &of("b:1", PeerChange::Blocked)));
    assert!(!news.peer(NOW, "b:1", &of("a:1", PeerChange::Blocked)));
    assert!(news.peer(NOW, "b:1", &of("a:1", PeerChange::Unblocked)));
    assert!(news.peer(NOW.plus_ms(60_000), "b:1", &of("a:1", PeerChange::Blocked)));
    assert_eq!(
        text(&news),
        ["a:1 can no longer talk to b:1", "a:1 is reconnected to b:1", "a:1 can no longer talk to b:1"]
    );
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
    assert_eq!(text(&news), ["a:1, b:1 can no longer talk to c:1, d:1"]);
}

#[test]
fn what_strangers_say_is_short_and_cannot_turn_the_writing() {
    let mut news = News::new();
    let event =
        PeerEvent { address: "\u{202e}evil".to_owned(), change: PeerChange::Dropped, reason: Some("x".repeat(10_000)) };
    assert!(news.peer(NOW, "a:1", &event));
    assert!(!news.peer(NOW, "a:1", &PeerEvent { change: PeerChange::Lost, ..event }));
    let text = text(&news)[0].to_owned();
    assert!(text.starts_with("a:1 ignores \u{fffd}evil") && text.len() < 200, "{text}");
}
