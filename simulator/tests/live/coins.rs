//! Runs of layer `utxo`: members split coins, pay and get change, and at the end every coin is found by its name.

use super::{network, of_kind, run};
use serde_json::Value;
use shared::params::Params;
use simulator::options::Partition;
use simulator::{RunOptions, RunReport};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Two members without a node, and ten transactions per second.
fn options(seconds: u64) -> RunOptions {
    let mut options = network();
    let Params { name, block_interval_ms, initial_difficulty, .. } = options.config.network;
    options.config.network = Params { name, block_interval_ms, initial_difficulty, ..Params::of_coins() };
    (options.config.simulator.members, options.config.simulator.rate) = (2, 10);
    RunOptions { seconds: Some(Duration::from_secs(seconds)), ..options }
}

/// Checks what holds at the end of every run with coins.
fn check(report: &RunReport, events: &[Value]) {
    assert!(report.is_good(), "{report:?} {:?}", events.last());
    let money = &events.last().expect("a report")["money"];
    assert_eq!((&money["proven"], &money["fault"]), (&Value::from(true), &Value::Null), "{money}");
    assert_eq!(money["held"], money["created"], "{money}");
    let members = &money["members"];
    let count = |name: &str| members[name].as_u64().expect(name);
    let given_up = members["given_up"].as_object().expect("reasons").values();
    let given_up: u64 = given_up.filter_map(Value::as_u64).sum();
    assert_eq!(count("accepted"), count("confirmed") + count("pending") + given_up, "{members}");
    assert!(count("confirmed") > 0 && money["coins"].as_u64() > Some(0), "{money}");
    assert!(of_kind(events, "trouble").is_empty() && of_kind(events, "bad_block").is_empty(), "{events:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_split_and_pay_with_coins_and_every_coin_is_found() {
    let (report, events) = run(&options(8), CancellationToken::new()).await;
    check(&report, &events);
    let splits = of_kind(&events, "coins");
    assert!(splits.iter().any(|split| (&split["spent"], &split["made"]) == (&1.into(), &8.into())), "{splits:?}");
    let payments = of_kind(&events, "payment");
    let change = |payment: &&&Value| payment["coins"]["change"].as_u64() > Some(0);
    assert!(payments.iter().any(|payment| change(&payment)), "{payments:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn coins_survive_a_partition() {
    let seconds = Duration::from_secs;
    let partitions = vec![Partition { after: seconds(2), lasts: seconds(3) }];
    let (report, events) = run(&RunOptions { partitions, ..options(8) }, CancellationToken::new()).await;
    check(&report, &events);
    assert_eq!(of_kind(&events, "healed").len(), 1);
}
