//! Starts a tracker, the nodes, where there is money a mempool, and an explorer as real services on real ports, in this
//! process, and stops them.
//!
//! Nothing else reaches into them: who needs something of a node asks it over HTTP. So a network that runs already and was
//! found (by [`crate::drive`]) is the same to everybody else, but that it cannot be steered and that its nodes come and go.

mod service_starter;

use crate::event::NamedAddress;
use crate::flags::Options;
use crate::parameters;
use crate::payers::wallets::Wallets;
use anyhow::{Context, anyhow};
use futures_util::future::join_all;
use runtime::client::Client;
use runtime::data_dir::DataDir;
use runtime::ports::{Wanted, bind, bind_with_data};
use runtime::telemetry;
use service_starter::ServiceStarter;
use shared::block::BlockHash;
use shared::params::Params;
use shared::wire::{Info, Tip};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener as StdListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How far above the tracker's first port the mempool's is, as 8090 and 8091 are.
const MEMPOOL_ABOVE: u16 = 1;
/// How far above the tracker's first port the explorer's is, where the first port was chosen.
const EXPLORER_ABOVE: u16 = 2;
/// How far above the tracker's first port the nodes' begin, as 8090 and 8100 do.
const NODES_ABOVE: u16 = 10;
/// How long nodes may take to answer for the first time.
const START: Duration = Duration::from_secs(20);
/// How long services may take to stop.
const STOP: Duration = Duration::from_secs(3);

/// A running network.
#[derive(Debug)]
pub struct RunningNetwork {
    /// `host:port` of the tracker.
    pub tracker: String,
    /// `host:port` of the explorer, if there is one.
    pub explorer: Option<String>,
    /// The mempool and its members, where there is money.
    pub money: Option<MempoolAndWallets>,
    /// The nodes; their place here is their number.
    pub nodes: Vec<NetworkNode>,
    /// The genesis hash.
    pub id: BlockHash,
    /// Asks the services, as anybody could.
    pub client: Client,
    /// Bound on the JSON of one block.
    pub max_block_bytes: usize,
    /// The parameters as a configuration file, where it was started here; where it was found, nodes come and go.
    pub parameters: Option<PathBuf>,
    /// Whether there were chains of this network before.
    pub goes_on: bool,
    services: JoinSet<(String, anyhow::Result<()>)>,
    stop: CancellationToken,
    // Removed when the network is dropped, after the services have stopped.
    _temporary: Option<TempDir>,
}

/// What a network with money has besides.
#[derive(Debug)]
pub struct MempoolAndWallets {
    /// `host:port` of the mempool; in a network that was found, another one may take its place.
    pub mempool: watch::Receiver<String>,
    /// Who has wallets; the first mine, each on the node of its number.
    pub wallets: Arc<Wallets>,
}

impl MempoolAndWallets {
    /// `host:port` of the mempool now.
    pub fn mempool(&self) -> String {
        self.mempool.borrow().clone()
    }
}

/// A running node.
#[derive(Debug)]
pub struct NetworkNode {
    /// Its name and address.
    pub contact: NamedAddress,
    /// What steering it needs, where it was started here.
    pub token: Option<String>,
    /// Whether it takes part: a node that was found may go, and come back.
    pub is_present: Arc<AtomicBool>,
}

impl RunningNetwork {
    /// Starts everything; `stop` stops it again.
    ///
    /// # Errors
    /// If ports, folders or clients cannot be had.
    pub fn start(options: &Options, stop: CancellationToken) -> anyhow::Result<Self> {
        let config = &options.config;
        let temporary = match options.data_dir {
            None => Some(tempfile::Builder::new().prefix("chainlab-").tempdir().context("no temporary folder")?),
            Some(_) => None,
        };
        let folder = match (&options.data_dir, &temporary) {
            (Some(folder), _) => folder.as_path(),
            (None, Some(temporary)) => temporary.path(),
            (None, None) => Path::new("."),
        };
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        let goes_on = parameters::saved(folder)?.is_some_and(|saved| saved == config.network);
        let parameters = parameters::save(&config.network, folder)?;
        let metrics = telemetry::metrics()?;
        let id = config.network.network_id();

        let listener = bind(wanted(options, "tracker", config.tracker.port, 0))?;
        let tracker = reached_at(&listener, &config.simulator.host)?;
        let mempool = if config.network.layer.has_money() {
            let open = |port| DataDir::open(folder, &config.network, "mempool", port);
            let wanted = wanted(options, "mempool", config.mempool.port, MEMPOOL_ABOVE);
            let (listener, data) = bind_with_data(wanted, open)?;
            let address = reached_at(&listener, &config.simulator.host)?;
            Some((listener, data, address))
        } else {
            None
        };
        let mut bound = Vec::new();
        for _ in 0..config.simulator.nodes {
            let open = |port| DataDir::open(folder, &config.network, "node", port);
            let (listener, data) = bind_with_data(wanted(options, "node", config.node.port, NODES_ABOVE), open)?;
            let address = reached_at(&listener, &config.simulator.host)?;
            bound.push((listener, data, address));
        }
        let addresses: Vec<String> = bound.iter().map(|(_, _, address)| address.clone()).collect();
        let mut starting =
            ServiceStarter { config, tracker: &tracker, addresses, metrics, stop, services: JoinSet::new() };
        starting.tracker(listener)?;
        let money = match mempool {
            None => None,
            Some((listener, data, address)) => {
                starting.mempool(listener, data, &address)?;
                let wallets = Arc::new(Wallets::new(bound.len(), config.simulator.members));
                Some(MempoolAndWallets { mempool: watch::channel(address).1, wallets })
            }
        };
        let mut nodes = Vec::new();
        for (number, (listener, data, address)) in bound.into_iter().enumerate() {
            let contact = NamedAddress { name: name(number), address };
            let node = NetworkNode { contact, token: Some(data.token()?), is_present: Arc::new(AtomicBool::new(true)) };
            let miner = money.as_ref().map(|money| (money.mempool(), money.wallets.list[number].pair.address()));
            starting.node(listener, data, &node.contact, miner)?;
            nodes.push(node);
        }
        let explorer = if options.no_explorer {
            None
        } else {
            let listener = bind(wanted(options, "explorer", config.explorer.port, EXPLORER_ABOVE))?;
            let address = reached_at(&listener, &config.simulator.host)?;
            let token = |node: &NetworkNode| Some((node.contact.address.clone(), node.token.clone()?));
            starting.explorer(listener, nodes.iter().filter_map(token).collect())?;
            Some(address)
        };
        let ServiceStarter { services, stop, .. } = starting;
        let max_block_bytes = max_block_bytes(&config.network)?;
        let client = Client::new(Some(id), None)?;
        Ok(Self {
            tracker,
            explorer,
            money,
            nodes,
            id,
            client,
            max_block_bytes,
            parameters: Some(parameters),
            goes_on,
            services,
            stop,
            _temporary: temporary,
        })
    }

    /// A network that runs already, somewhere; nobody of it is known yet but its tracker and, where there is money, its
    /// mempool.
    ///
    /// # Errors
    /// If no client can be had.
    pub fn found(tracker: String, params: &Params, money: Option<MempoolAndWallets>) -> anyhow::Result<Self> {
        let id = params.network_id();
        Ok(Self {
            tracker,
            explorer: None,
            money,
            nodes: Vec::new(),
            id,
            client: Client::new(Some(id), None)?,
            max_block_bytes: max_block_bytes(params)?,
            parameters: None,
            goes_on: true,
            services: JoinSet::new(),
            stop: CancellationToken::new(),
            _temporary: None,
        })
    }

    /// A node that was found at this address.
    pub fn add(&mut self, address: String) {
        let contact = NamedAddress { name: name(self.nodes.len()), address };
        self.nodes.push(NetworkNode { contact, token: None, is_present: Arc::new(AtomicBool::new(true)) });
    }

    /// Whether it was found, and not started here.
    pub const fn is_found(&self) -> bool {
        self.parameters.is_none()
    }

    /// The nodes that take part.
    pub fn present(&self) -> impl Iterator<Item = &NetworkNode> {
        self.nodes.iter().filter(|node| node.is_present.load(Ordering::Relaxed))
    }

    /// Waits until every service answers, which a node does once it mines; answers where each node stands.
    ///
    /// # Errors
    /// If one does not in time, or a service ended.
    pub async fn ready(&mut self) -> anyhow::Result<Vec<Tip>> {
        let begun = Instant::now();
        loop {
            let infos = join_all(self.nodes.iter().map(|node| self.client.info(&node.contact.address))).await;
            let tips: Vec<Option<Tip>> =
                infos.into_iter().map(|info| info.ok().and_then(|Info { tip, .. }| tip)).collect();
            let pool_answers = match &self.money {
                Some(money) => self.client.info(&money.mempool()).await.is_ok(),
                None => true,
            };
            if let Some(tips) = tips.iter().copied().collect::<Option<Vec<Tip>>>()
                && pool_answers
            {
                return Ok(tips);
            }
            if let Some(Ok((service, result))) = self.services.try_join_next() {
                return Err(result
                    .err()
                    .unwrap_or_else(|| anyhow!("it ended"))
                    .context(format!("{service} did not start")));
            }
            if begun.elapsed() > START {
                let silent = self.nodes.iter().zip(&tips).find(|(_, tip)| tip.is_none());
                let name = silent.map_or("mempool".to_owned(), |(node, _)| format!("node {}", node.contact.name));
                return Err(anyhow!("{name} did not answer within {} s", START.as_secs()));
            }
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// The next service that ends although nobody asked it to, and why; waits for ever if none does.
    pub async fn failed(&mut self) -> (String, String) {
        loop {
            match self.services.join_next().await {
                Some(Ok((service, Ok(())))) => return (service, "it ended by itself".to_owned()),
                Some(Ok((service, Err(error)))) => return (service, format!("{error:#}")),
                Some(Err(error)) => return ("a service".to_owned(), error.to_string()),
                None => std::future::pending().await,
            }
        }
    }

    /// Stops everything, flushes the chains, and removes the temporary folder.
    pub async fn stop(mut self) {
        self.stop.cancel();
        let ended = async { while self.services.join_next().await.is_some() {} };
        // Whoever does not end in time ends with the process; its chain is durable up to its last block.
        let _ = timeout(STOP, ended).await;
    }
}

/// Bound on the JSON of one block (docs/protocol.md §8).
fn max_block_bytes(params: &Params) -> anyhow::Result<usize> {
    Ok(6 * usize::try_from(params.max_data_bytes)? + 4096)
}

/// The first port of a kind of service: its default, or `--port` and `above`; 0 for any.
fn wanted<'a>(options: &'a Options, service: &'static str, default: u16, above: u16) -> Wanted<'a> {
    let first = match options.port {
        None => default,
        Some(port) => port.saturating_add(above),
    };
    let port = (options.port == Some(0)).then_some(0);
    Wanted { service, host: &options.config.simulator.host, port, first }
}

/// `host:port` that services of this machine reach a listener at.
fn reached_at(listener: &StdListener, host: &str) -> anyhow::Result<String> {
    let bound = listener.local_addr()?;
    Ok(match bound {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => format!("{}:{}", Ipv4Addr::LOCALHOST, v4.port()),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => format!("[{}]:{}", Ipv6Addr::LOCALHOST, v6.port()),
        _ if host.contains(':') => bound.to_string(),
        _ => format!("{host}:{}", bound.port()),
    })
}

/// A to Z, then A2 to Z2, and so on.
fn name(number: usize) -> String {
    let letter = char::from(b'A' + u8::try_from(number % 26).unwrap_or(0));
    match number / 26 {
        0 => letter.to_string(),
        round => format!("{letter}{}", round + 1),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_short_and_all_different() {
        let names: std::collections::BTreeSet<String> = (0..100).map(super::name).collect();
        assert_eq!(names.len(), 100);
        assert_eq!((super::name(0), super::name(25), super::name(26)), ("A".into(), "Z".into(), "A2".into()));
    }
}
