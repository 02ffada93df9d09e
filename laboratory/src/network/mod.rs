//! Networks: where nodes are, who is linked with whom, how long messages take and how much hash rate each node has.

mod graph;
mod latency;
mod maker;
mod preset;

pub use graph::Graph;
pub use latency::Latencies;
pub use maker::{GraphName, Maker};
pub use preset::{Preset, PresetName, Region};

use crate::exact::normal_quantile;
use crate::kernel::{Stream, stream};
use serde::{Deserialize, Serialize};
use shared::random::Random;

/// How hash rate is spread over nodes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Power {
    /// All nodes have the same.
    Equal,
    /// A normal distribution whose deviation is a quarter of the mean, as in SimBlock.
    #[default]
    Normal,
    /// The n-th strongest node has 1/n of the strongest one's.
    Zipf,
}

/// From which a network is drawn.
#[derive(Debug, Clone)]
pub struct NetworkSetting {
    /// Regions, latencies, bandwidths.
    pub preset: PresetName,
    /// How many nodes there are.
    pub nodes: usize,
    /// Latency of the preset `uniform`.
    pub latency_ms: u64,
    /// How hash rate is spread over nodes.
    pub power: Power,
    /// How nodes are linked.
    pub graph: Maker,
}

/// How often a random graph is drawn until everybody can be reached; after that, its parts are joined.
const DRAWS: usize = 64;

/// A network with everything drawn.
#[derive(Debug)]
pub struct Network {
    /// By node: the number of its region.
    pub regions: Vec<u8>,
    /// Who is linked with whom.
    pub graph: Graph,
    /// How long messages take.
    pub latencies: Latencies,
    /// By node: whether it uses compact blocks.
    pub compact: Vec<bool>,
    /// By node: whether it joins and leaves often, so that compact blocks fail more often.
    pub churns: Vec<bool>,
    /// By node: the sum of the hash rate up to and including it, in any unit.
    pub power_up_to: Vec<u64>,
    /// Bits a millisecond that a region's nodes send and receive, from region to region.
    pub bits_per_ms: Vec<u64>,
}

impl Network {
    /// Draws a network in which everybody can be reached.
    pub fn new(setting: &NetworkSetting, seed: u64) -> Self {
        let nodes = setting.nodes;
        let preset = Preset::new(setting.preset, setting.latency_ms);
        let mut random = stream(seed, Stream::Graph);
        let shares: Vec<f64> = preset.regions.iter().map(|region| region.share).collect();
        let regions: Vec<u8> = spread(&shares, nodes, &mut random).into_iter().map(|region| region as u8).collect();
        let degrees = spread(&preset.degree_shares(), nodes, &mut random);
        let compact = chosen(preset.compact_share, nodes, &mut random);
        let churns = chosen(preset.churn_share, nodes, &mut random);
        // A degree is one more than its place in the table.
        let degrees: Vec<usize> = degrees.iter().map(|degree| degree + 1).collect();
        let mut graph = setting.graph.make(nodes, &degrees, &mut random);
        for _ in 1..DRAWS {
            if graph.reaches_all() {
                break;
            }
            graph = setting.graph.make(nodes, &degrees, &mut random);
        }
        if !graph.reaches_all() {
            graph = graph.joined();
        }
        let bits_per_ms = preset
            .regions
            .iter()
            .flat_map(|from| preset.regions.iter().map(|to| from.upload_bits.min(to.download_bits) / 1000))
            .collect();
        let power_up_to = sums(&powers(setting.power, nodes, &mut random));
        Self { regions, graph, latencies: Latencies::new(&preset), compact, churns, power_up_to, bits_per_ms }
    }

    /// Gives each node this hash rate, in any unit.
    pub fn set_powers(&mut self, powers: &[u64]) {
        self.power_up_to = sums(powers);
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.regions.len()
    }

    /// Whether there are no nodes.
    pub fn is_empty(&self) -> bool {
        self.regions.is_empty()
    }

    /// The number of the pair of regions that a message from one node to another passes.
    #[inline]
    pub fn pair(&self, from: u32, to: u32) -> usize {
        usize::from(self.regions[from as usize]) * self.latencies.regions() + usize::from(self.regions[to as usize])
    }

    /// The node whose hash rate `point` falls on.
    pub fn miner_at(&self, point: u64) -> u32 {
        self.power_up_to.partition_point(|sum| *sum <= point) as u32
    }

    /// All hash rate.
    pub fn total_power(&self) -> u64 {
        self.power_up_to.last().copied().unwrap_or(0)
    }

    /// The hash rate of a node.
    pub fn power(&self, node: u32) -> u64 {
        let before = if node == 0 { 0 } else { self.power_up_to[node as usize - 1] };
        self.power_up_to[node as usize] - before
    }
}

/// Numbers 0, 1, … for `nodes` nodes, as many of each as `shares` say, in random order.
fn spread(shares: &[f64], nodes: usize, random: &mut Random) -> Vec<usize> {
    let mut numbers = Vec::with_capacity(nodes);
    let mut sum = 0.0;
    for (number, share) in shares.iter().enumerate() {
        sum += share;
        let up_to = ((sum * nodes as f64 + 0.5) as usize).min(nodes);
        numbers.resize(numbers.len().max(up_to), number);
    }
    numbers.resize(nodes, shares.len().saturating_sub(1));
    random.shuffle(&mut numbers);
    numbers
}

/// By place: the sum up to and including it.
fn sums(powers: &[u64]) -> Vec<u64> {
    let mut sum = 0;
    powers
        .iter()
        .map(|power| {
            sum += power;
            sum
        })
        .collect()
}

fn chosen(share: f64, nodes: usize, random: &mut Random) -> Vec<bool> {
    spread(&[share, 1.0 - share], nodes, random).into_iter().map(|number| number == 0).collect()
}

fn powers(power: Power, nodes: usize, random: &mut Random) -> Vec<u64> {
    const MEAN: f64 = 400_000.0;
    let of = |node: usize| match power {
        Power::Equal => MEAN,
        Power::Normal => MEAN * (1.0 + 0.25 * normal_quantile((node as f64 + 0.5) / nodes as f64)),
        Power::Zipf => 1e9 / (node as f64 + 1.0),
    };
    let mut powers: Vec<u64> = (0..nodes).map(|node| of(node).max(1.0) as u64).collect();
    random.shuffle(&mut powers);
    powers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(preset: PresetName, nodes: usize, power: Power) -> NetworkSetting {
        NetworkSetting { preset, nodes, latency_ms: 0, power, graph: Maker::Degrees }
    }

    #[test]
    fn nodes_are_spread_as_the_preset_says_and_all_are_reached() {
        let network = Network::new(&setting(PresetName::Simblock2019, 1000, Power::Normal), 7);
        let in_europe = network.regions.iter().filter(|region| **region == 1).count();
        assert!((498..=502).contains(&in_europe), "{in_europe}");
        assert!(network.graph.reaches_all());
        let mean = network.total_power() as f64 / 1000.0;
        assert!((mean / 400_000.0 - 1.0).abs() < 0.01, "{mean}");
        let sum: u64 = (0..1000).map(|node| network.power(node)).sum();
        assert_eq!((sum, network.miner_at(0), network.miner_at(sum - 1)), (network.total_power(), 0, 999));
    }

    #[test]
    fn everybody_can_be_reached_even_where_a_draw_leaves_islands() {
        let lonely = NetworkSetting { graph: Maker::Regular(1), ..setting(PresetName::Lan, 40, Power::Equal) };
        assert!(Network::new(&lonely, 3).graph.reaches_all());
    }

    #[test]
    fn a_seed_means_the_same_network() {
        let draw = |seed| Network::new(&setting(PresetName::Simblock2015, 60, Power::Zipf), seed);
        assert_eq!(draw(1).graph.links(), draw(1).graph.links());
        assert_ne!(draw(1).graph.links(), draw(2).graph.links());
    }
}
