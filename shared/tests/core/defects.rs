//! The defects of other teaching blockchains (B1 to B16 of docs/defects.md) that no script tests anyway.
#![allow(clippy::unwrap_used)] // helpers of tests: this is how they fail

use crate::lab::{Lab, fixed, mine_on};
use shared::block::{Block, BlockHash, DataHash, HeaderFields, Height, Nonce, Timestamp};
use shared::chain::{BlockError, BlockViolation};
use shared::params::Params;
use shared::work::Difficulty;

fn fields() -> HeaderFields {
    HeaderFields {
        index: Height(1),
        prev_hash: BlockHash::of("parent"),
        timestamp: Timestamp::from_ms(1_800_000_000_000),
        difficulty: Difficulty::new(23).unwrap(),
        data_hash: DataHash::of("pay alice 50"),
    }
}

#[test]
fn b1_digits_that_move_from_one_field_to_the_next_change_the_hash() {
    // Joined without separators, these would be the same text: 1|2… and 12|…
    let one = HeaderFields { index: Height(1), difficulty: Difficulty::new(12).unwrap(), ..fields() };
    let other = HeaderFields { index: Height(11), difficulty: Difficulty::new(2).unwrap(), ..fields() };
    assert_ne!(one.seal(), other.seal());
    // All variable-length fields stand between spaces that none of them can contain, the others have a fixed length.
    let text = format!("{} {} {} {} {}", one.index, one.prev_hash, one.timestamp, one.difficulty, one.data_hash);
    assert_eq!(text.split(' ').count(), 5);
}

#[test]
fn b2_b3_b6_every_field_and_every_byte_of_the_data_is_in_the_hash() {
    let block = |fields, nonce, data: &str| Block::new(fields, Nonce(nonce), data.to_owned()).hash();
    let original = block(fields(), 7, "pay alice 50");
    let changes = [
        ("index", block(HeaderFields { index: Height(2), ..fields() }, 7, "pay alice 50")),
        ("prev_hash", block(HeaderFields { prev_hash: BlockHash::of("x"), ..fields() }, 7, "pay alice 50")),
        ("timestamp", block(HeaderFields { timestamp: fields().timestamp.plus_ms(1), ..fields() }, 7, "pay alice 50")),
        ("difficulty", block(HeaderFields { difficulty: Difficulty::MIN, ..fields() }, 7, "pay alice 50")),
        ("nonce", block(fields(), 8, "pay alice 50")),
        ("data", block(fields(), 7, "pay mallory 50")),
        ("data's length", block(fields(), 7, "pay alice 50 ")),
        ("data's case", block(fields(), 7, "pay Alice 50")),
    ];
    for (what, hash) in changes {
        assert_ne!(hash, original, "the {what} is not in the hash");
    }
}

#[test]
fn b4_b5_claiming_a_difficulty_without_the_work_wins_nothing() {
    // A block with difficulty 1000000 would outweigh the whole chain.
    let mut lab = Lab::new(fixed(4));
    lab.mine("genesis", "a1 a2");
    lab.best("a1 a2");
    for parent in ["a2", "a1", "genesis"] {
        let right = mine_on(&lab.rules, &lab.branch(parent), 5000, "say rich");
        let boast = HeaderFields { difficulty: Difficulty::new(1_000_000).unwrap(), ..**right.header() };
        let block = Block::new(boast, right.header().nonce(), right.data().to_owned());
        let name = format!("boast on {parent}");
        lab.keep(&name, block);
        lab.broken(&name, "difficulty");
        lab.expect_tip("a2");
    }
}

#[test]
fn b8_b9_genesis_is_fixed_by_the_parameters_and_any_other_is_another_network() {
    let params = Params::default();
    assert_eq!(params.genesis(), params.genesis(), "it does not depend on the time of its creation");
    let id = "4a";
    let changed = [
        Params { name: format!("net-{id}"), ..params.clone() },
        Params { genesis_time: params.genesis_time.plus_ms(1), ..params.clone() },
        Params { reward: params.reward + 1, ..params.clone() },
        Params { max_msg_bytes: 0, ..params.clone() },
        Params { retarget_window: 31, ..params.clone() },
    ];
    for other in changed {
        assert_ne!(other.network_id(), params.network_id(), "{other:?}");
    }
    // A longer chain on another genesis has no effect: see verdicts::blocks_of_another_network_have_no_parent_here.
}

#[test]
fn b12_a_timestamp_cannot_be_pushed_to_either_side_without_bound() {
    let mut lab = Lab::new(fixed(4));
    lab.mine("genesis", "a1");
    lab.best("a1");
    let (parent, now) = (lab.block("a1").header().timestamp, lab.now);
    let latest = now.plus_ms(lab.rules.params().max_future_ms);
    for (name, timestamp, taken) in [
        ("one ms before its parent", Timestamp::from_ms(parent.as_ms() - 1), false),
        ("one ms too far ahead", latest.plus_ms(1), false),
        ("as far ahead as allowed", latest, true),
    ] {
        lab.forge(name, "a1", |fields| fields.timestamp = timestamp);
        assert_eq!(lab.push(name).is_ok(), taken, "{name}");
    }
}

#[test]
fn headers_that_do_not_join_are_refused() {
    // genesis - a1 - a2
    //         \ b1 - b2          a1 and b2 keep every other rule of a header, but b2 does not stand on a1
    let mut lab = Lab::new(fixed(4));
    lab.mine("genesis", "a1 a2");
    lab.gap_ms += 1;
    lab.mine("genesis", "b1 b2");
    let genesis = lab.hash("genesis");
    let mut branch = lab.chain.branch_at(&genesis).unwrap().unwrap();
    let header = |name: &str| lab.block(name).header().clone();
    branch.extend(header("a1"), &lab.rules, lab.now, false).unwrap();
    let expected = BlockViolation::WrongParent { got: lab.hash("b1"), expected: lab.hash("a1") };
    assert_eq!(branch.extend(header("b2"), &lab.rules, lab.now, false), Err(BlockError::Invalid(expected)));
    assert_eq!(branch.last().hash(), lab.hash("a1"), "the branch is unchanged");
    branch.extend(header("a2"), &lab.rules, lab.now, false).unwrap();
    assert_eq!(branch.work(), lab.work("a2"));
}
