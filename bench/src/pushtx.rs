//! Durable pushes: 512 connections of wrk to one mempool, which answers each push when it is on disk.
//!
//! The limit is the smaller of two rates, both measured here: one core's signature verifications, and the pushes of 512
//! connections that each wait for one fsync.

use crate::connect::bare_rate;
use crate::lab::{folder, wait};
use crate::payments::{params, payments, wallets};
use crate::report::Row;
use anyhow::{Context, Result};
use runtime::client::Client;
use runtime::data_dir::DataDir;
use shared::config::Config;
use shared::ledger::json_of;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const CONNECTIONS: usize = 512;
const PUSHES: usize = 60_000;
/// The wrk script: pushes the transactions of a file one after another.
const SCRIPT: &str = r#"
local bodies = {}
for line in io.lines(os.getenv("BODIES")) do bodies[#bodies + 1] = line end
local next_body = 0
local headers = { ["Content-Type"] = "application/json" }
function request()
  next_body = next_body + 1
  return wrk.format("POST", "/pushtx", headers, bodies[next_body] or bodies[#bodies])
end
"#;

pub(crate) async fn measure(dir: &Path) -> Result<()> {
    if Command::new("wrk").arg("--version").output().is_err() {
        println!("pushtx: not run, because wrk is not installed (apt-get install wrk)");
        return Ok(());
    }
    let folder = folder(dir)?;
    let (params, wallets) = (params("bench-pushtx"), wallets(500));
    let transactions = payments(&params, &wallets, PUSHES);
    let bare = bare_rate(&params, &transactions)?;
    let fsync = fsync_seconds(folder.path())?;
    let (bodies, script) = (folder.path().join("bodies"), folder.path().join("push.lua"));
    let lines: String = transactions.iter().map(|transaction| json_of(transaction) + "\n").collect();
    std::fs::write(&bodies, lines)?;
    std::fs::write(&script, SCRIPT)?;

    let mut config = Config { network: params, ..Config::default() };
    config.mempool.data_dir = folder.path().join("data");
    config.mempool.pushes_per_second = u32::MAX;
    config.mempool.push_burst = u32::MAX;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let data = DataDir::open(&config.mempool.data_dir, &config.network, "mempool", address.port())?;
    let shutdown = CancellationToken::new();
    let settings = mempool::Settings { config, data, peers: Vec::new(), metrics: None };
    let mempool = tokio::spawn(mempool::run(listener, settings, shutdown.clone()));

    let client = Client::new(None, None)?;
    let pending =
        async || Ok::<_, anyhow::Error>(client.info(&address.to_string()).await?.pool.map_or(0, |pool| pool.count));
    wait("the mempool answers", Duration::from_secs(10), async || Ok(pending().await.is_ok())).await?;
    let mut wrk = Command::new("wrk")
        .args(["-t1", &format!("-c{CONNECTIONS}"), "-d120s", "-s"])
        .arg(&script)
        .arg(format!("http://{address}"))
        .env("BODIES", &bodies)
        .stdout(Stdio::null())
        .spawn()?;
    let most = Duration::from_secs(110);
    // The first pushes warm up.
    let warm = (PUSHES / 6) as u64;
    wait("the first pushes are accepted", most, async || Ok(pending().await? >= warm)).await?;
    let (start, from) = (Instant::now(), pending().await?);
    let measured = wait("all pushes are accepted", most, async || Ok(pending().await? >= PUSHES as u64 * 9 / 10)).await;
    let (seconds, to) = (start.elapsed().as_secs_f64(), pending().await?);
    wrk.kill()?;
    wrk.wait()?;
    measured?;
    shutdown.cancel();
    mempool.await??;

    let limit = bare.min(CONNECTIONS as f64 / fsync);
    let what = format!("durable /pushtx, {CONNECTIONS} connections");
    println!("{}", Row { what, ours: (to - from) as f64 / seconds, limit, unit: "pushes/s", goal: ">= 0.85".into() });
    println!("  {bare:.0} bare verifications/s on one core, one fsync {:.2} ms", fsync * 1000.0);
    Ok(())
}

/// Seconds that the fsync of a page takes, the median of 101.
fn fsync_seconds(folder: &Path) -> Result<f64> {
    let mut file = std::fs::File::create(folder.join("fsync"))?;
    let mut times = Vec::new();
    for _ in 0..101 {
        let start = Instant::now();
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
        times.push(start.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().context("no fsync was measured")
}
