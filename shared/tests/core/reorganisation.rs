//! Scripts of forks: which branch is best, how a change of branch changes the state, and the effects of a bad block in
//! the better branch (docs/protocol.md §4).
//!
//! A column of the drawings is a height; where difficulties differ, they stand below the names.

use crate::lab::ledger::FAIL;
use crate::lab::{Lab, fixed, lively};
use shared::block::Height;
use shared::chain::{Accepted, Origin};
use shared::work::Work;

#[test]
fn the_longer_of_two_branches_of_equal_difficulty_has_more_work() {
    // genesis - a1 - a2
    //         \ b1 - b2 - b3
    let mut lab = Lab::new(fixed(4));
    lab.mine("genesis", "a1 a2");
    lab.mine("genesis", "b1 b2 b3");
    lab.best("a1 a2");
    lab.side("b1 b2");
    lab.expect_tip("a2");
    lab.best("b3");

    let change = lab.chain.take_reorganisation().unwrap();
    assert_eq!(change.fork.hash, lab.hash("genesis"));
    assert_eq!((change.from.hash(), change.to.hash()), (lab.hash("a2"), lab.hash("b3")));
    assert_eq!((change.undone(), change.applied()), (2, 3));
    assert_eq!(lab.chain.take_reorganisation(), None, "a reorganisation is returned once");
    assert_eq!(lab.state()["last"], "b3");
    assert!(!lab.state().contains_key("by-a1"), "the writes of the old branch are undone");
}

#[test]
fn a_shorter_branch_with_more_work_beats_a_longer_one() {
    //            16   16    4    4    1    1
    // genesis - a1 - a2 - a3 - a4 - a5 - a6            slow
    //         \ b1 - b2 - b3                           fast
    //            16   16   64
    let mut lab = Lab::new(lively());
    lab.gap_ms = 60_000;
    lab.mine("genesis", "a1 a2 a3 a4 a5 a6");
    lab.gap_ms = 1;
    lab.mine("genesis", "b1 b2 b3");
    assert_eq!((lab.work("a6"), lab.work("b3")), (Work(1 + 42), Work(1 + 96)));
    lab.best("a1 a2 a3 a4 a5 a6");
    lab.side("b1 b2");
    lab.best("b3");
    assert_eq!(lab.chain.tip().index, Height(3));
}

#[test]
fn a_longer_branch_with_less_work_does_not_win() {
    // The same fork, the other way round: six blocks come second and stay beside.
    let mut lab = Lab::new(lively());
    lab.gap_ms = 1;
    lab.mine("genesis", "b1 b2 b3");
    lab.gap_ms = 60_000;
    lab.mine("genesis", "a1 a2 a3 a4 a5 a6");
    lab.best("b1 b2 b3");
    lab.side("a1 a2 a3 a4 a5 a6");
    lab.expect_tip("b3");
}

#[test]
fn between_equals_the_first_stays_also_after_a_restart() {
    // genesis - a1 - a2
    //         \ b1 - b2
    // Whichever comes first: no order of their hashes decides.
    for (first, tip, second, other) in [("a1 a2", "a2", "b1 b2", "b2"), ("b1 b2", "b2", "a1 a2", "a2")] {
        let mut lab = Lab::new(fixed(4));
        lab.mine("genesis", "a1 a2");
        lab.mine("genesis", "b1 b2");
        lab.best(first);
        lab.side(second);
        lab.expect_tip(tip);
        lab.restart();
        lab.expect_tip(tip);
        lab.known(second);
        lab.expect_tip(tip);
        lab.mine(other, "c3");
        lab.best("c3");
    }
}

#[test]
fn a_bad_block_in_the_middle_of_a_better_branch_restores_the_old_one() {
    // genesis - a1 - a2 - a3
    //         \ b1 - b2*- b3 - b4           b2 breaks a rule, which shows when the branch is applied
    let mut lab = Lab::new(fixed(4));
    lab.mine("genesis", "a1 a2 a3");
    lab.mine_with("b1", "genesis", "put last b1\ndel nothing\nput only-b 1");
    lab.mine_with("b2", "b1", "put last b2\nfail unless by-a1=genesis");
    lab.mine("b2", "b3 b4 b5");
    lab.best("a1 a2 a3");
    lab.side("b1 b2 b3");
    let before = lab.state();

    lab.broken("b4", "invalid-ancestor");
    lab.expect_tip("a3");
    assert_eq!(lab.state(), before, "the old branch's state is back exactly");
    assert_eq!(lab.chain.take_reorganisation(), None);
    // The bad block and its descendants are recorded; new descendants are refused without validation.
    for name in ["b2", "b3", "b4", "b5"] {
        lab.broken(name, "invalid-ancestor");
    }
    assert_eq!(lab.chain.known_invalid(&lab.hash("b2")).map(|broken| broken.name()), Some(FAIL));
    // The blocks below it stay valid.
    lab.known("b1");
    lab.mine("b1", "c2 c3 c4");
    lab.side("c2 c3");
    lab.best("c4");
    assert_eq!(lab.state()["only-b"], "1");
}

#[test]
fn a_better_branch_that_ends_badly_is_kept_up_to_its_bad_block() {
    // genesis - a1 - a2
    //         \ b1 - b2 - b3 - b4*- b5
    let mut lab = Lab::new(fixed(4));
    lab.mine("genesis", "a1 a2");
    lab.mine("genesis", "b1 b2 b3");
    lab.mine_with("b4", "b3", "put last b4\nfail");
    lab.mine("b4", "b5");
    lab.best("a1 a2");
    lab.side("b1 b2");
    lab.best("b3");
    lab.broken("b4", FAIL);
    lab.expect_tip("b3");
    lab.broken("b5", "invalid-ancestor");
    assert_eq!(lab.state()["last"], "b3");
}

#[test]
fn the_good_beginning_of_a_bad_branch_is_adopted_when_it_outweighs_by_itself() {
    // genesis - a1 - a2
    //         \ b1 - b2 - b3 - b4*          the disk is full when b3 should be adopted, b4 is bad
    let mut lab = Lab::new(fixed(4));
    lab.mine("genesis", "a1 a2");
    lab.mine("genesis", "b1 b2 b3");
    lab.mine_with("b4", "b3", "fail");
    lab.best("a1 a2");
    lab.side("b1 b2");
    lab.store.fail_after_commits(1);
    lab.failed("b3");
    lab.expect_tip("a2");
    lab.store.heal();
    lab.broken("b4", FAIL);
    lab.expect_tip("b3");
}

#[test]
fn the_state_follows_repeated_reorganisations() {
    // genesis - s1 - a2 - a3 - a4 - a5 - a6 - a7
    //              \ b2 - b3 - b4 - b5 - b6             each takes the lead in turn
    let mut lab = Lab::new(fixed(2));
    lab.mine_with("s1", "genesis", "put k s1\nput gone s1\nput same x");
    lab.best("s1");
    lab.mine_with("a2", "s1", "put k a2\ndel gone\nput same x");
    lab.mine_with("a3", "a2", "fail unless k=a2\nput k a3\nput new a3");
    lab.mine_with("b2", "s1", "fail unless gone=s1\nput k b2");
    lab.mine_with("b3", "b2", "del k\nput gone b3");
    lab.mine_with("b4", "b3", "fail unless gone=b3\nput k b4\ndel gone");
    lab.mine_with("a4", "a3", "fail unless new=a3\nput gone a4");
    lab.mine_with("a5", "a4", "del new\nput new a5");
    lab.best("a2 a3");
    lab.side("b2 b3");
    lab.best("b4");
    assert_eq!(lab.state().get("gone"), None);
    lab.side("a4");
    lab.best("a5");
    assert_eq!(lab.state()["gone"], "a4");
    lab.mine("b4", "b5 b6");
    lab.side("b5");
    lab.best("b6");
    lab.restart();
    lab.mine("a5", "a6 a7");
    lab.side("a6");
    lab.best("a7");
    assert_eq!((lab.state()["k"].as_str(), lab.state()["new"].as_str()), ("a3", "a5"));
}

#[test]
fn a_deep_reorganisation_reaches_below_the_last_flush() {
    // genesis - a1 … a1500 (flushed at 700 and 1400)
    //         \ b1 … b1501
    let mut lab = Lab::new(fixed(1));
    let names = |branch: &str, count| (1..=count).map(|n| format!("{branch}{n}")).collect::<Vec<_>>();
    let (left, right) = (names("a", 1500), names("b", 1501));
    for line in [&left, &right] {
        // Not through `Lab::mine`: finding a branch by names costs its length each time.
        let mut branch = vec![lab.block("genesis").clone()];
        for name in line {
            let data = format!("put last {name}\nput k{} {name}", branch.len() % 50);
            let recent: Vec<_> = branch[branch.len().saturating_sub(2)..].iter().collect();
            let block = crate::lab::mine_on(&lab.rules, &recent, 1000, &data);
            lab.keep(name, block.clone());
            branch.push(block);
        }
    }
    for (height, name) in left.iter().enumerate() {
        assert_eq!(lab.give(name, Origin::Bulk), Ok(Accepted::Best), "{name}");
        if height % 700 == 699 {
            lab.chain.flush().unwrap();
        }
    }
    lab.chain.commit().unwrap();
    for name in &right[..1500] {
        assert_eq!(lab.give(name, Origin::Bulk), Ok(Accepted::Side), "{name}");
    }
    assert_eq!(lab.give("b1501", Origin::Bulk), Ok(Accepted::Best));
    lab.chain.commit().unwrap();
    lab.expect_tip("b1501");
    assert_eq!(lab.chain.take_reorganisation().unwrap().undone(), 1500);
    let state = lab.state();
    assert_eq!((state.len(), state["last"].as_str(), state["k7"].as_str()), (51, "b1501", "b1457"));
}
