//! The fastest way from every node to every other.

use crate::network::Maker;
use shared::random::Random;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A link in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// The sender.
    pub from: u32,
    /// The receiver.
    pub to: u32,
    /// What a block takes.
    pub ms: u64,
}

/// A graph in which somebody cannot be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a block of node {from} never reaches node {to}")]
pub struct Unreachable {
    /// The finder of the block.
    pub from: u32,
    /// The node that it does not reach.
    pub to: u32,
}

/// What a block takes from node to node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delays {
    nodes: usize,
    ms: Vec<u32>,
    /// By sender: what the farthest node takes.
    longest: Vec<u32>,
}

/// How often a random graph is drawn until everybody can be reached; after that, its parts are joined.
const DRAWS: usize = 64;

impl Delays {
    /// The delays along `edges`, where all nodes relay.
    ///
    /// # Errors
    /// Where a node cannot be reached from another.
    pub fn new(nodes: usize, edges: &[Edge]) -> Result<Self, Unreachable> {
        Self::with_silent(edges, &vec![false; nodes])
    }

    /// The delays along `edges`. Nodes that are `silent` send their own blocks and relay nobody else's.
    ///
    /// # Errors
    /// Where a node cannot be reached from another.
    pub fn with_silent(edges: &[Edge], silent: &[bool]) -> Result<Self, Unreachable> {
        let nodes = silent.len();
        let mut neighbours: Vec<Vec<(u32, u64)>> = vec![Vec::new(); nodes];
        for edge in edges {
            neighbours[edge.from as usize].push((edge.to, edge.ms));
        }
        let mut ms = Vec::with_capacity(nodes * nodes);
        for from in 0..nodes as u32 {
            for (to, distance) in (0..).zip(distances(&neighbours, silent, from)) {
                let distance = distance.ok_or(Unreachable { from, to })?;
                ms.push(u32::try_from(distance).unwrap_or(u32::MAX));
            }
        }
        Ok(Self::of(nodes, ms))
    }

    /// The delays in a graph that `maker` makes, with the same delay on each link. Where somebody could not be reached
    /// without the `silent` nodes, those relay, too.
    pub fn made(maker: &Maker, silent: &[bool], latency_ms: u64, random: &mut Random) -> Self {
        let nodes = silent.len();
        let each = u32::try_from(latency_ms).unwrap_or(u32::MAX);
        if *maker == Maker::Full {
            let apart = |from: usize, to: usize| if from == to { 0 } else { each };
            return Self::of(nodes, (0..nodes * nodes).map(|pair| apart(pair / nodes, pair % nodes)).collect());
        }
        let mut graph = maker.make(nodes, &[], random);
        for _ in 1..DRAWS {
            if graph.reaches_all() {
                break;
            }
            graph = maker.make(nodes, &[], random);
        }
        if !graph.reaches_all() {
            graph = graph.joined();
        }
        let ends = (0..nodes as u32).flat_map(|from| graph.neighbours(from).iter().map(move |&to| (from, to)));
        let edges: Vec<Edge> = ends.map(|(from, to)| Edge { from, to, ms: latency_ms }).collect();
        let delays = Self::with_silent(&edges, silent).or_else(|_| Self::new(nodes, &edges));
        delays.unwrap_or_else(|_| Self::of(nodes, vec![each; nodes * nodes]))
    }

    fn of(nodes: usize, ms: Vec<u32>) -> Self {
        let longest = ms.chunks(nodes.max(1)).map(|row| row.iter().copied().max().unwrap_or(0)).collect();
        Self { nodes, ms, longest }
    }

    /// What a block takes from one node to another.
    #[inline]
    pub fn ms(&self, from: usize, to: usize) -> u64 {
        u64::from(self.ms[from * self.nodes + to])
    }

    /// What a block takes from a node to the farthest other.
    #[inline]
    pub fn longest_ms(&self, from: usize) -> u64 {
        u64::from(self.longest[from])
    }
}

/// Dijkstra's shortest paths from one node, through nodes that are not silent.
fn distances(neighbours: &[Vec<(u32, u64)>], silent: &[bool], from: u32) -> Vec<Option<u64>> {
    let mut found: Vec<Option<u64>> = vec![None; neighbours.len()];
    let mut open = BinaryHeap::from([Reverse((0, from))]);
    while let Some(Reverse((distance, node))) = open.pop() {
        if found[node as usize].is_some() {
            continue;
        }
        found[node as usize] = Some(distance);
        if silent[node as usize] && node != from {
            continue;
        }
        for &(to, ms) in &neighbours[node as usize] {
            if found[to as usize].is_none() {
                open.push(Reverse((distance.saturating_add(ms), to)));
            }
        }
    }
    found
}
