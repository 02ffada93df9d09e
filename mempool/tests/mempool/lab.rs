//! A node and mempools inside this process, on ports that the system chose, and blocks made by hand.

use futures_util::{Stream, StreamExt};
use mempool::Settings;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Method, RequestBuilder};
use runtime::client::Client;
use runtime::data_dir::DataDir;
use serde_json::Value;
use shared::block::{Block, BlockHash, DataHash, Header, HeaderFields, Nonce};
use shared::config::Config;
use shared::keys::KeyPair;
use shared::ledger::{Address, Amount, Bundle, Transaction, Unsigned, Uuid};
use shared::params::{LayerName, Params};
use shared::sync::PeerAddress;
use shared::wire::{PoolEvent, Problem};
use shared::work::retarget::RetargetRule;
use shared::work::{Difficulty, search};
use std::cell::Cell;
use std::pin::Pin;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// Nobody listens there (discard, which no system of today serves).
pub(crate) const NOBODY: &str = "127.0.0.1:9";
/// Far more than any step takes; a test that waits so long has failed.
pub(crate) const SOON: Duration = Duration::from_secs(40);
/// One LAB.
pub(crate) const LAB: u64 = Amount::GRAINS_PER_LAB;

/// Waits until `look` sees something.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(began.elapsed() < SOON, "waited {SOON:?} in vain until {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// The network `name`: 50 LAB for each block, which is found in a moment.
pub(crate) fn network(name: &str) -> Params {
    let params = Params {
        name: name.to_owned(),
        layer: LayerName::Transaction,
        initial_difficulty: Difficulty::new(50).unwrap(),
        retarget: RetargetRule::Fixed,
        reward: 50 * LAB,
        ..Params::default()
    };
    params.check().unwrap();
    params
}

/// The same, where every address begins with 100 LAB.
pub(crate) fn faucet(name: &str) -> Params {
    Params { new_address_balance: 100 * LAB, ..network(name) }
}

pub(crate) fn key(seed: &str) -> KeyPair {
    KeyPair::from_seed(seed)
}

pub(crate) fn address(seed: &str) -> Address {
    key(seed).address()
}

/// Services of one network, and the folder that their files are in.
pub(crate) struct Lab {
    pub(crate) params: Params,
    pub(crate) root: TempDir,
    next_uuid: Cell<u64>,
}

impl Lab {
    pub(crate) fn of(params: Params) -> Self {
        Self { params, root: tempfile::tempdir().unwrap(), next_uuid: Cell::new(1) }
    }

    pub(crate) fn id(&self) -> BlockHash {
        self.params.network_id()
    }

    /// A payment that differs from all others of the lab.
    pub(crate) fn pay(&self, from: &str, to: &str, amount: u64, fee: u64) -> Transaction {
        let mut uuid = [0; 16];
        uuid[..8].copy_from_slice(&self.next_uuid.replace(self.next_uuid.get() + 1).to_be_bytes());
        let unsigned = Unsigned {
            uuid: Uuid(uuid),
            from: address(from),
            to: address(to),
            amount: Amount::new(amount).unwrap(),
            fee: Amount::new(fee).unwrap(),
            msg: String::new(),
        };
        key(from).sign_transaction(unsigned, self.id())
    }

    /// A valid block on top of `parent`.
    pub(crate) fn block(&self, parent: &Header, miner: &str, transactions: &[&Transaction]) -> Block {
        let transactions = transactions.iter().map(|transaction| (*transaction).clone()).collect();
        let bundle = Bundle { msg: String::new(), miner_address: address(miner), transactions };
        let (data, _) = bundle.to_data();
        let fields = HeaderFields {
            index: parent.index.next(),
            prev_hash: parent.hash(),
            timestamp: parent.timestamp.plus_ms(1),
            difficulty: self.params.initial_difficulty,
            data_hash: DataHash::of(&data),
        };
        let nonce = search(&fields.seal(), &fields.difficulty.target(), Nonce(0), u64::MAX).unwrap();
        Block::new(fields, nonce, data)
    }

    /// A node that does not mine.
    pub(crate) async fn node(&self) -> Node {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let bound = listener.local_addr().unwrap();
        let mut config = Config { network: self.params.clone(), ..Config::default() };
        config.node.mine = false;
        config.node.tracker = NOBODY.to_owned();
        let data = DataDir::open(self.root.path(), &config.network, "node", bound.port()).unwrap();
        let settings = node::Settings { config, data, peers: Vec::new(), clock_offset_ms: 0, metrics: None };
        let stop = CancellationToken::new();
        tokio::spawn(node::run(listener, settings, stop.clone()));
        let at = bound.to_string();
        until("the node runs", async || client().info(&at).await.ok()).await;
        Node { at, stop }
    }

    /// What a mempool of the lab is told, unless a test wants otherwise.
    pub(crate) fn config(&self) -> Config {
        let mut config = Config { network: self.params.clone(), ..Config::default() };
        config.mempool.tracker = NOBODY.to_owned();
        config.mempool.poll_ms = 30;
        config
    }

    /// A mempool that follows `nodes`.
    pub(crate) async fn mempool(&self, nodes: &[&Node]) -> Mempool {
        self.start(self.config(), nodes, 0).await
    }

    /// The same, told something else, in the folder of port `folder` (0: its own).
    pub(crate) async fn start(&self, config: Config, nodes: &[&Node], folder: u16) -> Mempool {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let bound = listener.local_addr().unwrap();
        let folder = if folder == 0 { bound.port() } else { folder };
        let data = DataDir::open(self.root.path(), &config.network, "mempool", folder).unwrap();
        let peers = nodes.iter().map(|node| PeerAddress::new(&node.at).unwrap()).collect();
        let metrics = Some(runtime::telemetry::metrics().unwrap());
        let settings = Settings { config, data, peers, metrics };
        let stop = CancellationToken::new();
        let ended = tokio::spawn(mempool::run(listener, settings, stop.clone()));
        let mempool = Mempool { at: bound.to_string(), folder, stop, ended };
        until("the mempool runs", async || client().info(&mempool.at).await.ok()).await;
        mempool
    }
}

/// A running node; it stops when it is dropped.
pub(crate) struct Node {
    pub(crate) at: String,
    stop: CancellationToken,
}

impl Node {
    /// Gives it a block, which it must take.
    pub(crate) async fn take(&self, block: &Block) {
        let json = serde_json::to_vec(block).unwrap();
        client().push_block(&self.at, json.into()).await.unwrap();
    }

    /// The genesis block's header.
    pub(crate) async fn genesis(&self) -> Header {
        client().block(&self.at, 0, 1 << 20).await.unwrap().header().clone()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// A running mempool; it stops when it is dropped.
pub(crate) struct Mempool {
    pub(crate) at: String,
    pub(crate) folder: u16,
    stop: CancellationToken,
    ended: JoinHandle<Result<(), mempool::MempoolError>>,
}

impl Mempool {
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        (&mut self.ended).await.unwrap().unwrap();
    }
}

impl Drop for Mempool {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Whatever answers as a mempool at an address: one in this process, or a process of its own.
pub(crate) trait Asked {
    fn at(&self) -> &str;

    async fn get(&self, path: &str) -> Answer {
        Answer::of(http().get(format!("http://{}{path}", self.at()))).await
    }

    /// JSON of an answer 200.
    async fn json(&self, path: &str) -> Value {
        self.get(path).await.ok()
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        http().request(method, format!("http://{}{path}", self.at())).header(CONTENT_TYPE, "application/json")
    }

    async fn push_text(&self, body: impl Into<String>) -> Answer {
        Answer::of(self.request(Method::POST, "/pushtx").body(body.into())).await
    }

    async fn push(&self, transaction: &Transaction) -> Answer {
        self.push_text(to_json(transaction)).await
    }

    /// Pushes what must be taken.
    async fn accept(&self, transaction: &Transaction) {
        let answer = self.push(transaction).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        assert_eq!(answer.ok(), serde_json::json!({"id": transaction.id, "status": "accepted"}));
    }

    /// What is pending, by age.
    async fn pending(&self) -> Vec<Transaction> {
        serde_json::from_value(self.json("/unprocessed?order=age&limit=10000").await).unwrap()
    }

    async fn balance(&self, of: &str, confirmations: u64) -> u64 {
        client().balance(self.at(), &address(of), confirmations).await.unwrap()
    }

    /// Waits until the mempool stands on a block.
    async fn stands_on(&self, block: &Block) {
        until("the mempool stands on the block", async || {
            let tip = client().info(self.at()).await.ok()?.tip?;
            (tip.hash == block.hash()).then_some(())
        })
        .await;
    }

    async fn events(&self) -> Pin<Box<dyn Stream<Item = PoolEvent> + Send>> {
        let events = client().pool_events(self.at()).await.unwrap();
        Box::pin(events.filter_map(|event| async move { event.ok() }))
    }
}

impl Asked for Mempool {
    fn at(&self) -> &str {
        &self.at
    }
}

/// An answer that has arrived whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Self { status, headers, body: answer.text().await.unwrap() }
    }

    /// The JSON of a success.
    #[track_caller]
    pub(crate) fn ok(&self) -> Value {
        assert!((200..300).contains(&self.status), "{}: {}", self.status, self.body);
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The problem that a refusal tells, which must have this status.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16) -> Problem {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.headers[CONTENT_TYPE], "application/problem+json");
        let problem: Problem = serde_json::from_str(&self.body).unwrap();
        assert!(problem.status == status && !problem.detail.is_empty(), "{}", self.body);
        problem
    }

    /// A refusal that names this rule.
    #[track_caller]
    pub(crate) fn breaks(&self, rule: &str) {
        assert_eq!(self.refused(422).rule.as_deref(), Some(rule), "{}", self.body);
    }
}

pub(crate) fn client() -> Client {
    Client::new(None, None).unwrap()
}

/// One client for all tests of a process would tie its connections to the runtime of the first.
pub(crate) fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).timeout(SOON).build().unwrap()
}

pub(crate) fn to_json(transaction: &Transaction) -> String {
    serde_json::to_string(transaction).unwrap()
}
