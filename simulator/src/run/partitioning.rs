//! Cutting the network and healing it during a run.

use super::{LiveRun, ms};
use crate::event::{Partitioned, RunEvent};
use crate::network::RunningNetwork;
use crate::options::Partition;
use crate::partition::{self, Sides, halves};
use shared::random::Random;
use shared::wire::{PeerChange, PeerEvent};
use std::io::Write;
use std::time::Duration;

/// How often the run looks for nodes that joined during a cut.
const LOOK: Duration = Duration::from_secs(1);

/// A partition that has begun and is not healed yet.
pub(super) struct OngoingPartition {
    sides: Sides,
    /// Blocks that each half had found when it was cut off.
    found_before: [u64; 2],
    /// Time from the start of the run to the healing.
    ends: Duration,
    /// Time from the start of the run to the next look for nodes that joined.
    next_look: Duration,
}

impl<W: Write> LiveRun<W> {
    pub(super) async fn cut(&mut self, network: &RunningNetwork, partition: Partition, random: &mut Random) {
        let (halves, mempool) = (halves(network.nodes.all().len(), random), random.index(2));
        let sides = Sides { halves, foreign: partition::foreign_nodes(network).await, mempool };
        let result = partition::cut(network, &sides).await;
        let event = Partitioned {
            halves: self.names(&sides),
            for_ms: ms(partition.lasts),
            mempool: network.money.as_ref().map(|_| mempool),
        };
        self.narrator.push(self.at_ms(), RunEvent::Partitioned(event));
        self.push_failure("cut the network", result);
        let found_before = sides.halves.each_ref().map(|half| self.narrator.found_by(half));
        let next_look = self.started.elapsed() + LOOK;
        self.partition = Some(OngoingPartition { sides, found_before, ends: partition.end(), next_look });
    }

    /// Heals the partition if its time is over. Until then, cuts off nodes that joined: they would carry blocks from
    /// one side to the other.
    pub(super) async fn keep_apart(&mut self, network: &RunningNetwork, uptime: Duration) {
        match &mut self.partition {
            Some(partition) if uptime >= partition.ends => self.heal(network).await,
            Some(partition) if uptime >= partition.next_look => {
                partition.next_look = uptime + LOOK;
                self.cut_off_joined(network).await;
            }
            _ => {}
        }
    }

    async fn cut_off_joined(&mut self, network: &RunningNetwork) {
        let known = partition::foreign_nodes(network).await;
        let Some(partition) = &mut self.partition else { return };
        let joined: Vec<String> = known.difference(&partition.sides.foreign).cloned().collect();
        if joined.is_empty() {
            return;
        }
        partition.sides.foreign.extend(joined.iter().cloned());
        let sides = partition.sides.clone();
        let result = partition::cut(network, &sides).await;
        let [from, _] = self.names(&sides);
        self.narrator.push(self.at_ms(), RunEvent::CutOff { nodes: joined, from });
        self.push_failure("cut off a node that joined", result);
    }

    /// Heals the partition, if there is one.
    pub(super) async fn heal(&mut self, network: &RunningNetwork) {
        let Some(OngoingPartition { sides, found_before, .. }) = self.partition.take() else { return };
        let [first, second] = sides.halves.each_ref().map(|half| self.narrator.found_by(half));
        let found = [first - found_before[0], second - found_before[1]];
        self.narrator.push(self.at_ms(), RunEvent::Healed { halves: self.names(&sides), found });
        let result = partition::heal(network, &sides).await;
        self.push_failure("heal the network", result);
    }

    /// Narrates a link that somebody else cut, or opened again. What this run does itself has its own lines.
    pub(super) fn observe_link(&mut self, at_ms: u64, node: usize, peer: &PeerEvent) {
        let is_cut = peer.change == PeerChange::Blocked;
        let is_ours = is_cut && self.partition.is_some();
        if is_ours || !matches!(peer.change, PeerChange::Blocked | PeerChange::Unblocked) {
            return;
        }
        if let Some(other) = self.nodes.all().iter().position(|other| other.address == peer.address) {
            self.narrator.observe_foreign_cut(at_ms, node, other, is_cut);
        }
    }

    /// The names of the nodes on each side; the addresses of nodes that the simulator did not start.
    fn names(&self, sides: &Sides) -> [Vec<String>; 2] {
        let mut names = sides.halves.each_ref().map(|half| half.iter().map(|node| self.nodes.name(*node)).collect());
        let [_, second]: &mut [Vec<String>; 2] = &mut names;
        second.extend(sides.foreign.iter().cloned());
        names
    }
}
