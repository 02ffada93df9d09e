//! Payments on a network of layer `utxo`: 90 from two coins of 50, and what `user` says about coins.

use crate::lab::{Lab, TOKEN, balance, network, until};
use crate::program::Program;
use serde_json::{Value, json};
use shared::keys::KeyPair;
use shared::params::Params;

/// A network whose money is coins.
pub(crate) fn coins(name: &str) -> Params {
    let Params { initial_difficulty, retarget, name, .. } = network(name);
    Params { initial_difficulty, retarget, name, ..Params::of_coins() }
}

/// The amounts of a seed's coins, as listed.
fn amounts(user: &Program, whose: &str) -> Vec<u64> {
    let list = user.json(&["coins", whose]);
    list["coins"].as_array().unwrap().iter().map(|coin| coin["amount"].as_u64().unwrap()).collect()
}

async fn confirm(user: &Program, id: &str) {
    // The node fetches pending transactions at its own interval.
    until("it is confirmed", async || {
        user.run(&["mine", "1", "--token", TOKEN]).ok();
        (user.run(&["confirmations", id]).ok().trim() != "0").then_some(())
    })
    .await;
}

fn id_of(sent: &Value) -> String {
    sent["transaction"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn ninety_are_paid_from_two_coins_of_fifty_and_the_change_comes_back() {
    let lab = Lab::with_params(coins("coins"), |_| {}).await;
    let user = lab.user();
    lab.mine(&user, 2).await;
    const FIFTY: u64 = 5_000_000_000;
    assert_eq!((amounts(&user, "alice"), balance(&user, "alice")), (vec![FIFTY; 2], 2 * FIFTY));
    let error = user.run(&["send", "100", "bob", "-s", "alice"]).expect_error(1);
    assert!(error.contains("all coins together are 100 LAB"), "{error}");
    let sent = user.json(&["send", "90", "bob", "-s", "alice", "-M", "for lunch"]);
    let (id, spend) = (id_of(&sent), &sent["transaction"]);
    assert_eq!(spend["inputs"].as_array().unwrap().len(), 2);
    assert_eq!(spend["outputs"][0]["amount"], 9_000_000_000_u64);
    assert_eq!(spend["outputs"][1]["amount"], 999_999_000);

    // While it is pending, its coins are taken, and its change is not there yet.
    let listed = user.run(&["coins", "alice"]).ok();
    assert!(listed.starts_with("2 coins of") && listed.contains(&format!("pending transaction {id}")), "{listed}");
    let error = user.run(&["send", "1", "bob", "-s", "alice"]).expect_error(1);
    assert!(error.contains("100 LAB are being spent by pending transactions"), "{error}");
    assert_eq!(user.json(&["balance", "bob", "-c", "0"])["balances"][0]["balance"], 9_000_000_000_u64);

    confirm(&user, &id).await;
    assert_eq!((amounts(&user, "bob"), balance(&user, "bob")), (vec![9_000_000_000], 9_000_000_000));
    assert_eq!(amounts(&user, "alice").last(), Some(&999_999_000));
    let shown = user.run(&["tx", &id]).ok();
    assert!(shown.contains("in block") && shown.contains("9.99999 LAB"), "{shown}");
    let history = user.run(&["history", "bob"]).ok();
    assert!(history.contains("+90 LAB"), "{history}");
    assert!(user.run(&["verify", &id]).ok().starts_with("valid"));
    crate::explained::recheck(&user, &user.run(&["explain", "tx", &id]).ok());
    let block = user.json(&["tx", &id])["block"]["index"].to_string();
    crate::explained::recheck(&user, &user.run(&["explain", "block", &block]).ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn coins_are_named_split_and_consolidated() {
    let lab = Lab::with_params(coins("split"), |_| {}).await;
    let user = lab.user();
    lab.mine(&user, 1).await;
    let split = user.json(&["coins", "split", "4", "-s", "alice", "-F", "0"]);
    confirm(&user, &id_of(&split)).await;
    let quarters = amounts(&user, "alice").iter().filter(|amount| **amount == 1_250_000_000).count();
    assert_eq!(quarters, 4);
    // One of them pays bob, by its name, without change.
    let name = format!("{}.2", id_of(&split));
    let sent = user.json(&["send", "12.5", "bob", "-s", "alice", "-F", "0", "--coins", &name, "--change", "carol"]);
    assert_eq!(sent["transaction"]["inputs"][0]["coin"], name);
    assert_eq!(sent["transaction"]["outputs"].as_array().unwrap().len(), 1);
    let error = user.run(&["send", "1", "bob", "-s", "alice", "--coins", &name]).expect_error(2);
    assert!(error.contains("spends it already"), "{error}");
    let exact = user.json(&["send", "25", "bob", "-s", "alice", "-F", "0", "--coins", "exact"]);
    let inputs = exact["transaction"]["inputs"].as_array().unwrap();
    assert_eq!(inputs.iter().map(|input| &input["amount"]).collect::<Vec<_>>(), [&json!(1_250_000_000); 2]);
    confirm(&user, &id_of(&exact)).await;
    let one = user.json(&["coins", "consolidate", "-s", "alice"]);
    confirm(&user, &id_of(&one)).await;
    let consolidated = one["transaction"]["outputs"][0]["amount"].as_u64().unwrap();
    assert!(amounts(&user, "alice").contains(&consolidated));
    assert_eq!(balance(&user, "bob"), 3_750_000_000);
    assert!(user.run(&["coins", "consolidate", "-s", "nobody"]).expect_error(2).contains("no coins"));
    assert_eq!(user.run(&["rnd", "--count", "1", "--max-seed", "3", "--json"]).error_kind(1), "no-accounts");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_of_accounts_has_no_coins() {
    let lab = Lab::with_money("accounts").await;
    let user = lab.user();
    assert_eq!(user.run(&["coins", "alice", "--json"]).error_kind(1), "no-coins");
    let flags = ["send", "1", "bob", "-s", "alice", "--coins", "oldest", "--json"];
    assert_eq!(user.run(&flags).error_kind(1), "no-coins");
    let flags = ["send", "1", "bob", "-s", "alice", "--fresh-change", "--json"];
    assert_eq!(user.run(&flags).error_kind(1), "no-coins");
    let id = "0".repeat(64);
    assert_eq!(user.run(&["bump", &id, "-s", "alice", "-F", "1", "--json"]).error_kind(1), "no-coins");
}

#[tokio::test(flavor = "multi_thread")]
async fn change_goes_to_unused_addresses_of_the_seed() {
    let lab = Lab::with_params(coins("fresh-change"), |_| {}).await;
    let user = lab.user();
    lab.mine(&user, 2).await;
    for number in 1..=2 {
        let sent = user.json(&["send", "20", "bob", "-s", "alice", "--fresh-change"]);
        assert_eq!(sent["change_seed"], format!("alice/{number}"));
        let seed = KeyPair::from_seed(&format!("alice/{number}"));
        assert_eq!(sent["transaction"]["outputs"][1]["address"], seed.address().as_str());
    }
    user.run(&["new", "-o", "key.pem"]).ok();
    let refused = user.run(&["send", "1", "bob", "-f", "key.pem", "--fresh-change"]).expect_error(2);
    assert!(refused.contains("--change"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_pending_transaction_of_ones_own_can_be_bumped() {
    let lab = Lab::with_params(coins("bump"), |_| {}).await;
    let user = lab.user();
    lab.mine(&user, 1).await;
    let id = id_of(&user.json(&["send", "20", "bob", "-s", "alice"]));
    let bump = |id: &str, seed: &str, fee: &str| user.run(&["bump", id, "-s", seed, "-F", fee]);
    assert!(bump(&id, "bob", "0.001").expect_error(2).contains("does not own all coins"));
    assert!(bump(&id, "alice", "0.00001").expect_error(2).contains("must be above 0.00001 LAB"));
    assert!(bump(&id, "alice", "30").expect_error(2).contains("the highest fee is 29.99999454 LAB"));
    assert!(bump(&"0".repeat(64), "alice", "1").expect_error(1).contains("does not know the transaction"));
    confirm(&user, &id).await;
    assert!(bump(&id, "alice", "0.001").expect_error(2).contains("in a block already"));
}

#[tokio::test(flavor = "multi_thread")]
async fn bumping_lowers_change_and_no_payment_to_ones_own_address() {
    let lab = Lab::with_params(coins("own-change"), |_| {}).await;
    let user = lab.user();
    lab.mine(&user, 2).await;
    let paid = id_of(&user.json(&["send", "20", "alice/2", "-s", "alice", "--change", "carol"]));
    let refused = user.run(&["bump", &paid, "-s", "alice", "-F", "0.001"]).expect_error(2);
    assert!(refused.contains("no change"), "{refused}");
    let sent = id_of(&user.json(&["send", "20", "bob", "-s", "alice", "--change", "alice/1000"]));
    let bumped = user.json(&["bump", &sent, "-s", "alice", "-F", "0.001"]);
    assert_eq!((&bumped["status"], &bumped["replaces"]), (&json!("accepted"), &json!(sent)));
    let amounts = [0, 1].map(|place| bumped["transaction"]["outputs"][place]["amount"].as_u64());
    assert_eq!(amounts, [Some(2_000_000_000), Some(2_999_900_000)]);
}
