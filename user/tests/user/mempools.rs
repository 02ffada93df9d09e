//! Several mempools of one network at one tracker: which of them know a payment.

use crate::coins::coins;
use crate::lab::Lab;
use crate::program::Program;
use serde_json::{Value, json};
use testkit::{Answer, FixedAnswer, UNUSED_ADDRESS, client, http};
use tokio::net::TcpListener;

/// Two mempools that know the same chain, in which alice has two coins.
struct Two {
    _lab: Lab,
    first: String,
    second: String,
    members: Vec<Value>,
}

impl Two {
    async fn start(name: &str) -> Self {
        let lab = Lab::with_params(coins(name), |_| {}).await;
        let first = lab.last_address();
        let second = lab.mempool(coins(name)).await;
        lab.mine(&lab.user(), 2).await;
        let members = Answer::of(http().get(format!("http://{}/members", lab.tracker))).await.ok();
        let members = members.as_array().unwrap().clone();
        Self { _lab: lab, first, second, members }
    }

    /// A tracker that lists both, so that `user` chooses `chosen`, and other mempools at these addresses.
    async fn tracker(&self, chosen: &str, more: &[&str]) -> FixedAnswer {
        let mut members = self.members.clone();
        let listed = members.iter().find(|member| member["address"] == chosen).unwrap().clone();
        let without_tip = |address: &str| {
            let mut member = listed.clone();
            (member["address"], member["tip"]) = (json!(address), Value::Null);
            member
        };
        for member in members.iter_mut().filter(|member| member["address"] != chosen) {
            member["tip"] = Value::Null;
        }
        members.extend(more.iter().map(|address| without_tip(address)));
        FixedAnswer::start("200 OK", &json!(members).to_string()).await
    }
}

fn id_of(sent: &Value) -> shared::ledger::TransactionId {
    sent["transaction"]["id"].as_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_goes_to_all_mempools_so_that_none_spends_its_coin_again() {
    let two = Two::start("all-know").await;
    // One accepts connections and never answers; at another nothing listens.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent_address = silent.local_addr().unwrap().to_string();
    let tracker = two.tracker(&two.first, &[&silent_address, UNUSED_ADDRESS]).await;
    let user = Program::with(&["-t", &tracker.address]);
    let sent = user.json(&["send", "20", "bob", "-s", "alice"]);
    assert_eq!((&sent["mempool"], &sent["status"]), (&json!(two.first), &json!("accepted")));
    assert_eq!(sent["refused_by"], Value::Null);
    for mempool in [&two.first, &two.second] {
        client().transaction(mempool, &id_of(&sent)).await.unwrap();
    }
    let next = Program::with(&["--mempool", &two.second]).json(&["send", "20", "bob", "-s", "alice"]);
    let coin = |sent: &Value| sent["transaction"]["inputs"][0]["coin"].clone();
    assert_ne!(coin(&sent), coin(&next));
    let bumped = user.json(&["bump", &id_of(&sent).to_string(), "-s", "alice", "-F", "0.001"]);
    for mempool in [&two.first, &two.second] {
        client().transaction(mempool, &id_of(&bumped)).await.unwrap();
        let replaced = client().transaction(mempool, &id_of(&sent)).await.unwrap_err();
        assert_eq!(replaced.status(), Some(404));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mempool_that_knows_a_rival_says_so() {
    let two = Two::start("rivals").await;
    let first = Program::with(&["--mempool", &two.first]);
    let coins = first.json(&["coins", "alice"])["coins"].clone();
    let send = |user: &Program, place: usize, more: &[&str]| {
        let coin = coins[place]["coin"].as_str().unwrap();
        user.run(&[&["send", "20", "bob", "-s", "alice", "--coins", coin], more].concat())
    };
    for place in [0, 1] {
        send(&first, place, &[]).ok();
    }
    let tracker = two.tracker(&two.second, &[]).await;
    let second = Program::with(&["-t", &tracker.address]);
    // With a message: the very same payment would be the same transaction, which both may know.
    let told = send(&second, 0, &["-M", "rival"]);
    assert!(told.stderr.contains(&two.first) && told.stderr.contains("at most one of the two"), "{told:?}");
    assert!(told.ok().starts_with("sent 20 LAB"));
    let sent = send(&second, 1, &["-M", "rival", "--json"]).json();
    assert_eq!(sent["refused_by"][0]["mempool"], two.first);
    assert_eq!(sent["refused_by"][0]["rule"], "replacement");
}
