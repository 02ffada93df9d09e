//! Recordings: what the nodes of a `core` run told on their event streams, as JSON lines. The explorer shows one as it
//! shows a live network (`explorer --recording`).
//!
//! The first line is a [`Head`], every other one a [`Moment`], in the order of time. A file comes from anybody:
//! [`Recording::read`] bounds and checks it.

mod read;

pub use read::{BadRecording, MAX_BYTES, MAX_MOMENTS, MAX_NODES};

use crate::model::core::node_address;
use crate::model::{Setting, Step};
use crate::plan::Plan;
use serde::{Deserialize, Serialize};
use shared::block::Timestamp;
use shared::chain::Tip;
use shared::ledger::Address;
use shared::params::Params;
use shared::wire::NodeEvent;
use shared::work::Difficulty;

/// The version of the format.
pub const VERSION: u32 = 1;

/// What there was before the run began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// [`VERSION`].
    pub recording: u32,
    /// The title of the experiment.
    pub title: String,
    /// The number of the run.
    pub run: u64,
    /// The rules of the chain.
    pub network: Params,
    /// The block that all nodes begin on, and its difficulty.
    pub tip: Tip,
    /// See [`Head::tip`].
    pub difficulty: Difficulty,
    /// The nodes, by number.
    pub nodes: Vec<RecordedNode>,
}

/// A node of the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedNode {
    /// `host:port`; nobody listens there.
    pub address: String,
    /// Hashes per second.
    pub hash_rate: u64,
    /// The numbers of the nodes that it is linked with.
    pub links: Vec<u32>,
    /// Who earns what it finds, on a chain with money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earner: Option<Address>,
}

/// A whole recording: checked, so that its numbers name nodes, and its moments are in the order of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// What there was before.
    pub head: Head,
    /// What happened, the earliest first.
    pub moments: Vec<Moment>,
}

/// Something that happened; times are of the chain's clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "moment", rename_all = "lowercase")]
pub enum Moment {
    /// A node told an event.
    Node {
        /// When.
        at: Timestamp,
        /// Its number.
        node: u32,
        /// What it told.
        told: NodeEvent,
    },
    /// These nodes cannot reach the others any more.
    Cut {
        /// When.
        at: Timestamp,
        /// Their numbers.
        side: Vec<u32>,
    },
    /// All nodes can reach each other again.
    Healed {
        /// When.
        at: Timestamp,
    },
}

impl Moment {
    /// When it happened.
    pub const fn at(&self) -> Timestamp {
        match self {
            Self::Node { at, .. } | Self::Cut { at, .. } | Self::Healed { at } => *at,
        }
    }
}

impl Plan {
    /// Carries out run `index` again, and gives the lines of its recording to `write`. Returns whether there is such a
    /// run, of real nodes.
    pub fn record(&self, index: u64, write: &mut dyn FnMut(String)) -> bool {
        let Some((Setting::Core(core), seed)) = self.setting_and_seed(index) else { return false };
        let network = core.network(seed);
        let (params, tip, difficulty) = core.start();
        let per_power = core.honest_hash_rate() / network.total_power() as f64;
        let node = |node: u32| RecordedNode {
            address: node_address(node).map_or(String::new(), |address| address.to_string()),
            hash_rate: (network.power(node) as f64 * per_power) as u64,
            links: network.graph.neighbours(node).to_vec(),
            earner: core.earner(node),
        };
        let genesis = params.genesis_time;
        let title = self.scenario().title.clone();
        let nodes = (0..network.len() as u32).map(node).collect();
        let head = Head { recording: VERSION, title, run: index, network: params, tip, difficulty, nodes };
        // Plain values can always be written.
        write(serde_json::to_string(&head).unwrap_or_default());
        core.run_watched(
            seed,
            Some(&mut |step: &Step| {
                let at = |at_ms: u64| genesis.plus_ms(at_ms);
                let moment = match step {
                    Step::Told { at_ms, node, event } => {
                        Moment::Node { at: at(*at_ms), node: *node, told: event.clone() }
                    }
                    Step::Cut { at_ms, side } => Moment::Cut { at: at(*at_ms), side: side.clone() },
                    Step::Healed { at_ms } => Moment::Healed { at: at(*at_ms) },
                    _ => return,
                };
                write(serde_json::to_string(&moment).unwrap_or_default());
            }),
        );
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCENARIO: &str = "title = \"t\"\nmodel = \"core\"\nblocks = 12\n[consensus]\nblock_interval_ms = 20_000\n\
        initial_difficulty = 50\n[network]\nnodes = 4\npreset = \"lan\"\ngraph = \"full\"\n[[event]]\n\
        at = \"block 4\"\npartition = { half = \"50 %\", for = \"90 s\" }\n";

    #[test]
    fn a_recording_is_what_the_nodes_told_and_can_be_read_back() {
        let plan = Plan::read(SCENARIO, &[], None).unwrap();
        let mut lines = Vec::new();
        assert!(plan.record(3, &mut |line| lines.push(line)));
        let head: Head = serde_json::from_str(&lines[0]).unwrap();
        assert_eq!((head.nodes.len(), head.run, &*head.title), (4, 3, "t"));
        assert_eq!(head.tip.hash, head.network.network_id());
        let moments: Vec<Moment> = lines[1..].iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(moments.windows(2).all(|pair| pair[0].at() <= pair[1].at()), "in the order of time");
        let blocks = |moment: &&Moment| matches!(moment, Moment::Node { told: NodeEvent::Block(_), .. });
        assert!(moments.iter().filter(blocks).count() >= 12 * 4 - 8, "{moments:?}");
        assert_eq!(
            moments.iter().filter(|moment| matches!(moment, Moment::Cut { side, .. } if side.len() == 2)).count(),
            1
        );
        assert_eq!(moments.iter().filter(|moment| matches!(moment, Moment::Healed { .. })).count(), 1);
        assert!(!plan.record(20, &mut |_| ()), "there is no run 20");
        let race = "title = \"t\"\nmodel = \"race\"\nblocks = 9\n[[miner]]\nname = \"m\"\nshare = 0.3\n";
        assert!(!Plan::read(race, &[], None).unwrap().record(0, &mut |_| ()));
    }
}
