//! Starts the services of a network, each with the configuration for its role.

use super::topology;
use metrics_exporter_prometheus::PrometheusHandle;
use runtime::data_dir::DataDir;
use runtime::open_files;
use shared::config::Config;
use shared::ledger::Address;
use shared::sync::PeerAddress;
use std::collections::BTreeMap;
use std::net::TcpListener as StdListener;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
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
    /// Most peers of a service: as many as are configured, and all nodes of a small network; in a large one fewer.
    fn max_peers(&self, configured: usize) -> usize {
        let nodes = self.addresses.len();
        match topology::max_peers(nodes, open_files::raise_limit()) {
            Some(peers) if peers + 1 < nodes => peers,
            // The flags have refused more nodes than the limit allows.
            _ => configured.max(nodes),
        }
    }

    pub(super) fn tracker(&mut self, listener: StdListener) -> anyhow::Result<()> {
        let (config, listener) = (self.config, TcpListener::from_std(listener)?);
        let settings = tracker::Settings {
            tracker: shared::config::TrackerConfig { host: config.simulator.host.clone(), ..config.tracker.clone() },
            http: config.http.clone(),
            network: config.network.clone(),
            explorer: config.explorer.address(),
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
        mempool.max_peers = self.max_peers(mempool.max_peers);
        let metrics = Some(self.metrics.clone());
        let first = topology::spread(self.addresses.len(), mempool.max_peers);
        let settings = mempool::Settings { peers: self.peers(first), config, data, metrics };
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
        node.max_peers = self.max_peers(node.max_peers);
        if node.message.is_empty() {
            node.message = format!("mined by {name}");
        }
        if let Some((mempool, miner)) = miner {
            (node.mempool, node.miner) = (Some(mempool), Some(miner.to_string()));
        }
        let own = self.addresses.iter().position(|each| each == address).unwrap_or_default();
        let peers = self.peers(topology::first_peers(own, self.addresses.len(), node.max_peers));
        let metrics = Some(self.metrics.clone());
        let settings = node::Settings { config, data, peers, clock_offset_ms: 0, metrics };
        let listener = TcpListener::from_std(listener)?;
        self.spawn(name, node::run(listener, settings, self.stop.clone()));
        Ok(())
    }

    /// Starts the web pages, which can change every node whose token they get, and which show these names.
    pub(super) fn explorer(
        &mut self,
        listener: StdListener,
        tokens: BTreeMap<String, String>,
        names: explorer::NameBook,
        thefts: Option<(explorer::Thefts, mpsc::Receiver<(Address, String)>)>,
    ) -> anyhow::Result<()> {
        let mut config = self.config.clone();
        config.explorer.host.clone_from(&config.simulator.host);
        config.explorer.tracker = self.tracker.to_owned();
        let settings = explorer::Settings { config, tokens, names, thefts, metrics: Some(self.metrics.clone()) };
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

    fn peers(&self, numbers: impl IntoIterator<Item = usize>) -> Vec<PeerAddress> {
        numbers.into_iter().filter_map(|number| PeerAddress::new(self.addresses.get(number)?)).collect()
    }
}
