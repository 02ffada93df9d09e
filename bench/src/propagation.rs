//! The time that a mined block takes to reach all of 20 nodes on one machine, with idle miners.

use crate::chains::{config, easy_params};
use crate::lab::{Node, folder, wait};
use crate::report::Row;
use anyhow::{Context, Result};
use futures_util::StreamExt;
use runtime::client::Client;
use shared::block::BlockHash;
use shared::wire::{MineRequest, NodeEvent};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

const NODES: usize = 20;
const BLOCKS: usize = 100;

pub(crate) async fn measure(dir: &Path) -> Result<()> {
    let folder = folder(dir)?;
    let mut nodes: Vec<Node> = Vec::new();
    for number in 0..NODES {
        let config = config(easy_params("bench-propagation"), &folder.path().join(number.to_string()));
        let peers: Vec<_> = nodes.iter().map(|node| node.address.clone()).collect();
        let peers: Vec<_> = peers.iter().map(String::as_str).collect();
        nodes.push(Node::start(config, &peers, |_| Ok(())).await?);
    }
    let client = Client::new(None, None)?;
    wait("all know one another", Duration::from_secs(60), async || {
        for node in &nodes {
            if client.info(&node.address).await?.peers != Some(NODES as u64 - 1) {
                return Ok(false);
            }
        }
        Ok(true)
    })
    .await?;

    let (seen, mut arrivals) = mpsc::channel(4096);
    for node in &nodes {
        let mut events = Box::pin(client.events(&node.address).await?);
        let seen = seen.clone();
        tokio::spawn(async move {
            while let Some(Ok(event)) = events.next().await {
                if let NodeEvent::Block(block) = event
                    && seen.send((block.hash, Instant::now())).await.is_err()
                {
                    return;
                }
            }
        });
    }
    let mut spans = Vec::with_capacity(BLOCKS);
    for number in 0..BLOCKS {
        let miner = &nodes[number % NODES];
        let request = MineRequest { blocks: 1, data: Some(format!("block {number}")) };
        client.mine(&miner.address, &miner.token, &request).await?;
        spans.push(span(&mut arrivals).await?);
        // Let the last block's messages settle before the next one.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    spans.sort_by(f64::total_cmp);
    for (what, position, limit) in [("median", BLOCKS / 2, 10.0), ("p99", BLOCKS * 99 / 100, 100.0)] {
        let what = format!("a block to all of {NODES} nodes, {what}");
        println!("{}", Row { what, ours: spans[position], limit, unit: "ms", goal: "<= 1".into() });
    }
    for node in nodes {
        node.stop().await?;
    }
    Ok(())
}

/// Milliseconds between the first node's event about the block, which is the miner's, and the last node's.
async fn span(arrivals: &mut mpsc::Receiver<(BlockHash, Instant)>) -> Result<f64> {
    let mut seen: BTreeMap<BlockHash, (usize, Instant)> = BTreeMap::new();
    let all = async {
        while let Some((hash, at)) = arrivals.recv().await {
            let (count, first) = seen.entry(hash).or_insert((0, at));
            *count += 1;
            if *count == NODES {
                return Some(at.duration_since(*first).as_secs_f64() * 1000.0);
            }
        }
        None
    };
    tokio::time::timeout(Duration::from_secs(10), all).await?.context("an event stream ended")
}
