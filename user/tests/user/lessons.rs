//! Follows docs/lessons/coins.md: runs the commands of each lesson in their order, and checks what they print. Its
//! blocks marked `bash` start services; here they run already.

use crate::coins::coins;
use crate::lab::{Lab, network};
use crate::page::{commands, prelude};
use runtime::config::{Overrides, load_from};
use shared::config::{Config, MempoolConfig};
use shared::params::Params;
use std::path::Path;

/// What the commands of a lesson print on a network of its own.
async fn printed(lab: &Lab, heading: &str, variables: &[(&str, &str)]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = std::fs::read_to_string(root.join("docs/lessons/coins.md")).unwrap();
    let lines = commands(&page, heading).replace("../docs/examples", &root.join("docs/examples").display().to_string());
    let variables = variables.iter().map(|(name, value)| format!("{name}={value}\n"));
    let script: String =
        [prelude(&lab.tracker)].into_iter().chain(variables).chain(lines.lines().map(command)).collect();
    let user = lab.user();
    let (run, script) = tokio::task::spawn_blocking(move || (user.sh(&script), script)).await.unwrap();
    assert_eq!(run.code, 0, "{}{}{script}", run.stdout, run.stderr);
    run.stdout
}

/// A line of a lesson as a command for the test: one whose comment says `refused` must fail, and prints its error.
fn command(line: &str) -> String {
    match line.split_once("# refused") {
        Some((command, _)) => format!("if {command} 2>&1; then echo 'not refused: {command}'; exit 1; fi\n"),
        None => format!("{line}\n"),
    }
}

/// Checks that a text has these words, in this order.
#[track_caller]
fn shows(text: &str, words: &[&str]) {
    let mut rest = text;
    for words in words {
        let found = rest.split_once(words);
        assert!(found.is_some(), "no {words:?} in its place in {text}");
        rest = found.unwrap().1;
    }
}

async fn lesson(name: &str, heading: &str) -> String {
    let lab = Lab::with_params(coins(name), |_| {}).await;
    printed(&lab, heading, &[]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn change_comes_back_and_shows_who_paid() {
    let text = lesson("change", "1. Change, and who sees it").await;
    let expected = [
        "2 coins of",
        "together 100 LAB",
        "sent 90 LAB",
        "made    90 LAB",
        "made    9.99999 LAB",
        "being spent by the pending transaction",
        "100 LAB are being spent",
        "1 coin of",
        "together 90 LAB",
        "together 60 LAB",
        "9.99999 LAB",
        "change  to the seed \"alice/1\"",
        "together 30 LAB",
    ];
    shows(&text, &expected);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs python3 with cryptography; .ci/run runs it"]
async fn inputs_that_are_signed_together_join_addresses() {
    let lab = Lab::with_params(coins("together"), |_| {}).await;
    let text = printed(&lab, "2. Who signs together belongs together", &[("mempool", &lab.last_address())]).await;
    shows(&text, &["from    50.00001 LAB", "from    19.99999 LAB", "to      60 LAB"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shop_without_confirmations_loses_the_race() {
    let lab = Lab::with_params(coins("race"), |_| {}).await;
    let mempool = lab.last_address();
    let shop = lab.mempool(coins("race")).await;
    let text = printed(&lab, "3. A race, and zero confirmations", &[("mempool", &mempool), ("shop", &shop)]).await;
    shows(&text, &["40 LAB", "40 LAB", "0 LAB"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_coins_become_one() {
    let text = lesson("tidy", "6. Tidy up when it is cheap").await;
    shows(&text, &["21 coins of", "21 to 1 coins", "2 coins of"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reward_waits_for_a_hundred_blocks() {
    let params = Params { coinbase_maturity: Some(100), ..coins("maturity") };
    let lab = Lab::with_params(params, |_| {}).await;
    let text = printed(&lab, "7. Maturity", &[]).await;
    shows(&text, &["can be spent from block 101 on", "mined too recently", "1 coin of", "together 10 LAB"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_and_coins_on_the_same_day() {
    let lab = Lab::with_params(coins("coins-too"), |_| {}).await;
    let accounts = Lab::with_params(network("accounts-too"), |_| {}).await;
    let trackers = [("coins", &*lab.tracker), ("accounts", &*accounts.tracker)];
    let text = printed(&lab, "8. Accounts and coins, on the same day", &trackers).await;
    shows(&text, &["account-1", "coin-1", "sent 1 LAB", "are being spent", "sent 1 LAB", "sent 1 LAB", " 2 LAB"]);
    let bytes = |file: &str| -> u64 {
        let line = text.lines().find(|line| line.ends_with(file)).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    };
    assert!(bytes(" coin-1") > bytes(" account-1"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn historic_faults_are_refused_by_name() {
    let text = lesson("history", "10. History's bugs, refused by name").await;
    let kinds = ["same-coin", "amount", "not-a-transaction", "not-a-transaction", "id", "signature"];
    let kinds = kinds.map(|kind| format!("\"kind\":\"{kind}\""));
    let expected: Vec<&str> = ["2 coins of", "valid"].into_iter().chain(kinds.iter().map(String::as_str)).collect();
    shows(&text, &expected);
    assert!(text.contains("is not an unspent coin of the payer"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_higher_fee_replaces_a_payment() {
    let text = lesson("replacement", "4. Replacement by fee").await;
    let expected = [
        "must be above 0.00001 LAB",
        "replaced the transaction",
        "fee: 0.0005 LAB, before 0.00001 LAB",
        "does not know the transaction",
        " 10 LAB",
        "is in a block already",
    ];
    shows(&text, &expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mempool_may_keep_the_first_seen() {
    let policy = Overrides::new().set("mempool.replacement", "--replacement", Some("first-seen"));
    let policy = load_from(None, [], policy).unwrap().mempool;
    let change = |config: &mut Config| {
        let MempoolConfig { tracker, poll_ms, .. } = config.mempool.clone();
        config.mempool = MempoolConfig { tracker, poll_ms, ..policy };
    };
    let lab = Lab::with_params(coins("first-seen"), change).await;
    let text = printed(&lab, "4, continued: the first seen wins", &[]).await;
    shows(&text, &["refuses it", " 10 LAB"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn dust_costs_more_than_it_is_worth() {
    let text = lesson("dust", "5. Dust").await;
    shows(&text, &["100 coins of", "together 0.0006 LAB", "refuses it"]);
    let bytes = text.lines().find_map(|line| line.trim().parse::<u64>().ok());
    assert!(bytes.is_some_and(|bytes| (8000..10_000).contains(&bytes)), "{text}");
}
