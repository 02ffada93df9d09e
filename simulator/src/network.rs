//! Starts a tracker and the nodes as real services on real ports, in this process, and stops them.
//!
//! Nothing else reaches into them: who needs something of a node asks it over HTTP.

use crate::flags::Options;
use crate::parameters;
use crate::tale::Member;
use anyhow::{Context, anyhow};
use futures_util::future::join_all;
use metrics_exporter_prometheus::PrometheusHandle;
use runtime::client::Client;
use runtime::data_dir::DataDir;
use runtime::ports::{Wanted, bind, bind_with_data};
use runtime::telemetry;
use shared::block::BlockHash;
use shared::config::Config;
use shared::sync::PeerAddress;
use shared::wire::{Info, Tip};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener as StdListener};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How far above the tracker's first port the nodes' begin, as 8090 and 8100 do.
const NODES_ABOVE: u16 = 10;
/// How long nodes may take to answer for the first time.
const START: Duration = Duration::from_secs(20);
/// How long services may take to stop.
const STOP: Duration = Duration::from_secs(3);

/// A running network.
#[derive(Debug)]
pub struct Network {
    /// `host:port` of the tracker.
    pub tracker: String,
    /// The nodes; their place here is their number.
    pub nodes: Vec<Node>,
    /// The genesis hash.
    pub id: BlockHash,
    /// Asks the services, as anybody could.
    pub client: Client,
    /// Bound on the JSON of one block.
    pub max_block_bytes: usize,
    /// The parameters as a configuration file.
    pub parameters: PathBuf,
    /// Whether its folder held chains of this network before.
    pub goes_on: bool,
    services: JoinSet<(String, anyhow::Result<()>)>,
    stop: CancellationToken,
    // Removed when the network is dropped, after the services have stopped.
    _temporary: Option<TempDir>,
}

/// A running node.
#[derive(Debug)]
pub struct Node {
    /// Its name and address.
    pub member: Member,
    /// What steering it needs.
    pub token: String,
}

impl Network {
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
        let mut bound = Vec::new();
        for _ in 0..config.simulator.nodes {
            let open = |port| DataDir::open(folder, &config.network, "node", port);
            let (listener, data) = bind_with_data(wanted(options, "node", config.node.port, NODES_ABOVE), open)?;
            let address = reached_at(&listener, &config.simulator.host)?;
            bound.push((listener, data, address));
        }
        let addresses: Vec<String> = bound.iter().map(|(_, _, address)| address.clone()).collect();

        let mut services = JoinSet::new();
        start_tracker(&mut services, listener, config, metrics.clone(), stop.clone())?;
        let mut nodes = Vec::new();
        for (number, (listener, data, address)) in bound.into_iter().enumerate() {
            let member = Member { name: name(number), address };
            nodes.push(Node { member: member.clone(), token: data.token()? });
            let settings = node::Settings {
                config: node_config(config, &member, &tracker),
                data,
                // The tracker tells later nodes of earlier ones; earlier ones would hear of them only by and by.
                peers: addresses
                    .iter()
                    .filter(|peer| **peer != member.address)
                    .filter_map(|p| PeerAddress::new(p))
                    .collect(),
                clock_offset_ms: 0,
                metrics: Some(metrics.clone()),
            };
            let (listener, stop) = (TcpListener::from_std(listener)?, stop.clone());
            services.spawn(async move {
                let result = node::run(listener, settings, stop).await;
                (member.name, result.map_err(anyhow::Error::from))
            });
        }
        let max_block_bytes = 6 * usize::try_from(config.network.max_data_bytes)? + 4096;
        let client = Client::new(Some(id), None)?;
        Ok(Self {
            tracker,
            nodes,
            id,
            client,
            max_block_bytes,
            parameters,
            goes_on,
            services,
            stop,
            _temporary: temporary,
        })
    }

    /// Waits until every node answers, which it does once it mines; answers where each stands.
    ///
    /// # Errors
    /// If one does not in time, or a service ended.
    pub async fn ready(&mut self) -> anyhow::Result<Vec<Tip>> {
        let begun = Instant::now();
        loop {
            let infos = join_all(self.nodes.iter().map(|node| self.client.info(&node.member.address))).await;
            let tips: Vec<Option<Tip>> =
                infos.into_iter().map(|info| info.ok().and_then(|Info { tip, .. }| tip)).collect();
            if let Some(tips) = tips.iter().copied().collect::<Option<Vec<Tip>>>() {
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
                let name = silent.map_or("?", |(node, _)| node.member.name.as_str());
                return Err(anyhow!("node {name} did not answer within {} s", START.as_secs()));
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

fn start_tracker(
    services: &mut JoinSet<(String, anyhow::Result<()>)>,
    listener: StdListener,
    config: &Config,
    metrics: PrometheusHandle,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let settings = tracker::Settings {
        tracker: shared::config::Tracker { host: config.simulator.host.clone(), ..config.tracker.clone() },
        http: config.http.clone(),
        network: config.network.clone(),
        metrics: Some(metrics),
    };
    services.spawn(async move {
        let result = tracker::run(listener, settings, stop).await;
        ("tracker".to_owned(), result.map_err(anyhow::Error::from))
    });
    Ok(())
}

fn node_config(config: &Config, member: &Member, tracker: &str) -> Config {
    let mut config = config.clone();
    let node = &mut config.node;
    node.host.clone_from(&config.simulator.host);
    node.tracker = tracker.to_owned();
    node.hashrate = config.simulator.hashrate;
    node.advertise = Some(member.address.clone());
    node.mine = true;
    node.max_peers = node.max_peers.max(config.simulator.nodes);
    if node.message.is_empty() {
        node.message = format!("mined by {}", member.name);
    }
    config
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
