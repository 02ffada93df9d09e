//! Lying peers among honest ones: they are dropped, and keep no node from the honest chain for long.

use crate::event::Fault;
use crate::liar::{Liar, Lie};
use crate::network::Faults;
use crate::node::number;
use crate::runner::{Outcome, run, settle};
use crate::scenarios::world;
use crate::world::World;

const JOINS_MS: u64 = 60_000;

/// Three honest miners; an honest node that starts late; and the liars, which all nodes know from the start.
fn among_liars(lies: &[Lie], seed: u64) -> (World, u64) {
    let mut world = world(4 + lies.len(), 3, Faults::NONE, seed);
    for (place, lie) in lies.iter().enumerate() {
        world.nodes[4 + place].liar = Some(Liar::new(*lie, seed + place as u64));
    }
    world.fault_at(0, Fault::Crash(3));
    world.fault_at(JOINS_MS, Fault::Start(3));
    world.start_all();
    world.run_until(JOINS_MS, |_| false);
    let height = |world: &World, node: usize| world.nodes[node].running.as_ref().map_or(0, |it| it.chain.tip().index.0);
    let there = height(&world, 0);
    let caught_up = world.run_until(JOINS_MS + 120_000, |world| height(world, 3) >= there);
    assert!(caught_up, "a lying peer keeps a newcomer from the honest chain: {lies:?}");
    let took_ms = world.kernel.now_ms() - JOINS_MS;
    world.run_until(JOINS_MS + 120_000, |_| false);
    (world, took_ms)
}

fn dropped_by(world: &World, liar: usize) -> usize {
    let has_dropped = |node: &&crate::node::Node| {
        node.is_honest() && node.record.dropped.iter().any(|(address, _)| number(address) == Some(liar))
    };
    world.nodes.iter().filter(has_dropped).count()
}

#[test]
fn one_liar_of_every_kind() {
    for lie in Lie::ALL {
        let times = std::cell::RefCell::new(Vec::new());
        let name: &'static str = Box::leak(format!("one_liar_of_every_kind:{lie:?}").into_boxed_str());
        // Some never respond; the next download starts after half a second.
        let at_most_ms = 2500;
        run(name, 12, |seed| -> Outcome {
            let (mut world, took_ms) = among_liars(&[lie], seed);
            times.borrow_mut().push(took_ms);
            assert!(took_ms <= at_most_ms, "a lying peer held up a newcomer for {took_ms} ms: {lie:?}");
            let dropped_by = dropped_by(&world, 4);
            assert!(!lie.must_be_dropped() || dropped_by > 0, "no node has dropped a liar: {lie:?}");
            settle(&mut world, 120_000)
        });
        let times = times.into_inner();
        let most = times.iter().max().unwrap_or(&0);
        println!("  a newcomer caught up within {most} ms");
    }
}

#[test]
fn more_liars_than_honest_nodes() {
    run("more_liars_than_honest_nodes", 30, |seed| {
        let kinds = Lie::ALL.len() as u64;
        let lies: Vec<_> = (0..6).map(|place| Lie::ALL[((seed + place * 5) % kinds) as usize]).collect();
        let (mut world, _) = among_liars(&lies, seed);
        settle(&mut world, 300_000)
    });
}
