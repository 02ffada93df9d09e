//! The network of a run as GraphML, which programs for graphs read.

use crate::model::Setting;
use crate::network::{Network, Preset};
use crate::plan::Plan;
use std::fmt::Write;

impl Plan {
    /// The network that run `index` draws; `None` where there is no such run, or its model draws none.
    pub fn graphml(&self, index: u64) -> Option<String> {
        let (setting, seed) = self.setting_and_seed(index)?;
        let nothing = std::collections::BTreeMap::new();
        let (network, setting, delays_ms) = match setting {
            Setting::Relay(relay) => (Network::new(&relay.network, seed), &relay.network, &nothing),
            Setting::Core(core) => (core.network(seed), &core.network, &core.frozen.delays_ms),
            Setting::Race(_) | Setting::Links(_) => return None,
        };
        let preset = Preset::new(setting.preset, setting.latency_ms);
        let region = |node: u32| usize::from(network.regions[node as usize]);
        let mut nodes = String::new();
        let mut edges = String::new();
        for node in 0..network.len() as u32 {
            let name = preset.regions.get(region(node)).map_or("", |region| region.name);
            let power = network.power(node);
            // Writing to text cannot fail. Names of regions are ours, and need no escapes.
            let _ = writeln!(
                nodes,
                "    <node id=\"n{node}\"><data key=\"region\">{name}</data><data key=\"power\">{power}</data></node>"
            );
            for &other in network.graph.neighbours(node).iter().filter(|other| **other > node) {
                let mean_ms = preset.latencies_ms[region(node)][region(other)];
                let delay_ms = delays_ms.get(&(node, other)).copied().unwrap_or(mean_ms);
                let _ = writeln!(
                    edges,
                    "    <edge source=\"n{node}\" target=\"n{other}\"><data key=\"delay_ms\">{delay_ms}</data></edge>"
                );
            }
        }
        Some(format!("{HEAD}{nodes}{edges}  </graph>\n</graphml>\n"))
    }
}

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">
  <key id=\"region\" for=\"node\" attr.name=\"region\" attr.type=\"string\"/>
  <key id=\"power\" for=\"node\" attr.name=\"power\" attr.type=\"long\"/>
  <key id=\"delay_ms\" for=\"edge\" attr.name=\"delay_ms\" attr.type=\"long\"/>
  <graph edgedefault=\"undirected\">
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_node_and_every_link_is_there_once() {
        let text = "title = \"t\"\nmodel = \"core\"\nblocks = 1\n[network]\nnodes = 5\npreset = \"uniform\"\n\
            latency_ms = 7\ngraph = \"list\"\nlinks = [\"0 - 1 40\", \"2 - 1\", \"3 - 2\", \"4 - 3\", \"0 - 4\"]\n";
        let graph = Plan::read(text, &[], None).unwrap().graphml(0).unwrap();
        assert_eq!((graph.matches("<node ").count(), graph.matches("<edge ").count()), (5, 5));
        assert!(graph.contains("source=\"n0\" target=\"n1\"><data key=\"delay_ms\">40<"), "{graph}");
        assert!(graph.contains("source=\"n1\" target=\"n2\"><data key=\"delay_ms\">7<"), "{graph}");
        let race = text.replace("core", "race").split("[network]").next().unwrap().to_owned();
        let race = format!("{race}[[miner]]\nname = \"m\"\nshare = 0.3\n");
        assert_eq!(Plan::read(&race, &[], None).unwrap().graphml(0), None);
    }
}
