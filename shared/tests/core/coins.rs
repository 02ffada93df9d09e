//! Transactions that spend coins: their bytes, the rules that need no chain, and how a pool treats them.
#![allow(clippy::unwrap_used)] // helpers of tests: this is how they fail

use crate::pool_oracle::{grains, pending_ids, person};
use shared::block::BlockHash;
use shared::keys::{KeyPair, PlainVerifier, Signature};
use shared::ledger::{Amount, CoinName, Holding, Input, Output, Spend, Transaction, TransactionId, TransactionRules};
use shared::ledger::{UnsignedSpend, json_of};
use shared::pool::{AdmissionError, CoinPolicy, Pending, Pool, PoolLimits};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The network of the example, and alice's first two coins on it.
const NETWORK: &str = "6e5430cd14d280ecd5c4b2c416a0309a8a57a92ba9179f6cd1f15f4dff06e0e7";
const COINS: [&str; 2] = [
    "22c6d47dab3c25d6fd04f242bf92b04ee4c0c34290b289190e818c96dc29688c.0",
    "79c66b1c67c964986a22734546e1918f51a7682853e711dac2b4fe3bf3fcf7dc.0",
];

fn network() -> BlockHash {
    NETWORK.parse().unwrap()
}

fn rules() -> TransactionRules {
    TransactionRules { network: network(), max_msg_bytes: 256, has_programs: false, has_coins: true }
}

fn input(coin: &str, owner: &str, amount: u64) -> Input {
    let address = KeyPair::from_seed(owner).address();
    Input { coin: coin.parse().unwrap(), address, amount: grains(amount) }
}

fn output(owner: &str, amount: u64) -> Output {
    Output { address: KeyPair::from_seed(owner).address(), amount: grains(amount) }
}

fn sign(inputs: Vec<Input>, outputs: Vec<Output>, msg: &str) -> Transaction {
    UnsignedSpend { inputs, outputs, msg: msg.to_owned() }.sign(network(), |owner, text| {
        let seeds = ["alice", "bob"].map(KeyPair::from_seed);
        seeds.iter().find(|pair| pair.address() == *owner).unwrap().sign(text)
    })
}

/// alice pays 90 LAB from two coins of 50, with change.
fn example() -> Transaction {
    let inputs = COINS.map(|coin| input(coin, "alice", 5_000_000_000)).to_vec();
    sign(inputs, vec![output("bob", 9_000_000_000), output("alice", 999_999_000)], "for lunch")
}

fn fields(transaction: &Transaction) -> Spend {
    transaction.as_spend().unwrap().clone()
}

#[track_caller]
fn refused(spend: Spend, rule: &str) {
    let broken = Transaction::from(spend).check(&rules(), &PlainVerifier).unwrap_err();
    assert_eq!(broken.name(), rule, "{broken}");
}

/// The same with the id of its new text, and signed again.
fn signed_again(Spend { inputs, outputs, msg, .. }: Spend) -> Spend {
    fields(&sign(inputs, outputs, &msg))
}

#[test]
fn the_example_has_the_id_and_the_signature_that_shells_compute() {
    let transaction = example();
    assert_eq!(transaction.id().to_string(), "764e88011f1e0faa6a77b3095bf897b2334fb784ac6823e02de9e690f0517b2b");
    assert_eq!(
        fields(&transaction).signatures[0].to_string(),
        "fb53f1f2da77b04b2fe2f6df0a4ae86b48acfa4bc73ef3a86707237693013066646252c0075e54549baec4625b35aa23a60ea6fe995425\
         55d953da49a6666fbe"
    );
    assert_eq!(transaction.check(&rules(), &PlainVerifier), Ok(()));
    assert_eq!(json_of(&transaction), include_str!("../vectors/spend.json").trim_end(), "byte by byte");
    assert_eq!(transaction.fee(), grains(1000));
    let shown = transaction.transfer();
    let [alice, bob] = ["alice", "bob"].map(|seed| KeyPair::from_seed(seed).address());
    assert_eq!((shown.from, shown.to, shown.amount, shown.receivers), (alice, bob, grains(9_000_000_000), 1));
    assert_eq!(transaction.net(&alice), -9_000_001_000);
    assert_eq!(transaction.net(&bob), 9_000_000_000);
    assert_eq!(transaction.gives()[1].holding, Holding::Coin(transaction.coin(1)));
}

#[test]
fn a_spend_is_read_as_it_is_written_and_the_forms_do_not_mix() {
    let json = json_of(&example());
    assert_eq!(serde_json::from_str::<Transaction>(&json).unwrap(), example());
    let uuid = format!("\"uuid\":\"{}\"", "0".repeat(32));
    for (from, to, reason) in [
        ("\"msg\":\"for lunch\"", "\"msg\":null", "null"),
        ("\"msg\":\"for lunch\",", "", "missing field `msg`"),
        ("\"msg\":\"for lunch\"", "\"msg\":\"\",\"msg\":\"\"", "duplicate field `msg`"),
        ("\"msg\":\"for lunch\"", "\"msg\":\"\",\"fee\":1", "unknown field `fee`"),
        ("\"msg\":\"for lunch\"", "\"msg\":\"\",\"memo\":1", "unknown field `memo`, expected one of `id`, `inputs`"),
        ("\"inputs\"", &format!("{uuid},\"inputs\""), "unknown field `uuid`"),
        ("\"signatures\"", "\"signature\"", "invalid type"),
        ("\"amount\":5000000000", "\"amount\":5e9", "invalid type"),
        ("\"amount\":5000000000", "\"amount\":-1", "invalid value"),
        (".0\",\"address\"", ".00\",\"address\"", "a point, and a number"),
        ("\"outputs\":[{", "\"outputs\":[{\"coin\":1,", "unknown field `coin`"),
    ] {
        assert!(json.contains(from), "{from}");
        let error = serde_json::from_str::<Transaction>(&json.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains(reason), "{to}: {error}");
    }
}

#[test]
fn each_layer_refuses_the_form_of_the_other() {
    let accounts = TransactionRules { has_coins: false, ..rules() };
    assert_eq!(example().check(&accounts, &PlainVerifier).unwrap_err().name(), "bundle");
    let payment = crate::pool_oracle::payment(1, 1, 2, (1, 0), "");
    assert_eq!(payment.check(&rules(), &PlainVerifier).unwrap_err().name(), "bundle");
}

/// The faults by which other chains lost or made money.
#[test]
fn historic_faults_are_refused_by_name() {
    let right = fields(&example());
    let most = Amount::MAX.grains();
    // CVE-2018-17144: one coin twice in one transaction.
    refused(signed_again(Spend { inputs: vec![right.inputs[0]; 2], ..right.clone() }), "same-coin");
    // CVE-2010-5139: outputs whose sum overflows.
    refused(signed_again(Spend { outputs: vec![output("bob", most); 128], ..right.clone() }), "amount");
    let many: Vec<_> = (0..2).map(|place| input(&format!("{}.{place}", "0".repeat(64)), "alice", most)).collect();
    refused(signed_again(Spend { inputs: many, ..right.clone() }), "amount");
    // More out than in, and coins of nothing.
    refused(signed_again(Spend { outputs: vec![output("bob", 10_000_000_001)], ..right.clone() }), "amount");
    refused(signed_again(Spend { outputs: vec![output("bob", 0)], ..right.clone() }), "amount");
    refused(signed_again(Spend { inputs: vec![input(COINS[0], "alice", 0)], ..right.clone() }), "amount");
    // Too many or none.
    refused(Spend { inputs: Vec::new(), ..right.clone() }, "inputs");
    refused(Spend { outputs: Vec::new(), ..right.clone() }, "outputs");
    refused(signed_again(Spend { outputs: vec![output("bob", 1); 129], ..right.clone() }), "outputs");
    // Malleability: whatever is changed, the id or a signature is wrong.
    refused(Spend { msg: "for dinner".to_owned(), ..right.clone() }, "id");
    let mut outputs = right.outputs.clone();
    outputs.swap(0, 1);
    refused(Spend { outputs, ..right.clone() }, "id");
    refused(Spend { signatures: vec![right.signatures[0]; 2], ..right.clone() }, "signatures");
    refused(Spend { signatures: Vec::new(), ..right.clone() }, "signatures");
    refused(Spend { signatures: vec![Signature::from_bytes([1; 64])], ..right }, "signature");
}

#[test]
fn each_owner_signs_once_in_the_order_of_the_inputs() {
    let inputs = vec![input(COINS[0], "bob", 7), input(COINS[1], "alice", 8)];
    let both = fields(&sign(inputs, vec![output("bob", 15)], ""));
    assert_eq!(Transaction::from(both.clone()).check(&rules(), &PlainVerifier), Ok(()));
    let [of_bob, of_alice] = [both.signatures[0], both.signatures[1]];
    for signatures in [[of_bob, of_bob], [of_alice, of_alice], [of_alice, of_bob]] {
        refused(Spend { signatures: signatures.to_vec(), ..both.clone() }, "signature");
    }
    for signatures in [vec![of_bob], vec![of_bob, of_alice, of_alice]] {
        refused(Spend { signatures, ..both.clone() }, "signatures");
    }
}

const WIDE: PoolLimits = PoolLimits {
    max_count: 100,
    max_bytes: 100_000,
    max_per_sender: 2,
    max_transaction_bytes: 10_000,
    max_age_ms: 1000,
    min_fee: Amount::ZERO,
    coins: CoinPolicy::FIRST_SEEN,
};

fn coin(number: u8) -> CoinName {
    CoinName { id: TransactionId::from_bytes([number; 32]), place: 0 }
}

/// Person 1 spends coins of 10 grains each.
fn spending(coins: &[u8], to: u8) -> Arc<Transaction> {
    let input = |number: &u8| Input { coin: coin(*number), address: person(1), amount: grains(10) };
    let outputs = vec![Output { address: person(to), amount: grains(5) }];
    let unsigned = UnsignedSpend { inputs: coins.iter().map(input).collect(), outputs, msg: String::new() };
    Arc::new(unsigned.sign(BlockHash::ZERO, |_, _| Signature::from_bytes([0; 64])))
}

fn holds(coins: &[u8]) -> BTreeMap<Holding, Amount> {
    coins.iter().map(|number| (Holding::Coin(coin(*number)), grains(10))).collect()
}

#[test]
fn the_first_to_spend_a_coin_wins() {
    let mut pool = Pool::new(WIDE);
    let (first, rival, other) = (spending(&[1, 2], 2), spending(&[3, 2], 3), spending(&[3], 2));
    let chain = holds(&[1, 2, 3]);
    assert_eq!(pool.admit(Pending::new(first.clone(), 0), &chain), Ok(Vec::new()));
    let refusal = pool.admit(Pending::new(rival, 1), &chain).unwrap_err();
    assert_eq!(refusal, AdmissionError::Conflict { coin: coin(2), pending: first.id(), others: Vec::new() });
    assert_eq!(refusal.rule(), Some("conflict"));
    let gone = pool.admit(Pending::new(spending(&[9], 2), 1), &chain).unwrap_err();
    assert_eq!((&gone, gone.rule()), (&AdmissionError::NoCoin { coin: coin(9) }, Some("coin")));
    assert_eq!(pool.admit(Pending::new(other, 2), &chain), Ok(Vec::new()));
    let busy = pool.admit(Pending::new(spending(&[4], 2), 3), holds(&[4])).unwrap_err();
    assert_eq!(busy, AdmissionError::TooManyOfSender { sender: person(1), limit: 2 });
    assert_eq!((pool.outgoing(&person(1)), pool.incoming(&person(2))), (grains(30), grains(10)));
}

#[test]
fn a_coin_that_a_branch_loses_is_waited_for_and_what_waited_for_the_others_returns() {
    let mut pool = Pool::new(WIDE);
    let (first, rival) = (spending(&[1, 2], 2), spending(&[2], 3));
    pool.admit(Pending::new(first.clone(), 0), holds(&[1, 2])).unwrap();
    pool.readmit(Pending::new(rival.clone(), 1), holds(&[1, 2])).unwrap();
    assert_eq!((pending_ids(pool.by_age()), pending_ids(pool.uncovered())), (vec![first.id()], vec![rival.id()]));
    let one = Holding::Coin(coin(1));
    assert_eq!(pool.related([one]).len(), 2, "the other coin of its spender, which the rival wants");
    let moved = pool.recheck([one], [], holds(&[2]));
    assert_eq!((pending_ids(&moved.returned), moved.evicted.len()), (vec![rival.id()], 0));
    assert_eq!(pending_ids(pool.uncovered()), [first.id()]);
    // The coin is back, but the rival came first this time.
    assert_eq!(pending_ids(&pool.recheck([one], [], holds(&[1, 2])).returned), []);
    pool.remove_confirmed(&rival.id()).unwrap();
    let back = pool.recheck([Holding::Coin(coin(2))], [], holds(&[1, 2]));
    assert_eq!(pending_ids(&back.returned), [first.id()]);
}
