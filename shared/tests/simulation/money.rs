//! Nodes with money, under every fault: whatever happens, it is conserved, spent once, and no payment vanishes.

use crate::checks::whole_chain;
use crate::economy::{Economy, Stamps};
use crate::event::Fault;
use crate::liar::{Liar, Lie};
use crate::network::Faults;
use crate::node::Node;
use crate::oracle::Oracle;
use crate::runner::{Outcome, agreed, run, settle};
use crate::scenarios::{INTERVAL_MS, params};
use crate::world::World;
use shared::chain::Rules;
use shared::layer::HistorySource;
use shared::ledger::{Bundle, TransactionRules};
use shared::params::{LayerName, Params, RetargetRule};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;

/// Four miners and a mempool, and liars; most networks have a faucet, every third keeps histories.
fn world(liars: &[Lie], faults: Faults, seed: u64) -> World {
    let retarget = if seed.is_multiple_of(2) { RetargetRule::Lwma } else { RetargetRule::Fixed };
    let params = Params {
        layer: LayerName::Transaction,
        reward: 1000,
        halving_blocks: 10,
        new_address_balance: if seed.is_multiple_of(4) { 0 } else { 300 },
        max_transactions: 4,
        ..params(retarget)
    };
    let difficulty = params.initial_difficulty.value();
    let rules = Rules::with_verifier(params, Arc::new(Stamps));
    let rules = Arc::new(if seed.is_multiple_of(3) { rules.keeping_history() } else { rules });
    let count = 5 + liars.len();
    let mut world = World::new(count, &rules, faults, seed);
    for miner in 0..4 {
        world.nodes[miner].ms_per_hash = Some(INTERVAL_MS * 4 / difficulty);
    }
    for (place, lie) in liars.iter().enumerate() {
        world.nodes[5 + place].liar = Some(Liar::new(*lie, seed + place as u64));
    }
    world.set_economy(Economy::new(&rules, 4, count, seed));
    world
}

/// What a node's chain and state must be, by a replay that shares no code with them.
fn money_is_right(node: &Node) -> Oracle {
    let chain = &node.running.as_ref().unwrap().chain;
    let (rules, blocks) = (chain.rules(), whole_chain(chain));
    let oracle = Oracle::replay(rules.params(), &blocks)
        .unwrap_or_else(|rule| panic!("{} has a block on its chain that breaks the rule {rule}", node.address));
    assert!(oracle.conserves(rules.params()), "{}: money came from nowhere or went there", node.address);
    let transaction_rules = TransactionRules::of(rules.params());
    for block in &blocks[1..] {
        for transaction in Bundle::from_data(block.data()).unwrap().0.transactions {
            let verdict = transaction.check(&transaction_rules, &Stamps);
            assert_eq!(verdict, Ok(()), "{} has it in block {}", node.address, block.index());
        }
    }
    let mut rows = BTreeMap::new();
    let mut visit = |key: &[u8], value: &[u8]| {
        rows.insert(key.to_vec(), value.to_vec());
        ControlFlow::Continue(())
    };
    chain.view().snapshot().unwrap().scan(&[], &mut visit).unwrap();
    assert_eq!(rows, oracle.rows(rules.keeps_history()), "the state of {} is not what its blocks make", node.address);
    oracle
}

/// Each accepted transaction is confirmed, pending, or gone for a reason; none that was forged is anywhere.
fn nothing_has_vanished(world: &World) -> usize {
    let economy = world.economy().unwrap();
    let mempool = &economy.mempool;
    let honest = world.nodes.iter().filter(|node| node.is_honest());
    let oracles: Vec<_> = honest.map(money_is_right).collect();
    let oracle = &oracles[0];
    assert!(oracles.iter().all(|other| other == oracle), "honest nodes differ");
    for id in mempool.accepted.keys() {
        let confirmed = oracle.ids.contains_key(&id.to_string());
        let pending = mempool.pool.get(id).is_some();
        assert!(!(confirmed && pending), "transaction {id} is confirmed and pending");
        assert!(
            confirmed || pending || mempool.gone.contains_key(id),
            "transaction {id} was accepted and has vanished"
        );
    }
    for id in &economy.forged {
        assert!(!oracle.ids.contains_key(&id.to_string()), "the forged transaction {id} is on the chain");
    }
    oracle.ids.len()
}

/// Lets all agree; then blocks are mined until nothing is pending: what is in the pool can always be confirmed.
fn settle_accounts(world: &mut World, within_ms: u64) -> Outcome {
    world.paying = false;
    settle(world, within_ms);
    nothing_has_vanished(world);
    // Uncovered payments may be covered again by what is confirmed.
    let pool = &world.economy().unwrap().mempool.pool;
    let rounds = pool.len() + pool.uncovered().count() + 1;
    for _ in 0..rounds {
        if world.economy().unwrap().mempool.pool.is_empty() {
            break;
        }
        world.mine_now(0);
        world.run_until(world.kernel.now_ms() + INTERVAL_MS, |_| false);
        assert!(agreed(world), "a block has not reached all nodes within {INTERVAL_MS} ms");
    }
    let confirmed = nothing_has_vanished(world);
    let economy = world.economy().unwrap();
    let Economy { mempool, refused, .. } = economy;
    assert!(mempool.pool.is_empty(), "{} transactions are pending and no block can confirm them", mempool.pool.len());
    // Under loss the mempool's node may have followed an abandoned branch for so long that all it took is uncovered.
    let something_happened = (confirmed > 0 || world.silence_happens) && *refused > 0;
    assert!(something_happened, "hardly anything happened: {confirmed} confirmed, {refused} refused");
    settle(world, 60_000)
}

#[test]
fn payments_in_calm() {
    run("payments_in_calm", 30, |seed| {
        let mut world = world(&[], Faults::NONE, seed);
        world.start_all();
        world.run_until(90_000, |_| false);
        settle_accounts(&mut world, 60_000)
    });
}

#[test]
fn payments_under_loss_and_crashes() {
    let confirmed = std::cell::Cell::new(0);
    run("payments_under_loss_and_crashes", 30, |seed| {
        let mut world = world(&[], Faults::LOSSY, seed);
        for _ in 0..8 {
            let (node, at_ms) = (world.random.below(5) as usize, world.random.below(100_000));
            let down_ms = world.random.below(20_000);
            world.fault_at(at_ms, Fault::Crash(node));
            world.fault_at(at_ms + down_ms, Fault::Start(node));
        }
        world.start_all();
        world.run_until(110_000, |_| false);
        let outcome = settle_accounts(&mut world, 300_000);
        confirmed.set(confirmed.get() + nothing_has_vanished(&world));
        outcome
    });
    assert!(confirmed.get() > 0, "no payment was confirmed in any run");
}

#[test]
fn payments_across_a_partition() {
    let returned = std::cell::Cell::new(0);
    run("payments_across_a_partition", 40, |seed| {
        let mut world = world(&[], Faults::NONE, seed);
        // The mempool is node 4: with the few, or with the many.
        let left = if seed.is_multiple_of(2) { BTreeSet::from([0, 4]) } else { BTreeSet::from([0]) };
        world.fault_at(20_000, Fault::Partition { left, silently: seed.is_multiple_of(3) });
        world.fault_at(80_000, Fault::Rejoin);
        world.start_all();
        world.run_until(100_000, |_| false);
        let outcome = settle_accounts(&mut world, 200_000);
        returned.set(returned.get() + world.economy().unwrap().mempool.returned);
        outcome
    });
    println!("  {} transactions came back from a branch that was left", returned.get());
}

#[test]
fn payments_on_full_disks() {
    run("payments_on_full_disks", 20, |seed| {
        let mut world = world(&[], Faults::NONE, seed);
        for _ in 0..6 {
            let (node, at_ms) = (world.random.below(5) as usize, world.random.below(80_000));
            let full_ms = world.random.below(30_000);
            world.fault_at(at_ms, Fault::DiskFull(node, true));
            world.fault_at(at_ms + full_ms, Fault::DiskFull(node, false));
        }
        world.start_all();
        world.run_until(100_000, |_| false);
        settle_accounts(&mut world, 120_000)
    });
}

#[test]
fn payments_among_liars() {
    run("payments_among_liars", 28, |seed| {
        let kinds = Lie::ALL.len() as u64;
        // Those who forge money are always there.
        let lies = [Lie::BadLabel, Lie::SameLabel, Lie::ALL[(seed % kinds) as usize]];
        let mut world = world(&lies, Faults::NONE, seed);
        world.start_all();
        world.run_until(90_000, |_| false);
        settle_accounts(&mut world, 300_000)
    });
}
