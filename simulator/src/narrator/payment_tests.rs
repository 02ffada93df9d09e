//! Invented payments and times in, plain lines out.

use super::PaymentNarrator;
use crate::event::{numbered_transaction, transaction};
use crate::event_text::LineFormatter;
use crate::ledger::{BlockPayments, CheckedPayment};
use crate::payers::MempoolObservation;
use crate::payers::programs::Kind;
use shared::block::{BlockHash, BlockId, Height};
use shared::keys::KeyPair;
use shared::layer::program::new_program;
use shared::ledger::{Address, Amount, Call, CallKind, CoinName, Input, Output, Transaction, TransactionId};
use shared::ledger::{Unsigned, UnsignedSpend, Uuid};
use shared::program::{AccountId, Word};
use shared::wire::{ConfirmedEvent, EvictedEvent, PoolEvent, ReturnedEvent};

fn address(seed: &str) -> Address {
    KeyPair::from_seed(seed).address()
}

fn id() -> TransactionId {
    TransactionId::of("some payment")
}

fn block() -> BlockId {
    BlockId { index: Height(7), hash: BlockHash::from_bytes([0xab; 32]) }
}

fn payment(from: &str, to: &str, lab: &str, msg: &str) -> MempoolObservation {
    MempoolObservation::Event(PoolEvent::Transaction(Box::new(transaction(from, to, lab, msg))))
}

fn refused(from: &str, to: &str, lab: &str) -> MempoolObservation {
    let (from, amount) = (address(from), Amount::from_lab(lab).unwrap());
    MempoolObservation::Refused { from, to: address(to), amount, reason: format!("{from} has too little") }
}

fn narrator() -> PaymentNarrator {
    PaymentNarrator::new(
        [("ada", "Ada"), ("ben", "Ben")].map(|(seed, name)| (address(seed), name.to_owned())).into_iter(),
    )
}

/// The lines about observations at these times, up to two seconds after the last one.
fn lines(observations: &[(u64, MempoolObservation)]) -> Vec<String> {
    let (mut narrator, mut now) = (narrator(), 0);
    for (at_ms, observation) in observations {
        while now < *at_ms {
            now = (now + 50).min(*at_ms);
            narrator.tick(now);
        }
        narrator.observe(now, observation);
    }
    (1..=40).for_each(|later| narrator.tick(now + later * 50));
    events(narrator)
}

fn events(mut narrator: PaymentNarrator) -> Vec<String> {
    let formatter = LineFormatter::new(&[], &[], false);
    narrator.take_events().iter().map(|events| formatter.line(events).trim_start().to_owned()).collect()
}

#[test]
fn a_payment_is_a_sentence() {
    let observations = [
        (1000, payment("ada", "ben", "1.25", "for coffee")),
        (2000, payment("ben", "ben", "12", "")),
        (3000, payment("somebody else", "ada", "0.5", "hello \u{2603}")),
        (4000, refused("ben", "ada", "3.5")),
    ];
    let nameless = &address("somebody else").to_string()[..10];
    assert_eq!(
        lines(&observations),
        [
            "1.0 s  Ada pays Ben 1.25 LAB for coffee".to_owned(),
            "2.0 s  Ben pays Ben 12 LAB".to_owned(),
            format!("3.0 s  {nameless}… pays Ada 0.50 LAB hello \u{2603}"),
            "4.0 s  Ben cannot pay Ada 3.50 LAB: Ben has too little".to_owned(),
        ]
    );
}

/// A transaction to a program or to nobody.
fn call(from: &str, to: Address, msg: String) -> Transaction {
    let pair = KeyPair::from_seed(from);
    let (amount, fee) = (Amount::ZERO, Amount::ZERO);
    pair.sign_transaction(Unsigned { uuid: Uuid([8; 16]), from: pair.address(), to, amount, fee, msg }, BlockHash::ZERO)
}

#[test]
fn a_call_says_what_it_asks_of_which_program() {
    let makes = |kind: Kind| {
        let msg = Call { gas: 400_000, input: kind.init_code() }.to_msg(CallKind::Deploy);
        let made = call("ada", Address::nobody(), msg);
        (new_program(&made.id()), made)
    };
    let [(token, token_made), (faucet, faucet_made)] = Kind::ALL.map(makes);
    let ben = address("ben").account();
    let five = [&[0xa9, 0x05, 0x9c, 0xbb][..], &[0; 12], &ben.0, &Word::from(5).0].concat();
    let asks = |program, input: Vec<u8>| {
        let msg = Call { gas: 100_000, input }.to_msg(CallKind::Call);
        call("ada", Address::of_program(program), msg)
    };
    let strange = AccountId([0x77; 20]);
    let calls = [
        token_made,
        faucet_made,
        asks(token, five.clone()),
        asks(faucet, Vec::new()),
        asks(strange, five),
        asks(token, vec![1]),
    ];
    let observations: Vec<_> = (1..)
        .zip(calls)
        .map(|(second, call)| (second * 1000, MempoolObservation::Event(PoolEvent::Transaction(Box::new(call)))))
        .collect();
    let [token, faucet] = [token, faucet].map(|account| account.to_string()[..10].to_owned());
    assert_eq!(
        lines(&observations),
        [
            format!("1.0 s  Ada makes the program token ({token}…)"),
            format!("2.0 s  Ada makes the program faucet ({faucet}…)"),
            format!("3.0 s  Ada moves 5 tokens to Ben with program token ({token}…)"),
            format!("4.0 s  Ada takes 0.001 LAB from program faucet ({faucet}…)"),
            "5.0 s  Ada calls program 0x77777777…".to_owned(),
            format!("6.0 s  Ada calls program token ({token}…)"),
        ]
    );
}

/// A transaction of Ada that spends the first `spent` of her coins of 1 LAB for a fee of 1000 grains.
fn spend(spent: u16, outputs: &[(&str, &str)]) -> MempoolObservation {
    let ada = KeyPair::from_seed("ada");
    let (one, fee) = (Amount::from_lab("1").unwrap(), Amount::new(1000).unwrap());
    let coin = |place| Input { coin: CoinName { id: id(), place }, address: ada.address(), amount: one };
    let output = |(to, lab): &(&str, &str)| Output { address: address(to), amount: Amount::from_lab(lab).unwrap() };
    let mut outputs: Vec<Output> = outputs.iter().map(output).collect();
    let last = outputs.last_mut().unwrap();
    last.amount = last.amount.checked_sub(fee).unwrap();
    let unsigned = UnsignedSpend { inputs: (0..spent).map(coin).collect(), outputs, msg: String::new() };
    let transaction = unsigned.sign(BlockHash::ZERO, |_, text| ada.sign(text));
    MempoolObservation::Event(PoolEvent::Transaction(Box::new(transaction)))
}

#[test]
fn a_payment_with_coins_says_what_comes_back() {
    let observations = [
        (1000, spend(2, &[("ben", "1.5"), ("ada", "0.5")])),
        (2000, spend(1, &[("ada", "0.6"), ("ada", "0.4")])),
        (3000, spend(3, &[("ada", "3")])),
    ];
    assert_eq!(
        lines(&observations),
        [
            "1.0 s  Ada pays Ben 1.50 LAB (2 coins, 0.49999 LAB back)",
            "2.0 s  Ada splits a coin of 0.99999 LAB into 2",
            "3.0 s  Ada makes 1 coin of 3 coins, 2.99999 LAB in all",
        ]
    );
    let observations =
        [(1000, spend(2, &[("ben", "1.5"), ("ada", "0.5")])), (2000, spend(2, &[("ben", "1.5"), ("ada", "0.4")]))];
    let again = "2.0 s  Ada pays Ben 1.50 LAB (2 coins, 0.39999 LAB back, again, now for a fee of 0.10001 LAB)";
    assert_eq!(lines(&observations)[1], again);
}

#[test]
fn many_payments_are_summed_up_second_by_second() {
    let tea = |number| PoolEvent::Transaction(Box::new(numbered_transaction(number, "ada", "ben", "1", "for tea")));
    let mut observations: Vec<_> =
        (0..40).map(|number| (1000 + u64::from(number) * 50, MempoolObservation::Event(tea(number)))).collect();
    observations.push((2020, refused("ada", "ben", "2")));
    observations.sort_by_key(|(at_ms, _)| *at_ms);
    let tea = |at: &str| format!("{at} s  Ada pays Ben 1 LAB for tea");
    let mut expected: Vec<String> = ["1.0", "1.1", "1.1", "1.1", "1.2"].into_iter().map(tea).collect();
    expected.push("2.0 s  and 15 more payments, 15 LAB in all".to_owned());
    expected.push(tea("2.0"));
    expected.push("3.0 s  and 19 more payments, 19 LAB in all; 1 refused".to_owned());
    assert_eq!(lines(&observations), expected);
}

#[test]
fn a_block_confirms_payments_and_its_miner_earns() {
    let mut narrator = narrator();
    let (from, to) = (address("ada").to_string(), address("ben").to_string());
    let payment = CheckedPayment { id: String::new(), from, to: to.clone(), amount: 125_000_000, fee: 431 };
    let full =
        BlockPayments { miner: to.clone(), payments: vec![payment.clone(), CheckedPayment { fee: 0, ..payment }] };
    narrator.add_block_payments(1000, block(), &full, 5_000_000_000);
    narrator.add_block_payments(1000, block(), &BlockPayments { miner: to, payments: Vec::new() }, 5_000_000_000);
    narrator
        .observe(1100, &MempoolObservation::Event(PoolEvent::Confirmed(ConfirmedEvent { id: id(), block: block() })));
    assert!(narrator.take_events().is_empty(), "the line about the block itself comes first");
    narrator.tick(1150);
    assert_eq!(
        events(narrator),
        [
            "1.1 s  block 7 (abababab) confirms 2 payments, 2.50 LAB in all; Ben earns 50.00 LAB",
            "1.1 s  block 7 (abababab) has no payments; Ben earns 50.00 LAB",
        ]
    );
}

#[test]
fn payments_that_come_back_or_are_dropped_share_a_line() {
    let returned = || MempoolObservation::Event(PoolEvent::Returned(ReturnedEvent { id: id() }));
    let evicted = |reason: &str| {
        MempoolObservation::Event(PoolEvent::Evicted(EvictedEvent { id: id(), reason: reason.to_owned(), by: None }))
    };
    let observations = [
        (1000, returned()),
        (1010, evicted("not-covered")),
        (1020, returned()),
        (5000, returned()),
        (5000, evicted("outbid")),
        (5000, evicted("outbid")),
    ];
    assert_eq!(
        lines(&observations),
        [
            "1.3 s  2 payments wait again: their blocks were undone",
            "1.3 s  the mempool dropped 1 payment: the payer no longer has enough money",
            "5.2 s  1 payment waits again: its block was undone",
            "5.2 s  the mempool dropped 2 payments: the mempool is full, and others pay a higher fee",
        ]
    );
}

#[test]
fn a_mempool_that_falls_silent_gets_a_line() {
    let observations = [
        (1000, MempoolObservation::Silent("gone".to_owned())),
        (2000, MempoolObservation::Back),
        (3000, MempoolObservation::Pending(4)),
    ];
    let expected = ["1.0 s  the mempool no longer sends events: gone", "2.0 s  the mempool sends events again"];
    assert_eq!(lines(&observations), expected);
}

#[test]
fn a_payment_that_is_told_at_once_is_not_told_again() {
    let mut told = narrator();
    let bicycle = transaction("ada", "ben", "30", "for a bicycle");
    // Many others, so that the mempool's report would only be counted.
    (0..9).for_each(|_| told.observe(1000, &payment("ben", "ada", "1", "")));
    told.tell(1000, &bicycle);
    told.observe(1010, &payment("ada", "ben", "30", "for a bicycle"));
    told.tell(1020, &bicycle);
    told.finish(3000);
    let lines = events(told);
    assert_eq!(lines.iter().filter(|line| line.contains("for a bicycle")).count(), 1, "{lines:?}");
}

#[test]
fn blocks_from_outside_are_counted_by_their_miners() {
    let mut narrator = narrator();
    let hash = |number: u8| BlockHash::from_bytes([number; 32]);
    for (number, miner) in [(1, "ben"), (2, "mallory"), (3, "mallory"), (3, "mallory")] {
        let block = BlockId { index: Height(number.into()), hash: hash(number) };
        let paid = BlockPayments { miner: address(miner).to_string(), payments: Vec::new() };
        narrator.add_block_payments(5, block, &paid, 50);
    }
    narrator.add_name(address("mallory").to_string(), "Mallory".to_owned());
    let outside = [2, 3, 4].map(hash).into_iter().collect();
    let counts: Vec<_> = narrator.miners_of(&outside).into_iter().collect();
    assert_eq!(counts, [("Mallory".to_owned(), 2), ("others".to_owned(), 1)]);
}
