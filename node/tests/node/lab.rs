//! Nodes and trackers inside this process, on ports that the system chose, in folders that vanish.

use futures_util::{Stream, StreamExt};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use shared::block::{Block, BlockHash, DataHash, Header, HeaderFields, Height, Nonce, Timestamp};
use shared::config::{Config, Hashrate, Secret};
use shared::params::{LayerName, Params, RetargetRule};
use shared::wire::NodeEvent;
use shared::work::{Difficulty, search};
use std::path::PathBuf;
use std::pin::Pin;
use tempfile::TempDir;
use testkit::listener;
use tokio::net::TcpListener;

pub(crate) use testkit::{Answer, DEADLINE, Running, Running as Node, TOKEN, UNUSED_ADDRESS, client, http, until};

/// The network `name`: blocks of fixed difficulty, found in a moment.
pub(crate) fn network(name: &str) -> Params {
    let params = Params {
        name: name.to_owned(),
        layer: LayerName::Data,
        block_interval_ms: 300,
        initial_difficulty: Difficulty::new(1000).unwrap(),
        retarget: RetargetRule::Fixed,
        max_data_bytes: 10_000,
        ..Params::default()
    };
    params.check().unwrap();
    params
}

/// A node that does not mine unless told, knows no tracker, and looks at its peers often.
pub(crate) fn quiet(params: &Params) -> Config {
    let mut config = Config { network: params.clone(), ..Config::default() };
    config.node.mine = false;
    config.node.tracker = UNUSED_ADDRESS.to_owned();
    config.node.token = Some(Secret::from(TOKEN.to_owned()));
    config.node.poll_ms = 100;
    config
}

/// The same, mining some blocks a second.
pub(crate) fn mining(params: &Params) -> Config {
    let mut config = quiet(params);
    config.node.mine = true;
    config.node.hashrate = Hashrate::PerSecond(5000);
    config
}

/// Nodes of one network, and the folder that their chains are in.
pub(crate) struct Lab {
    pub(crate) params: Params,
    root: TempDir,
}

impl Lab {
    pub(crate) fn new(name: &str) -> Self {
        Self::of(network(name))
    }

    pub(crate) fn of(params: Params) -> Self {
        Self { params, root: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn id(&self) -> BlockHash {
        self.params.network_id()
    }

    /// Where the node at `port` keeps its chain.
    pub(crate) fn folder(&self, port: &str) -> PathBuf {
        let network = format!("{}-{}", self.params.name, self.id().short());
        self.root.path().join(network).join(format!("node-{port}"))
    }

    /// A quiet node that knows `peers`.
    pub(crate) async fn node(&self, peers: &[&Node]) -> Node {
        let peers: Vec<_> = peers.iter().map(|peer| peer.address.as_str()).collect();
        self.start(quiet(&self.params), &peers, 0).await
    }

    pub(crate) async fn start(&self, config: Config, peers: &[&str], clock_offset_ms: i64) -> Node {
        testkit::start_node(listener().await.0, self.root.path(), config, peers, clock_offset_ms).await
    }
}

/// Whatever answers as a node at an address: one in this process, or a process of its own.
pub(crate) trait Asked {
    fn at(&self) -> &str;
    fn token(&self) -> String;

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.at())
    }

    /// The body of an answer 200, if there is one.
    async fn try_get(&self, path: &str) -> Option<String> {
        let answer = http().get(self.url(path)).send().await.ok()?;
        (answer.status() == 200).then_some(answer.text().await.ok()?)
    }

    async fn get(&self, path: &str) -> Answer {
        Answer::of(http().get(self.url(path))).await
    }

    /// JSON of an answer 200.
    async fn json(&self, path: &str) -> Value {
        self.get(path).await.ok()
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        http().request(method, self.url(path)).header(CONTENT_TYPE, "application/json")
    }

    /// A POST by nobody in particular.
    async fn post(&self, path: &str, body: impl ToString) -> Answer {
        Answer::of(self.request(Method::POST, path).body(body.to_string())).await
    }

    /// A POST with the token.
    async fn steer(&self, path: &str, body: impl ToString) -> Answer {
        Answer::of(self.request(Method::POST, path).bearer_auth(self.token()).body(body.to_string())).await
    }

    /// Mines `count` blocks now and tells their hashes.
    async fn mine(&self, count: u64) -> Vec<String> {
        let answer = self.steer("/mine", json!({ "blocks": count })).await.ok();
        serde_json::from_value(answer["hashes"].clone()).unwrap()
    }

    async fn peers(&self, update: Value) {
        self.steer("/peers", update).await.ok();
    }

    /// Height and hash of the tip.
    async fn tip(&self) -> (u64, String) {
        let info = self.json("/info").await;
        (info["tip"]["index"].as_u64().unwrap(), text(&info["tip"]["hash"]))
    }

    /// The block at a height or of a hash, as a value of the core.
    async fn block(&self, id: impl ToString) -> Block {
        let answer = self.get(&format!("/block/{}", id.to_string())).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        Block::from_json(answer.body.as_bytes()).unwrap()
    }

    /// What `/peers` says is wrong with a peer.
    async fn error_of(&self, peer: &str) -> Option<String> {
        let peers = self.json("/peers").await;
        let listed = peers.as_array().unwrap().iter().find(|listed| listed["address"] == peer)?;
        listed["error"].as_str().map(str::to_owned)
    }

    /// Whether a peer is listed and nothing is wrong with it.
    async fn is_connected_to(&self, peer: &str) -> Option<()> {
        let peers = self.json("/peers").await;
        peers
            .as_array()
            .unwrap()
            .iter()
            .any(|listed| listed["address"] == peer && listed["error"].is_null())
            .then_some(())
    }

    async fn events(&self) -> Pin<Box<dyn Stream<Item = NodeEvent> + Send>> {
        let events = client().events(self.at()).await.unwrap();
        // A stream ends with an error when its node is killed.
        Box::pin(events.filter_map(|event| async move { event.ok() }))
    }
}

impl Asked for Running {
    fn at(&self) -> &str {
        &self.address
    }

    fn token(&self) -> String {
        TOKEN.to_owned()
    }
}

/// Waits until all have the same tip, at least at height `least`.
pub(crate) async fn agree(nodes: &[&impl Asked], least: u64) -> String {
    until("the nodes agree", async || {
        let first = nodes[0].tip().await;
        for node in &nodes[1..] {
            if node.tip().await != first {
                return None;
            }
        }
        (first.0 >= least).then_some(first.1)
    })
    .await
}

/// A text in JSON.
#[track_caller]
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}")).to_owned()
}

/// What a block on top of `parent` says, but for its proof of work; 1 ms later than it.
pub(crate) fn fields_on(parent: &Header, difficulty: u64, data: &str) -> HeaderFields {
    HeaderFields {
        index: Height(parent.index.0 + 1),
        prev_hash: parent.hash(),
        timestamp: parent.timestamp.plus_ms(1),
        difficulty: Difficulty::new(difficulty).unwrap(),
        data_hash: DataHash::of(data),
    }
}

/// Does the work that `fields` ask for.
pub(crate) fn seal(fields: HeaderFields, data: &str) -> Block {
    let nonce = search(&fields.seal(), &fields.difficulty.target(), Nonce(0), u64::MAX).unwrap();
    Block::new(fields, nonce, data.to_owned())
}

/// A valid block on top of `parent`.
pub(crate) fn block_on(parent: &Header, data: &str) -> Block {
    seal(fields_on(parent, 1000, data), data)
}

pub(crate) fn to_json(block: &Block) -> String {
    serde_json::to_string(block).unwrap()
}

pub(crate) fn now() -> Timestamp {
    runtime::clock::Clock::new(0).time()
}

/// A tracker at `address` with a short lease, so that its list follows its members soon.
pub(crate) async fn start_tracker(address: &str) -> Running {
    let mut config = Config::default();
    config.tracker.lease_seconds = 3;
    testkit::start_tracker(TcpListener::bind(address).await.unwrap(), &config).await
}

/// The nodes that a tracker lists, in order.
pub(crate) async fn listed_nodes(tracker: &Running) -> Vec<String> {
    let mut nodes = client().nodes(&tracker.address).await.unwrap_or_default();
    nodes.sort();
    nodes
}
