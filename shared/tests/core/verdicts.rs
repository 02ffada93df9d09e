//! The three verdicts on a block, and each rule of a header by itself (docs/protocol.md §4, stages 1 to 4).

use crate::lab::ledger::{BAD, FAIL};
use crate::lab::{Lab, fixed, lively, mine_on};
use shared::block::{Block, BlockHash, Height, Nonce, Timestamp};
use shared::chain::{Accepted, BlockError, BlockViolation, NotYet};
use shared::params::Params;
use shared::work::Difficulty;

/// A lab with three blocks, so that a block can be judged on the tip and beside it.
fn lab_of_three(params: Params) -> Lab {
    let mut lab = Lab::new(params);
    lab.mine("genesis", "a1 a2 a3");
    lab.best("a1 a2 a3");
    lab
}

#[test]
fn a_block_is_taken_then_known_then_still_known_after_a_restart() {
    let mut lab = lab_of_three(fixed(4));
    lab.mine("a1", "b2");
    lab.side("b2");
    for _ in 0..2 {
        lab.known("genesis a1 a2 a3 b2");
        lab.chain.flush().unwrap();
        lab.restart();
    }
    lab.expect_tip("a3");
}

#[test]
fn a_wrong_index_is_a_broken_rule_on_the_tip_and_beside_it() {
    for parent in ["a3", "a1"] {
        let mut lab = lab_of_three(fixed(4));
        let right = lab.block(parent).index().next();
        for (name, index) in [("same", right.minus(1)), ("skips", right.next()), ("zero", Height(0))] {
            lab.forge(name, parent, |fields| fields.index = index);
            let expected = BlockViolation::WrongIndex { got: index, expected: right };
            assert_eq!(lab.broken(name, "index"), expected);
        }
        lab.expect_tip("a3");
    }
}

#[test]
fn a_timestamp_must_be_later_than_the_parents() {
    for parent in ["a3", "a1"] {
        let mut lab = lab_of_three(fixed(4));
        let then = lab.block(parent).header().timestamp;
        let earlier = Timestamp::from_ms(then.as_ms() - 1);
        for (name, timestamp) in [("equal", then), ("earlier", earlier), ("epoch", Timestamp::EPOCH)] {
            lab.forge(name, parent, |fields| fields.timestamp = timestamp);
            let expected = BlockViolation::TimestampNotLater { got: timestamp, parent: then };
            assert_eq!(lab.broken(name, "timestamp"), expected);
        }
        lab.forge("a millisecond later", parent, |fields| fields.timestamp = then.plus_ms(1));
        assert!(lab.push("a millisecond later").is_ok());
    }
}

#[test]
fn a_difficulty_other_than_the_rules_is_refused_whether_lower_or_higher() {
    for parent in ["a3", "a1"] {
        let mut lab = lab_of_three(fixed(4));
        for (name, difficulty) in [("easier", 3), ("harder", 5), ("easiest", 1), ("much harder", 1000)] {
            let got = Difficulty::new(difficulty).unwrap();
            lab.forge(name, parent, |fields| fields.difficulty = got);
            let expected = BlockViolation::WrongDifficulty { got, expected: Difficulty::new(4).unwrap() };
            assert_eq!(lab.broken(name, "difficulty"), expected);
        }
        lab.expect_tip("a3");
    }
}

#[test]
fn the_difficulty_is_the_one_of_the_blocks_own_branch() {
    //            16   16    4    4
    // genesis - a1 - a2 - a3 - a4           slow
    //         \ b1 - b2 - b3                fast: b3 needs 64, though the best chain's third block needed 4
    //            16   16   64
    let mut lab = Lab::new(lively());
    lab.gap_ms = 60_000;
    lab.mine("genesis", "a1 a2 a3 a4");
    lab.gap_ms = 1;
    lab.mine("genesis", "b1 b2 b3");
    lab.forge("b3 as on the other branch", "b2", |fields| fields.difficulty = Difficulty::new(4).unwrap());
    lab.best("a1 a2 a3 a4");
    lab.side("b1 b2");
    let expected =
        BlockViolation::WrongDifficulty { got: Difficulty::new(4).unwrap(), expected: Difficulty::new(64).unwrap() };
    assert_eq!(lab.broken("b3 as on the other branch", "difficulty"), expected);
    // Again without a cache.
    lab.restart();
    assert_eq!(lab.broken("b3 as on the other branch", "difficulty"), expected);
    lab.best("b3");
}

#[test]
fn a_hash_above_the_target_is_refused() {
    for parent in ["a3", "a1"] {
        let mut lab = lab_of_three(fixed(1000));
        let right = mine_on(&lab.rules, &lab.branch(parent), 5000, "say lazy");
        let target = right.header().difficulty.target();
        let lazy = (0..)
            .map(|nonce| Block::new(**right.header(), Nonce(nonce), right.data().to_owned()))
            .find(|block| !target.is_met_by(&block.hash()))
            .unwrap();
        let got = lazy.hash();
        lab.keep("lazy", lazy);
        assert_eq!(lab.broken("lazy", "proof-of-work"), BlockViolation::TargetMissed { got, target });
    }
}

#[test]
fn a_changed_block_without_new_work_is_refused() {
    // An attacker replaces the data of the tip and hashes again: the proof of work was for the old content.
    let mut lab = lab_of_three(fixed(1 << 16));
    let tip = lab.block("a3").clone();
    let stolen = Block::new(**tip.header(), tip.header().nonce(), "put last thief".to_owned());
    lab.keep("stolen", stolen);
    lab.broken("stolen", "proof-of-work");
    lab.expect_tip("a3");
}

#[test]
fn data_may_be_as_long_as_the_limit_and_no_longer() {
    let mut lab = lab_of_three(Params { max_data_bytes: 1000, ..fixed(4) });
    // Bytes of UTF-8 count, not characters.
    for (name, text) in [("ascii", "x".repeat(996)), ("snow men", "☃".repeat(332))] {
        assert_eq!(text.len(), 996);
        lab.mine_with(name, "a3", &format!("say {text}"));
        assert!(lab.push(name).is_ok(), "{name}");
        let longer = format!("{name} and a byte");
        lab.mine_with(&longer, "a3", &format!("say {text}x"));
        assert_eq!(lab.broken(&longer, "max-data-bytes"), BlockViolation::DataTooLarge { got: 1001, limit: 1000 });
    }
}

#[test]
fn a_malformed_block_is_refused_and_recorded_on_the_tip_and_beside_it() {
    for parent in ["a3", "a1"] {
        let mut lab = lab_of_three(fixed(4));
        lab.mine_with("bad", parent, "put last bad\nbad");
        lab.mine("bad", "child");
        lab.broken("bad", BAD);
        assert_eq!(lab.chain.contains(&lab.hash("bad")), Ok(false), "a bad block is not stored");
        lab.broken("bad", "invalid-ancestor");
        let child = lab.broken("child", "invalid-ancestor");
        assert!(child.to_string().contains(&lab.hash("bad").to_string()), "it names the block to blame: {child}");
        lab.expect_tip("a3");
    }
}

#[test]
fn a_block_that_fails_on_its_state_is_refused_without_a_trace() {
    let mut lab = lab_of_three(fixed(4));
    let before = lab.state();
    lab.mine_with("failing", "a3", "put last failing\nput more 1\ndel by-a1\nfail");
    lab.broken("failing", FAIL);
    assert_eq!(lab.state(), before, "what it wrote before it failed is undone");
    lab.broken("failing", "invalid-ancestor");
    lab.mine_with("a4", "a3", "fail unless last=a3");
    lab.best("a4");
}

#[test]
fn verdicts_of_the_layer_are_forgotten_at_a_restart_and_found_again() {
    let mut lab = lab_of_three(fixed(4));
    lab.mine_with("bad", "a3", "bad");
    lab.broken("bad", BAD);
    lab.restart();
    lab.broken("bad", BAD);
}

#[test]
fn a_block_without_its_parent_is_deferred_and_not_stored() {
    let mut lab = lab_of_three(fixed(4));
    lab.mine("a3", "a4 a5");
    assert_eq!(lab.not_yet("a5"), NotYet::UnknownParent(lab.hash("a4")));
    assert_eq!(lab.chain.contains(&lab.hash("a5")), Ok(false));
    lab.best("a4 a5");
}

#[test]
fn blocks_of_another_network_have_no_parent_here() {
    let mut lab = lab_of_three(fixed(4));
    let mut other = Lab::new(Params { name: "other".to_owned(), ..fixed(4) });
    other.mine("genesis", "x1");
    lab.keep("x0", other.block("genesis").clone());
    lab.keep("x1", other.block("x1").clone());
    assert_eq!(lab.not_yet("x0"), NotYet::UnknownParent(BlockHash::ZERO));
    assert_eq!(lab.not_yet("x1"), NotYet::UnknownParent(other.hash("genesis")));
    lab.expect_tip("a3");
}

#[test]
fn a_block_from_the_future_is_deferred_and_accepted_later() {
    for parent in ["a3", "a1"] {
        let mut lab = lab_of_three(fixed(4));
        let (now, max_future_ms) = (lab.now, lab.rules.params().max_future_ms);
        let timestamp = now.plus_ms(max_future_ms + 1);
        lab.forge("soon", parent, |fields| fields.timestamp = timestamp);
        assert_eq!(lab.not_yet("soon"), NotYet::TooFarAhead { timestamp, now, max_future_ms });
        assert_eq!(lab.chain.contains(&lab.hash("soon")), Ok(false));
        lab.now = now.plus_ms(1);
        assert!(lab.push("soon").is_ok(), "the clock has reached it");
    }
}

#[test]
fn a_broken_rule_takes_precedence_over_a_future_timestamp() {
    let mut lab = lab_of_three(fixed(4));
    let timestamp = Timestamp::MAX;
    lab.forge("never", "a3", |fields| {
        (fields.timestamp, fields.difficulty) = (timestamp, Difficulty::MIN);
    });
    lab.broken("never", "difficulty");
}

#[test]
fn a_failure_of_the_store_is_no_verdict() {
    let mut lab = lab_of_three(fixed(4));
    lab.mine("a3", "a4");
    lab.store.memory.set_full(true);
    assert!(matches!(lab.push("a4"), Err(BlockError::Failed(_))), "a full disk is not the sender's fault");
    assert_eq!(lab.chain.known_invalid(&lab.hash("a4")), None);
    lab.store.heal();
    assert_eq!(lab.push("a4"), Ok(Accepted::Best));
}
