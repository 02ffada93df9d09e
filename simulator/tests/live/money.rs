//! Runs with money: members pay through a real mempool, and at the end every grain is where it must be.

use super::{events, network, run};
use serde_json::Value;
use simulator::partition::Partition;
use simulator::{Options, Report};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Two members without a node, twenty payments a second, for so long.
fn options(seconds: f64) -> Options {
    let mut options = network();
    (options.config.simulator.members, options.config.simulator.rate) = (2, 20);
    Options { seconds: Some(Duration::from_secs_f64(seconds)), ..options }
}

/// What every run with money must come to.
fn check(report: &Report, tales: &[Value]) {
    assert!(report.is_good(), "{report:?}");
    let money = &tales.last().expect("a report")["money"];
    assert_eq!((&money["proven"], &money["fault"]), (&Value::from(true), &Value::Null), "{money}");
    assert!(money["block"]["index"].as_u64() >= Some(report.blocks.saturating_sub(1)), "{money}");
    assert_eq!(money["held"], money["created"], "{money}");
    let members = &money["members"];
    let count = |name: &str| members[name].as_u64().expect(name);
    let given_up = members["given_up"].as_object().expect("reasons").values();
    let given_up: u64 = given_up.filter_map(Value::as_u64).sum();
    assert_eq!(count("accepted"), count("confirmed") + count("pending") + given_up, "{members}");
    assert!(count("confirmed") > 0 && count("forgotten") == 0, "{members}");
    assert!(events(tales, "trouble").is_empty() && events(tales, "bad_block").is_empty(), "{tales:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_pay_and_every_grain_is_found() {
    let (report, tales) = run(&options(5.0), CancellationToken::new()).await;
    check(&report, &tales);
    let [started] = events(&tales, "started")[..] else { panic!("{tales:?}") };
    let members: Vec<&str> = started["members"].as_array().unwrap().iter().filter_map(|m| m["name"].as_str()).collect();
    assert_eq!(members, ["Ada", "Ben", "Cleo", "Dan", "Eva"]);
    assert!(started["mempool"].is_string());
    let payments = events(&tales, "payment");
    assert!(!payments.is_empty() && payments.iter().all(|p| members.contains(&p["from"].as_str().unwrap())));
    // Miners spend what they earn: nobody else has anything at first.
    assert!(members[..3].contains(&payments[0]["from"].as_str().unwrap()), "{}", payments[0]);
    let confirmed = events(&tales, "confirmed");
    assert!(confirmed.iter().any(|block| block["payments"].as_u64() > Some(0)), "{confirmed:?}");
    assert!(confirmed.iter().all(|block| members[..3].contains(&block["miner"].as_str().unwrap())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn payments_survive_a_partition() {
    let seconds = Duration::from_secs;
    let partitions = vec![Partition { after: seconds(1), lasts: seconds(3) }];
    let (report, tales) = run(&Options { partitions, ..options(6.0) }, CancellationToken::new()).await;
    check(&report, &tales);
    let [cut] = events(&tales, "partitioned")[..] else { panic!("{tales:?}") };
    // Whoever is cut off from the mempool hears of no payment that is made meanwhile.
    let [healed] = events(&tales, "healed")[..] else { panic!("{tales:?}") };
    let at_ms = |tale: &Value| tale["at_ms"].as_u64().unwrap();
    let members = events(&tales, "started")[0]["members"].as_array().unwrap();
    let others = cut["halves"][1 - usize::try_from(cut["mempool"].as_u64().unwrap()).unwrap()].as_array().unwrap();
    // Node A mines to the first member, and so on.
    let mine = |name: &Value| &members[usize::from(name.as_str().unwrap().as_bytes()[0] - b'A')]["name"];
    let miners: Vec<&Value> = others.iter().map(mine).collect();
    let meanwhile = |tale: &&&Value| at_ms(tale) > at_ms(cut) + 200 && at_ms(tale) < at_ms(healed);
    let blocks = events(&tales, "confirmed");
    let blocks = blocks.iter().filter(meanwhile).filter(|block| miners.contains(&&block["miner"]));
    let confirmed: u64 = blocks.filter_map(|block| block["payments"].as_u64()).sum();
    let told = tales.iter().filter(|tale| at_ms(tale) < at_ms(cut) + 1500);
    let made: u64 = told.map(|tale| u64::from(tale["event"] == "payment") + tale["count"].as_u64().unwrap_or(0)).sum();
    assert!(confirmed <= made, "{confirmed} of {made} {tales:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_data_folder_keeps_its_money() {
    let folder = tempfile::tempdir().unwrap();
    // A chain is found again by its port, so this run needs ports that will be free once more.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().min(65_000);
    let options = Options { data_dir: Some(folder.path().to_owned()), port: Some(port), ..options(2.5) };
    let (first, tales) = run(&options, CancellationToken::new()).await;
    check(&first, &tales);
    let (second, tales) = run(&options, CancellationToken::new()).await;
    check(&second, &tales);
    let (first, second) = (first.money.unwrap(), second.money.unwrap());
    assert!(second.payments > first.payments && second.created > first.created, "{first:?} {second:?}");
}
