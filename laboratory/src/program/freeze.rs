//! `new FILE --from http://NODE`: freezes a live network into a scenario that runs without it.
//!
//! Nodes are found from peer to peer. Each tells its hash rate, its peers and where its rewards go. Its round trip is
//! how long opening a connection to it takes from here. Two nodes are as far apart as half of both round trips.

use super::{Usage, http};
use anyhow::Context;
use serde::Deserialize;
use serde_json::Value;
use shared::block::Block;
use shared::params::Params;
use std::collections::{BTreeSet, VecDeque};
use std::fmt::Write;
use std::time::Duration;

/// The most nodes that are taken.
const MOST_NODES: usize = 200;
/// Connections that are timed; the fastest counts.
const TRIES: usize = 3;

/// What a node says of itself, as far as it matters here.
#[derive(Debug, Deserialize)]
struct Info {
    service: String,
    network_id: String,
    network: Value,
    address: String,
    mining: Option<Mining>,
}

#[derive(Debug, Deserialize)]
struct Mining {
    enabled: bool,
    address: Option<String>,
    hashrate: u64,
}

#[derive(Debug, Deserialize)]
struct Peer {
    address: String,
    error: Option<String>,
}

struct Node {
    info: Info,
    peers: Vec<String>,
    round_trip: Duration,
}

/// A frozen network as two files.
pub(super) struct Frozen {
    pub(super) scenario: String,
    pub(super) chain: String,
}

/// Freezes the network of a node. `chain_file` is how the scenario will name its chain.
pub(super) fn freeze(from: &str, chain_file: &str) -> anyhow::Result<Frozen> {
    let address = from.strip_prefix("http://").unwrap_or(from).trim_end_matches('/');
    if address.contains('/') || !address.contains(':') {
        return Err(Usage(format!("--from {from}: expected a node, as in http://127.0.0.1:8100")).into());
    }
    let first: Info = http::json(address, "/info")?;
    if first.service != "node" {
        let reason = format!("--from {from}: this is the service `{}`, expected a node", first.service);
        return Err(Usage(reason).into());
    }
    let params: Params = serde_json::from_value(first.network.clone())
        .with_context(|| format!("{from}: the network's parameters are of another version"))?;
    let nodes = crawl(address, &first.network_id);
    if nodes.len() < 2 {
        return Err(Usage(format!("{from}: expected a network of at least two nodes that know each other")).into());
    }
    if nodes.iter().all(|node| node.hash_rate() == 0) {
        return Err(Usage(format!("{from}: no node of this network mines, so that nothing would happen")).into());
    }
    let blocks: Vec<Block> = http::json(address, "/blockchain?from=1")?;
    let mut chain = format!("{}\n", serde_json::to_string(&params)?);
    for block in &blocks {
        writeln!(chain, "{}", serde_json::to_string(block)?)?;
    }
    let scenario = scenario(from, &params, &nodes, &blocks, chain_file)?;
    Ok(Frozen { scenario, chain })
}

/// All nodes of the network that answer, found from peer to peer.
fn crawl(first: &str, network_id: &str) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut known = BTreeSet::from([first.to_owned()]);
    let mut waiting = VecDeque::from([first.to_owned()]);
    while let Some(address) = waiting.pop_front().filter(|_| nodes.len() < MOST_NODES) {
        // A node that does not answer, or belongs to another network, is left out.
        let Some(mut node) = ask(&address).filter(|node| node.info.network_id == network_id) else { continue };
        for peer in &node.peers {
            if known.insert(peer.clone()) {
                waiting.push_back(peer.clone());
            }
        }
        // Others may know it by another address than the one that it was asked at.
        known.insert(node.info.address.clone());
        if address != first {
            node.info.address = address;
        }
        nodes.push(node);
    }
    nodes
}

fn ask(address: &str) -> Option<Node> {
    let times = (0..TRIES).filter_map(|_| http::connect(address).ok()).map(|(_, took)| took);
    let round_trip = times.min()?;
    let info = http::json(address, "/info").ok()?;
    let peers: Vec<Peer> = http::json(address, "/peers").ok()?;
    let peers = peers.into_iter().filter(|peer| peer.error.is_none()).map(|peer| peer.address).collect();
    Some(Node { info, peers, round_trip })
}

impl Node {
    fn hash_rate(&self) -> u64 {
        self.info.mining.as_ref().filter(|mining| mining.enabled).map_or(0, |mining| mining.hashrate)
    }

    fn earner(&self) -> Option<&str> {
        self.info.mining.as_ref()?.address.as_deref()
    }
}

/// Milliseconds between two nodes, at least 1.
fn delay_ms(one: &Node, other: &Node) -> u128 {
    ((one.round_trip + other.round_trip) / 2).as_micros().div_ceil(1000).max(1)
}

/// Links as `A - B ms`, from whichever end they are known.
fn links(nodes: &[Node]) -> Vec<String> {
    let number = |address: &String| nodes.iter().position(|node| node.info.address == *address);
    let mut pairs = BTreeSet::new();
    for (own, node) in nodes.iter().enumerate() {
        pairs.extend(node.peers.iter().filter_map(number).map(|peer| (own.min(peer), own.max(peer))));
    }
    let pairs = pairs.into_iter().filter(|(one, other)| one != other);
    pairs.map(|(one, other)| format!("{one} - {other} {}", delay_ms(&nodes[one], &nodes[other]))).collect()
}

fn list(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}

fn scenario(from: &str, params: &Params, nodes: &[Node], blocks: &[Block], chain_file: &str) -> anyhow::Result<String> {
    let height = blocks.len();
    let mean = |sum: u64, count: usize| sum.checked_div(count as u64).unwrap_or(0).max(1);
    let block_bytes = mean(blocks.iter().map(|block| block.data().len() as u64 + 400).sum(), height);
    let mut text = String::new();
    let out = &mut text;
    writeln!(out, "# The network {} as {from} knew it at block {height}. It runs without that network.", params.name)?;
    writeln!(out, "title = \"What if: {} from block {height} on\"", params.name)?;
    writeln!(out, "question = \"What happens next, and what would a miner with a strategy change?\"")?;
    writeln!(out, "model = \"core\"\nseed = 42\nrepeat = 5\nblocks = 100\n\n[network]")?;
    for (number, node) in nodes.iter().enumerate() {
        writeln!(out, "# {number}: {}", node.info.address)?;
    }
    writeln!(out, "nodes = {}\npreset = \"uniform\"\nlatency_ms = 1\nblock_bytes = {block_bytes}", nodes.len())?;
    writeln!(out, "graph = \"list\"\n# Milliseconds: half of both nodes' round trips to the machine that froze them.")?;
    writeln!(out, "links = [{}]\n", list(links(nodes).iter().map(|link| format!("\"{link}\""))))?;
    writeln!(out, "[consensus]\nblock_interval_ms = {}", params.block_interval_ms)?;
    writeln!(out, "retarget = {}", serde_json::to_string(&params.retarget)?)?;
    writeln!(out, "retarget_window = {}", params.retarget_window)?;
    writeln!(out, "initial_difficulty = {}\n", params.initial_difficulty.value())?;
    writeln!(out, "[live]\nchain = \"{chain_file}\"\n# until = {}   # begin at an earlier block", height.div_ceil(2))?;
    writeln!(out, "hash_rates = [{}]", list(nodes.iter().map(|node| node.hash_rate().to_string())))?;
    if params.layer.has_money()
        && let Some(somebody) = nodes.iter().find_map(Node::earner)
    {
        let earners = nodes.iter().map(|node| format!("\"{}\"", node.earner().unwrap_or(somebody)));
        writeln!(out, "earners = [{}]", list(earners))?;
    }
    writeln!(out, "\n# [[miner]]             # what if a miner with 35 % of all hash rate had been there?")?;
    writeln!(out, "# name = \"pool\"\n# share = 0.35\n# strategy = \"selfish\"\n# link_ms = 0")?;
    writeln!(out, "\n[measure]             # add \"share\" for what such a miner earns")?;
    writeln!(out, "quantities = [\"stale\", \"interval_ms\", \"propagation_p50_ms\"]")?;
    Ok(text)
}
