//! Honest nodes under faults of the network, the machines and the clocks.

use crate::event::Fault;
use crate::forge::{Forge, Spoil};
use crate::layer::Labels;
use crate::network::Faults;
use crate::node::EPOCH_MS;
use crate::runner::{Outcome, agreed, run, settle};
use crate::world::World;
use shared::block::{Block, Nonce, Timestamp};
use shared::chain::{Chain, Origin, Rules, SideLimits};
use shared::params::{LayerName, Params, RetargetRule};
use shared::store::MemoryStore;
use shared::sync::{BLOCKS_PER_REQUEST, HEADERS_PER_REQUEST, PeerSource};
use shared::work::Difficulty;
use std::collections::BTreeSet;
use std::sync::Arc;

pub const INTERVAL_MS: u64 = 5000;
const DIFFICULTY: u64 = 8;

pub fn params(retarget: RetargetRule) -> Params {
    let initial_difficulty = Difficulty::new(DIFFICULTY).unwrap();
    Params {
        name: "simulation".to_owned(),
        initial_difficulty,
        retarget,
        retarget_window: 10,
        layer: LayerName::Data,
        ..Params::default()
    }
}

pub fn rules(seed: u64) -> Arc<Rules> {
    let retarget = if seed.is_multiple_of(2) { RetargetRule::Lwma } else { RetargetRule::Fixed };
    Arc::new(Rules::with_layer(params(retarget), Box::new(Labels)))
}

/// As many nodes, of which the first `miners` find a block each interval together.
pub fn world(count: usize, miners: usize, faults: Faults, seed: u64) -> World {
    let mut world = World::new(count, &rules(seed), faults, seed);
    for node in 0..miners {
        world.nodes[node].ms_per_hash = Some(INTERVAL_MS * miners as u64 / DIFFICULTY);
    }
    world
}

#[test]
fn calm() {
    run("calm", 150, |seed| {
        let mut world = world(3, 3, Faults::NONE, seed);
        world.start_all();
        world.run_until(60_000, |_| false);
        settle(&mut world, 60_000)
    });
}

#[test]
fn lossy() {
    run("lossy", 120, |seed| {
        let mut world = world(4, 4, Faults::LOSSY, seed);
        world.start_all();
        world.run_until(90_000, |_| false);
        settle(&mut world, 300_000)
    });
}

fn partitioned(seed: u64, count: usize, source: PeerSource, apart_ms: u64) -> World {
    let mut world = world(count, count, Faults::NONE, seed);
    for node in &mut world.nodes {
        node.source = source;
    }
    let left: BTreeSet<_> = (0..count / 2).collect();
    let silently = seed.is_multiple_of(3);
    world.fault_at(20_000, Fault::Partition { left, silently });
    world.fault_at(20_000 + apart_ms, Fault::Rejoin);
    world.start_all();
    world.run_until(20_000 + apart_ms, |_| false);
    world
}

#[test]
fn partition_and_heal() {
    run("partition_and_heal", 150, |seed| {
        let apart_ms = 20_000 + seed % 7 * 20_000;
        settle(&mut partitioned(seed, 4 + seed as usize % 3, PeerSource::Tracker, apart_ms), 200_000)
    });
}

#[test]
fn a_long_partition_of_nodes_that_only_know_each_other() {
    run("a_long_partition_of_nodes_that_only_know_each_other", 12, |seed| {
        settle(&mut partitioned(seed, 4, PeerSource::Peers, 1_200_000), 200_000)
    });
}

#[test]
fn crash_at_random_moments() {
    run("crash_at_random_moments", 150, |seed| {
        let faults = if seed.is_multiple_of(2) { Faults::NONE } else { Faults::LOSSY };
        let mut world = world(4, 4, faults, seed);
        for _ in 0..8 {
            let (node, at_ms) = (world.random.below(4) as usize, world.random.below(100_000));
            let down_ms = world.random.below(20_000);
            world.fault_at(at_ms, Fault::Crash(node));
            world.fault_at(at_ms + down_ms, Fault::Start(node));
        }
        world.start_all();
        world.run_until(100_000, |_| false);
        settle(&mut world, 300_000)
    });
}

#[test]
fn full_disk() {
    run("full_disk", 120, |seed| {
        let mut world = world(4, 4, Faults::NONE, seed);
        for _ in 0..6 {
            let (node, at_ms) = (world.random.below(4) as usize, world.random.below(80_000));
            let full_ms = world.random.below(30_000);
            world.fault_at(at_ms, Fault::DiskFull(node, true));
            world.fault_at(at_ms + full_ms, Fault::DiskFull(node, false));
            if seed.is_multiple_of(2) {
                world.fault_at(at_ms + full_ms / 2, Fault::Crash(node));
                world.fault_at(at_ms + full_ms / 2 + 3000, Fault::Start(node));
            }
        }
        let (left, silently) = (BTreeSet::from([0, 1]), false);
        world.fault_at(10_000, Fault::Partition { left, silently });
        world.fault_at(40_000, Fault::Rejoin);
        world.start_all();
        world.run_until(100_000, |_| false);
        settle(&mut world, 120_000)
    });
}

#[test]
fn unreachable_for_a_while() {
    run("unreachable_for_a_while", 80, |seed| {
        let mut world = world(5, 5, Faults::NONE, seed);
        for _ in 0..8 {
            let (node, at_ms) = (world.random.below(5) as usize, world.random.below(60_000));
            let away_ms = world.random.below(60_000);
            world.fault_at(at_ms, Fault::Unreachable(node, true));
            world.fault_at(at_ms + away_ms, Fault::Unreachable(node, false));
        }
        world.start_all();
        world.run_until(100_000, |_| false);
        settle(&mut world, 120_000)
    });
}

#[test]
fn a_clock_ten_minutes_off() {
    let fates = std::cell::RefCell::new((Vec::new(), Vec::new()));
    run("a_clock_ten_minutes_off", 80, |seed| {
        let mut world = world(4, 4, Faults::NONE, seed);
        let ahead = seed.is_multiple_of(2);
        world.nodes[3].clock_offset_ms = if ahead { 600_000 } else { -600_000 };
        world.start_all();
        world.run_until(200_000, |_| false);
        let height = |node: usize| world.nodes[node].running.as_ref().unwrap().chain.tip().index.0;
        let fate = (height(0), height(3), *world.nodes[3].record.undone.iter().max().unwrap_or(&0));
        if ahead {
            fates.borrow_mut().0.push(fate)
        } else {
            fates.borrow_mut().1.push(fate)
        }
        world.mining = false;
        let others_agree = |world: &World| {
            let tip = |node: usize| world.nodes[node].running.as_ref().unwrap().chain.tip().work;
            tip(0) == tip(1) && tip(1) == tip(2)
        };
        let until = world.kernel.now_ms() + 60_000;
        assert!(world.run_until(until, others_agree), "a wrong clock keeps the others from agreeing");
        settle(&mut world, 900_000)
    });
    for (name, fates) in [("ahead", &fates.borrow().0), ("behind", &fates.borrow().1)] {
        let most = |of: fn(&(u64, u64, u64)) -> i64| fates.iter().map(of).max().unwrap_or(0);
        println!(
            "  clock {name}: it was at most {} blocks behind and {} ahead of the others, and undid up to {}",
            most(|fate| fate.0 as i64 - fate.1 as i64),
            most(|fate| fate.1 as i64 - fate.0 as i64),
            most(|fate| fate.2 as i64),
        );
    }
}

/// `count` blocks on `blocks`, a second apart and long ago.
fn grown(rules: &Rules, from: &[Block], count: usize, name: &str) -> Vec<Block> {
    let mut chain =
        Chain::open(Arc::new(Rules::new(rules.params().clone())), Arc::new(MemoryStore::default()), limits()).unwrap();
    feed(&mut chain, from);
    let mut forge = if from.is_empty() { Forge::on_genesis(rules) } else { Forge::on(&chain, 0) };
    let start_ms = EPOCH_MS - 3_600_000 + 1000 * from.len() as u64;
    let time = |index: usize| Timestamp::from_ms(start_ms + 1000 * (index as u64 + 1));
    let next = |index| forge.next(rules, time(index), format!("{name} {index}"), Spoil::Nothing, Nonce(0));
    (0..count).map(next).collect()
}

fn limits() -> SideLimits {
    SideLimits::default()
}

fn feed(chain: &mut Chain, blocks: &[Block]) {
    for block in blocks {
        chain.accept(block.clone(), Timestamp::from_ms(EPOCH_MS), Origin::Bulk).unwrap();
    }
    chain.commit().unwrap();
}

/// Nodes that hold these chains before the run begins.
fn prepared(chains: &[&[&[Block]]], rules: &Arc<Rules>, seed: u64) -> World {
    let world = World::new(chains.len(), rules, Faults::NONE, seed);
    for (node, chain) in world.nodes.iter().zip(chains) {
        let mut stored = Chain::open(rules.clone(), Arc::new(node.store.clone()), limits()).unwrap();
        chain.iter().for_each(|blocks| feed(&mut stored, blocks));
    }
    world
}

#[test]
fn late_joiner_catches_up_header_first() {
    let rules = Arc::new(Rules::new(params(RetargetRule::Fixed)));
    let blocks = grown(&rules, &[], 3200, "main");
    run("late_joiner_catches_up_header_first", 4, |seed| -> Outcome {
        let chain: &[&[Block]] = &[&blocks];
        let mut world = prepared(&[&[], chain, chain], &rules, seed);
        world.start_all();
        assert!(world.run_until(60_000, agreed), "not caught up within a minute");
        let record = &world.nodes[0].record;
        let pages = blocks.len() / HEADERS_PER_REQUEST + 1;
        assert!(record.headers_requests as usize >= pages, "headers come in pages: {}", record.headers_requests);
        let (largest, number) = (record.blocks_requests.iter().max(), record.blocks_requests.len());
        assert_eq!(largest, Some(&BLOCKS_PER_REQUEST), "blocks come in pages");
        assert!(number <= blocks.len() / BLOCKS_PER_REQUEST + 2, "blocks were fetched twice: {number} requests");
        println!("  caught up {} blocks after {} ms", blocks.len(), world.kernel.now_ms());
        settle(&mut world, 60_000)
    });
}

#[test]
fn a_fork_deeper_than_a_page_of_headers() {
    let rules = Arc::new(Rules::new(params(RetargetRule::Fixed)));
    let common = grown(&rules, &[], 20, "common");
    let light = grown(&rules, &common, HEADERS_PER_REQUEST + 150, "light");
    let heavy = grown(&rules, &common, HEADERS_PER_REQUEST + 250, "heavy");
    run("a_fork_deeper_than_a_page_of_headers", 3, |seed| -> Outcome {
        let (light, heavy): (&[&[Block]], &[&[Block]]) = (&[&common, &light], &[&common, &heavy]);
        let mut world = prepared(&[light, light, heavy, heavy], &rules, seed);
        world.start_all();
        let outcome = settle(&mut world, 60_000);
        let record = &world.nodes[0].record;
        assert_eq!(record.headers_first, Some(2), "no bodies before the headers outweigh");
        let undone = &record.undone;
        assert_eq!(undone, &[HEADERS_PER_REQUEST as u64 + 150], "the whole branch is left in one step");
        outcome
    });
}
