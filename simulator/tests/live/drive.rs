//! `simulator drive` on networks that already run: it waits for them, nodes come and go, and members get or earn money.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use super::{network, of_kind, parse_events};
use runtime::data_dir::DataDir;
use serde_json::Value;
use shared::config::Hashrate;
use shared::work::Difficulty;
use simulator::drive::{DriveOptions, drive};
use simulator::network::RunningNetwork;
use simulator::{OutputFormat, RunOptions, RunReport};
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How long each step may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A free port with room above it for the ports of a network.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().min(65_000)
}

/// Output that can be read while the run goes on.
#[derive(Clone, Default)]
struct SharedOutput(Arc<Mutex<Vec<u8>>>);

impl Write for SharedOutput {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(text)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl SharedOutput {
    /// The events so far.
    fn events(&self) -> Vec<Value> {
        let text = self.0.lock().unwrap().clone();
        // The last line may be incomplete.
        let end = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        parse_events(&text[..end])
    }

    /// Waits until an event is printed.
    async fn prints(&self, what: impl Fn(&Value) -> bool) {
        let began = Instant::now();
        while !self.events().iter().any(&what) {
            assert!(began.elapsed() < PATIENCE, "it was never printed: {:?}", self.events());
            sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Starts to drive the network of a tracker.
fn driving(options: DriveOptions, stop: CancellationToken) -> (SharedOutput, JoinHandle<RunReport>) {
    let output = SharedOutput::default();
    let out = output.clone();
    let run = async move { drive(&options, OutputFormat::Json, out, stop).await.expect("there is a network in time") };
    (output, tokio::spawn(run))
}

fn check(report: &RunReport, events: &[Value]) {
    assert!(report.is_good(), "{report:?} {events:?}");
    let money = &events.last().expect("a report")["money"];
    assert_eq!((&money["proven"], &money["fault"]), (&Value::from(true), &Value::Null), "{money}");
    assert!(money["members"]["confirmed"].as_u64() > Some(0), "{money} {events:?}");
    assert!(of_kind(events, "bad_block").is_empty(), "{events:?}");
}

/// A node of its own, apart from the simulator's.
async fn join(options: &RunOptions, tracker: &str, stop: CancellationToken) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut config = options.config.clone();
    (config.node.tracker, config.node.mine) = (tracker.to_owned(), false);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let data = DataDir::open(folder.path(), &config.network, "node", at.port()).unwrap();
    let settings = node::Settings { config, data, peers: Vec::new(), clock_offset_ms: 0, metrics: None };
    tokio::spawn(async move {
        node::run(listener, settings, stop).await.unwrap();
        drop(folder);
    });
    at.to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_is_waited_for_and_its_nodes_come_and_go() {
    let (port, stop) = (free_port(), CancellationToken::new());
    let mut config = RunOptions::default().config;
    config.simulator.rate = 20;
    let tracker = format!("127.0.0.1:{port}");
    let options = DriveOptions { config, tracker: tracker.clone(), seed: 1, ..DriveOptions::default() };
    let (output, run) = driving(options, stop.clone());
    output.prints(|event| event["event"] == "waiting").await;
    let mut started = RunOptions { port: Some(port), no_explorer: true, ..network() };
    started.config.network.new_address_balance = 5_000_000_000;
    let mut network = RunningNetwork::start(&started, CancellationToken::new()).unwrap();
    network.ready().await.unwrap();
    assert_eq!(network.tracker, tracker, "another program has taken the port");

    output.prints(|event| event["event"] == "confirmed" && event["payments"].as_u64() > Some(0)).await;
    let leave = CancellationToken::new();
    let newcomer = join(&started, &tracker, leave.clone()).await;
    output.prints(|event| event["event"] == "joined" && event["address"] == *newcomer).await;
    let all = output.events();
    let joined = of_kind(&all, "joined").into_iter().find(|event| event["address"] == *newcomer).unwrap();
    leave.cancel();
    output.prints(|event| event["event"] == "silent" && event["node"] == joined["node"]).await;
    stop.cancel();
    let report = timeout(PATIENCE, run).await.unwrap().unwrap();
    network.stop().await;
    let events = output.events();

    check(&report, &events);
    assert!(events[0]["event"] == "waiting" && events[0]["reason"].as_str().unwrap().contains("does not answer"));
    let [begun] = of_kind(&events, "started")[..] else { panic!("{events:?}") };
    assert_eq!((&begun["income"]["given"], &begun["config"]), (&Value::from(5_000_000_000_u64), &Value::Null));
    assert!(begun["members"].as_array().unwrap().iter().any(|member| member["name"] == "Ada"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_of_a_poor_network_earn_what_they_pay_with() {
    let mut started = RunOptions { no_explorer: true, ..network() };
    // The nodes themselves find nothing.
    started.config.simulator.hashrate = Hashrate::PerSecond(1);
    started.config.network.initial_difficulty = Difficulty::clamped(20_000);
    let mut network = RunningNetwork::start(&started, CancellationToken::new()).unwrap();
    network.ready().await.unwrap();
    let mut config = RunOptions::default().config;
    config.simulator.rate = 10;
    let options = DriveOptions {
        config,
        tracker: network.tracker.clone(),
        hashrate: Some(60_000),
        blocks: Some(8),
        seed: 1,
        ..DriveOptions::default()
    };
    let (output, run) = driving(options, CancellationToken::new());
    let report = timeout(PATIENCE, run).await.unwrap().unwrap();
    network.stop().await;
    let events = output.events();

    check(&report, &events);
    let [begun] = of_kind(&events, "started")[..] else { panic!("{events:?}") };
    assert_eq!(begun["income"]["mined"], 60_000);
    let members: Vec<&Value> = begun["members"].as_array().unwrap().iter().map(|member| &member["name"]).collect();
    let confirmed = of_kind(&events, "confirmed");
    assert!(confirmed.len() >= 7 && confirmed.iter().all(|block| members.contains(&&block["miner"])), "{confirmed:?}");
}

#[tokio::test]
async fn stopping_before_there_is_a_network_is_an_error_that_says_so() {
    let stop = CancellationToken::new();
    let options = DriveOptions { tracker: format!("127.0.0.1:{}", free_port()), ..DriveOptions::default() };
    let cancel = stop.clone();
    tokio::spawn(async move {
        sleep(Duration::from_millis(200)).await;
        cancel.cancel();
    });
    let error = timeout(PATIENCE, drive(&options, OutputFormat::Json, Vec::new(), stop)).await.unwrap().unwrap_err();
    assert!(error.to_string().contains("before there was a network at the tracker"), "{error}");
}
