//! A tracker, a node and a mempool in this process, on free ports, in a temporary folder.

use crate::program::Program;
use shared::config::{Config, Secret};
use shared::params::{LayerName, Params, RetargetRule};
use shared::work::Difficulty;
use std::cell::RefCell;
use std::net::SocketAddr;
use tempfile::TempDir;
use testkit::{Running, address, client, listener};
use tokio::net::TcpListener;

pub(crate) use testkit::{TOKEN, until};

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
    services: RefCell<Vec<Running>>,
    mempool_config: Option<Config>,
    mempool_address: Option<SocketAddr>,
    root: TempDir,
}

impl Lab {
    /// Starts a tracker.
    pub(crate) async fn new() -> Self {
        let tracker = testkit::start_tracker(listener().await.0, &Config::default()).await;
        let (address, services) = (tracker.address.clone(), RefCell::new(vec![tracker]));
        let root = tempfile::tempdir().unwrap();
        Self { tracker: address, services, mempool_config: None, mempool_address: None, root }
    }

    /// Starts a tracker, a node that mines for the seed alice when a test asks it to, and a mempool.
    pub(crate) async fn with_money(name: &str) -> Self {
        Self::with_mempool(name, |_| {}).await
    }

    /// The same, with changed settings of the mempool.
    pub(crate) async fn with_mempool(name: &str, change: impl FnOnce(&mut Config)) -> Self {
        Self::with_params(network(name), change).await
    }

    /// The same, on any network with money.
    pub(crate) async fn with_params(params: Params, change: impl FnOnce(&mut Config)) -> Self {
        let mut lab = Self::new().await;
        let mut config = lab.config(params);
        // The node is told where the mempool is: from the tracker it would learn it only when it renews its lease.
        let (mempool, at) = listener().await;
        config.node.mempool = Some(at.to_string());
        lab.start_node(config.clone()).await;
        change(&mut config);
        lab.start_mempool(mempool, at, config.clone()).await;
        lab.mempool_config = Some(config);
        lab
    }

    /// Stops the mempool, which was started last.
    pub(crate) async fn stop_mempool(&mut self) {
        let mempool = self.services.get_mut().pop().unwrap();
        self.mempool_address = Some(mempool.address.parse().unwrap());
        mempool.stop().await;
    }

    /// Starts the mempool again, at the same address and in the same folder.
    pub(crate) async fn restart_mempool(&mut self) {
        let at = self.mempool_address.unwrap();
        let listener = until("the port is free", async || TcpListener::bind(at).await.ok()).await;
        self.start_mempool(listener, at, self.mempool_config.clone().unwrap()).await;
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
        self.start_node(self.config(network)).await
    }

    pub(crate) async fn mempool(&self, network: Params) -> String {
        let (listener, at) = listener().await;
        self.start_mempool(listener, at, self.config(network)).await
    }

    async fn start_node(&self, mut config: Config) -> String {
        if config.network.layer.has_money() {
            config.node.miner = Some(address("alice").to_string());
        }
        let node = testkit::start_node(listener().await.0, self.root.path(), config, &[], 0).await;
        self.keep(node).await
    }

    async fn start_mempool(&self, listener: TcpListener, at: SocketAddr, config: Config) -> String {
        let mempool = testkit::start_mempool(listener, self.root.path(), config, &[], 0).await;
        assert_eq!(mempool.address, at.to_string());
        self.keep(mempool).await
    }

    /// Keeps a service running, and waits until the tracker lists it. With the usual lease it stays listed however slow
    /// the machine is.
    async fn keep(&self, service: Running) -> String {
        let address = service.address.clone();
        self.services.borrow_mut().push(service);
        until("the tracker lists the service", async || {
            let members = client().members(&self.tracker).await.ok()?;
            members.iter().any(|member| member.address == address).then_some(())
        })
        .await;
        address
    }

    /// The address of the service that was started last: the mempool.
    pub(crate) fn last_address(&self) -> String {
        self.services.borrow().last().unwrap().address.clone()
    }

    /// The data folder of all services.
    pub(crate) fn folder(&self) -> &str {
        self.root.path().to_str().unwrap()
    }

    /// The program, with the tracker of this lab.
    pub(crate) fn user(&self) -> Program {
        Program::with(&["-t", &self.tracker])
    }

    /// Mines, and waits until all members have the same tip.
    pub(crate) async fn mine(&self, user: &Program, blocks: u64) {
        user.run(&["mine", &blocks.to_string(), "--token", TOKEN]).ok();
        until("all members have the blocks", async || {
            let mut tips = Vec::new();
            for member in client().members(&self.tracker).await.ok()? {
                tips.push(client().info(&member.address).await.ok()?.tip?.hash);
            }
            tips.iter().all(|tip| *tip == tips[0]).then_some(())
        })
        .await;
    }
}

/// The balance of an address or seed, in grains.
pub(crate) fn balance(user: &Program, whose: &str) -> u64 {
    user.json(&["balance", whose])["balances"][0]["balance"].as_u64().unwrap()
}
