//! Blocks with one thing wrong in their bundle, each with a real proof of work: refused with the rule's name.
//!
//! A reward that is too high has no test, since a bundle has no field for it: every node computes the miner's reward
//! from the height and the fees.

use crate::lab::{Asked, Lab, block_on, to_json};
use crate::money::{FAUCET, address, bundle, key, money, pay, unsigned};
use crate::templates::NOT_A_POINT;
use shared::keys::Signature;
use shared::ledger::{Bundle, Payment, Transaction};

fn data(transactions: &[&Transaction]) -> String {
    let transactions = transactions.iter().map(|transaction| (*transaction).clone()).collect();
    Bundle { msg: "by hand".to_owned(), miner_address: address("miner"), transactions, outcome: None }.to_data().0
}

#[tokio::test]
async fn a_block_with_one_bad_transaction_is_refused_with_the_rule() {
    let lab = Lab::of(money("bad-bundles"));
    let node = lab.node(&[]).await;
    let genesis = node.block(0).await;
    let confirmed = pay(&lab, "confirmed", 1);
    let first = block_on(genesis.header(), &data(&[&confirmed]));
    assert_eq!(node.post("/block", to_json(&first)).await.status, 201);

    let (good, other) = (pay(&lab, "good", 1), pay(&lab, "other", 1));
    let signed = |from: &str, amount, fee| key(from).sign_transaction(unsigned(from, amount, fee), lab.id());
    let unsigned_by_payer = key("thief").sign_transaction(unsigned("victim", 1, 1), lab.id());
    let other_network = key("replay").sign_transaction(unsigned("replay", 1, 1), Lab::of(money("another")).id());
    let fields = good.as_payment().unwrap().clone();
    let zeros = Payment { signature: Signature::from_bytes([0; 64]), ..fields.clone() };
    let raised = Payment { amount: shared::ledger::Amount::new(2).unwrap(), ..fields.clone() };
    let long = Payment { msg: "x".repeat(65), ..fields.clone() };
    let bell = Payment { msg: "\u{7}".to_owned(), ..fields.clone() };
    let to_nobody = Payment { to: NOT_A_POINT.parse().unwrap(), ..fields.clone() };
    let to_nobody =
        key("good").sign_transaction(shared::ledger::Unsigned { to: to_nobody.to, ..unsigned("good", 1, 1) }, lab.id());
    let (half, half_again) = (signed("halves", FAUCET / 2, 1), signed("halves", FAUCET / 2, 1));
    let right = data(&[&good]);
    let replaced = |from: &str, to: &str| {
        assert!(right.contains(from), "{from}");
        right.replacen(from, to, 1)
    };
    for (data, rule) in [
        (data(&[&good, &unsigned_by_payer]), "signature"),
        (data(&[&zeros.into()]), "signature"),
        (data(&[&signed("poor", FAUCET, 1)]), "balance"),
        (data(&[&half, &half_again]), "balance"),
        (data(&[&confirmed]), "known-id"),
        (data(&[&good, &other, &good]), "known-id"),
        (data(&[&raised.into()]), "id"),
        (data(&[&other_network]), "id"),
        (data(&[&signed("idle", 0, 1)]), "amount"),
        (data(&[&long.into()]), "msg"),
        (data(&[&bell.into()]), "msg"),
        (data(&[&to_nobody]), "address"),
        (data(&(0..6).map(|_| &good).collect::<Vec<_>>()), "max-transactions"),
        (replaced("by hand", &"x".repeat(65)), "msg"),
        (replaced(address("miner").as_str(), NOT_A_POINT), "address"),
        (replaced("{\"msg\"", "{ \"msg\""), "canonical"),
        (replaced("☃", "\\u2603"), "canonical"),
        (replaced("\"transactions\"", "\"reward\":5001,\"transactions\""), "bundle"),
        (replaced("\"msg\":\"by hand\",", ""), "bundle"),
        ("mined by hand".to_owned(), "bundle"),
    ] {
        let problem = node.post("/block", to_json(&block_on(first.header(), &data))).await.refused(422);
        assert_eq!(problem.rule.as_deref(), Some(rule), "{data}: {}", problem.detail);
    }
    assert_eq!(node.tip().await, (1, first.hash().to_string()), "nothing of it is on the chain");
    // The same parts in a valid bundle make a valid block.
    let right = block_on(first.header(), &data(&[&good, &other, &half]));
    assert_eq!(node.post("/block", to_json(&right)).await.status, 201);
    assert_eq!(bundle(&node.block(2).await).transactions, [good, other, half]);
}
