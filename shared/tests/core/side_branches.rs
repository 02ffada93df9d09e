//! Limits against a flood of side blocks: depth, weight and storage beside the best chain (docs/protocol.md §4).

use crate::lab::{Lab, check_whole, fixed};
use shared::chain::{Accepted, NotYet, Origin, SideLimits};

fn names(branch: &str, numbers: std::ops::RangeInclusive<usize>) -> String {
    numbers.map(|n| format!("{branch}{n} ")).collect()
}

#[test]
fn a_side_block_may_fork_as_deep_as_the_limit_and_no_deeper() {
    // genesis - a1 - a2 … a6
    //         \    \ c2                fork 5 deep: kept
    //           b1                     fork 6 deep: too deep
    let mut lab = Lab::with_limits(fixed(2), SideLimits { depth: 5, ..SideLimits::default() });
    lab.mine("genesis", &names("a", 1..=6));
    lab.mine("genesis", "b1");
    lab.mine("a1", "c2 c3");
    lab.best(&names("a", 1..=6));
    assert_eq!(lab.not_yet("b1"), NotYet::TooDeep { depth: 6, limit: 5 });
    assert_eq!(lab.chain.contains(&lab.hash("b1")), Ok(false));
    lab.side("c2");
    // Depth is where the branch leaves the best chain, not where the block stands on the branch.
    lab.mine("a6", "a7");
    lab.best("a7");
    assert_eq!(lab.not_yet("c3"), NotYet::TooDeep { depth: 6, limit: 5 });
}

#[test]
fn a_side_block_may_lag_as_far_as_the_limit_and_no_further() {
    // genesis - a1 - a2 - a3 - a4 - a5
    //         \ b1 - b2                 b1 lags four blocks, b2 three
    let mut lab = Lab::with_limits(fixed(2), SideLimits { lag: 3, ..SideLimits::default() });
    lab.mine("genesis", &names("a", 1..=5));
    lab.mine("genesis", "b1 b2");
    lab.best(&names("a", 1..=4));
    lab.side("b1");
    lab.best("a5");
    lab.mine("genesis", "c1");
    lab.forge("late", "genesis", |fields| fields.timestamp = fields.timestamp.plus_ms(1));
    assert_eq!(lab.not_yet("late"), NotYet::TooLight);
    lab.side("b2");
}

#[test]
fn a_branch_that_outweighs_the_tip_is_accepted_at_any_depth() {
    // The bodies of a branch whose headers outweigh the best chain come in bulk, without limits.
    let mut lab = Lab::with_limits(fixed(2), SideLimits { depth: 1, lag: 0, bytes: 60, blocks: 2 });
    lab.mine("genesis", &names("a", 1..=4));
    lab.mine("genesis", &names("b", 1..=5));
    lab.best(&names("a", 1..=4));
    for name in ["b1", "b2", "b3", "b4"] {
        assert_eq!(lab.give(name, Origin::Bulk), Ok(Accepted::Side), "{name}");
    }
    assert_eq!(lab.give("b5", Origin::Bulk), Ok(Accepted::Best));
    lab.chain.commit().unwrap();
    lab.expect_tip("b5");
    check_whole(&lab);
    assert!(lab.chain.tips().len() <= 3, "the left branch keeps to the caps");
}

#[test]
fn an_incomplete_branch_loses_its_protection() {
    let mut lab = Lab::with_limits(fixed(2), SideLimits { blocks: 2, ..SideLimits::default() });
    lab.mine("genesis", &names("a", 1..=6));
    lab.mine("genesis", &names("b", 1..=5));
    lab.best(&names("a", 1..=6));
    for name in names("b", 1..=5).split_whitespace() {
        assert_eq!(lab.give(name, Origin::Bulk), Ok(Accepted::Side), "{name}");
    }
    lab.chain.clear_wanted().unwrap();
    lab.chain.commit().unwrap();
    check_whole(&lab);
    let kept = ["b1", "b2", "b3", "b4", "b5"].map(|name| lab.chain.contains(&lab.hash(name)).unwrap());
    assert_eq!(kept, [true, true, false, false, false], "leaves go first");
}

#[test]
fn the_lightest_branch_is_dropped_first_at_the_limit_of_blocks() {
    // genesis - a1 - a2 - a3 - a4
    //         |    \ c2 - c3
    //         \ b1                     b1 is the lightest
    let mut lab = Lab::with_limits(fixed(2), SideLimits { blocks: 3, ..SideLimits::default() });
    lab.mine("genesis", &names("a", 1..=4));
    lab.mine("genesis", "b1");
    lab.mine("a1", "c2 c3");
    lab.mine("a2", "d3");
    lab.gap_ms += 1;
    lab.mine("genesis", "e1");
    lab.best(&names("a", 1..=4));
    lab.side("b1 c2 c3 d3");
    assert_eq!(lab.chain.contains(&lab.hash("b1")), Ok(false), "b1 made room");
    assert_eq!(lab.not_yet("e1"), NotYet::TooLight);
    assert_eq!(lab.chain.contains(&lab.hash("e1")), Ok(false));
    lab.restart();
    lab.known("c2 c3 d3");
}

#[test]
fn the_lightest_branch_is_dropped_first_at_the_limit_of_bytes() {
    let mut lab = Lab::with_limits(fixed(2), SideLimits { bytes: 100, ..SideLimits::default() });
    lab.mine("genesis", "a1 a2 a3");
    let say = |length: usize| format!("say {}", "x".repeat(length - 4));
    lab.mine_with("b1", "genesis", &say(60));
    lab.mine_with("b2", "a1", &say(40));
    lab.mine_with("b3", "a2", &say(5));
    lab.mine_with("too big by itself", "genesis", &say(101));
    lab.best("a1 a2 a3");
    lab.side("b1 b2");
    lab.side("b3");
    assert_eq!(lab.chain.contains(&lab.hash("b1")), Ok(false), "105 bytes are too many: the lightest goes");
    assert_eq!(lab.not_yet("too big by itself"), NotYet::TooLight);
    lab.known("b2 b3");
}

#[test]
fn an_earlier_snapshot_still_has_blocks_that_were_dropped_since() {
    // genesis - a1 - a2            replaced by b, and then dropped at the limit
    //         \ b1 - b2 - b3
    let mut lab = Lab::with_limits(fixed(2), SideLimits { blocks: 0, ..SideLimits::default() });
    lab.mine("genesis", "a1 a2");
    lab.mine("genesis", "b1 b2 b3");
    lab.best("a1 a2");
    let earlier = lab.chain.view().snapshot().unwrap();
    let tip = earlier.tip().id();
    for name in ["b1", "b2", "b3"] {
        lab.give(name, Origin::Bulk).unwrap();
    }
    lab.chain.commit().unwrap();
    lab.expect_tip("b3");
    assert_eq!(lab.chain.contains(&tip.hash), Ok(false), "it is dropped");
    assert_eq!(earlier.chain().has(tip), Ok(true));
    assert!(earlier.chain().block(tip).is_ok());
    assert_eq!(lab.chain.view().reader().unwrap().has(tip), Ok(false));
}
