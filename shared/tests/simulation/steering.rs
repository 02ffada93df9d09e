//! Peers steered by hand: a fork is built by blocking, and healed by unblocking (`POST /peers`).

use crate::event::Fault;
use crate::network::Faults;
use crate::node::address;
use crate::runner::{run, settle};
use crate::scenarios::world;
use shared::wire::PeersUpdate;

#[test]
fn a_fork_built_and_healed_by_hand() {
    run("a_fork_built_and_healed_by_hand", 80, |seed| {
        let mut world = world(4, 4, Faults::NONE, seed);
        let addresses = |nodes: [usize; 2]| nodes.map(|node| address(node).to_string()).to_vec();
        for node in 0..4 {
            let others = addresses(if node < 2 { [2, 3] } else { [0, 1] });
            let block = PeersUpdate { block: others.clone(), ..PeersUpdate::default() };
            world.fault_at(10_000 + seed % 5, Fault::Steer(node, block));
            // One side alone is enough to meet again.
            if node < 2 || seed.is_multiple_of(2) {
                let unblock = PeersUpdate { unblock: others, ..PeersUpdate::default() };
                world.fault_at(70_000, Fault::Steer(node, unblock));
            } else {
                let unblock = PeersUpdate { unblock: others.clone(), remove: others, ..PeersUpdate::default() };
                world.fault_at(70_000, Fault::Steer(node, unblock));
            }
        }
        world.start_all();
        world.run_until(69_000, |_| false);
        let tip = |node: usize| world.nodes[node].running.as_ref().unwrap().chain.tip();
        let (left, right) = (tip(0).clone(), tip(2).clone());
        assert!(left.hash() != right.hash() || left.index.0 < 5, "blocks crossed between peers that were blocked");
        world.run_until(75_000, |_| false);
        settle(&mut world, 60_000)
    });
}
