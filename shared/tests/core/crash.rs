//! Restarts and a failing store: no acknowledged block is lost, and others leave no trace.

use crate::lab::{FaultyStore, Lab, check_whole, fixed};
use shared::chain::{Accepted, Chain, Origin, Rules, SideLimits};
use shared::params::Params;
use shared::store::{MemoryStore, StoreError};
use std::sync::Arc;

#[test]
fn a_restart_without_a_flush_applies_the_blocks_again() {
    // genesis - a1 - a2 - a3 (flushed) - a4 - a5 (not flushed)
    //                   \ b3
    let mut lab = Lab::new(fixed(4));
    lab.mine("genesis", "a1 a2 a3");
    lab.mine_with("a4", "a3", "fail unless last=a3\ndel by-a1\nput last a4");
    lab.mine("a4", "a5 a6");
    lab.mine("a2", "b3");
    lab.best("a1 a2 a3");
    lab.chain.flush().unwrap();
    lab.best("a4 a5");
    lab.side("b3");
    let before = lab.state();
    lab.restart();
    lab.expect_tip("a5");
    assert_eq!(lab.state(), before);
    lab.known("a1 a4 a5 b3");
    lab.best("a6");
}

#[test]
fn blocks_in_bulk_are_durable_when_committed_and_gone_if_not() {
    let mut lab = Lab::new(fixed(4));
    lab.mine("genesis", "a1 a2 a3");
    for name in ["a1", "a2"] {
        assert_eq!(lab.give(name, Origin::Bulk), Ok(Accepted::Best));
    }
    lab.chain.commit().unwrap();
    assert_eq!(lab.give("a3", Origin::Bulk), Ok(Accepted::Best));
    lab.expect_tip("a3");
    lab.restart();
    lab.expect_tip("a2");
    lab.best("a3");
}

#[test]
fn a_full_disk_loses_nothing_and_the_chain_recovers_when_space_returns() {
    // genesis - a1 - a2 - a3
    //         \ b1 - b2 - b3 - b4
    let mut lab = Lab::new(fixed(4));
    lab.mine("genesis", "a1 a2 a3");
    lab.mine("genesis", "b1 b2 b3 b4");
    lab.best("a1 a2");
    lab.side("b1");
    let before = lab.state();
    lab.store.memory.set_full(true);
    for name in ["a3", "b2"] {
        assert_eq!(lab.failed(name), StoreError::Failed("no space left".to_owned()));
        lab.expect_tip("a2");
        check_whole(&lab);
        assert_eq!(lab.chain.contains(&lab.hash(name)), Ok(false), "{name} was not acknowledged");
    }
    lab.known("a1 a2 b1");
    assert_eq!(lab.state(), before);
    lab.store.heal();
    lab.best("a3");
    lab.side("b2 b3");
    lab.best("b4");
}

#[test]
fn invalid_blocks_stay_recorded_while_the_disk_is_full() {
    let mut lab = Lab::new(fixed(4));
    lab.mine("genesis", "a1 a2");
    lab.mine_with("bad", "genesis", "bad");
    lab.best("a1");
    lab.broken("bad", "ledger-bad");
    lab.store.memory.set_full(true);
    lab.failed("a2");
    lab.store.heal();
    lab.broken("bad", "invalid-ancestor");
}

#[test]
fn bulk_import_falls_back_to_the_last_commit_when_the_disk_is_full() {
    let mut lab = Lab::new(fixed(4));
    lab.mine("genesis", "a1 a2 a3 a4");
    lab.best("a1");
    lab.store.memory.set_full(true);
    for name in ["a2", "a3"] {
        assert_eq!(lab.give(name, Origin::Bulk), Ok(Accepted::Best), "nothing is written yet");
    }
    assert!(lab.chain.commit().is_err());
    lab.expect_tip("a1");
    check_whole(&lab);
    lab.store.heal();
    lab.best("a2 a3 a4");
}

/// A lab in which `b3` outweighs the tip `a2`, and pushing it fails after this many successful commits.
fn failing_reorganisation(commits: usize) -> Lab {
    // genesis - a1 - a2
    //         \ b1 - b2 - b3 - b4
    let mut lab = Lab::new(fixed(4));
    lab.mine("genesis", "a1 a2");
    lab.mine("genesis", "b1 b2 b3 b4");
    lab.best("a1 a2");
    lab.side("b1 b2");
    lab.store.fail_after_commits(commits);
    lab.failed("b3");
    lab.expect_tip("a2");
    lab.store.heal();
    lab
}

#[test]
fn an_unwritten_reorganisation_is_completed_when_its_block_is_pushed_again() {
    for commits in [0, 1] {
        let mut lab = failing_reorganisation(commits);
        assert!(matches!(lab.push("b3"), Ok(Accepted::Best | Accepted::Known)), "{commits} commits went well");
        lab.expect_tip("b3");
    }
}

#[test]
fn an_unwritten_reorganisation_is_completed_when_any_block_is_pushed() {
    let mut lab = failing_reorganisation(1);
    lab.known("a1");
    lab.expect_tip("b3");
    assert_eq!(lab.chain.take_reorganisation().map(|change| change.to.hash()), Some(lab.hash("b3")));
}

#[test]
fn an_unwritten_reorganisation_is_completed_at_a_restart() {
    let mut lab = failing_reorganisation(1);
    lab.restart();
    lab.expect_tip("b3");
    lab.best("b4");
}

#[test]
fn an_unreadable_store_acknowledges_nothing_and_is_not_damaged() {
    let mut lab = Lab::new(fixed(4));
    lab.mine("genesis", "a1 a2 a3");
    lab.best("a1");
    lab.store.fail_after_commits(0);
    lab.store.fail_reading_after(0);
    assert!(lab.give("a2", Origin::Single).is_err());
    // The disk takes writes again, but memory is still ahead of it.
    lab.store.fail_after_commits(usize::MAX);
    assert!(lab.chain.flush().is_err(), "a flush now would store a tip without its block");
    assert!(lab.chain.commit().is_err());
    assert!(lab.give("a3", Origin::Single).is_err());
    lab.store.heal();
    lab.chain.flush().unwrap();
    lab.expect_tip("a1");
    check_whole(&lab);
    lab.best("a2 a3");
}

#[test]
fn reading_may_fail_at_any_moment_of_a_reorganisation() {
    // genesis - a1 - a2
    //         \ b1 - b2 - b3
    let (mut failures, mut moment) = (0, 0);
    loop {
        let mut lab = Lab::new(crate::lab::lively());
        lab.mine("genesis", "a1 a2 a3");
        lab.gap_ms = 2;
        lab.mine("genesis", "b1 b2 b3 b4");
        lab.best("a1 a2 a3");
        lab.side("b1 b2");
        lab.store.fail_reading_after(moment);
        let result = lab.give("b3", Origin::Single);
        lab.store.heal();
        if result.is_ok() {
            break;
        }
        assert!(matches!(result, Err(shared::chain::BlockError::Failed(_))), "our failure, not the peer's: {result:?}");
        assert!(lab.push("b3").is_ok(), "after failing at reading {moment}");
        lab.best("b4");
        (failures, moment) = (failures + 1, moment + 1);
    }
    assert!(failures > 3, "reading failed at {failures} moments only");
}

#[test]
fn a_store_of_another_network_is_refused_by_name() {
    let store = Arc::new(MemoryStore::default());
    let open = |name: &str| {
        let rules = Rules::new(Params { name: name.to_owned(), ..fixed(4) });
        Chain::open(Arc::new(rules), store.clone(), SideLimits::default()).map(|chain| chain.tip().hash())
    };
    let found = open("one").unwrap();
    assert_eq!(open("two"), Err(StoreError::OtherNetwork { found: found.to_string() }));
    assert_eq!(open("one"), Ok(found));
}

#[test]
fn a_new_chain_fails_on_a_full_disk() {
    let store = FaultyStore::new();
    store.memory.set_full(true);
    let open = || {
        let rules = Arc::new(Rules::new(fixed(4)));
        Chain::open(rules, Arc::new(store.clone()), SideLimits::default()).map(|chain| chain.tip().index.0)
    };
    assert_eq!(open(), Err(StoreError::Failed("no space left".to_owned())));
    store.heal();
    assert_eq!(open(), Ok(0));
}
