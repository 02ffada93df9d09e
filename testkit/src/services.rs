//! Services inside this process, on free ports of the loopback interface.

use crate::DEADLINE;
use crate::http::client;
use crate::until::{until, until_ok};
use runtime::data_dir::DataDir;
use shared::config::Config;
use shared::sync::PeerAddress;
use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A running service; it stops when it is dropped.
#[derive(Debug)]
pub struct Running {
    /// `host:port`.
    pub address: String,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    fn new<E: Error>(
        address: SocketAddr,
        stop: CancellationToken,
        service: impl Future<Output = Result<(), E>> + Send + 'static,
    ) -> Self {
        let task = tokio::spawn(async move { service.await.unwrap() });
        Self { address: address.to_string(), stop, task }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.parse::<SocketAddr>().unwrap().port()
    }

    /// Stops the service and waits until it has ended without an error.
    pub async fn stop(mut self) {
        self.stop.cancel();
        (&mut self.task).await.unwrap();
    }

    async fn answers(self) -> Self {
        until(&format!("{} answers", self.address), async || client().info(&self.address).await.ok()).await;
        self
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// A listener on a free port, and its address.
pub async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Starts a tracker with `config.tracker` on `listener`.
pub async fn start_tracker(listener: TcpListener, config: &Config) -> Running {
    let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
    let settings = tracker::Settings {
        tracker: config.tracker.clone(),
        network: config.network.clone(),
        ..tracker::Settings::default()
    };
    Running::new(address, stop.clone(), tracker::run(listener, settings, stop)).answers().await
}

/// Starts a node that keeps its chain under `root` and knows `peers`.
pub async fn start_node(listener: TcpListener, root: &Path, config: Config, peers: &[&str], clock: i64) -> Running {
    let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
    let data = data_dir(root, &config, "node", address.port()).await;
    let metrics = Some(runtime::telemetry::metrics().unwrap());
    let settings = node::Settings { config, data, peers: peer_addresses(peers), clock_offset_ms: clock, metrics };
    Running::new(address, stop.clone(), node::run(listener, settings, stop)).answers().await
}

/// Starts a mempool that follows `peers`. It keeps its files in the folder of port `folder` under `root`; 0 is its own
/// port.
pub async fn start_mempool(listener: TcpListener, root: &Path, config: Config, peers: &[&str], folder: u16) -> Running {
    let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
    let folder = if folder == 0 { address.port() } else { folder };
    let data = data_dir(root, &config, "mempool", folder).await;
    let metrics = Some(runtime::telemetry::metrics().unwrap());
    let settings = mempool::Settings { config, data, peers: peer_addresses(peers), metrics };
    Running::new(address, stop.clone(), mempool::run(listener, settings, stop)).answers().await
}

/// The folder of a service, once an earlier service in this process has left it.
async fn data_dir(root: &Path, config: &Config, service: &'static str, port: u16) -> DataDir {
    until_ok("the data folder is free", DEADLINE, async || {
        DataDir::open(root, &config.network, service, port).map_err(|error| error.to_string())
    })
    .await
}

fn peer_addresses(peers: &[&str]) -> Vec<PeerAddress> {
    peers.iter().map(|peer| PeerAddress::new(peer).unwrap()).collect()
}
