//! A very long chain: how fast a node starts with it, also after kill -9, and how much memory the node needs to stream
//! it on `/blockchain`.

use crate::chains::{easy_params, store_chain};
use crate::lab::{folder, resident_mb};
use crate::report::Row;
use anyhow::{Context, Result};
use futures_util::StreamExt;
use runtime::client::Client;
use runtime::data_dir::DataDir;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PORT: u16 = 18_100;

pub(crate) async fn measure(dir: &Path, count: u64) -> Result<()> {
    let Some(node) = std::env::current_exe()?.parent().map(|folder| folder.join("node")).filter(|node| node.exists())
    else {
        println!("long chain: not run, because the node program is not built (cargo build --release)");
        return Ok(());
    };
    let folder = folder(dir)?;
    let params = easy_params("bench-long");
    let start = Instant::now();
    let data = DataDir::open(&folder.path().join("data"), &params, "node", PORT)?;
    store_chain(&params, &data, count)?;
    drop(data);
    println!("  made and stored {count} blocks in {:.1} s", start.elapsed().as_secs_f64());

    let mut child = start_node(&node, folder.path(), &params)?;
    let started = wait_until_ready(count).await?;
    row(format!("start on {count} blocks"), started, 2.0, "s", "<= 1");
    let streamed = stream(&mut child, count).await?;
    row("resident while streaming /blockchain".into(), streamed, 300.0, "MB", "<= 1");
    child.kill()?;
    child.wait()?;

    let mut child = start_node(&node, folder.path(), &params)?;
    let restarted = wait_until_ready(count).await?;
    row("start after kill -9".into(), restarted, 2.0, "s", "<= 1");
    child.kill()?;
    child.wait()?;
    Ok(())
}

fn row(what: String, ours: f64, limit: f64, unit: &'static str, goal: &str) {
    println!("{}", Row { what, ours, limit, unit, goal: goal.into() });
}

fn start_node(node: &Path, folder: &Path, params: &shared::params::Params) -> Result<Child> {
    let mut command = Command::new(node);
    let values = serde_json::to_value(params)?;
    for (name, value) in values.as_object().context("parameters are an object")? {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        command.env(format!("CHAINLAB__NETWORK__{}", name.to_uppercase()), text);
    }
    command.args(["--no-mine", "-p", &PORT.to_string(), "-t", "127.0.0.1:1", "-d"]).arg(folder.join("data"));
    Ok(command.current_dir(folder).stderr(Stdio::null()).spawn()?)
}

async fn wait_until_ready(count: u64) -> Result<f64> {
    let client = Client::new(None, None)?;
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(60) {
        if client.chain_length(&format!("127.0.0.1:{PORT}")).await.is_ok_and(|length| length == count + 1) {
            return Ok(start.elapsed().as_secs_f64());
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    anyhow::bail!("the node did not answer within a minute")
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
