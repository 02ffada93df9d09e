//! A tracker, a node and a mempool in this process, on free ports, in a temporary folder.

use crate::program::Program;
use runtime::client::Client;
use runtime::data_dir::DataDir;
use shared::config::{Config, Secret};
use shared::keys::KeyPair;
use shared::params::{LayerName, Params};
use shared::work::Difficulty;
use shared::work::retarget::RetargetRule;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};
use tokio_util::sync::{CancellationToken, DropGuard};

/// The token of all nodes of a lab.
pub(crate) const TOKEN: &str = "the token of the lab";
/// Far more than any step takes; a test that waits so long has failed.
const DEADLINE: Duration = Duration::from_secs(40);

/// Waits until `look` sees something.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(began.elapsed() < DEADLINE, "waited {DEADLINE:?} in vain until {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// The network `name`: blocks of fixed difficulty, found in a moment.
pub(crate) fn network(name: &str) -> Params {
    let params = Params {
        name: name.to_owned(),
        initial_difficulty: Difficulty::new(1000).unwrap(),
        retarget: RetargetRule::Fixed,
        ..Params::default()
    };
    params.check().unwrap();
    params
}

/// The same on layer `data`.
pub(crate) fn without_money(name: &str) -> Params {
    Params { layer: LayerName::Data, ..network(name) }
}

/// Services that stop when this is dropped.
pub(crate) struct Lab {
    pub(crate) tracker: String,
    stop: CancellationToken,
    root: TempDir,
    _stop: DropGuard,
}

impl Lab {
    /// A tracker.
    pub(crate) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let tracker = listener.local_addr().unwrap().to_string();
        let stop = CancellationToken::new();
        // A short lease is renewed often, so that members soon know of those who came after them.
        let settings = shared::config::TrackerConfig { lease_seconds: 3, ..shared::config::TrackerConfig::default() };
        let settings = tracker::Settings { tracker: settings, ..tracker::Settings::default() };
        tokio::spawn(tracker::run(listener, settings, stop.clone()));
        Self { tracker, root: tempfile::tempdir().unwrap(), _stop: stop.clone().drop_guard(), stop }
    }

    /// A tracker, a node that mines for the seed alice when a test asks it to, and a mempool.
    pub(crate) async fn with_money(name: &str) -> Self {
        let lab = Self::new().await;
        lab.node(network(name)).await;
        lab.mempool(network(name), |_| {}).await;
        lab
    }

    fn config(&self, network: Params) -> Config {
        let mut config = Config { network, ..Config::default() };
        config.node.mine = false;
        config.node.token = Some(Secret::from(TOKEN.to_owned()));
        config.node.poll_ms = 100;
        config.mempool.poll_ms = 50;
        for tracker in [&mut config.node.tracker, &mut config.mempool.tracker, &mut config.user.tracker] {
            tracker.clone_from(&self.tracker);
        }
        config
    }

    pub(crate) async fn node(&self, network: Params) -> String {
        let mut config = self.config(network);
        if config.network.layer == LayerName::Transaction {
            config.node.miner = Some(KeyPair::from_seed("alice").address().to_string());
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let data = DataDir::open(self.root.path(), &config.network, "node", at.port()).unwrap();
        let settings = node::Settings { config, data, peers: Vec::new(), clock_offset_ms: 0, metrics: None };
        tokio::spawn(node::run(listener, settings, self.stop.clone()));
        self.listed(at.to_string()).await
    }

    pub(crate) async fn mempool(&self, network: Params, change: impl FnOnce(&mut Config)) -> String {
        let mut config = self.config(network);
        change(&mut config);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let data = DataDir::open(self.root.path(), &config.network, "mempool", at.port()).unwrap();
        let settings = mempool::Settings { config, data, peers: Vec::new(), metrics: None };
        tokio::spawn(mempool::run(listener, settings, self.stop.clone()));
        self.listed(at.to_string()).await
    }

    /// Waits until the tracker lists it.
    async fn listed(&self, at: String) -> String {
        let client = Client::new(None, None).unwrap();
        until("the tracker lists it", async || {
            let members = client.members(&self.tracker).await.ok()?;
            members.iter().any(|member| member.address == at).then_some(())
        })
        .await;
        at
    }

    /// Where the chains are.
    pub(crate) fn folder(&self) -> &str {
        self.root.path().to_str().unwrap()
    }

    /// The program, with our tracker.
    pub(crate) fn user(&self) -> Program {
        Program::with(&["-t", &self.tracker])
    }

    /// Mines until the mempool says that the seed alice has so many rewards.
    pub(crate) async fn mine(&self, user: &Program, blocks: u64) {
        let before = balance(user, "alice");
        user.run(&["mine", &blocks.to_string(), "--token", TOKEN]).ok();
        until("the mempool has the blocks", async || (balance(user, "alice") > before).then_some(())).await;
    }
}

/// What an address or seed has, in grains.
pub(crate) fn balance(user: &Program, whose: &str) -> u64 {
    user.json(&["balance", whose])["balances"][0]["balance"].as_u64().unwrap()
}
