//! Nodes to measure: real services in this process, on free ports.

use anyhow::{Context, Result, anyhow};
use runtime::client::Client;
use runtime::data_dir::DataDir;
use shared::config::Config;
use shared::sync::PeerAddress;
use std::future::Future;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Runs a measurement on a tokio runtime of its own.
pub(crate) fn block_on<T>(measurement: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Runtime::new().context("no tokio runtime")?.block_on(measurement)
}

pub(crate) struct Node {
    pub(crate) address: String,
    pub(crate) token: String,
    shutdown: CancellationToken,
    task: JoinHandle<Result<(), node::NodeError>>,
}

impl Node {
    /// Starts a node with a data directory of its own, which `prepare` may fill first.
    pub(crate) async fn start(
        mut config: Config,
        peers: &[&str],
        prepare: impl FnOnce(&DataDir) -> Result<()>,
    ) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let bound = listener.local_addr()?;
        let token = "bench".to_owned();
        config.node.token = Some(token.clone().into());
        let data = DataDir::open(&config.node.data_dir, &config.network, "node", bound.port())?;
        prepare(&data)?;
        let peers = peers.iter().filter_map(|peer| PeerAddress::new(peer)).collect();
        let settings = node::Settings { config, data, peers, clock_offset_ms: 0, metrics: None };
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(node::run(listener, settings, shutdown.clone()));
        let node = Self { address: bound.to_string(), token, shutdown, task };
        wait("a node answers", Duration::from_secs(30), async || {
            Ok(Client::new(None, None)?.info(&node.address).await.is_ok())
        })
        .await?;
        Ok(node)
    }

    pub(crate) async fn stop(self) -> Result<()> {
        self.shutdown.cancel();
        Ok(self.task.await??)
    }
}

/// Waits until `done` returns true, at most `most`; returns the time it took.
pub(crate) async fn wait(what: &str, most: Duration, mut done: impl AsyncFnMut() -> Result<bool>) -> Result<Duration> {
    let start = Instant::now();
    while start.elapsed() < most {
        if done().await? {
            return Ok(start.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Err(anyhow!("not within {most:?}: {what}"))
}

/// A folder that is removed when it is dropped.
pub(crate) fn folder(dir: &Path) -> Result<tempfile::TempDir> {
    tempfile::Builder::new().prefix("chainlab-bench-").tempdir_in(dir).context("cannot make a temporary folder")
}

/// Resident memory of a process, in MB.
pub(crate) fn resident_mb(pid: u32) -> Option<f64> {
    status_mb(pid, "VmRSS:")
}

/// The most resident memory that a process ever had, in MB.
pub(crate) fn peak_mb(pid: u32) -> Option<f64> {
    status_mb(pid, "VmHWM:")
}

fn status_mb(pid: u32, name: &str) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse::<f64>().ok().map(|kb| kb / 1024.0)
}
