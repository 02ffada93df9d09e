//! A node that joins a network of 20,000 blocks.

use crate::TOKEN;
use crate::harness::Outcome;
use crate::host_process::{HostProcess, settings, with_small_disk};
use crate::lan::Lan;
use crate::measure::agreement;
use shared::wire::MineRequest;
use std::time::Instant;
use testkit::{DEADLINE, client, program};

const BLOCKS: u64 = 20_000;
/// Size of the disk that holds them.
const SIZE: &str = "512m";
/// Blocks to mine in one request.
const AT_A_TIME: u64 = 1000;

pub(crate) async fn late_joiner() -> Outcome {
    let lan = Lan::new(2)?;
    let easy = [
        ("NETWORK__INITIAL_DIFFICULTY", "1"),
        // They are mined so fast that their timestamps run ahead of the clock.
        ("NETWORK__MAX_FUTURE_MS", "600000"),
        ("NODE__MINE", "false"),
    ];
    let settings = settings("long", &easy);
    // A disk in memory: the test measures syncing, not the fsync of each mined block.
    let mut command = program("node", &lan.folder(1), &settings);
    command.args(["-H", "0.0.0.0", "-p", "8100"]);
    let mut old = HostProcess::from_command(&lan, 1, 8100, &with_small_disk(SIZE, &command), "node");
    old.start().await;
    let began = Instant::now();
    for _ in 0..BLOCKS / AT_A_TIME {
        client().mine(&old.address, TOKEN, &MineRequest { blocks: AT_A_TIME, data: None }).await.unwrap();
    }
    println!("  {BLOCKS} blocks mined in {:.1} s", began.elapsed().as_secs_f64());
    let began = Instant::now();
    let mut late = HostProcess::new(&lan, 2, ("node", 8100), &settings, &[&old.address]);
    late.start().await;
    agreement(&[&old, &late], BLOCKS, 0, DEADLINE * 4).await;
    let seconds = began.elapsed().as_secs_f64();
    println!("  synced by a late joiner in {seconds:.1} s, {:.0} blocks a second", BLOCKS as f64 / seconds);
    Ok(())
}
