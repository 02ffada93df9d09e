//! Runs without money: forks and their end, data folders that are used again, stopping, and the program itself.

use super::{network, of_kind, parse_events, run};
use runtime::data_dir::DataDir;
use serde_json::Value;
use shared::config::{Config, NodeConfig};
use shared::params::LayerName;
use simulator::options::Partition;
use simulator::{RunOptions, RunReport};
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

fn options() -> RunOptions {
    let mut options = network();
    options.config.network.layer = LayerName::Data;
    options
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_were_cut_apart_agree_again_after_healing() {
    let seconds = Duration::from_secs;
    let partition = Partition { after: seconds(1), lasts: seconds(3) };
    let options = RunOptions { seconds: Some(seconds(6)), partitions: vec![partition], ..options() };
    let (report, events) = run(&options, CancellationToken::new()).await;

    assert!(report.is_good() && report.money.is_none(), "{report:?}");
    assert_eq!((report.bad, report.unchecked, report.failed_services), (0, 0, 0), "{report:?}");
    assert!(report.blocks > 0 && report.checked >= report.blocks, "{report:?}");
    assert_eq!(report.stale, report.checked - report.blocks);
    let (cut, healed) = (of_kind(&events, "partitioned"), of_kind(&events, "healed"));
    assert_eq!((cut.len(), healed.len()), (1, 1));
    assert!(of_kind(&events, "trouble").is_empty(), "{events:?}");
    // If both halves mined there was a fork, and the nodes on the branch with less work have left it.
    let found = &healed[0]["found"];
    if found[0].as_u64() > Some(0) && found[1].as_u64() > Some(0) {
        assert!(report.forks > 0 && report.reorganisations > 0, "{report:?}");
    }
    let last = events.last().unwrap();
    assert_eq!((&last["event"], &last["agreed"]), (&Value::from("report"), &Value::from(true)));
}

/// A port from which several in a row are probably free.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().min(65_000)
}

/// Runs a node of the same network that the simulator did not start. It finds the others through the tracker.
async fn foreign_node(config: Config, tracker: String, stop: CancellationToken) {
    let folder = tempfile::tempdir().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let node = NodeConfig { tracker, advertise: Some(address.to_string()), mine: false, ..config.node };
    let config = Config { node, ..config };
    let data = DataDir::open(folder.path(), &config.network, "node", address.port()).unwrap();
    let settings = node::Settings { config, data, peers: Vec::new(), clock_offset_ms: 0, metrics: None };
    node::run(listener, settings, stop).await.unwrap();
}

/// A foreign node that talks to both halves would pass the blocks of each on to the other: no fork would be seen.
async fn split_with_a_foreign_node(joins_after: Duration) -> (RunReport, Vec<Value>) {
    let seconds = Duration::from_secs;
    let partition = Partition { after: seconds(2), lasts: seconds(5) };
    let port = free_port();
    let options = RunOptions { seconds: Some(seconds(9)), partitions: vec![partition], port: Some(port), ..options() };
    let (stop, config) = (CancellationToken::new(), options.config.clone());
    let foreign = tokio::spawn({
        let stop = stop.clone();
        async move {
            tokio::time::sleep(joins_after).await;
            foreign_node(config, format!("127.0.0.1:{port}"), stop).await;
        }
    });
    let result = run(&options, CancellationToken::new()).await;
    stop.cancel();
    foreign.await.unwrap();
    result
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_node_is_on_one_side_of_a_split() {
    let (report, events) = split_with_a_foreign_node(Duration::ZERO).await;
    let cut = of_kind(&events, "partitioned");
    let second = cut[0]["halves"][1].as_array().unwrap();
    assert!(second.iter().any(|node| node.as_str().unwrap().contains("127.0.0.1:")), "{second:?}");
    let found = &of_kind(&events, "healed")[0]["found"];
    assert!(found[0].as_u64() == Some(0) || found[1].as_u64() == Some(0) || report.forks > 0, "{report:?}");
    assert!(report.is_good(), "{report:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_joins_during_a_split_is_cut_off_from_one_side() {
    let (report, events) = split_with_a_foreign_node(Duration::from_secs(3)).await;
    let joined = of_kind(&events, "cut_off");
    assert_eq!(joined.len(), 1, "{events:?}");
    assert_eq!(joined[0]["from"], of_kind(&events, "partitioned")[0]["halves"][0]);
    assert!(report.is_good(), "{report:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_data_folder_continues_its_chain() {
    let folder = tempfile::tempdir().unwrap();
    // A chain belongs to its port, so the second run needs the same ports.
    let port = free_port();
    let data_dir = Some(folder.path().to_owned());
    let options = RunOptions { blocks: Some(2), data_dir, port: Some(port), ..options() };
    let (first, _) = run(&options, CancellationToken::new()).await;
    assert!(first.is_good(), "{first:?}");
    let saved = simulator::parameters::saved(folder.path()).unwrap().unwrap();
    assert_eq!(saved, options.config.network);

    let (second, events) = run(&options, CancellationToken::new()).await;
    assert!(second.is_good() && second.blocks >= 2, "{second:?}");
    let reached = first.tip.unwrap().index.0;
    assert!(second.tip.unwrap().index.0 >= reached + 2, "{second:?} does not continue from {reached}");
    assert_eq!(of_kind(&events, "started").len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_stopped_reports_soon_and_leaves_nothing_behind() {
    let stop = CancellationToken::new();
    let (options, cancel) = (options(), stop.clone());
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        cancel.cancel();
    });
    let (report, events) = run(&options, stop).await;
    assert!(report.is_good(), "{report:?}");
    let parameters = of_kind(&events, "started")[0]["config"].as_str().unwrap();
    assert!(!std::path::Path::new(parameters).parent().unwrap().exists(), "{parameters}");
}

#[test]
fn the_program_prints_json_and_nothing_else() {
    let out = Command::new(env!("CARGO_BIN_EXE_simulator"))
        .args([
            "--json",
            "--layer",
            "data",
            "--blocks",
            "3",
            "--nodes",
            "2",
            "--interval",
            "200",
            "--hashrate",
            "20000",
            "--port",
            "0",
        ])
        .current_dir(std::env::temp_dir())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let events = parse_events(&out.stdout);
    assert!(out.status.success(), "{:?} {events:?}", out.status);
    assert!(of_kind(&events, "found").len() >= 2, "{events:?}");
    let [report] = of_kind(&events, "report")[..] else { panic!("{events:?}") };
    assert!(report["blocks"].as_u64() >= Some(3) && report["agreed"] == true, "{report}");
}

#[test]
fn a_layer_that_does_not_exist_is_refused_with_those_that_do() {
    let out = Command::new(env!("CARGO_BIN_EXE_simulator")).args(["--layer", "cake"]).output().unwrap();
    let errors = String::from_utf8(out.stderr).unwrap();
    assert!(!out.status.success() && errors.contains("--layer") && errors.contains("data"), "{errors}");
}
