//! Random block trees, delivered in random orders with restarts and failing disks, end on the same best chain.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests: this is how they fail

use crate::lab::{Lab, check_whole, lively, model_state};
use proptest::prelude::*;
use proptest::sample::Index;
use shared::block::BlockHash;
use shared::chain::{BlockError, Origin};
use shared::params::Params;
use shared::work::{Difficulty, Work};
use std::collections::{BTreeSet, VecDeque};

/// A block of the tree: its parent, the time since the parent, and its data.
type Node = (Index, u64, String);

fn tree() -> impl Strategy<Value = Vec<Node>> {
    let command = prop_oneof![
        6 => ("[kl]", "[01]").prop_map(|(key, value)| format!("put {key} {value}")),
        2 => "[kl]".prop_map(|key| format!("del {key}")),
        1 => "[klm]".prop_map(|key| format!("claim {key} 1")),
        1 => ("[kl]", "[01]").prop_map(|(key, value)| format!("fail unless {key}={value}")),
    ];
    let data = prop_oneof![
        14 => prop::collection::vec(command, 0..4).prop_map(|commands| commands.join("\n")),
        1 => Just("bad".to_owned()),
    ];
    let gap = prop::sample::select(&[1_u64, 4000, 5000, 6000, 60_000][..]);
    prop::collection::vec((any::<Index>(), gap, data), 1..16)
}

/// What happens before a delivery.
#[derive(Debug, Clone, Copy)]
enum Event {
    Nothing,
    Restart,
    Flush,
    CommitsFailAfter(usize),
    ReadingFailsAfter(usize),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        8 => Just(Event::Nothing),
        1 => Just(Event::Restart),
        1 => Just(Event::Flush),
        1 => (0..3_usize).prop_map(Event::CommitsFailAfter),
        1 => (0..8_usize).prop_map(Event::ReadingFailsAfter),
    ];
    prop::collection::vec(event, 0..20)
}

/// Mines the tree; returns the names of its blocks.
fn grow(lab: &mut Lab, tree: &[Node]) -> Vec<String> {
    let mut names = vec!["genesis".to_owned()];
    for (number, (parent, gap_ms, data)) in tree.iter().enumerate() {
        let parent = &names[parent.index(names.len())].clone();
        // A number in the timestamp makes equal blocks differ.
        lab.gap_ms = gap_ms + number as u64;
        let name = format!("n{number}");
        lab.mine_with(&name, parent, data);
        names.push(name);
    }
    names.split_off(1)
}

/// Delivers the blocks in this order; those that cannot be validated yet are delivered again later.
fn deliver(lab: &mut Lab, order: &[String], events: &[Event]) {
    let mut events = events.iter().copied();
    let mut queue: VecDeque<_> = order.iter().collect();
    let mut put_off = 0;
    while let Some(name) = queue.pop_front() {
        match events.next().unwrap_or(Event::Nothing) {
            Event::Nothing => {}
            Event::Restart => lab.restart(),
            Event::Flush => lab.chain.flush().unwrap(),
            Event::CommitsFailAfter(left) => lab.store.fail_after_commits(left),
            Event::ReadingFailsAfter(left) => lab.store.fail_reading_after(left),
        }
        let result = lab.give(name, Origin::Single);
        lab.store.heal();
        match result {
            Ok(_) | Err(BlockError::Invalid(_)) => put_off = 0,
            Err(BlockError::Failed(_)) => {
                queue.push_back(name);
                put_off = 0;
            }
            // The parent of descendants of a dropped invalid block stays unknown.
            Err(BlockError::NotYet(_)) if put_off > queue.len() => break,
            Err(BlockError::NotYet(_)) => {
                queue.push_back(name);
                put_off += 1;
            }
        }
    }
}

/// The most work of a valid branch, and all tips with that work.
fn expected(lab: &Lab, names: &[String]) -> (Work, BTreeSet<BlockHash>) {
    let all = ["genesis".to_owned()];
    let valid: Vec<_> = all.iter().chain(names).filter(|name| model_state(lab.branch(name)).is_some()).collect();
    let most = valid.iter().map(|name| lab.work(name)).max().unwrap();
    let tips = valid.into_iter().filter(|name| lab.work(name) == most).map(|name| lab.hash(name)).collect();
    (most, tips)
}

proptest! {
    #![proptest_config(super::config(1000))]

    #[test]
    fn any_order_of_delivery_ends_on_the_most_work(
        tree in tree(),
        (keys, events, other_events) in (prop::collection::vec(any::<u64>(), 16), events(), events()),
    ) {
        let params = || Params { initial_difficulty: Difficulty::new(4).unwrap(), ..lively() };
        let mut one = Lab::new(params());
        let mut other = Lab::new(params());
        let names = grow(&mut one, &tree);
        let mut shuffled: Vec<_> = keys.iter().zip(&names).collect();
        shuffled.sort();
        let shuffled: Vec<_> = shuffled.into_iter().map(|(_, name)| name.clone()).collect();
        for name in &names {
            other.keep(name, one.block(name).clone());
        }
        let (most, tips) = expected(&one, &names);
        deliver(&mut one, &names, &events);
        deliver(&mut other, &shuffled, &other_events);
        for lab in [&one, &other] {
            prop_assert_eq!(lab.chain.tip().work, most, "the best chain has not the most work");
            prop_assert!(tips.contains(&lab.chain.tip().hash()), "the tip is on no valid branch with most work");
            check_whole(lab);
        }
        if tips.len() == 1 {
            prop_assert_eq!(one.state(), other.state());
        }
    }
}
