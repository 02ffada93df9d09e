//! Runs with money: members pay through a real mempool, and at the end every grain is where it must be.

use super::{network, of_kind, run};
use serde_json::Value;
use simulator::options::Partition;
use simulator::{RunOptions, RunReport};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Two members without a node, and twenty payments per second.
fn options(seconds: f64) -> RunOptions {
    let mut options = network();
    (options.config.simulator.members, options.config.simulator.rate) = (2, 20);
    RunOptions { seconds: Some(Duration::from_secs_f64(seconds)), ..options }
}

/// Checks what holds at the end of every run with money.
fn check(report: &RunReport, events: &[Value]) {
    assert!(report.is_good(), "{report:?}");
    let money = &events.last().expect("a report")["money"];
    assert_eq!((&money["proven"], &money["fault"]), (&Value::from(true), &Value::Null), "{money}");
    assert!(money["block"]["index"].as_u64() >= Some(report.blocks.saturating_sub(1)), "{money}");
    assert_eq!(money["held"], money["created"], "{money}");
    let members = &money["members"];
    let count = |name: &str| members[name].as_u64().expect(name);
    let given_up = members["given_up"].as_object().expect("reasons").values();
    let given_up: u64 = given_up.filter_map(Value::as_u64).sum();
    assert_eq!(count("accepted"), count("confirmed") + count("pending") + given_up, "{members}");
    assert!(count("confirmed") > 0 && count("forgotten") == 0, "{members}");
    assert!(of_kind(events, "trouble").is_empty() && of_kind(events, "bad_block").is_empty(), "{events:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_pay_and_every_grain_is_found() {
    let (report, events) = run(&options(5.0), CancellationToken::new()).await;
    check(&report, &events);
    let [started] = of_kind(&events, "started")[..] else { panic!("{events:?}") };
    let members: Vec<&str> = started["members"].as_array().unwrap().iter().filter_map(|m| m["name"].as_str()).collect();
    assert_eq!(members, ["Ada", "Ben", "Cleo", "Dan", "Eva"]);
    assert!(started["mempool"].is_string());
    let payments = of_kind(&events, "payment");
    assert!(!payments.is_empty() && payments.iter().all(|p| members.contains(&p["from"].as_str().unwrap())));
    // At first only miners have money.
    assert!(members[..3].contains(&payments[0]["from"].as_str().unwrap()), "{}", payments[0]);
    let confirmed = of_kind(&events, "confirmed");
    assert!(confirmed.iter().any(|block| block["payments"].as_u64() > Some(0)), "{confirmed:?}");
    assert!(confirmed.iter().all(|block| members[..3].contains(&block["miner"].as_str().unwrap())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn payments_survive_a_partition() {
    let seconds = Duration::from_secs;
    let partitions = vec![Partition { after: seconds(1), lasts: seconds(3) }];
    let (report, events) = run(&RunOptions { partitions, ..options(6.0) }, CancellationToken::new()).await;
    check(&report, &events);
    let [cut] = of_kind(&events, "partitioned")[..] else { panic!("{events:?}") };
    // Nodes that are cut off from the mempool get no payment that is made meanwhile.
    let [healed] = of_kind(&events, "healed")[..] else { panic!("{events:?}") };
    let at_ms = |event: &Value| event["at_ms"].as_u64().unwrap();
    let members = of_kind(&events, "started")[0]["members"].as_array().unwrap();
    let others = cut["halves"][1 - usize::try_from(cut["mempool"].as_u64().unwrap()).unwrap()].as_array().unwrap();
    // Node A mines to the first member, and so on.
    let mine = |name: &Value| &members[usize::from(name.as_str().unwrap().as_bytes()[0] - b'A')]["name"];
    let miners: Vec<&Value> = others.iter().map(mine).collect();
    let meanwhile = |event: &&&Value| at_ms(event) > at_ms(cut) + 200 && at_ms(event) < at_ms(healed);
    let blocks = of_kind(&events, "confirmed");
    let blocks = blocks.iter().filter(meanwhile).filter(|block| miners.contains(&&block["miner"]));
    let confirmed: u64 = blocks.filter_map(|block| block["payments"].as_u64()).sum();
    let before = events.iter().filter(|event| at_ms(event) < at_ms(cut) + 1500);
    let made: u64 =
        before.map(|event| u64::from(event["event"] == "payment") + event["count"].as_u64().unwrap_or(0)).sum();
    assert!(confirmed <= made, "{confirmed} of {made} {events:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_data_folder_keeps_its_money() {
    let folder = tempfile::tempdir().unwrap();
    // A chain belongs to its port, so the second run needs the same ports.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().min(65_000);
    let options = RunOptions { data_dir: Some(folder.path().to_owned()), port: Some(port), ..options(2.5) };
    let (first, events) = run(&options, CancellationToken::new()).await;
    check(&first, &events);
    let (second, events) = run(&options, CancellationToken::new()).await;
    check(&second, &events);
    let (first, second) = (first.money.unwrap(), second.money.unwrap());
    assert!(second.payments > first.payments && second.created > first.created, "{first:?} {second:?}");
}
