//! Pushed transactions: which are accepted, which are refused, and how.

use crate::lab::{Answer, Asked, LAB, Lab, address, faucet, genesis, http, network, push_block, to_json};
use reqwest::Method;
use serde_json::{Value, json};
use shared::ledger::{Amount, Transaction};
use shared::params::Params;

/// The transaction with one field changed, and with its old id and signature.
fn with(transaction: &Transaction, field: &str, value: Value) -> String {
    let mut json = serde_json::to_value(transaction).unwrap();
    json[field] = value;
    json.to_string()
}

#[tokio::test]
async fn a_payment_is_accepted_by_post_by_put_and_as_a_json_string() {
    let lab = Lab::of(faucet("taken"));
    let mempool = lab.mempool(&[]).await;
    let [a, b, c] = [1, 2, 3].map(|amount| lab.pay("alice", "bob", amount * LAB, 1000));
    mempool.accept(&a).await;
    let put = Answer::of(mempool.request(Method::PUT, "/pushtx").body(to_json(&b))).await;
    assert_eq!(put.status, 201, "{}", put.body);
    let quoted = mempool.push_text(format!(" {}", Value::String(to_json(&c)))).await;
    assert_eq!((quoted.status, quoted.ok()["status"].as_str()), (201, Some("accepted")), "{}", quoted.body);
    assert_eq!(mempool.pending().await, [a, b, c]);
}

#[tokio::test]
async fn each_broken_rule_is_refused_by_its_name() {
    let lab = Lab::of(faucet("rules"));
    let mempool = lab.mempool(&[]).await;
    let good = lab.pay("alice", "bob", LAB, 1000);
    for (body, rule) in [
        (with(&good, "amount", json!(0)), "amount"),
        (with(&good, "fee", json!((1u64 << 53) - 1)), "amount"),
        (with(&good, "msg", json!("a\u{7}b")), "msg"),
        (with(&good, "msg", json!("x".repeat(257))), "msg"),
        (with(&good, "to", json!(address("carol"))), "id"),
        (with(&good, "amount", json!(2)), "id"),
        (with(&good, "signature", json!("0".repeat(128))), "signature"),
        (
            with(&good, "signature", json!(lab.pay("alice", "bob", LAB, 1000).as_payment().unwrap().signature)),
            "signature",
        ),
        (to_json(&lab.pay("alice", "bob", 100 * LAB, 1000)), "balance"),
        (to_json(&lab.pay("alice", "bob", LAB, 999)), "min-fee"),
    ] {
        mempool.push_text(body).await.breaks(rule);
    }
    assert!(mempool.pending().await.is_empty());
    let elsewhere = lab.pay("alice", "bob", LAB, 1000);
    let id = shared::ledger::TransactionId::of(elsewhere.text(shared::block::BlockHash::of("another network")));
    let elsewhere: Transaction = shared::ledger::Payment { id, ..elsewhere.as_payment().unwrap().clone() }.into();
    mempool.push(&elsewhere).await.breaks("id");
}

#[tokio::test]
async fn a_malformed_transaction_is_refused_with_400() {
    let lab = Lab::of(faucet("malformed"));
    let mempool = lab.mempool(&[]).await;
    let good = lab.pay("alice", "bob", LAB, 1000);
    let text = to_json(&good);
    let mut short = serde_json::to_value(&good).unwrap();
    short.as_object_mut().unwrap().remove("fee");
    for body in [
        String::new(),
        "{}".to_owned(),
        "[]".to_owned(),
        "null".to_owned(),
        "\"".to_owned(),
        "\"{}\"".to_owned(),
        format!("{text}{text}"),
        format!("\u{feff}{text}"),
        Value::String(Value::String(text.clone()).to_string()).to_string(),
        "[".repeat(60_000),
        short.to_string(),
        with(&good, "more", json!(1)),
        with(&good, "fee", json!(null)),
        with(&good, "fee", json!(-1)),
        with(&good, "fee", json!(1.0)),
        with(&good, "fee", json!("1000")),
        with(&good, "fee", json!(1u64 << 53)),
        with(&good, "to", json!(address("bob").to_string().to_uppercase())),
        with(&good, "id", json!(good.id().to_string().to_uppercase())),
        text.replacen("\"fee\":", "\"fee\":1,\"fee\":", 1),
    ] {
        let problem = mempool.push_text(body.clone()).await.refused(400);
        assert_eq!(problem.rule, None, "{body}");
    }
    mempool.push_text(format!("{text}{}", " ".repeat(64 << 10))).await.refused(413);
    let url = format!("http://{}/pushtx", mempool.address);
    Answer::of(http().post(url).header("content-type", "text/plain").body(text)).await.refused(415);
    mempool.get("/pushtx").await.refused(405);
    assert!(mempool.pending().await.is_empty());
}

#[tokio::test]
async fn the_same_payment_pushed_many_times_at_once_is_accepted_once() {
    let lab = Lab::of(faucet("double"));
    let mempool = lab.mempool(&[]).await;
    let payment = lab.pay("alice", "bob", 60 * LAB, 1000);
    let pushes = (0..40).map(|_| mempool.push(&payment));
    let answers = futures_util::future::join_all(pushes).await;
    let accepted = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(accepted, 1);
    assert!(answers.iter().all(|answer| answer.status == 201 || answer.ok()["status"] == "known"));
    assert_eq!(mempool.pending().await, [payment]);
}

#[tokio::test]
async fn pending_money_cannot_be_spent_twice_by_concurrent_pushes() {
    let lab = Lab::of(faucet("overspend"));
    let mempool = lab.mempool(&[]).await;
    let payments: Vec<_> = (0..20).map(|_| lab.pay("alice", "bob", 30 * LAB, 1000)).collect();
    let answers = futures_util::future::join_all(payments.iter().map(|payment| mempool.push(payment))).await;
    let (taken, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 201);
    assert_eq!(taken.len(), 3, "100 LAB are three times 30 LAB and a fee");
    refused.iter().for_each(|answer| answer.breaks("balance"));
    let cost: u64 = mempool.pending().await.iter().map(|payment| payment.as_payment().unwrap().cost().grains()).sum();
    assert!(cost <= 100 * LAB);
    // A pending payment cannot be spent by its receiver yet.
    mempool.push(&lab.pay("bob", "alice", 150 * LAB, 1000)).await.breaks("balance");
}

#[tokio::test]
async fn a_known_id_with_another_signature_is_known_and_changes_nothing() {
    let lab = Lab::of(faucet("known"));
    let mempool = lab.mempool(&[]).await;
    let payment = lab.pay("alice", "bob", LAB, 1000);
    mempool.accept(&payment).await;
    let forged = mempool.push_text(with(&payment, "signature", json!("1".repeat(128)))).await;
    assert_eq!((forged.status, forged.ok()), (200, json!({"id": payment.id(), "status": "known"})));
    assert_eq!(mempool.pending().await, [payment]);
}

#[tokio::test]
async fn a_confirmed_payment_is_known_and_not_accepted_again() {
    let lab = Lab::of(network("replay"));
    let node = lab.node().await;
    let mempool = lab.mempool(&[&node]).await;
    let first = lab.block(&genesis(&node).await, "alice", &[]);
    let payment = lab.pay("alice", "bob", LAB, 0);
    let second = lab.block(first.header(), "alice", &[&payment]);
    push_block(&node, &first).await;
    push_block(&node, &second).await;
    mempool.stands_on(&second).await;
    let replayed = mempool.push(&payment).await;
    assert_eq!((replayed.status, replayed.ok()), (200, json!({"id": payment.id(), "status": "known"})));
    assert!(mempool.pending().await.is_empty());
    assert_eq!(mempool.balance("bob", 1).await, LAB);
}

#[tokio::test]
async fn a_source_that_pushes_too_fast_gets_429() {
    let lab = Lab::of(faucet("limited"));
    let mut config = lab.config();
    (config.mempool.pushes_per_second, config.mempool.push_burst) = (0, 2);
    let mempool = lab.start(config, &[], 0).await;
    mempool.accept(&lab.pay("alice", "bob", LAB, 1000)).await;
    mempool.accept(&lab.pay("alice", "bob", LAB, 1000)).await;
    mempool.push(&lab.pay("alice", "bob", LAB, 1000)).await.refused(429);
    assert_eq!(mempool.pending().await.len(), 2);
}

#[tokio::test]
async fn a_sender_has_a_limit_and_a_full_pool_keeps_the_highest_fees() {
    let lab = Lab::of(faucet("full"));
    let mut config = lab.config();
    (config.mempool.max_count, config.mempool.max_per_sender) = (3, 2);
    let mempool = lab.start(config, &[], 0).await;
    let cheap = lab.pay("alice", "bob", LAB, 1000);
    mempool.accept(&cheap).await;
    mempool.accept(&lab.pay("alice", "bob", LAB, 2000)).await;
    let share = mempool.push(&lab.pay("alice", "bob", LAB, 9000)).await.refused(503);
    assert_eq!(share.rule, None, "{share}");
    mempool.accept(&lab.pay("bob", "alice", LAB, 3000)).await;
    mempool.push(&lab.pay("carol", "alice", LAB, 1000)).await.refused(503);
    mempool.accept(&lab.pay("carol", "alice", LAB, 4000)).await;
    let fees: Vec<Amount> = mempool.pending().await.iter().map(|payment| payment.fee()).collect();
    assert_eq!(fees, [2000, 3000, 4000].map(|fee| Amount::new(fee).unwrap()));
    mempool.get(&format!("/confirmations/{}", cheap.id())).await.refused(404);
}

#[tokio::test]
async fn a_payment_beyond_the_receivers_maximum_is_refused() {
    let most = (1 << 53) - 1;
    let lab = Lab::of(Params { new_address_balance: most, ..faucet("receiver") });
    let mempool = lab.mempool(&[]).await;
    mempool.push(&lab.pay("alice", "bob", 1, 1000)).await.breaks("max-balance");
    mempool.accept(&lab.pay("alice", "alice", most - 1000, 1000)).await;
}
