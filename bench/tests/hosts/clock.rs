//! A node whose clock is ten minutes ahead.

use crate::harness::Outcome;
use crate::host_process::{HostProcess, settings};
use crate::lan::Lan;
use crate::measure::{agreement, has, lost_to_forks};
use shared::block::BlockId;
use shared::wire::BlockStatus;
use testkit::{DEADLINE, client, until_ok};

/// Milliseconds that its clock is ahead.
const AHEAD: &str = "600000";
/// Bytes of a block's JSON at most.
const MAX_BLOCK_BYTES: usize = 16 << 20;
/// Blocks that the other nodes find meanwhile.
const MEANWHILE: u64 = 15;

pub(crate) async fn clock_ahead() -> Outcome {
    let lan = Lan::new(4)?;
    let settings = settings("clock", &[]);
    let tracker_at = format!("{}:8090", lan.address(1));
    let mut tracker = HostProcess::new(&lan, 1, ("tracker", 8090), &settings, &[]);
    tracker.start().await;
    let node = |host, args: &[&str]| {
        HostProcess::new(&lan, host, ("node", 8100), &settings, &[args, &["-t", &tracker_at]].concat())
    };
    let (mut nodes, mut wrong) = ([1, 2, 3].map(|host| node(host, &[])), node(4, &["--clock-offset-ms", AHEAD]));
    for node in nodes.iter_mut().chain([&mut wrong]) {
        node.start().await;
    }
    let nodes = nodes.each_ref();

    // A block that it has found and the others refuse.
    let (block, reason) =
        until_ok("a block of the wrong clock is refused, with the reason", DEADLINE * 2, async || {
            let tip = wrong.tip().await?;
            let block = BlockId { index: tip.index, hash: tip.hash };
            let json =
                client().block_json(&wrong.address, tip.hash, MAX_BLOCK_BYTES).await.map_err(|e| e.to_string())?;
            let answer = client().push_block(&nodes[0].address, json).await.map_err(|e| e.to_string())?;
            let reason = answer.reason.unwrap_or_default();
            let is_refused = answer.status == BlockStatus::Later && reason.contains("ahead of this clock");
            if is_refused { Ok((block, reason)) } else { Err(format!("{:?}: {reason}", answer.status)) }
        })
        .await;
    println!("  its block {} is refused: {reason}", block.index);
    let height = nodes[0].tip().await.unwrap().index.0;
    let agreed = agreement(&nodes, height + MEANWHILE, 0, DEADLINE * 2).await;
    assert!(!has(nodes[0], block).await, "a block of the future is on the chain");
    println!("  the others agree on block {} meanwhile, {:.1} s later", agreed.block.index, agreed.seconds);
    println!("  blocks lost to forks: {}", lost_to_forks(&nodes).await);

    // It leaves its own branch again and again, because the others' has more work.
    until_ok("the wrong clock's node follows the others", DEADLINE * 2, async || {
        if has(&wrong, agreed.block).await { Ok(()) } else { Err("it is on a branch of its own".to_owned()) }
    })
    .await;
    println!("  {} of its own blocks were lost to forks", lost_to_forks(&[&wrong]).await);
    wrong.kill();
    let mut right = node(4, &[]);
    right.start().await;
    let least = nodes[0].tip().await.unwrap().index.0;
    let agreed = agreement(&[nodes[0], nodes[1], nodes[2], &right], least, 0, DEADLINE * 2).await;
    println!("  with its clock set right, all agree {:.1} s after it has started", agreed.seconds);
    Ok(())
}
