//! A tracker over real HTTP, with stand-ins for nodes and mempools.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use runtime::client::{Client, Error};
use runtime::server::{self, Router, Service};
use shared::block::{BlockHash, Timestamp};
use shared::config::TrackerConfig;
use shared::wire::{Info, Problem, Role};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Far more than any step takes; a test that waits so long has failed.
const SOON: Duration = Duration::from_secs(20);

/// Serves only `/info`, as a node or mempool of some network would.
struct StandIn {
    service: &'static str,
    network_id: BlockHash,
}

impl Service for StandIn {
    fn info(&self) -> Info {
        Info {
            service: self.service.to_owned(),
            version: "1".to_owned(),
            network_id: self.network_id,
            network: serde_json::json!({}),
            address: "elsewhere:1".to_owned(),
            started: Timestamp::EPOCH,
            tip: None,
            peers: None,
            mining: None,
            pool: None,
            members: None,
            health: None,
        }
    }
}

/// A service that runs until this is dropped.
struct Running {
    address: SocketAddr,
    _stop: DropGuard,
}

impl Running {
    fn at(&self) -> String {
        self.address.to_string()
    }
}

async fn stand_in(service: &'static str, network: &str) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let service = StandIn { service, network_id: BlockHash::of(network) };
    tokio::spawn(server::serve(
        listener,
        Arc::new(service),
        Router::new("stand-in", ""),
        server::Settings::default(),
        stop.clone(),
    ));
    Running { address, _stop: stop.drop_guard() }
}

async fn tracker(tracker: TrackerConfig) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let settings = tracker::Settings { tracker, ..tracker::Settings::default() };
    tokio::spawn(tracker::run(listener, settings, stop.clone()));
    Running { address, _stop: stop.drop_guard() }
}

fn client() -> Client {
    Client::new(None, None).unwrap()
}

fn refusal<T: std::fmt::Debug>(result: Result<T, Error>) -> Problem {
    match result {
        Err(Error::Refused(problem)) => *problem,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[tokio::test]
async fn a_node_is_listed_until_its_lease_runs_out() {
    let tracker = tracker(TrackerConfig { lease_seconds: 2, ..TrackerConfig::default() }).await;
    let node = stand_in("node", "a").await;
    let registered = client().register(&tracker.at(), &node.at(), Role::Node).await.unwrap();
    assert_eq!((registered.registered, registered.lease_seconds), (node.at(), 2));
    assert_eq!(client().nodes(&tracker.at()).await.unwrap(), [node.at()]);
    let members = client().members(&tracker.at()).await.unwrap();
    assert_eq!((members[0].role, members[0].network_id), (Role::Node, BlockHash::of("a")));
    assert!(members[0].last_seen > Timestamp::EPOCH);
    let gone = async {
        while !client().nodes(&tracker.at()).await.unwrap().is_empty() {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(SOON, gone).await.expect("the lease runs out");
    assert_eq!(client().info(&tracker.at()).await.unwrap().members, Some(0));
}

#[tokio::test]
async fn a_port_alone_is_registered_at_the_callers_address() {
    let tracker = tracker(TrackerConfig::default()).await;
    let node = stand_in("node", "a").await;
    let url = format!(":{}", node.address.port());
    let registered = client().register(&tracker.at(), &url, Role::Node).await.unwrap();
    assert_eq!(registered.registered, node.at());
}

#[tokio::test]
async fn get_and_post_register_alike_and_the_default_role_is_node() {
    let tracker = tracker(TrackerConfig::default()).await;
    let node = stand_in("node", "a").await;
    let url = format!("http://{}/register?url={}", tracker.at(), node.at());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let got = http.get(&url).send().await.unwrap();
    assert_eq!(got.status(), 200);
    let post = http.post(&url).header("content-type", "application/json");
    assert_eq!(post.send().await.unwrap().status(), 200);
    for (address, status) in [
        (format!("{url}&role=king"), 400),
        (format!("{url}&more=1"), 400),
        (format!("http://{}/register", tracker.at()), 400),
        (format!("http://{}/register?url=%3Cscript%3E", tracker.at()), 400),
        (format!("http://{}/nodes?limit=1", tracker.at()), 400),
    ] {
        assert_eq!(http.get(&address).send().await.unwrap().status(), status, "{address}");
    }
    let foreign = http.get(&url).header("origin", "http://evil.example");
    assert_eq!(foreign.send().await.unwrap().status(), 403);
    let without_type = http.post(&url);
    assert_eq!(without_type.send().await.unwrap().status(), 415);
}

#[tokio::test]
async fn two_networks_on_one_tracker_do_not_see_each_other() {
    let tracker = tracker(TrackerConfig::default()).await;
    let (a1, a2, b) = (stand_in("node", "a").await, stand_in("node", "a").await, stand_in("node", "b").await);
    let (pool_a, pool_b) = (stand_in("mempool", "a").await, stand_in("mempool", "b").await);
    // The tracker accepts the network header of any network.
    let client = Client::new(Some(BlockHash::of("b")), Some(&b.at())).unwrap();
    for node in [&a1, &b] {
        client.register(&tracker.at(), &node.at(), Role::Node).await.unwrap();
    }
    for pool in [&pool_a, &pool_b] {
        client.register(&tracker.at(), &pool.at(), Role::Mempool).await.unwrap();
    }
    let told = client.register(&tracker.at(), &a2.at(), Role::Node).await.unwrap();
    let mut expected = [a1.at(), a2.at()];
    expected.sort();
    let mut nodes = told.nodes;
    nodes.sort();
    assert_eq!(nodes, expected);
    assert_eq!(told.mempools, [pool_a.at()]);
    assert_eq!(client.nodes(&tracker.at()).await.unwrap().len(), 3, "/nodes lists the nodes of all networks");
    assert_eq!(client.members(&tracker.at()).await.unwrap().len(), 5);
}

#[tokio::test]
async fn a_service_that_does_not_answer_is_not_listed() {
    let tracker = tracker(TrackerConfig::default()).await;
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
    let problem = refusal(client().register(&tracker.at(), &nobody, Role::Node).await);
    assert_eq!((problem.status, problem.rule.as_deref()), (422, Some("callback")));
    // Accepts and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let problem = refusal(client().register(&tracker.at(), &address, Role::Node).await);
    assert_eq!(problem.rule.as_deref(), Some("callback"));
    assert!(problem.detail.contains("too slow"), "{problem}");
    assert!(client().nodes(&tracker.at()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_service_of_another_kind_than_registered_is_not_listed() {
    let tracker = tracker(TrackerConfig::default()).await;
    let pool = stand_in("mempool", "a").await;
    let problem = refusal(client().register(&tracker.at(), &pool.at(), Role::Node).await);
    assert_eq!((problem.status, problem.rule.as_deref()), (422, Some("role")));
    // The tracker itself is of another kind, too.
    let problem = refusal(client().register(&tracker.at(), &tracker.at(), Role::Node).await);
    assert_eq!(problem.rule.as_deref(), Some("role"));
}

#[tokio::test]
async fn an_address_of_another_machine_is_refused_before_it_is_called() {
    let tracker = tracker(TrackerConfig::default()).await;
    for url in ["192.0.2.1:80", "169.254.169.254:80", "0.0.0.0:8100", "[2001:db8::1]:80"] {
        let problem = refusal(client().register(&tracker.at(), url, Role::Node).await);
        assert_eq!(problem.status, 403, "{url}: {problem}");
    }
}

#[tokio::test]
async fn a_full_tracker_refuses_new_members_and_renews_old_ones() {
    let tracker = tracker(TrackerConfig { max_members: 1, ..TrackerConfig::default() }).await;
    let (first, second) = (stand_in("node", "a").await, stand_in("node", "a").await);
    client().register(&tracker.at(), &first.at(), Role::Node).await.unwrap();
    let problem = refusal(client().register(&tracker.at(), &second.at(), Role::Node).await);
    assert_eq!(problem.status, 503);
    client().register(&tracker.at(), &first.at(), Role::Node).await.unwrap();
}

#[tokio::test]
async fn members_are_listed_as_targets_for_prometheus() {
    let tracker = tracker(TrackerConfig::default()).await;
    let node = stand_in("node", "a").await;
    client().register(&tracker.at(), &node.at(), Role::Node).await.unwrap();
    let url = format!("http://{}/targets", tracker.at());
    let answer = reqwest::get(url).await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/json");
    let targets: serde_json::Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    let network = BlockHash::of("a").short();
    let expected = serde_json::json!([{ "targets": [node.at()], "labels": { "role": "node", "network": network } }]);
    assert_eq!(targets, expected);
}

/// Accepts connections and answers none.
async fn silent() -> (SocketAddr, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let accept = async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    };
    (address, tokio::spawn(accept))
}

#[tokio::test]
async fn callbacks_that_hang_do_not_keep_listed_members_from_renewing() {
    let tracker = tracker(TrackerConfig { lease_seconds: 3, ..TrackerConfig::default() }).await;
    let node = stand_in("node", "a").await;
    let client = client();
    client.register(&tracker.at(), &node.at(), Role::Node).await.unwrap();
    let mut hanging = Vec::new();
    for _ in 0..100 {
        let (address, task) = silent().await;
        let (at, client) = (tracker.at(), client.clone());
        hanging.push(task);
        hanging.push(tokio::spawn(async move {
            while let Err(Error::Refused(_) | Error::Slow) =
                client.register(&at, &address.to_string(), Role::Node).await
            {}
        }));
    }
    for _ in 0..5 {
        sleep(Duration::from_millis(400)).await;
        client.register(&tracker.at(), &node.at(), Role::Node).await.unwrap();
        assert_eq!(client.nodes(&tracker.at()).await.unwrap(), [node.at()]);
    }
    hanging.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn an_address_is_called_back_once_at_a_time() {
    let tracker = tracker(TrackerConfig::default()).await;
    let (address, task) = silent().await;
    let client = client();
    let calls = (0..10).map(|_| {
        let (at, client) = (tracker.at(), client.clone());
        tokio::spawn(async move { refusal(client.register(&at, &address.to_string(), Role::Node).await).status })
    });
    let mut statuses = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        statuses.push(call.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!((statuses[0], &statuses[1..]), (422, &[503; 9][..]), "one call, which hangs");
    task.abort();
}
