//! Starts the services of a network, each with the configuration for its role.

use metrics_exporter_prometheus::PrometheusHandle;
use runtime::data_dir::DataDir;
use shared::config::Config;
use shared::ledger::Address;
use shared::sync::PeerAddress;
use std::collections::BTreeMap;
use std::net::TcpListener as StdListener;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// What all services are started with, and the tasks in which they run.
pub(super) struct ServiceStarter<'a> {
    pub(super) config: &'a Config,
    pub(super) tracker: &'a str,
    /// `host:port` of every node. Through the tracker alone, the first nodes would learn of later ones only after a
    /// while.
    pub(super) addresses: Vec<String>,
    pub(super) metrics: PrometheusHandle,
    pub(super) stop: CancellationToken,
    pub(super) services: JoinSet<(String, anyhow::Result<()>)>,
}

impl ServiceStarter<'_> {
    pub(super) fn tracker(&mut self, listener: StdListener) -> anyhow::Result<()> {
        let (config, listener) = (self.config, TcpListener::from_std(listener)?);
        let settings = tracker::Settings {
            tracker: shared::config::TrackerConfig { host: config.simulator.host.clone(), ..config.tracker.clone() },
            http: config.http.clone(),
            network: config.network.clone(),
            metrics: Some(self.metrics.clone()),
        };
        self.spawn("tracker", tracker::run(listener, settings, self.stop.clone()));
        Ok(())
    }

    pub(super) fn mempool(&mut self, listener: StdListener, data: DataDir, address: &str) -> anyhow::Result<()> {
        let mut config = self.config.clone();
        let mempool = &mut config.mempool;
        mempool.host.clone_from(&config.simulator.host);
        mempool.tracker = self.tracker.to_owned();
        mempool.advertise = Some(address.to_owned());
        mempool.max_peers = mempool.max_peers.max(config.simulator.nodes);
        let metrics = Some(self.metrics.clone());
        let settings = mempool::Settings { config, data, peers: self.peers_of(address), metrics };
        let listener = TcpListener::from_std(listener)?;
        self.spawn("mempool", mempool::run(listener, settings, self.stop.clone()));
        Ok(())
    }

    /// Starts a node that mines; `miner` is its mempool and the address that it mines to, where there is money.
    pub(super) fn node(
        &mut self,
        listener: StdListener,
        data: DataDir,
        name: &str,
        address: &str,
        miner: Option<(String, Address)>,
    ) -> anyhow::Result<()> {
        let mut config = self.config.clone();
        let node = &mut config.node;
        node.host.clone_from(&config.simulator.host);
        node.tracker = self.tracker.to_owned();
        node.hashrate = config.simulator.hashrate;
        node.advertise = Some(address.to_owned());
        node.mine = true;
        node.max_peers = node.max_peers.max(config.simulator.nodes);
        if node.message.is_empty() {
            node.message = format!("mined by {name}");
        }
        if let Some((mempool, miner)) = miner {
            (node.mempool, node.miner) = (Some(mempool), Some(miner.to_string()));
        }
        let (peers, metrics) = (self.peers_of(address), Some(self.metrics.clone()));
        let settings = node::Settings { config, data, peers, clock_offset_ms: 0, metrics };
        let listener = TcpListener::from_std(listener)?;
        self.spawn(name, node::run(listener, settings, self.stop.clone()));
        Ok(())
    }

    /// Starts the web pages, which can change every node whose token they get.
    pub(super) fn explorer(&mut self, listener: StdListener, tokens: BTreeMap<String, String>) -> anyhow::Result<()> {
        let mut config = self.config.clone();
        config.explorer.host.clone_from(&config.simulator.host);
        config.explorer.tracker = self.tracker.to_owned();
        let settings = explorer::Settings { config, tokens, metrics: Some(self.metrics.clone()) };
        let listener = TcpListener::from_std(listener)?;
        self.spawn("explorer", explorer::run(listener, settings, self.stop.clone()));
        Ok(())
    }

    fn spawn<E: Into<anyhow::Error>>(
        &mut self,
        name: &str,
        service: impl Future<Output = Result<(), E>> + Send + 'static,
    ) {
        let name = name.to_owned();
        self.services.spawn(async move { (name, service.await.map_err(Into::into)) });
    }

    fn peers_of(&self, own: &str) -> Vec<PeerAddress> {
        let others = self.addresses.iter().filter(|peer| *peer != own);
        others.filter_map(|peer| PeerAddress::new(peer)).collect()
    }
}
