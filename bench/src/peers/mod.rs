//! Side by side with a node as small Python systems of this kind write it (`node.py`): hashes, requests, sync.

use crate::chains::{config, easy_params, store_chain};
use crate::http_speed::wrk;
use crate::lab::{Node, folder, wait};
use anyhow::{Context, Result};
use runtime::client::Client;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

const PROGRAM: &str = include_str!("node.py");
/// Blocks of the chain that both serve and sync.
const BLOCKS: u64 = 1000;
const ROUNDS: usize = 3;

pub(crate) async fn measure(dir: &Path) -> Result<()> {
    let folder = folder(dir)?;
    let program = folder.path().join("node.py");
    std::fs::write(&program, PROGRAM)?;
    if Command::new("python3").arg("--version").output().is_err() {
        println!("peers: not run, because python3 is not installed");
        return Ok(());
    }
    println!(
        "{:<48} {:>12} {:>14}  {:<10} {:>8}",
        "side by side with a Python node", "ours", "theirs", "unit", "ratio"
    );
    let theirs = number(python(&program).args(["hashes", "2"]))?;
    print_row("hashes, one thread", crate::search::best_rate(), theirs, "hashes/s");

    let port = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
    let server = Server(python(&program).args(["serve", &port.to_string(), &BLOCKS.to_string()]).spawn()?);
    let params = easy_params("bench-peers");
    let full = config(params.clone(), &folder.path().join("full"));
    let full = Node::start(full, &[], |data| store_chain(&params, data, BLOCKS)).await?;
    let client = Client::new(None, None)?;
    let at = format!("127.0.0.1:{port}");
    wait("the Python node answers", Duration::from_secs(30), async || Ok(client.chain_length(&at).await.is_ok()))
        .await?;
    if let Err(error) = requests(&full.address, &at).await {
        println!("requests: not measured ({error:#}); they need wrk (apt-get install wrk)");
    }
    // A node that starts has more to do than to sync, and all of it counts here.
    let (mut ours, mut theirs) = (f64::INFINITY, f64::INFINITY);
    for round in 0..ROUNDS {
        theirs = theirs.min(number(python(&program).args(["sync", &port.to_string()]))?);
        let start = Instant::now();
        let empty = config(params.clone(), &folder.path().join(format!("empty {round}")));
        let empty = Node::start(empty, &[&full.address], |_| Ok(())).await?;
        let is_done = async || Ok(client.chain_length(&empty.address).await? == BLOCKS + 1);
        wait("the empty node has the chain", Duration::from_secs(60), is_done).await?;
        ours = ours.min(start.elapsed().as_secs_f64());
        empty.stop().await?;
    }
    print_row(
        "start, sync 1000 blocks, check and store them",
        BLOCKS as f64 / ours,
        BLOCKS as f64 / theirs,
        "blocks/s",
    );
    println!("  theirs fetches one answer, compares hashes in memory, and stores nothing");
    drop(server);
    full.stop().await
}

async fn requests(ours_at: &str, theirs_at: &str) -> Result<()> {
    for path in ["/chainlength".to_owned(), format!("/block/{}", BLOCKS / 2)] {
        let theirs = wrk(&format!("http://{theirs_at}{path}")).await?;
        let ours = wrk(&format!("http://{ours_at}{path}")).await?;
        print_row(&format!("GET {path}"), ours, theirs, "requests/s");
    }
    Ok(())
}

/// Stops the program even if a measurement fails.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn python(program: &Path) -> Command {
    let mut command = Command::new("python3");
    command.arg(program).stderr(Stdio::null());
    command
}

/// The number that a command prints.
fn number(command: &mut Command) -> Result<f64> {
    let printed = String::from_utf8(command.output()?.stdout)?;
    printed.trim().parse().with_context(|| format!("the Python node printed {printed:?}"))
}

fn print_row(what: &str, ours: f64, theirs: f64, unit: &str) {
    println!("{what:<48} {ours:>12.0} {theirs:>14.0}  {unit:<10} {:>8.0}", ours / theirs);
}
