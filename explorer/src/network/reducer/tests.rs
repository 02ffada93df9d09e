//! What answers and events change in the state.

use super::*;
use crate::network::samples::{hash, info, summary, tip};
use crate::network::state::KEPT_HEIGHTS;
use shared::block::Height;
use shared::wire::{PoolInfo, ReorgEvent};
use shared::work::{Difficulty, Work};

const NOW: Timestamp = Timestamp::from_ms(1_000_000);

fn reducer(nodes: &[&str]) -> Reducer {
    let mut reducer = Reducer::new("tracker:1", &Params::default(), BTreeMap::new());
    reducer.set_members(NOW, nodes.iter().map(|node| (Role::Node, (*node).to_owned())));
    for node in nodes {
        reducer.apply_info(NOW, Role::Node, node, info(Some(tip(0, "0"))));
    }
    reducer
}

fn block(index: u64, name: &str, parent: &str, source: BlockSource) -> NodeEvent {
    NodeEvent::Block(BlockEvent {
        index: Height(index),
        hash: hash(name),
        prev_hash: hash(parent),
        timestamp: NOW,
        difficulty: Difficulty::new(1).unwrap(),
        work: Work(index.into()),
        best: true,
        source,
        from: None,
    })
}

fn texts(reducer: &Reducer) -> Vec<String> {
    reducer.state().news.iter().map(|item| item.text.to_string()).collect()
}

fn changes(reducer: &mut Reducer, act: impl FnOnce(&mut Reducer)) -> Vec<&'static str> {
    let before = reducer.state.versions;
    act(reducer);
    reducer.state.versions.changed_since(&before).into_iter().map(Change::name).collect()
}

#[test]
fn a_block_moves_the_tip_and_names_its_miner_whoever_tells_of_it_first() {
    let mut reducer = reducer(&["a:1", "b:1"]);
    reducer.apply_node_event(NOW, "a:1", &block(1, "1", "0", BlockSource::Pushed));
    reducer.apply_node_event(NOW, "b:1", &block(1, "1", "0", BlockSource::Mined));
    let state = reducer.state();
    assert_eq!(state.blocks[&hash("1")].mined_by.as_deref(), Some("b:1"));
    assert!(state.nodes.values().all(|node| node.tip() == Some(Tip { timestamp: NOW, ..tip(1, "1") })));
    assert_eq!(texts(&reducer)[0], "b:1 found block 1");
    assert!(
        changes(&mut reducer, |reducer| reducer.apply_node_event(
            NOW,
            "nobody:1",
            &block(2, "2", "1", BlockSource::Mined)
        ))
        .is_empty()
    );
}

#[test]
fn a_fork_is_told_when_it_begins_and_when_it_is_healed() {
    let mut reducer = reducer(&["a:1", "b:1"]);
    reducer.add_blocks([summary(0, "0", "")]);
    reducer.apply_node_event(NOW, "a:1", &block(1, "1", "0", BlockSource::Mined));
    reducer.apply_node_event(NOW, "b:1", &block(1, "1'", "0", BlockSource::Mined));
    assert!(Agreement::of(reducer.state()).is_forked());
    reducer.apply_node_event(NOW, "a:1", &block(2, "2", "1", BlockSource::Mined));
    reducer.apply_node_event(NOW, "b:1", &block(2, "2", "1", BlockSource::Pushed));
    let reorg = ReorgEvent {
        fork: BlockId { index: Height(0), hash: hash("0") },
        from: tip(1, "1'"),
        to: tip(2, "2"),
        undone: 1,
        applied: 2,
    };
    reducer.apply_node_event(NOW, "b:1", &NodeEvent::Reorg(reorg));
    assert_eq!(
        texts(&reducer)[..6],
        [
            "b:1 dropped 1 block and switched to a branch with more work",
            "All nodes are on one chain again, at block 2",
            "a:1 found block 2",
            "b:1 found block 1",
            "Fork: two different blocks now follow block 0",
            "a:1 found block 1",
        ]
    );
}

#[test]
fn only_what_is_shown_is_a_change() {
    let mut reducer = reducer(&["a:1"]);
    let again = |reducer: &mut Reducer| reducer.apply_info(NOW.plus_ms(5), Role::Node, "a:1", info(Some(tip(0, "0"))));
    assert!(changes(&mut reducer, again).is_empty());
    assert_eq!(reducer.state().nodes["a:1"].last_seen, Some(NOW.plus_ms(5)));
    let pool = |count| Info { pool: Some(PoolInfo { count, bytes: 0 }), ..info(None) };
    reducer.set_members(NOW, [(Role::Mempool, "m:1".to_owned())]);
    reducer.apply_info(NOW, Role::Mempool, "m:1", pool(1));
    assert_eq!(changes(&mut reducer, |reducer| reducer.apply_info(NOW, Role::Mempool, "m:1", pool(2))), ["pool"]);
    let fails = |reducer: &mut Reducer| reducer.apply_error(NOW, Role::Node, "a:1", "unreachable");
    assert_eq!(changes(&mut reducer, fails), ["nodes", "blocks", "ticker"]);
    assert!(changes(&mut reducer, fails).is_empty());
    assert_eq!(texts(&reducer)[0], "Node a:1 does not answer");
}

#[test]
fn an_answer_older_than_an_event_does_not_move_a_node_back() {
    let mut reducer = reducer(&["a:1"]);
    reducer.apply_node_event(NOW, "a:1", &block(5, "5", "4", BlockSource::Synced));
    reducer.apply_info(NOW, Role::Node, "a:1", info(Some(tip(4, "4"))));
    assert_eq!(reducer.state().nodes["a:1"].tip().unwrap().index.0, 5);
    let restarted = Info { started: NOW, ..info(Some(tip(4, "4"))) };
    reducer.apply_info(NOW, Role::Node, "a:1", restarted);
    assert_eq!(reducer.state().nodes["a:1"].tip().unwrap().index.0, 4);
}

#[test]
fn services_are_bounded_and_go_when_they_are_not_listed_any_more() {
    let mut reducer = reducer(&["a:1"]);
    let many = (0..1000).map(|port| (Role::Node, format!("b:{port}")));
    assert_eq!(reducer.set_members(NOW, many).len(), MAX_SERVICES);
    reducer.apply_tracker_error("unreachable");
    assert!(reducer.state().tracker_error.is_some());
    let later = NOW.plus_ms(70_000);
    assert_eq!(reducer.set_members(later, [(Role::Node, "c:1".to_owned())]), [(Role::Node, "c:1".to_owned())]);
    assert_eq!((reducer.state().nodes.len(), &reducer.state().tracker_error), (1, &None));
    assert_eq!(texts(&reducer)[0], "Node a:1 is gone");
}

#[test]
fn blocks_are_bounded_in_height_and_number_and_the_best_chain_stays() {
    let mut reducer = reducer(&["a:1"]);
    for index in 1..=100_u64 {
        let (name, parent) = (index.to_string(), (index - 1).to_string());
        reducer.apply_node_event(NOW, "a:1", &block(index, &name, &parent, BlockSource::Synced));
    }
    let kept = || 61..=100_u64;
    assert!(reducer.state().blocks.values().map(|block| block.index.0).all(|index| kept().contains(&index)));
    reducer.add_blocks((0..2000).map(|number| summary(90, &format!("side {number}"), "89")));
    reducer.add_blocks([summary(1 << 50, "far ahead", "?")]);
    let state = reducer.state();
    assert_eq!(state.blocks.len(), 400);
    assert_eq!(state.chain(hash("100")).count() as u64, KEPT_HEIGHTS);
    assert!(!state.blocks.contains_key(&hash("far ahead")));
}

#[test]
fn a_liar_far_ahead_makes_nobody_elses_blocks_vanish() {
    let mut reducer = reducer(&["a:1", "liar:1"]);
    for index in 1..=50_u64 {
        let (name, parent) = (index.to_string(), (index - 1).to_string());
        reducer.apply_node_event(NOW, "a:1", &block(index, &name, &parent, BlockSource::Pushed));
    }
    reducer.apply_info(NOW, Role::Node, "liar:1", info(Some(tip((1 << 53) - 1, "lie"))));
    let state = reducer.state();
    assert_eq!(state.chain(hash("50")).count() as u64, KEPT_HEIGHTS);
    assert_eq!(state.tip().unwrap().hash, hash("50"), "a claim without blocks is the best tip");
    assert_eq!(state.best_nodes(), ["a:1", "liar:1"]);
    assert!(!state.lacks_blocks_of(&tip(50, "50")) && state.lacks_blocks_of(&tip(50, "another")));
}

#[test]
fn what_a_stranger_says_of_itself_is_cut_short() {
    let mut reducer = reducer(&["a:1"]);
    let long = Info { version: "x".repeat(60_000), network: Value::String("x".repeat(60_000)), ..info(None) };
    reducer.apply_info(NOW, Role::Node, "a:1", long);
    let kept = reducer.state().nodes["a:1"].info.clone().unwrap();
    assert!(kept.version.len() < 200 && kept.network.is_null());
}

#[test]
fn stale_blocks_are_counted_when_their_height_is_forgotten() {
    let mut reducer = reducer(&["a:1", "b:1"]);
    for index in 1..=50_u64 {
        let (name, parent) = (index.to_string(), (index - 1).to_string());
        if index == 5 {
            reducer.add_blocks([summary(5, "5'", "4"), summary(5, "5''", "4")]);
        }
        for node in ["a:1", "b:1"] {
            reducer.apply_node_event(NOW, node, &block(index, &name, &parent, BlockSource::Pushed));
        }
    }
    let state = reducer.state();
    assert_eq!((state.past_stale.get(&5), state.past_stale.get(&6)), (Some(&2), Some(&0)));
    assert!(!state.past_stale.contains_key(&50) && !state.blocks.contains_key(&hash("5'")));
}

#[test]
fn the_finder_of_a_block_from_outside_is_who_is_paid_and_not_the_node() {
    let kim = shared::keys::KeyPair::from_seed("kim").address();
    let ada = shared::keys::KeyPair::from_seed("ada").address();
    let mut reducer = reducer(&["a:1"]);
    crate::network::samples::mining_for(&mut reducer.state, "a:1", &ada);
    let contents = |miner| BlockContents { miner: Some(miner), ..BlockContents::default() };
    reducer.apply_node_event(NOW, "a:1", &block(1, "1", "0", BlockSource::Mined));
    reducer.add_contents(hash("1"), contents(ada));
    assert_eq!(texts(&reducer)[0], "a:1 found block 1");
    reducer.apply_node_event(NOW, "a:1", &block(2, "2", "1", BlockSource::Mined));
    reducer.add_contents(hash("2"), contents(kim));
    let outside = format!("{}, by way of a:1, found block 2", kim.short());
    assert_eq!(texts(&reducer)[0], outside);
    reducer.add_from_browser(hash("2"));
    assert_eq!(texts(&reducer)[0], format!("{}’s browser, by way of a:1, found block 2", kim.short()));
    // The contents may be known before the node reports the block as its own.
    reducer.add_from_browser(hash("3"));
    reducer.add_blocks([summary(3, "3", "2")]);
    reducer.add_contents(hash("3"), contents(kim));
    reducer.apply_node_event(NOW, "a:1", &block(3, "3", "2", BlockSource::Mined));
    assert!(texts(&reducer)[0].contains("browser, by way of a:1, found block 3"), "{:?}", texts(&reducer));
}

#[test]
fn a_fair_rate_is_that_of_a_usual_node_that_mines() {
    let mut reducer = reducer(&["a:1", "b:1", "c:1"]);
    assert_eq!(reducer.state().usual_hash_rate(), None);
    for (node, hashrate) in [("a:1", 50_000), ("b:1", 90_000), ("c:1", 10_000)] {
        let address = shared::keys::KeyPair::from_seed(node).address();
        crate::network::samples::mining_for(&mut reducer.state, node, &address);
        let info = reducer.state.nodes.get_mut(node).and_then(|node| node.info.as_mut()).unwrap();
        info.mining.as_mut().unwrap().hashrate = hashrate;
    }
    assert_eq!(reducer.state().usual_hash_rate(), Some(50_000));
}
