//! Unproven claims of strangers: headers whose bodies never come, honest headers that are relayed without bodies, names
//! of others, and addresses by the dozen. Honest hash power keeps mining, and honest nodes stay connected and agree.

use crate::event::Fault;
use crate::liar::{Liar, Lie};
use crate::network::Faults;
use crate::node::{HONEST_PORTS, SYBIL_PORTS, address_on, number};
use crate::runner::{Outcome, run, settle};
use crate::scenarios::world;
use crate::world::World;
use std::cell::RefCell;

/// The machine that all sybils share.
const SYBILS_AT: &str = "10.0.0.0";
const RUN_MS: u64 = 120_000;

fn height(world: &World, node: usize) -> u64 {
    world.nodes[node].running.as_ref().map_or(0, |running| running.chain.tip().index.0)
}

/// Runs until `end_ms`, and returns how many blocks `node` was behind node 0 at most, looking once a second.
fn worst_lag(world: &mut World, node: usize, end_ms: u64) -> u64 {
    let mut worst = 0;
    while world.kernel.now_ms() < end_ms {
        let next_ms = world.kernel.now_ms() + 1000;
        world.run_until(next_ms.min(end_ms), |_| false);
        worst = worst.max(height(world, 0).saturating_sub(height(world, node)));
    }
    worst
}

fn honest_nodes_are_connected(world: &World) {
    let honest = || (0..world.nodes.len()).filter(|node| world.nodes[*node].is_honest());
    for node in honest().filter(|node| !world.nodes[*node].is_follower) {
        let peers = world.nodes[node].running.as_ref().unwrap().syncer.peers();
        for other in honest().filter(|other| *other != node && !world.nodes[*other].is_follower) {
            let peer = peers.iter().find(|peer| peer.address == world.nodes[other].address.to_string());
            let error = peer.map_or(Some("it is not in the list"), |peer| peer.error.as_deref());
            assert_eq!(error, None, "node {node} is not connected to {other}");
        }
    }
}

/// The share of an interval that a miner may be idle.
fn miners_kept_on(world: &World) {
    let World { attempts, paused, .. } = *world;
    assert!(paused * 10 <= attempts + 10, "miners were idle in {paused} of {attempts} cases");
}

fn report(figures: &RefCell<Vec<u64>>, what: &str) {
    let mut figures = figures.take();
    figures.sort_unstable();
    let at = |percent: usize| figures.get((figures.len().max(1) - 1) * percent / 100).copied().unwrap_or(0);
    println!("  {what}: median {}, 99 % {}, most {}", at(50), at(99), at(100));
}

#[test]
fn withheld_bodies_stop_no_miner() {
    for lie in Lie::WITHHOLDING {
        let (heights, lags): (RefCell<Vec<u64>>, RefCell<Vec<u64>>) = Default::default();
        let name: &'static str = Box::leak(format!("withheld_bodies_stop_no_miner:{lie:?}").into_boxed_str());
        run(name, 10, |seed| -> Outcome {
            let mut world = world(5, 3, Faults::NONE, seed);
            world.nodes[4].liar = Some(Liar::new(lie, seed));
            world.start_all();
            let lag = worst_lag(&mut world, 3, RUN_MS);
            heights.borrow_mut().push(height(&world, 0));
            lags.borrow_mut().push(lag);
            miners_kept_on(&world);
            honest_nodes_are_connected(&world);
            settle(&mut world, 60_000)
        });
        report(&heights, "blocks in two minutes");
        report(&lags, "blocks behind at worst");
    }
}

#[test]
fn a_follower_among_relays_that_hang() {
    let lags: RefCell<Vec<u64>> = RefCell::default();
    run("a_follower_among_relays_that_hang", 20, |seed| {
        let mut world = world(13, 2, Faults::NONE, seed);
        let follower = world.nodes[2].address.clone();
        for node in &mut world.nodes {
            node.roster.retain(|address| *address != follower);
        }
        world.nodes[2].is_follower = true;
        for liar in 3..13 {
            world.nodes[liar].liar = Some(Liar::new(Lie::RelaysAndHangs, seed + liar as u64));
        }
        world.start_all();
        let lag = worst_lag(&mut world, 2, RUN_MS);
        lags.borrow_mut().push(lag);
        assert!(lag <= 8, "the follower was {lag} blocks behind");
        settle(&mut world, 60_000)
    });
    report(&lags, "blocks behind at worst");
}

/// Forty sybils, three honest miners and a newcomer; all on one machine, or the sybils on one of their own.
fn forty_sybils(name: &'static str, seeds: u64, is_one_machine: bool, at_most_ms: u64) {
    const JOINS_MS: u64 = 30_000;
    let times: RefCell<Vec<u64>> = RefCell::default();
    run(name, seeds, |seed| {
        let mut world = world(44, 3, Faults::NONE, seed);
        for node in 0..44 {
            if is_one_machine {
                let ports = if node < 4 { HONEST_PORTS } else { SYBIL_PORTS };
                world.nodes[node].address = address_on("127.0.0.1", ports + node);
            } else if node >= 4 {
                world.nodes[node].address = address_on(SYBILS_AT, SYBIL_PORTS + node);
            }
        }
        let all: Vec<_> = world.nodes.iter().map(|node| node.address.clone()).collect();
        for node in 0..44 {
            // Sybils know the honest, and all that matters is what the newcomer finds.
            world.nodes[node].roster = if node == 3 { all.clone() } else { all[..4].to_vec() };
            if node >= 4 {
                let lie = [Lie::RelaysAndHangs, Lie::Withholds][node % 2];
                world.nodes[node].liar = Some(Liar::new(lie, seed + node as u64));
            }
        }
        world.fault_at(0, Fault::Crash(3));
        world.fault_at(JOINS_MS, Fault::Start(3));
        world.start_all();
        world.run_until(JOINS_MS, |_| false);
        let there = height(&world, 0).max(1);
        let joined = world.run_until(JOINS_MS + 300_000, |world| height(world, 3) >= there);
        let took_ms = world.kernel.now_ms() - JOINS_MS;
        times.borrow_mut().push(took_ms);
        assert!(joined && took_ms <= at_most_ms, "the honest tip took {took_ms} ms");
        miners_kept_on(&world);
        settle(&mut world, 120_000)
    });
    report(&times, "milliseconds to the honest tip");
}

#[test]
fn forty_sybils_on_one_machine_that_sort_first() {
    forty_sybils("forty_sybils_on_one_machine_that_sort_first", 6, false, 10_000);
}

#[test]
fn forty_sybils_on_the_machine_that_all_share() {
    forty_sybils("forty_sybils_on_the_machine_that_all_share", 6, true, 60_000);
}

#[test]
fn nobody_is_dropped_for_what_another_pushed_in_its_name() {
    run("nobody_is_dropped_for_what_another_pushed_in_its_name", 20, |seed| {
        let mut world = world(4, 3, Faults::NONE, seed);
        world.nodes[3].liar = Some(Liar::new(Lie::Frames, seed));
        world.start_all();
        world.run_until(60_000, |_| false);
        let dropped = world.nodes[..3].iter().flat_map(|node| &node.record.dropped);
        let honest = dropped.filter(|(address, _)| number(address).is_some_and(|number| number < 3)).count();
        assert_eq!(honest, 0, "honest nodes were dropped");
        honest_nodes_are_connected(&world);
        settle(&mut world, 60_000)
    });
}

#[test]
fn a_node_that_nobody_can_call_back_shares_its_blocks() {
    run("a_node_that_nobody_can_call_back_shares_its_blocks", 20, |seed| {
        let mut world = world(3, 3, Faults::NONE, seed);
        world.network.uncallable.insert(2);
        // It mines alone at first.
        world.fault_at(0, Fault::Partition { left: [2].into(), silently: false });
        world.fault_at(20_000, Fault::Rejoin);
        world.start_all();
        world.run_until(20_000, |_| false);
        // The others have found nothing since; what it mines is the best chain.
        for node in 0..2 {
            world.nodes[node].ms_per_hash = None;
        }
        for _ in 0..12 {
            world.run_until(world.kernel.now_ms() + 2000, |_| false);
            world.mine_now(2);
        }
        world.run_until(world.kernel.now_ms() + 10_000, |_| false);
        assert!(height(&world, 0) + 1 >= height(&world, 2), "its blocks are lost");
        settle(&mut world, 60_000)
    });
}

/// `CHAINLAB_SEEDS=100` runs it from 2,000 seeds.
#[test]
fn strangers_of_all_kinds_and_dozens_of_sybils() {
    const KINDS: [Lie; 8] = [
        Lie::Withholds,
        Lie::RefusesLate,
        Lie::Drips,
        Lie::CutsOff,
        Lie::NoBodies,
        Lie::RelaysAndHangs,
        Lie::Frames,
        Lie::ClaimsWork,
    ];
    let (lags, times): (RefCell<Vec<u64>>, RefCell<Vec<u64>>) = Default::default();
    run("strangers_of_all_kinds_and_dozens_of_sybils", 20, |seed| {
        let sybils = 12 + seed as usize % 13;
        let mut world = world(5 + sybils, 3, Faults::NONE, seed);
        let first = world.random.below(KINDS.len() as u64) as usize;
        for node in 5..5 + sybils {
            // Some have machines of their own.
            if seed.is_multiple_of(2) || node % 3 > 0 {
                world.nodes[node].address = address_on(SYBILS_AT, SYBIL_PORTS + node);
            }
            let lie = KINDS[(first + node * (1 + seed as usize % 3)) % KINDS.len()];
            world.nodes[node].liar = Some(Liar::new(lie, seed + node as u64));
        }
        let all: Vec<_> = world.nodes.iter().map(|node| node.address.clone()).collect();
        let follower = all[3].clone();
        for node in &mut world.nodes {
            let known = if node.is_honest() { &all[..] } else { &all[..5] };
            node.roster = known.iter().filter(|address| **address != follower).cloned().collect();
        }
        world.nodes[3].is_follower = true;
        world.fault_at(0, Fault::Crash(4));
        world.fault_at(30_000, Fault::Start(4));
        world.start_all();
        let mut lag = worst_lag(&mut world, 3, 30_000);
        let there = height(&world, 0);
        let joined = world.run_until(60_000, |world| height(world, 4) >= there);
        let took_ms = world.kernel.now_ms() - 30_000;
        assert!(joined, "a newcomer is kept from the honest chain");
        lag = lag.max(worst_lag(&mut world, 3, 90_000));
        lags.borrow_mut().push(lag);
        times.borrow_mut().push(took_ms);
        assert!(lag <= 8, "the follower was {lag} blocks behind");
        miners_kept_on(&world);
        honest_nodes_are_connected(&world);
        settle(&mut world, 60_000)
    });
    report(&lags, "blocks that the follower was behind at worst");
    report(&times, "milliseconds to the honest tip");
}
