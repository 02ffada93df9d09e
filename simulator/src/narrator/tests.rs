//! Invented events and times in, plain lines out: what a reader of the narration sees.

use super::Narrator;
use crate::event_text::LineFormatter;
use shared::block::{BlockHash, BlockId, Height, Timestamp};
use shared::chain::Tip;
use shared::wire::{BlockEvent, BlockSource, MiningEvent, NodeEvent, PeerChange, PeerEvent, ReorgEvent};
use shared::work::{Difficulty, Work};

const A: usize = 0;
const B: usize = 1;
const C: usize = 2;

fn names(count: usize) -> Vec<String> {
    ["A", "B", "C", "D"][..count].iter().map(|name| (*name).to_owned()).collect()
}

/// A hash whose first eight digits are `0000` and the four of `name`.
fn hash(name: u16) -> BlockHash {
    let mut bytes = [1; 32];
    bytes[..2].fill(0);
    bytes[2..4].copy_from_slice(&name.to_be_bytes());
    BlockHash::from_bytes(bytes)
}

/// Block `name` of height `index` on `prev`; every block has difficulty 10 and comes 2 s after the height below.
fn block(index: u64, name: u16, prev: u16, source: BlockSource, best: bool) -> NodeEvent {
    NodeEvent::Block(BlockEvent {
        index: Height(index),
        hash: hash(name),
        prev_hash: hash(prev),
        timestamp: Timestamp::from_ms(index * 2000),
        difficulty: Difficulty::clamped(10),
        work: Work(u128::from(index) * 10),
        best,
        source,
        from: None,
    })
}

fn mined(index: u64, name: u16, prev: u16) -> NodeEvent {
    block(index, name, prev, BlockSource::Mined, true)
}

fn pushed(index: u64, name: u16, prev: u16) -> NodeEvent {
    block(index, name, prev, BlockSource::Pushed, true)
}

fn synced(index: u64, name: u16, prev: u16) -> NodeEvent {
    block(index, name, prev, BlockSource::Synced, true)
}

fn pushed_not_best(index: u64, name: u16, prev: u16) -> NodeEvent {
    block(index, name, prev, BlockSource::Pushed, false)
}

fn tip(index: u64, name: u16) -> Tip {
    Tip {
        index: Height(index),
        hash: hash(name),
        timestamp: Timestamp::from_ms(index * 2000),
        work: Work(u128::from(index) * 10),
    }
}

fn reorg((fork, fork_name): (u64, u16), from: (u64, u16), to: (u64, u16)) -> NodeEvent {
    NodeEvent::Reorg(ReorgEvent {
        fork: BlockId { index: Height(fork), hash: hash(fork_name) },
        from: tip(from.0, from.1),
        to: tip(to.0, to.1),
        undone: from.0 - fork,
        applied: to.0 - fork,
    })
}

/// The lines about `events` (time, node, event) in a network of `nodes`, up to a second after the last event.
fn lines(nodes: usize, events: &[(u64, usize, NodeEvent)]) -> Vec<String> {
    let formatter = LineFormatter::new(&names(nodes), &[], false);
    let mut narrator = Narrator::new(names(nodes), hash(0), Timestamp::EPOCH);
    let mut lines = Vec::new();
    let mut now = 0;
    for (at_ms, node, event) in events {
        while now < *at_ms {
            now = (now + 50).min(*at_ms);
            narrator.tick(now);
        }
        narrator.observe_event(now, *node, event);
        lines.extend(narrator.take_events());
    }
    for later in 1..=20 {
        narrator.tick(now + later * 50);
        lines.extend(narrator.take_events());
    }
    lines.iter().map(|events| formatter.line(events).split_once(" s  ").unwrap().1.to_owned()).collect()
}

#[test]
fn a_found_block_that_all_receive_is_two_lines() {
    let events = [
        (1000, A, mined(1, 0xaa01, 0)),
        (1005, C, pushed(1, 0xaa01, 0)),
        (1010, B, pushed(1, 0xaa01, 0)),
        (3000, B, mined(2, 0xaa02, 0xaa01)),
        (3004, A, pushed(2, 0xaa02, 0xaa01)),
        (3008, C, pushed(2, 0xaa02, 0xaa01)),
    ];
    assert_eq!(
        lines(3, &events),
        [
            "A found block 1 (0000aa01)",
            "B and C received block 1 (0000aa01) within 10 ms; all 3 nodes agree",
            "B found block 2 (0000aa02), 2.0 s after block 1",
            "A and C received block 2 (0000aa02) within 8 ms; all 3 nodes agree",
        ]
    );
}

#[test]
fn a_reception_that_is_reported_first_is_narrated_after_the_finding() {
    let events = [(1000, B, pushed(1, 0xaa01, 0)), (1003, A, mined(1, 0xaa01, 0))];
    assert_eq!(
        lines(2, &events),
        ["A found block 1 (0000aa01)", "B received block 1 (0000aa01) within 1 ms; all 2 nodes agree"]
    );
}

#[test]
fn a_block_found_right_after_another_is_narrated_after_that_ones_receptions() {
    let events = [(1000, A, mined(1, 0xaa01, 0)), (1005, B, pushed(1, 0xaa01, 0)), (1010, B, mined(2, 0xaa02, 0xaa01))];
    let expected = [
        "A found block 1 (0000aa01)",
        "B received block 1 (0000aa01) within 5 ms",
        "B found block 2 (0000aa02), 2.0 s after block 1",
    ];
    assert_eq!(lines(3, &events), expected);
}

#[test]
fn a_natural_fork_is_narrated_with_both_branches_and_its_end() {
    let events = [
        (1000, A, mined(1, 0xaa01, 0)),
        (1001, C, mined(1, 0xcc01, 0)),
        (1004, B, pushed(1, 0xaa01, 0)),
        (1006, B, pushed_not_best(1, 0xcc01, 0)),
        (1006, A, pushed_not_best(1, 0xcc01, 0)),
        (1007, C, pushed_not_best(1, 0xaa01, 0)),
        (3000, B, mined(2, 0xaa02, 0xaa01)),
        (3002, A, pushed(2, 0xaa02, 0xaa01)),
        (3003, C, reorg((0, 0), (1, 0xcc01), (2, 0xaa02))),
        (3003, C, pushed(2, 0xaa02, 0xaa01)),
    ];
    assert_eq!(
        lines(3, &events),
        [
            "A found block 1 (0000aa01)",
            "C found block 1 (0000cc01)",
            "B received block 1 (0000aa01) within 4 ms",
            "fork: A and B are on block 1 (0000aa01), C is on block 1 (0000cc01)",
            "B found block 2 (0000aa02), 2.0 s after block 1",
            "C reorganised after block 0: 1 block undone, 2 applied, now on block 2 (0000aa02)",
            "A received block 2 (0000aa02) within 2 ms",
            "all 3 nodes agree again on block 2 (0000aa02)",
        ]
    );
}

#[test]
fn a_fork_is_narrated_once_however_long_its_branches_grow() {
    let events = [
        (1000, A, mined(1, 0xaa01, 0)),
        (1500, B, mined(1, 0xbb01, 0)),
        (3000, A, mined(2, 0xaa02, 0xaa01)),
        (5000, B, mined(2, 0xbb02, 0xbb01)),
        (9000, A, mined(3, 0xaa03, 0xaa02)),
    ];
    let forks = lines(2, &events).into_iter().filter(|line| line.starts_with("fork:")).collect::<Vec<_>>();
    assert_eq!(forks, ["fork: A is on block 1 (0000aa01), B is on block 1 (0000bb01)"]);
}

#[test]
fn a_node_that_lags_behind_is_not_on_a_fork() {
    let events = [
        (1000, A, mined(1, 0xaa01, 0)),
        (3000, A, mined(2, 0xaa02, 0xaa01)),
        (9000, B, synced(1, 0xaa01, 0)),
        (9000, B, synced(2, 0xaa02, 0xaa01)),
    ];
    assert_eq!(
        lines(2, &events),
        [
            "A found block 1 (0000aa01)",
            "A found block 2 (0000aa02), 2.0 s after block 1",
            "B caught up: 2 blocks fetched, now on block 2 (0000aa02)",
        ]
    );
}

#[test]
fn the_blocks_of_a_reorganisation_get_no_lines_of_their_own() {
    let events = [
        (1000, A, mined(1, 0xaa01, 0)),
        (1000, B, mined(1, 0xbb01, 0)),
        (3000, A, mined(2, 0xaa02, 0xaa01)),
        (5000, B, reorg((0, 0), (1, 0xbb01), (2, 0xaa02))),
        (5001, B, synced(1, 0xaa01, 0)),
        (5001, B, synced(2, 0xaa02, 0xaa01)),
    ];
    let events = lines(2, &events);
    assert_eq!(
        events[events.len() - 2..],
        [
            "B reorganised after block 0: 1 block undone, 2 applied, now on block 2 (0000aa02)",
            "all 2 nodes agree again on block 2 (0000aa02)",
        ]
    );
}

#[test]
fn a_block_that_came_second_is_narrated_as_such_and_counts_as_found() {
    let mut narrator = Narrator::new(names(2), hash(0), Timestamp::EPOCH);
    narrator.observe_event(0, A, &mined(1, 0xaa01, 0));
    narrator.observe_event(5, B, &pushed(1, 0xaa01, 0));
    narrator.observe_event(6, B, &block(1, 0xbb01, 0, BlockSource::Mined, false));
    narrator.tick(1000);
    let last = LineFormatter::new(&names(2), &[], false).line(narrator.take_events().last().unwrap());
    assert!(last.ends_with("B found block 1 (0000bb01), but another block came first"), "{last}");
    assert_eq!((narrator.found_by(&[A]), narrator.found_by(&[B]), narrator.counts().forks), (1, 1, 1));
}

#[test]
fn a_tip_makes_up_for_missed_events_but_never_goes_back() {
    let mut narrator = Narrator::new(names(2), hash(0), Timestamp::EPOCH);
    narrator.observe_event(0, A, &mined(1, 0xaa01, 0));
    narrator.observe_event(10, A, &mined(2, 0xaa02, 0xaa01));
    narrator.observe_tip(20, A, &tip(1, 0xaa01));
    narrator.observe_tip(20, B, &tip(2, 0xaa02));
    assert_eq!(narrator.best(), BlockId { index: Height(2), hash: hash(0xaa02) });
    assert_eq!(narrator.status().tips, 1);
}

#[test]
fn the_status_shows_the_best_chain() {
    let mut narrator = Narrator::new(names(2), hash(0), Timestamp::EPOCH);
    for (index, name) in [(1, 0xaa01), (2, 0xaa02), (3, 0xaa03)] {
        narrator.observe_event(index * 2000, A, &mined(index, name, if index == 1 { 0 } else { name - 1 }));
    }
    let status = narrator.status();
    assert_eq!((status.height, status.difficulty, status.interval_ms, status.tips), (3, 10, Some(2000), 2));
    let line = LineFormatter::new(&names(2), &[], false).status(6000, &status);
    assert_eq!(line, "6 s | height 3 | difficulty 10 | 0 H/s | interval 2.0 s | 2 tips");
}

#[test]
fn of_peers_only_a_dropped_one_gets_a_line() {
    let peer =
        |change| NodeEvent::Peer(PeerEvent { address: "127.0.0.1:1".into(), change, reason: Some("it lied".into()) });
    let mining =
        NodeEvent::Mining(MiningEvent { index: Height(1), difficulty: Difficulty::MIN, hashrate: 1, found: None });
    let events = [(0, A, peer(PeerChange::Connected)), (0, A, mining), (0, A, peer(PeerChange::Dropped))];
    assert_eq!(lines(1, &events), ["A dropped its peer 127.0.0.1:1 for a while: it lied"]);
}

#[test]
fn an_absent_node_is_on_no_branch_and_no_line_waits_for_it() {
    let formatter = LineFormatter::new(&names(2), &[], false);
    let mut narrator = Narrator::new(names(2), hash(0), Timestamp::EPOCH);
    narrator.observe_event(0, A, &mined(1, 0xaa01, 0));
    narrator.observe_event(0, B, &mined(1, 0xbb01, 0));
    narrator.tick(1000);
    assert_eq!(narrator.status().tips, 2);
    narrator.take_events();
    narrator.set_present(B, false);
    narrator.tick(2000);
    let events: Vec<_> = narrator.take_events().iter().map(|events| formatter.line(events)).collect();
    assert!(events.len() == 1 && events[0].contains("the only node left is on block 1 (0000aa01)"), "{events:?}");
    assert_eq!(narrator.status().tips, 1);
    // A new node without any block makes no fork.
    narrator.add_node(2000, "C".to_owned(), "10.0.0.1:8100".to_owned());
    narrator.tick(3000);
    let events: Vec<_> = narrator.take_events().iter().map(|events| formatter.line(events)).collect();
    assert!(events.len() == 1 && events[0].contains("C joined, at 10.0.0.1:8100"), "{events:?}");
}

#[test]
fn blocks_that_no_node_has_found_came_from_outside() {
    let names = names(2);
    let mut narrator = Narrator::new(names, hash(0), Timestamp::from_ms(0));
    let from_peer = |index, name, prev| {
        let NodeEvent::Block(event) = pushed(index, name, prev) else { unreachable!("a block") };
        NodeEvent::Block(BlockEvent { from: Some("127.0.0.1:8101".to_owned()), ..event })
    };
    // The reports of two nodes arrive in any order.
    narrator.observe_event(1, B, &pushed(1, 1, 0));
    narrator.observe_event(2, A, &mined(1, 1, 0));
    narrator.observe_event(3, A, &pushed(2, 2, 1));
    narrator.observe_event(4, B, &from_peer(2, 2, 1));
    // Its finder's report was missed.
    narrator.observe_event(5, A, &from_peer(3, 3, 2));
    assert_eq!(narrator.outside_blocks(0), ([hash(2)].into_iter().collect(), 0));
    assert_eq!(narrator.outside_blocks(2).0.len(), 0, "those before the run do not count");
    assert_eq!(narrator.blocks_found().iter().map(|found| found.blocks).sum::<u64>(), 1);
}
