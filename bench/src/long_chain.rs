//! A very long chain: how fast a node starts with it, also after kill -9, and how much memory the node needs to stream
//! it on `/blockchain`.

use crate::chains::{easy_params, store_chain};
use crate::lab::{folder, resident_mb};
use crate::report::Row;
use anyhow::{Context, Result};
use futures_util::StreamExt;
use runtime::client::Client;
use runtime::data_dir::DataDir;
use shared::params::Params;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PORT: u16 = 18_100;
/// Longest wait for a node to have its chain.
const MAX_WAIT: Duration = Duration::from_secs(120);

pub(crate) async fn measure(dir: &Path, count: u64) -> Result<()> {
    let Some(node) = node_program() else {
        println!("long chain: not run, because the node program is not built (cargo build --release)");
        return Ok(());
    };
    let folder = folder(dir)?;
    let params = easy_params("bench-long");
    let start = Instant::now();
    let data = DataDir::open(folder.path(), &params, "node", PORT)?;
    store_chain(&params, &data, count)?;
    drop(data);
    println!("  made and stored {count} blocks in {:.1} s", start.elapsed().as_secs_f64());

    let mut child = start_node(&node, folder.path(), &params, PORT, &[])?;
    let started = wait_until_ready(PORT, count).await?;
    row(format!("start on {count} blocks"), started, 2.0, "s", "<= 1");
    let streamed = stream(&mut child, count).await?;
    row("resident while streaming /blockchain".into(), streamed, 300.0, "MB", "<= 1");
    child.kill()?;
    child.wait()?;

    let mut child = start_node(&node, folder.path(), &params, PORT, &[])?;
    let restarted = wait_until_ready(PORT, count).await?;
    row("start after kill -9".into(), restarted, 2.0, "s", "<= 1");
    child.kill()?;
    child.wait()?;
    Ok(())
}

fn row(what: String, ours: f64, limit: f64, unit: &'static str, goal: &str) {
    println!("{}", Row { what, ours, limit, unit, goal: goal.into() });
}

/// The node program beside this one, if it is built.
pub(crate) fn node_program() -> Option<PathBuf> {
    let node = std::env::current_exe().ok()?.parent()?.join("node");
    node.exists().then_some(node)
}

/// Starts a node program with its chain in this folder, which mines only on request.
pub(crate) fn start_node(node: &Path, folder: &Path, params: &Params, port: u16, peers: &[&str]) -> Result<Child> {
    let mut command = Command::new(node);
    let values = serde_json::to_value(params)?;
    for (name, value) in values.as_object().context("parameters are an object")? {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        command.env(format!("CHAINLAB__NETWORK__{}", name.to_uppercase()), text);
    }
    std::fs::create_dir_all(folder)?;
    command.args(["--no-mine", "-p", &port.to_string(), "-t", "127.0.0.1:1", "-d"]).arg(folder).args(peers);
    Ok(command.current_dir(folder).stderr(Stdio::null()).spawn()?)
}

/// Waits until the node has `count` blocks beside genesis; returns the seconds.
pub(crate) async fn wait_until_ready(port: u16, count: u64) -> Result<f64> {
    let client = Client::new(None, None)?;
    let start = Instant::now();
    while start.elapsed() < MAX_WAIT {
        if client.chain_length(&format!("127.0.0.1:{port}")).await.is_ok_and(|length| length == count + 1) {
            return Ok(start.elapsed().as_secs_f64());
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    anyhow::bail!("the node did not have {count} blocks within {MAX_WAIT:?}")
}

/// Reads the whole chain and answers the most memory that the node took meanwhile.
async fn stream(child: &mut Child, count: u64) -> Result<f64> {
    let begin = resident_mb(child.id()).context("no /proc")?;
    let (start, mut bytes, mut most_mb) = (Instant::now(), 0_u64, begin);
    let answer = reqwest::get(format!("http://127.0.0.1:{PORT}/blockchain")).await?.error_for_status()?;
    let mut chunks = Box::pin(answer.bytes_stream());
    while let Some(chunk) = chunks.next().await {
        bytes += chunk?.len() as u64;
        most_mb = most_mb.max(resident_mb(child.id()).unwrap_or_default());
    }
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "  /blockchain: {bytes} bytes, {:.0} blocks/s; resident {begin:.0} MB before, {most_mb:.0} MB at the most",
        count as f64 / seconds
    );
    Ok(most_mb)
}
