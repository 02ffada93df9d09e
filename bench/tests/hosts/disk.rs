//! A node whose disk is full and later has room again.

use crate::harness::Outcome;
use crate::host_process::{HostProcess, settings, with_small_disk};
use crate::lan::Lan;
use crate::measure::{agreement, block_at};
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;
use testkit::{DEADLINE, program, until_ok};

/// Size of the disk.
const SIZE: &str = "16m";
/// Bytes of message in each block, so that blocks are large.
const MESSAGE: usize = 20_000;
/// Blocks that the other node finds meanwhile.
const MEANWHILE: u64 = 10;

/// Writes a file until no room is left.
fn fill(path: &PathBuf) {
    let mut file = File::create(path).unwrap();
    for piece in [64 * 1024, 4096, 1] {
        while file.write_all(&vec![1; piece]).is_ok() {}
    }
}

pub(crate) async fn disk_full() -> Outcome {
    let lan = Lan::new(2)?;
    let message = "so much ".repeat(MESSAGE / 8);
    let settings = settings("full", &[("NETWORK__LAYER", "data"), ("NODE__MESSAGE", &message)]);
    let tracker_at = format!("{}:8090", lan.address(1));
    let mut tracker = HostProcess::new(&lan, 1, ("tracker", 8090), &settings, &[]);
    tracker.start().await;
    let mut good = HostProcess::new(&lan, 1, ("node", 8100), &settings, &["-t", &tracker_at]);
    good.start().await;
    let mut command = program("node", &lan.folder(2), &settings);
    command.args(["-H", "0.0.0.0", "-p", "8100", "-t", &tracker_at]);
    let mut small = HostProcess::from_command(&lan, 2, 8100, &with_small_disk(SIZE, &command), "node");
    small.start().await;
    agreement(&[&good, &small], 3, 0, DEADLINE * 2).await;

    // Only the node's mount namespace has the disk, so it is reached through /proc.
    let root = PathBuf::from(format!("/proc/{}/root", small.process()));
    let filler = root.join(lan.folder(2).strip_prefix("/").unwrap()).join("chaindata/filler");
    fill(&filler);
    let logged = until_ok("the node logs that its disk is full", DEADLINE * 2, async || {
        let log = small.log();
        let line = log.lines().find(|line| line.to_lowercase().contains("no space left"));
        line.map(str::to_owned).ok_or_else(|| format!("its last line is {:?}", log.lines().last()))
    })
    .await;
    println!("  it says: {}", logged.trim());
    let stuck = small.tip().await.unwrap().index.0;
    let others = good.tip().await.unwrap().index.0;
    let mut served = 0;
    while good.tip().await.unwrap().index.0 < others + MEANWHILE {
        block_at(&small, 1).await.unwrap();
        served += 1;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    println!("  full at block {stuck}, it serves all {served} requests for a block while the other node goes on");

    std::fs::remove_file(&filler).unwrap();
    let least = good.tip().await.unwrap().index.0;
    let agreed = agreement(&[&good, &small], least, 0, DEADLINE * 2).await;
    println!("  with room again: both agree on block {} after {:.1} s", agreed.block.index, agreed.seconds);
    Ok(())
}
