//! Payments on a real network: a tracker, a node and a mempool.

use crate::lab::{Lab, TOKEN, balance, network, until};
use crate::program::{ALICE, BOB, Program, Watcher};
use serde_json::{Value, json};
use shared::params::Params;
use std::time::Duration;
use testkit::FixedAnswer;
use tokio::time::sleep;

const REWARD: u64 = 5_000_000_000;

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Sends a payment and returns its id.
fn send(user: &Program, amount: &str, more: &[&str]) -> String {
    let sent = user.json(&[&["send", amount, "bob", "-s", "alice"], more].concat());
    assert_eq!((&sent["status"], &sent["to_seed"]), (&json!("accepted"), &json!("bob")));
    text(&sent["transaction"]["id"]).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_travels_and_everything_can_be_asked_about_it() {
    let lab = Lab::with_money("travel").await;
    let user = lab.user();
    lab.mine(&user, 1).await;
    let id = send(&user, "1.5", &["-M", "it's for \"lunch\"", "-F", "0.5"]);
    assert_eq!(user.run(&["confirmations", &id]).ok().trim(), "0");
    assert!(user.run(&["tx", &id]).ok().contains("pending"));
    assert_eq!(user.json(&["balance", "bob", "-c", "0"])["balances"][0]["balance"], 150_000_000);
    assert_eq!(balance(&user, "bob"), 0);

    // The node fetches pending transactions at its own interval.
    until("it is confirmed", async || {
        user.run(&["mine", "1", "--token", TOKEN]).ok();
        (user.run(&["confirmations", &id]).ok().trim() != "0").then_some(())
    })
    .await;
    let status = user.json(&["tx", &id]);
    assert_eq!((&status["status"], &status["transaction"]["msg"]), (&json!("confirmed"), &json!("it's for \"lunch\"")));
    assert_eq!(balance(&user, BOB), 150_000_000);
    let listed = user.run(&["balances"]).ok();
    assert!(listed.contains(ALICE) && listed.contains("1.5 LAB"), "{listed}");
    assert_eq!(user.json(&["balance", &BOB[..8]])["balances"][0]["address"], BOB);

    let history = user.run(&["history", "bob"]).ok();
    assert!(history.contains("+1.5 LAB  from lab1qw3a0"), "{history}");
    let history = user.json(&["history", "-s", "alice", "-n", "1"]);
    assert_eq!((history["entries"].as_array().unwrap().len(), &history["more"]), (1, &json!(true)));

    assert!(user.run(&["verify", &id]).ok().starts_with("valid"));
    crate::explained::recheck(&user, &user.run(&["explain", "tx", &id]).ok());
    let block = status["block"]["index"].to_string();
    let script = user.run(&["explain", "block", &block]).ok();
    assert!(script.contains(r"it'\''s for"), "{script}");
    crate::explained::recheck(&user, &script);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_breaks_a_rule_is_not_sent() {
    let lab = Lab::with_money("refuse").await;
    let user = lab.user();
    let error = user.run(&["send", "1", "bob", "-s", "alice"]).expect_error(1);
    assert!(error.contains("the seed \"alice\" cannot pay 1 LAB") && error.contains("it has 0 LAB"), "{error}");
    lab.mine(&user, 1).await;
    send(&user, "30", &[]);
    let error = user.run(&["send", "30", "bob", "-s", "alice", "-F", "1"]).expect_error(1);
    for words in ["together 31 LAB", "it has 50 LAB", "30.00001 LAB are on their way out", "so 19.99999 LAB"] {
        assert!(error.contains(words), "{words}: {error}");
    }
    assert_eq!(user.run(&["send", "30", "bob", "-s", "alice", "--json"]).error_kind(1), "balance");
    let long = "x".repeat(257);
    assert_eq!(user.run(&["send", "1", "bob", "-s", "alice", "-M", &long, "--json"]).error_kind(1), "msg");
    assert_eq!(user.run(&["send", "1", "bob", "-s", "alice", "-M", "a\nb", "--json"]).error_kind(1), "msg");
    let unknown = "0".repeat(64);
    for command in ["confirmations", "tx", "verify"] {
        assert_eq!(user.run(&[command, &unknown, "--json"]).error_kind(1), "unknown", "{command}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_ends_with_the_confirmations() {
    let lab = Lab::with_money("wait").await;
    let user = lab.user();
    lab.mine(&user, 1).await;
    let waiting = std::thread::spawn({
        let user = lab.user();
        move || user.run(&["send", "1", "bob", "-s", "alice", "--wait", "2", "--json"])
    });
    let history = async || user.json(&["history", "bob"])["entries"][0].clone();
    let sent = until("it is sent", async || Some(history().await).filter(|sent| sent.is_object())).await;
    let id = text(&sent["transaction"]["id"]);
    let depth = until("it is confirmed", async || {
        lab.mine(&user, 1).await;
        user.run(&["confirmations", id]).ok().trim().parse::<u64>().ok().filter(|depth| *depth > 0)
    })
    .await;
    if depth == 1 {
        // Longer than two polls: with 1 confirmation the wait for 2 must go on.
        sleep(Duration::from_millis(1200)).await;
        assert!(!waiting.is_finished(), "1 confirmation is not 2");
    }
    until("the wait has ended", async || {
        user.run(&["mine", "1", "--token", TOKEN]).ok();
        waiting.is_finished().then_some(())
    })
    .await;
    let output = waiting.join().unwrap().ok();
    let lines: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["status"], "accepted");
    let last = lines.last().unwrap();
    assert!(last["confirmations"].as_u64() >= Some(2) && last["wanted"] == 2, "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_for_a_dropped_payment_fails_with_the_reason() {
    let lab = Lab::with_mempool("evict", |config| config.mempool.max_age_seconds = 1).await;
    let user = lab.user();
    lab.mine(&user, 1).await;
    let output = user.run(&["send", "1", "bob", "-s", "alice", "--wait", "1"]);
    assert_eq!(output.code, 1, "{output:?}");
    assert!(output.stdout.starts_with("sent 1 LAB") && output.stderr.contains("has left the mempool"), "{output:?}");
    assert!(!output.stderr.contains("does not say why"), "{output:?}");
    let output = user.run(&["send", "1", "bob", "-s", "alice", "--wait", "1", "--timeout", "0"]);
    assert!(output.code == 1 && output.stderr.contains("0 of 1 confirmations after 0 s"), "{output:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn random_payments_are_counted() {
    let lab = Lab::with_money("random").await;
    let user = lab.user();
    assert_eq!(user.run(&["rnd", "-n", "5", "-s", "3", "--json"]).error_kind(1), "nobody-can-pay");
    lab.mine(&user, 1).await;
    user.run(&["send", "20", "0", "-s", "alice"]).ok();
    until("the seed 0 has money", async || {
        user.run(&["mine", "1", "--token", TOKEN]).ok();
        (balance(&user, "0") > 0).then_some(())
    })
    .await;
    let report = user.json(&["rnd", "-n", "50", "-s", "3", "--connections", "4"]);
    assert_eq!((&report["accepted"], &report["unsent"], &report["payers"]), (&json!(50), &json!(0), &json!(1)));
    let report = user.json(&["rnd", "-n", "50", "-s", "3", "-F", "3", "--patience", "0"]);
    let accepted = report["accepted"].as_u64().unwrap();
    assert!((1..=6).contains(&accepted) && report["unsent"] == 50 - accepted, "{report}");
    user.run(&["send", "1", "2", "-s", "alice"]).ok();
    until("the seed 2 can pay once", async || {
        user.run(&["mine", "1", "--token", TOKEN]).ok();
        (balance(&user, "2") >= 100_000_000).then_some(())
    })
    .await;
    // With patience, it spends money that is confirmed during the run.
    let waiting = std::thread::spawn({
        let user = lab.user();
        move || user.json(&["rnd", "-n", "30", "-s", "3", "-F", "0.5"])
    });
    until("all are sent", async || {
        user.run(&["send", "10", "2", "-s", "alice"]).ok();
        user.run(&["mine", "1", "--token", TOKEN]).ok();
        waiting.is_finished().then_some(())
    })
    .await;
    assert_eq!(waiting.join().unwrap()["accepted"], 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn watch_prints_events_of_mempool_and_node() {
    let lab = Lab::with_money("watch").await;
    let user = lab.user();
    lab.mine(&user, 1).await;
    let watching = std::thread::spawn({
        let user = lab.user();
        move || user.run(&["watch", "-n", "40", "--json"]).ok()
    });
    until("the watcher has seen enough", async || {
        user.run(&["send", "0.01", "bob", "-s", "alice"]);
        user.run(&["mine", "1", "--token", TOKEN]).ok();
        watching.is_finished().then_some(())
    })
    .await;
    let output = watching.join().unwrap();
    let events: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for event in ["transaction", "block"] {
        let found = events.iter().find(|seen| seen["event"] == event);
        assert!(found.is_some_and(|found| found["data"].is_object() && found["at"].is_string()), "{event}: {output}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn watching_goes_on_when_a_service_has_restarted() {
    let mut lab = Lab::with_money("restart").await;
    let user = lab.user();
    lab.mine(&user, 1).await;
    let mut watching = Watcher::start(&user);
    watching.reads("transaction", async || drop(send(&user, "0.01", &[]))).await;
    lab.stop_mempool().await;
    watching.reads("interrupted", async || ()).await;
    lab.restart_mempool().await;
    watching.reads("resumed", async || ()).await;
    watching.reads("transaction", async || drop(send(&user, "0.02", &[]))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_say_which_block_they_stand_on_and_how_old_it_is() {
    let lab = Lab::with_money("age").await;
    let user = lab.user();
    assert!(user.run(&["balance", "alice"]).ok().contains("as of block 0, the genesis block"));
    lab.mine(&user, 2).await;
    let id = send(&user, "1", &[]);
    for args in [&["balance", "alice"][..], &["balances"], &["history", "alice"], &["confirmations", &id], &["tx", &id]]
    {
        let shown = user.json(args);
        assert!(shown["height"] == 2 && shown["age_ms"].is_u64(), "{args:?}: {shown}");
        let text = user.run(args).ok();
        assert_eq!(text.contains("as of block 2, "), args[0] != "confirmations", "{args:?}: {text}");
    }
    assert_eq!(user.run(&["confirmations", &id]).ok(), "0\n", "a bare number for scripts");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_block_is_noted() {
    // Blocks should come every 4 ms, so that the newest is soon many intervals old.
    let params = Params { block_interval_ms: 4, ..network("old") };
    let lab = Lab::with_params(params, |_| {}).await;
    let user = lab.user();
    lab.mine(&user, 1).await;
    let output = until("the block is old", async || {
        let output = user.run(&["balance", "alice"]);
        output.stderr.contains("the newest block is").then_some(output)
    })
    .await;
    assert!(output.stderr.contains("the network has stopped") && output.code == 0, "{output:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_with_a_number_is_made_once() {
    let lab = Lab::with_money("once").await;
    let user = lab.user();
    lab.mine(&user, 1).await;
    let number = "0b9d3c5e-8a41-4a6f-9d20-1f6f1f0c7a11";
    let pay = |amount: &str| user.run(&["send", amount, "bob", "-s", "alice", "--id", number]);
    assert!(pay("30").ok().starts_with("sent 30 LAB"));
    // There is no money left for a second one.
    assert!(pay("30").ok().starts_with("already sent: 30 LAB"));
    lab.mine(&user, 1).await;
    assert!(pay("30").ok().starts_with("already sent: 30 LAB"));
    let error = pay("1").expect_error(1);
    assert!(error.contains("belongs to another payment") && error.contains("30 LAB to"), "{error}");
    assert_eq!(user.json(&["balance", "bob", "-c", "0"])["balances"][0]["balance"], 3_000_000_000_u64);
}

#[tokio::test(flavor = "multi_thread")]
#[cfg(target_os = "linux")]
async fn a_payment_is_made_though_nobody_can_read_so() {
    let lab = Lab::with_money("unread").await;
    let user = lab.user();
    lab.mine(&user, 1).await;
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = user.run_into(&["send", "1", "bob", "-s", "alice"], full);
    assert!(output.code == 0 && output.stderr.contains("is sent, but"), "{output:?}");
    assert_eq!(user.json(&["balance", "bob", "-c", "0"])["balances"][0]["balance"], 100_000_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_shown_as_people_wrote_them() {
    let lab = Lab::with_money("writing").await;
    let user = lab.user();
    lab.mine(&user, 1).await;
    let messages = ["हिन्दी", "ที่นี่", "தமிழ்", "می\u{200c}خواهم", "cafe\u{301}", "❤\u{fe0f}", "👩\u{200d}🚀"];
    for msg in messages {
        let sent = user.run(&["send", "0.01", "bob", "-s", "alice", "-M", msg]).ok();
        assert!(sent.contains(&format!("message \"{msg}\"")), "{sent}");
    }
    let history = user.run(&["history", "bob"]).ok();
    for msg in messages {
        assert!(history.contains(&format!("  \"{msg}\"  ")), "{msg}: {history}");
    }
    user.run(&["send", "0.01", "bob", "-s", "alice", "-M", "a\u{202e}b"]).ok();
    assert!(user.run(&["history", "bob", "-n", "1"]).ok().contains("\"a\u{fffd}b\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn mining_needs_the_token_and_finds_it_on_this_machine() {
    let lab = Lab::new().await;
    let node = lab.node(network("token")).await;
    let user = lab.user();
    assert_eq!(user.run(&["mine", "1", "--json"]).error_kind(1), "no-token");
    let error = user.run(&["mine", "1"]).expect_error(1);
    assert!(error.contains("/token") && error.contains("--token-file"), "{error}");
    assert_eq!(user.run(&["mine", "1", "--token", "guess", "--json"]).error_kind(1), "refused");
    let port = node.rsplit(':').next().unwrap();
    let id = network("token").network_id().short();
    let file = format!("{}/token-{id}/node-{port}/token", lab.folder());
    std::fs::write(&file, format!("{TOKEN}\n")).unwrap();
    assert_eq!(user.json(&["mine", "2", "-d", lab.folder()])["hashes"].as_array().unwrap().len(), 2);
    assert_eq!(user.json(&["mine", "1", "--token-file", &file])["hashes"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_file_pays_as_a_seed_does() {
    let lab = Lab::with_money("file").await;
    let user = lab.user();
    lab.mine(&user, 1).await;
    user.run(&["new", "-s", "alice"]).ok();
    let sent = user.run(&["send", "2", BOB, "-f", "wallet.pem"]).ok();
    assert!(sent.starts_with(&format!("sent 2 LAB to {BOB} with a fee of 0.00001 LAB")), "{sent}");
    let own = user.json(&["balance", "-f", "wallet.pem"]);
    assert_eq!(own["balances"][0], json!({"address": ALICE, "balance": REWARD}));
    // A file given as a seed is another key; without the note, money would be paid to it unnoticed.
    let other = user.run(&["address", "-s", "wallet.pem"]);
    assert!(!other.stdout.contains(ALICE) && other.stderr.contains("write -f"), "{other:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn balances_have_the_names_that_an_explorer_gives() {
    let lab = Lab::with_money("names").await;
    let user = lab.user();
    lab.mine(&user, 1).await;
    let without = user.run(&["balances"]).ok();
    // The next line says how old the block is.
    let is_same = |listed: &str| listed.lines().next() == without.lines().next();
    let names = json!([{"address": ALICE, "name": "Alice\u{1b}[2J", "node": "A"}, {"address": BOB, "name": "Bob"}]);
    let explorer = FixedAnswer::start("200 OK", &names.to_string()).await;
    let url = format!("http://{}/", explorer.address);
    let listed = user.run(&["balances", "--explorer", &url]).ok();
    assert!(listed.contains("50 LAB  Alice\u{fffd}[2J") && !without.contains("Alice"), "{listed}");
    assert_eq!(user.json(&["balance", BOB, "--explorer", &url])["balances"][0]["name"], "Bob");
    // An explorer that is not there, or no explorer, takes no balance away.
    let down = user.run(&["balances", "--explorer", testkit::UNUSED_ADDRESS]);
    assert!(down.code == 0 && is_same(&down.stdout) && down.stderr.contains("note: no names"), "{down:?}");
    let other = user.run(&["balances", "--explorer", &lab.tracker]);
    assert!(other.code == 0 && is_same(&other.stdout) && other.stderr.contains("note: no names"), "{other:?}");
    // One of another network has other people.
    let refusal = json!({"title": "Conflict", "status": 409, "detail": "this is network 12, the request is for 34"});
    let foreign = FixedAnswer::start("409 Conflict", &refusal.to_string()).await;
    let error = user.run(&["balances", "--explorer", &foreign.address]).expect_error(1);
    assert!(error.contains("cannot use the names of this explorer") && error.contains("network 12"), "{error}");
    let error = user.run(&["balances", "--explorer", "https://127.0.0.1:8080"]).expect_error(2);
    assert!(error.contains("only http:// is possible"), "{error}");
}
