//! What answers and events do to the picture.

use super::*;
use crate::network::picture::HEIGHTS;
use shared::block::{BlockHash, Height};
use shared::wire::{PoolInfo, ReorgEvent};
use shared::work::{Difficulty, Work};

pub(crate) fn hash(name: &str) -> BlockHash {
    BlockHash::of(name)
}

pub(crate) fn seen(index: u64, name: &str, parent: &str) -> Seen {
    Seen {
        index: Height(index),
        hash: hash(name),
        prev_hash: hash(parent),
        timestamp: Timestamp::from_ms(index * 1000),
        difficulty: 1,
        mined_by: None,
    }
}

fn tip(index: u64, name: &str) -> Tip {
    Tip {
        index: Height(index),
        hash: hash(name),
        timestamp: Timestamp::from_ms(index * 1000),
        work: Work(index.into()),
    }
}

pub(crate) fn info(tip: Option<Tip>) -> Info {
    Info {
        service: "node".to_owned(),
        version: "1".to_owned(),
        network_id: hash("network"),
        network: Value::Null,
        address: "a:1".to_owned(),
        started: Timestamp::from_ms(0),
        tip,
        peers: Some(3),
        mining: None,
        pool: None,
        members: None,
        health: None,
    }
}

/// Puts a node that answers into a picture.
pub(crate) fn stand_on(picture: &mut Picture, node: &str, index: u64, name: &str) {
    let contact = Contact { info: Some(info(Some(tip(index, name)))), ..Contact::default() };
    picture.nodes.insert(node.to_owned(), contact);
}

const NOW: Timestamp = Timestamp::from_ms(1_000_000);

fn notebook(nodes: &[&str]) -> Notebook {
    let mut notebook = Notebook::new("tracker:1", &Params::default());
    notebook.listed(NOW, nodes.iter().map(|node| (Role::Node, (*node).to_owned())));
    for node in nodes {
        notebook.answered(NOW, Role::Node, node, info(Some(tip(0, "0"))));
    }
    notebook
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

fn words(notebook: &Notebook) -> Vec<&str> {
    notebook.picture().ticker.iter().map(|fact| fact.words.as_str()).collect()
}

fn changes(notebook: &mut Notebook, act: impl FnOnce(&mut Notebook)) -> Vec<&'static str> {
    let before = notebook.picture.versions;
    act(notebook);
    notebook.picture.versions.changed_since(&before).into_iter().map(Change::name).collect()
}

#[test]
fn a_block_moves_the_tip_and_names_its_miner_whoever_tells_of_it_first() {
    let mut notebook = notebook(&["a:1", "b:1"]);
    notebook.node_said(NOW, "a:1", &block(1, "1", "0", BlockSource::Pushed));
    notebook.node_said(NOW, "b:1", &block(1, "1", "0", BlockSource::Mined));
    let picture = notebook.picture();
    assert_eq!(picture.blocks[&hash("1")].mined_by.as_deref(), Some("b:1"));
    assert!(picture.nodes.values().all(|node| node.tip() == Some(Tip { timestamp: NOW, ..tip(1, "1") })));
    assert_eq!(words(&notebook)[0], "b:1 found block 1");
    assert!(
        changes(&mut notebook, |notebook| notebook.node_said(NOW, "nobody:1", &block(2, "2", "1", BlockSource::Mined)))
            .is_empty()
    );
}

#[test]
fn a_fork_is_told_when_it_begins_and_when_it_is_healed() {
    let mut notebook = notebook(&["a:1", "b:1"]);
    notebook.learnt([seen(0, "0", "")]);
    notebook.node_said(NOW, "a:1", &block(1, "1", "0", BlockSource::Mined));
    notebook.node_said(NOW, "b:1", &block(1, "1'", "0", BlockSource::Mined));
    assert!(Agreement::of(notebook.picture()).is_forked());
    notebook.node_said(NOW, "a:1", &block(2, "2", "1", BlockSource::Mined));
    notebook.node_said(NOW, "b:1", &block(2, "2", "1", BlockSource::Pushed));
    let reorg = ReorgEvent {
        fork: BlockId { index: Height(0), hash: hash("0") },
        from: tip(1, "1'"),
        to: tip(2, "2"),
        undone: 1,
        applied: 2,
    };
    notebook.node_said(NOW, "b:1", &NodeEvent::Reorg(reorg));
    assert_eq!(
        words(&notebook)[..6],
        [
            "b:1 left the last block of its branch for 2 heavier ones",
            "All nodes are on one chain again, at block 2",
            "a:1 found block 2",
            "b:1 found block 1",
            "Two blocks follow block 0: the chain forks",
            "a:1 found block 1",
        ]
    );
}

#[test]
fn only_what_is_shown_is_a_change() {
    let mut notebook = notebook(&["a:1"]);
    let again = |notebook: &mut Notebook| notebook.answered(NOW.plus_ms(5), Role::Node, "a:1", info(Some(tip(0, "0"))));
    assert!(changes(&mut notebook, again).is_empty());
    assert_eq!(notebook.picture().nodes["a:1"].last_seen, Some(NOW.plus_ms(5)));
    let pool = |count| Info { pool: Some(PoolInfo { count, bytes: 0 }), ..info(None) };
    notebook.listed(NOW, [(Role::Mempool, "m:1".to_owned())]);
    notebook.answered(NOW, Role::Mempool, "m:1", pool(1));
    assert_eq!(changes(&mut notebook, |notebook| notebook.answered(NOW, Role::Mempool, "m:1", pool(2))), ["pool"]);
    let fails = |notebook: &mut Notebook| notebook.failed(NOW, Role::Node, "a:1", "unreachable");
    assert_eq!(changes(&mut notebook, fails), ["nodes", "blocks", "ticker"]);
    assert!(changes(&mut notebook, fails).is_empty());
    assert_eq!(words(&notebook)[0], "Node a:1 does not answer");
}

#[test]
fn an_answer_older_than_an_event_does_not_move_a_node_back() {
    let mut notebook = notebook(&["a:1"]);
    notebook.node_said(NOW, "a:1", &block(5, "5", "4", BlockSource::Synced));
    notebook.answered(NOW, Role::Node, "a:1", info(Some(tip(4, "4"))));
    assert_eq!(notebook.picture().nodes["a:1"].tip().unwrap().index.0, 5);
    let restarted = Info { started: NOW, ..info(Some(tip(4, "4"))) };
    notebook.answered(NOW, Role::Node, "a:1", restarted);
    assert_eq!(notebook.picture().nodes["a:1"].tip().unwrap().index.0, 4);
}

#[test]
fn services_are_bounded_and_go_when_they_are_not_listed_any_more() {
    let mut notebook = notebook(&["a:1"]);
    let many = (0..1000).map(|port| (Role::Node, format!("b:{port}")));
    assert_eq!(notebook.listed(NOW, many).len(), MAX_SERVICES);
    notebook.tracker_failed("unreachable");
    assert!(notebook.picture().tracker_error.is_some());
    let later = NOW.plus_ms(70_000);
    assert_eq!(notebook.listed(later, [(Role::Node, "c:1".to_owned())]), [(Role::Node, "c:1".to_owned())]);
    assert_eq!((notebook.picture().nodes.len(), &notebook.picture().tracker_error), (1, &None));
    assert_eq!(words(&notebook)[0], "Node a:1 is gone");
}

#[test]
fn blocks_are_bounded_in_height_and_number_and_the_best_chain_stays() {
    let mut notebook = notebook(&["a:1"]);
    for index in 1..=100_u64 {
        let (name, parent) = (index.to_string(), (index - 1).to_string());
        notebook.node_said(NOW, "a:1", &block(index, &name, &parent, BlockSource::Synced));
    }
    let kept = || 61..=100_u64;
    assert!(notebook.picture().blocks.values().map(|block| block.index.0).all(|index| kept().contains(&index)));
    notebook.learnt((0..2000).map(|number| seen(90, &format!("side {number}"), "89")));
    notebook.learnt([seen(1 << 50, "far ahead", "?")]);
    let picture = notebook.picture();
    assert_eq!(picture.blocks.len(), 400);
    assert_eq!(picture.chain(hash("100")).count() as u64, HEIGHTS);
    assert!(!picture.blocks.contains_key(&hash("far ahead")));
}

#[test]
fn a_liar_far_ahead_makes_nobody_elses_blocks_vanish() {
    let mut notebook = notebook(&["a:1", "liar:1"]);
    for index in 1..=50_u64 {
        let (name, parent) = (index.to_string(), (index - 1).to_string());
        notebook.node_said(NOW, "a:1", &block(index, &name, &parent, BlockSource::Pushed));
    }
    notebook.answered(NOW, Role::Node, "liar:1", info(Some(tip((1 << 53) - 1, "lie"))));
    let picture = notebook.picture();
    assert_eq!(picture.chain(hash("50")).count() as u64, HEIGHTS);
    assert_eq!(picture.tip().unwrap().hash, hash("50"), "a claim without blocks is the best tip");
    assert_eq!(picture.best_nodes(), ["a:1", "liar:1"]);
    assert!(!picture.lacks_blocks_of(&tip(50, "50")) && picture.lacks_blocks_of(&tip(50, "another")));
}

#[test]
fn what_a_stranger_says_of_itself_is_cut_short() {
    let mut notebook = notebook(&["a:1"]);
    let long = Info { version: "x".repeat(60_000), network: Value::String("x".repeat(60_000)), ..info(None) };
    notebook.answered(NOW, Role::Node, "a:1", long);
    let kept = notebook.picture().nodes["a:1"].info.clone().unwrap();
    assert!(kept.version.len() < 200 && kept.network.is_null());
}
