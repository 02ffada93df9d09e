//! Starts a tracker, the nodes, an explorer and, where there is money, a mempool: real services on real ports, in this
//! process. Stops them again.
//!
//! The rest of the simulator talks to them over HTTP only. So a network that was started elsewhere (see
//! [`crate::drive`]) is handled by the same code. It differs in two ways: the simulator has no tokens for its nodes,
//! and nodes come and go.

mod listeners;
mod nodes;
mod service_starter;
pub(crate) mod topology;

pub use nodes::{NetworkNode, NodeList};

use crate::attacker_options;
use crate::options::RunOptions;
use crate::parameters;
use crate::payers::wallets::MemberWallets;
use anyhow::{Context, anyhow};
use explorer::{TheftChoice, TheftOrders, Thefts};
use futures_util::future::join_all;
use listeners::{EXPLORER_OFFSET, Listening, MEMPOOL_OFFSET, NODES_OFFSET, TRACKER_OFFSET, listen, listen_with_data};
use runtime::client::Client;
use runtime::data_dir::DataDir;
use runtime::{exit, telemetry};
use service_starter::ServiceStarter;
use shared::block::BlockHash;
use shared::chain::Tip;
use shared::config::Hashrate;
use shared::ledger::Address;
use shared::params::Params;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::mpsc::Receiver;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How long nodes may take to respond for the first time.
const START: Duration = Duration::from_secs(20);
/// How long services may take to stop.
const STOP: Duration = Duration::from_secs(3);
/// Members to choose an attacker's victim from: the second, so that it is Ben where there are several.
const VICTIM: usize = 1;

#[derive(Debug)]
pub struct RunningNetwork {
    /// `host:port`.
    pub tracker: String,
    /// `host:port`; `None` without an explorer.
    pub explorer: Option<String>,
    /// `None` on a layer without money.
    pub money: Option<MempoolAndWallets>,
    /// All its nodes, those that left included.
    pub nodes: NodeList,
    /// The hash of the genesis block.
    pub id: BlockHash,
    /// For requests to every service.
    pub client: Client,
    /// Bound on the JSON of one block.
    pub max_block_bytes: usize,
    /// Whether its layer is `program`.
    pub has_programs: bool,
    /// Whether its layer is `utxo`.
    pub has_coins: bool,
    /// The file with the network's parameters; `None` in a network that was found.
    pub parameters: Option<PathBuf>,
    /// Whether this network had chains before the run.
    pub goes_on: bool,
    /// Thefts that somebody starts on the explorer's first page; `None` where the page does not offer them.
    pub(crate) thefts: Option<(Thefts, Receiver<TheftChoice>)>,
    services: JoinSet<(String, anyhow::Result<()>)>,
    stop: CancellationToken,
    // Removed when the network is dropped, after the services have stopped.
    _temporary: Option<TempDir>,
}

/// What a network with money has in addition.
#[derive(Debug)]
pub struct MempoolAndWallets {
    /// `host:port` of the mempool; in a network that was found, another mempool may take over.
    pub mempool: watch::Receiver<String>,
    /// One for each member. The first nodes mine for the first members, each for one.
    pub wallets: Arc<MemberWallets>,
}

impl MempoolAndWallets {
    /// `host:port` of the current mempool.
    pub fn mempool(&self) -> String {
        self.mempool.borrow().clone()
    }

    /// The member from whom attackers steal, by name.
    pub(crate) fn victim(&self) -> Option<(String, Address)> {
        let wallet = self.wallets.list.get(VICTIM).or(self.wallets.list.first())?;
        Some((wallet.name.clone(), wallet.pair.address()))
    }
}

impl RunningNetwork {
    /// Starts every service; cancelling `stop` stops them.
    ///
    /// # Errors
    /// If a port, a folder or a client is not available.
    pub fn start(options: &RunOptions, stop: CancellationToken) -> anyhow::Result<Self> {
        let mut config = options.config.clone();
        let temporary = match options.data_dir {
            None => Some(tempfile::Builder::new().prefix("chainlab-").tempdir().context("no temporary folder")?),
            Some(_) => None,
        };
        let temporary_path = temporary.as_ref().map(TempDir::path);
        if let Some(temporary) = temporary_path {
            exit::remove_at_once(temporary);
        }
        let folder = options.data_dir.as_deref().or(temporary_path).unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        let goes_on = parameters::saved(folder)?.is_some_and(|saved| saved == config.network);
        let parameters = parameters::save(&config.network, folder)?;
        let metrics = telemetry::metrics()?;

        let tracker = listen(options, "tracker", config.tracker.port, TRACKER_OFFSET)?;
        let explorer = if options.no_explorer { None } else { Some(listen_for_explorer(options)?) };
        // The other services link to it; port 0 stands for none.
        let place = explorer.as_ref().and_then(|explorer| explorer.address.rsplit_once(':'));
        let (host, port) = place.unwrap_or(("", "0"));
        (config.explorer.host, config.explorer.port) = (host.trim_matches(['[', ']']).to_owned(), port.parse()?);
        let mempool = match config.network.layer.has_money() {
            true => Some(listen_with_data(options, folder, "mempool", config.mempool.port, MEMPOOL_OFFSET)?),
            false => None,
        };
        let bind_node = |_| listen_with_data(options, folder, "node", config.node.port, NODES_OFFSET);
        let bound = (0..config.simulator.nodes).map(bind_node).collect::<anyhow::Result<Vec<_>>>()?;

        let tracker_address = tracker.address.clone();
        let addresses = bound.iter().map(|(node, _)| node.address.clone()).collect();
        let services = JoinSet::new();
        let mut starter =
            ServiceStarter { config: &config, tracker: &tracker_address, addresses, metrics, stop, services };
        starter.tracker(tracker.listener)?;
        let money = mempool.map(|mempool| start_mempool(&mut starter, mempool)).transpose()?;
        let nodes = start_nodes(&mut starter, bound, money.as_ref())?;
        let (thefts, names) = match offered_thefts(options, money.as_ref()).filter(|_| explorer.is_some()) {
            Some((thefts, TheftOrders { choices, names })) => (Some((thefts.clone(), choices)), Some((thefts, names))),
            None => (None, None),
        };
        let explorer = explorer
            .map(|explorer| start_explorer(&mut starter, explorer, &nodes, money.as_ref(), names))
            .transpose()?;
        let ServiceStarter { services, stop, .. } = starter;
        Ok(Self {
            explorer,
            money,
            nodes,
            parameters: Some(parameters),
            goes_on,
            thefts,
            services,
            stop,
            _temporary: temporary,
            ..Self::found(tracker_address, &config.network, None)?
        })
    }

    /// A network that was started elsewhere, without any node yet.
    ///
    /// # Errors
    /// If no client is available.
    pub fn found(tracker: String, params: &Params, money: Option<MempoolAndWallets>) -> anyhow::Result<Self> {
        let id = params.network_id();
        Ok(Self {
            tracker,
            explorer: None,
            money,
            nodes: NodeList::default(),
            id,
            client: Client::new(Some(id), None)?,
            max_block_bytes: params.max_block_json(),
            has_programs: params.layer.has_programs(),
            has_coins: params.layer.has_coins(),
            parameters: None,
            goes_on: true,
            thefts: None,
            services: JoinSet::new(),
            stop: CancellationToken::new(),
            _temporary: None,
        })
    }

    /// Whether the network was started elsewhere.
    pub const fn is_found(&self) -> bool {
        self.parameters.is_none()
    }

    /// Waits until every service responds, and returns the nodes' tips. A node responds once it mines.
    ///
    /// # Errors
    /// If a service does not respond in time, or ends.
    pub async fn ready(&mut self) -> anyhow::Result<Vec<Tip>> {
        let (begun, nodes) = (Instant::now(), self.nodes.all());
        loop {
            let infos = join_all(nodes.iter().map(|node| self.client.info(&node.address))).await;
            let tips: Vec<Option<Tip>> = infos.into_iter().map(|info| info.ok().and_then(|info| info.tip)).collect();
            let is_mempool_ready = match &self.money {
                Some(money) => self.client.info(&money.mempool()).await.is_ok(),
                None => true,
            };
            if let Some(tips) = tips.iter().copied().collect::<Option<Vec<Tip>>>()
                && is_mempool_ready
            {
                return Ok(tips);
            }
            if let Some(Ok((service, result))) = self.services.try_join_next() {
                let error = result.err().unwrap_or_else(|| anyhow!("it ended"));
                return Err(error.context(format!("{service} did not start")));
            }
            if begun.elapsed() > START {
                let silent = nodes.iter().zip(&tips).find(|(_, tip)| tip.is_none());
                let name = silent.map_or("mempool".to_owned(), |(node, _)| format!("node {}", node.name));
                return Err(anyhow!("{name} did not respond within {} s", START.as_secs()));
            }
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Returns the next service that ends before it was told to, and why it ended; waits for ever if none does.
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

    /// Stops the services, which flush their chains, and removes the temporary folder.
    pub async fn stop(mut self) {
        self.stop.cancel();
        let ended = async { while self.services.join_next().await.is_some() {} };
        // A service that takes longer ends with the process; its chain is durable up to its last block.
        let _ = timeout(STOP, ended).await;
    }
}

fn start_mempool(
    starter: &mut ServiceStarter<'_>,
    (Listening { listener, address }, data): (Listening, DataDir),
) -> anyhow::Result<MempoolAndWallets> {
    starter.mempool(listener, data, &address)?;
    let wallets = Arc::new(MemberWallets::new(starter.addresses.len(), starter.config.simulator.members));
    Ok(MempoolAndWallets { mempool: watch::channel(address).1, wallets })
}

/// Starts the nodes, each of which mines for the member of its number.
fn start_nodes(
    starter: &mut ServiceStarter<'_>,
    bound: Vec<(Listening, DataDir)>,
    money: Option<&MempoolAndWallets>,
) -> anyhow::Result<NodeList> {
    let nodes = NodeList::default();
    for (Listening { listener, address }, data) in bound {
        let number = nodes.add(address.clone(), Some(data.token()?));
        let miner = money.map(|money| (money.mempool(), money.wallets.list[number].pair.address()));
        starter.node(listener, data, &nodes.name(number), &address, miner)?;
    }
    Ok(nodes)
}

fn listen_for_explorer(options: &RunOptions) -> anyhow::Result<Listening> {
    listen(options, "explorer", options.config.explorer.port, EXPLORER_OFFSET)
}

/// Thefts for the first page: where there are accounts, no other attacker, and a hash rate of which a share is known.
fn offered_thefts(options: &RunOptions, money: Option<&MempoolAndWallets>) -> Option<(Thefts, TheftOrders)> {
    let (victim, _) = money?.victim()?;
    // The thief pays from an account.
    let has_accounts = !options.config.network.layer.has_coins();
    let is_known = matches!(options.config.simulator.hashrate, Hashrate::PerSecond(_));
    (is_known && has_accounts && options.attacker.is_none()).then(|| Thefts::new(attacker_options::NAME, &victim))
}

fn start_explorer(
    starter: &mut ServiceStarter<'_>,
    Listening { listener, address }: Listening,
    nodes: &NodeList,
    money: Option<&MempoolAndWallets>,
    thefts: Option<(Thefts, Receiver<(Address, String)>)>,
) -> anyhow::Result<String> {
    let mut names = explorer::NameBook::default();
    for node in nodes.all() {
        names.add_node(node.address, node.name)?;
    }
    for (address, name) in money.iter().flat_map(|money| money.wallets.directory()) {
        names.add_person(address, name)?;
    }
    let tokens = nodes.all().into_iter().filter_map(|node| Some((node.address, node.token?))).collect();
    starter.explorer(listener, tokens, names, thefts)?;
    Ok(address)
}
