//! The model `links`: its miners, and the delays between them.

use super::setting::{within, wrong};
use super::{Scenario, ScenarioError};
use crate::model::links::{Delays, Edge, LinkGraph, LinkedMiner, Links, silent};
use crate::network::{GraphName, Maker};
use crate::strategy::StrategySetting;
use shared::params::RetargetRule;
use std::sync::Arc;

/// The most miners: delays are kept for each pair.
const MOST_MINERS: usize = 1000;
/// Delay of a link, unless the scenario says otherwise.
const LATENCY_MS: u64 = 1000;
/// The longest delay.
const LONGEST_MS: u64 = 86_400_000;
/// Links of a node in a regular graph, unless the scenario says otherwise.
const DEGREE: u64 = 8;

impl Scenario {
    pub(super) fn links(&self) -> Result<Links, ScenarioError> {
        if self.consensus.retarget != RetargetRule::Fixed {
            let expected = "\"fixed\" in this model; race, relay and core know the others";
            return Err(wrong("consensus.retarget", "another rule", expected));
        }
        let mut miners = Vec::new();
        for miner in &self.miner {
            let key = miner.key("share");
            let share = miner.share.ok_or_else(|| wrong(&key, "nothing", "its share of the hash rate"))?;
            miners.push(LinkedMiner { power: within(&key, share, 0.0, 1e15)?, strategy: miner.strategy_setting()? });
            if miner.link_ms.is_some() {
                return Err(wrong(&miner.key("link_ms"), "a value", "network.links in this model"));
            }
        }
        // Others without names share what is left.
        let others = within("network.nodes", self.network.nodes.unwrap_or(0), 0, MOST_MINERS as u64)?;
        let named: f64 = miners.iter().map(|miner| miner.power).sum();
        if others > 0 {
            within("the sum of all shares", named, 0.0, 1.0)?;
            let power = (1.0 - named) / others as f64;
            miners.extend((0..others).map(|_| LinkedMiner { power, strategy: StrategySetting::Honest }));
        }
        let count = miners.len();
        let total: f64 = miners.iter().map(|miner| miner.power).sum();
        if !(2..=MOST_MINERS).contains(&count) || total <= 0.0 {
            let expected = format!("2 to {MOST_MINERS}, some of them with hash rate");
            return Err(wrong("the number of miners", count.to_string(), expected));
        }
        let validation_ms = self.network.validation_ms.unwrap_or(0);
        Ok(Links {
            graph: self.link_graph(&miners)?,
            miners,
            validation_ms: within("network.validation_ms", validation_ms, 0, LONGEST_MS)?,
            params: self.consensus.params(1 << 40, u64::MAX)?,
            blocks: self.blocks,
            warm_up: self.warm_up,
        })
    }

    fn link_graph(&self, miners: &[LinkedMiner]) -> Result<LinkGraph, ScenarioError> {
        let latency_ms = within("network.latency_ms", self.network.latency_ms.unwrap_or(LATENCY_MS), 0, LONGEST_MS)?;
        let maker = match self.network.graph.unwrap_or(GraphName::Full) {
            GraphName::List => return self.listed(miners),
            GraphName::Degrees => {
                return Err(wrong("network.graph", "\"degrees\"", "full, ring, regular or list in this model"));
            }
            GraphName::Full => Maker::Full,
            GraphName::Ring => Maker::Ring,
            GraphName::Regular => Maker::Regular(self.network.degree()?),
        };
        Ok(LinkGraph::Made { maker, latency_ms })
    }

    fn listed(&self, miners: &[LinkedMiner]) -> Result<LinkGraph, ScenarioError> {
        let nodes = miners.len();
        let name = |node: u32| self.miner.get(node as usize).map_or_else(|| node.to_string(), |m| m.name.clone());
        let place = |text: &str| {
            let named = self.miner.iter().position(|miner| miner.name == text);
            named.or_else(|| text.parse().ok().filter(|place| *place < nodes)).map(|place| place as u32)
        };
        let mut edges = Vec::new();
        for line in self.network.links.iter().flatten() {
            let parts: Vec<&str> = line.split_whitespace().collect();
            let edge = match parts[..] {
                [from, sign @ ("-" | ">"), to, ms] => place(from)
                    .zip(place(to))
                    .zip(ms.parse().ok().filter(|ms| *ms <= LONGEST_MS))
                    .map(|((from, to), ms)| (Edge { from, to, ms }, sign == "-")),
                _ => None,
            };
            let expected = "\"A - B MS\" or \"A > B MS\" with names of miners, and milliseconds";
            let (edge, both) = edge.ok_or_else(|| wrong("network.links", format!("\"{line}\""), expected))?;
            edges.push(edge);
            if both {
                edges.push(Edge { from: edge.to, to: edge.from, ms: edge.ms });
            }
        }
        let delays = Delays::with_silent(&edges, &silent(miners)).map_err(|lost| {
            let got = format!("no way from {} to {}", name(lost.from), name(lost.to));
            wrong(
                "network.links",
                got,
                "links by which every block reaches every miner; one with a strategy relays nothing",
            )
        })?;
        Ok(LinkGraph::Listed(Arc::new(delays)))
    }
}

impl super::Network {
    /// Links of a node in a regular graph.
    pub(super) fn degree(&self) -> Result<usize, ScenarioError> {
        // With one link a node, nobody but a pair hears of one another.
        within("network.degree", self.degree.unwrap_or(DEGREE), 2, 1000).map(|degree| degree as usize)
    }
}
