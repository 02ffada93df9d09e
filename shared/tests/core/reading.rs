//! Reading a chain: tips, blocks and headers by height and by hash, within limits, and locators.
#![allow(clippy::unwrap_used)] // helpers of tests: this is how they fail

use crate::lab::{Lab, fixed, lively};
use shared::block::{Block, BlockHash, BlockId, Height};
use shared::chain::{BranchStatus, ChainReader, MAX_LOCATOR, Origin, SideLimits};

/// A forked chain, some of it flushed, with one bad block on each branch.
fn forked() -> Lab {
    // genesis - a1 - a2 - a3 - a4 - a5
    //                   |    \ x4*
    //                   \ b3 - b4
    //                        \ y4*
    let mut lab = Lab::new(fixed(4));
    lab.mine("genesis", "a1 a2 a3 a4 a5");
    lab.mine("a2", "b3 b4");
    lab.mine_with("x4", "a3", "bad");
    lab.mine_with("y4", "b3", "bad");
    lab.best("a1 a2 a3");
    lab.chain.flush().unwrap();
    lab.best("a4 a5");
    lab.side("b3 b4");
    lab.broken("x4", "ledger-bad");
    lab.broken("y4", "ledger-bad");
    lab
}

fn tips(lab: &Lab) -> Vec<(&str, &str, BranchStatus)> {
    let tips = lab.chain.tips().into_iter();
    tips.map(|tip| (lab.name(tip.hash), lab.name(tip.fork.hash), tip.status)).collect()
}

fn reader(lab: &Lab) -> ChainReader {
    lab.chain.view().reader().unwrap()
}

fn names(lab: &Lab, blocks: &[Block]) -> String {
    blocks.iter().map(|block| lab.name(block.hash())).collect::<Vec<_>>().join(" ")
}

#[test]
fn tips_name_every_branch_where_it_leaves_the_best_chain() {
    use BranchStatus::{Best, Invalid, Side};
    let mut lab = forked();
    let expected = [("a5", "a5", Best), ("b4", "a2", Side), ("y4", "a2", Invalid), ("x4", "a3", Invalid)];
    assert_eq!(tips(&lab), expected);

    // The best chain moves to the other branch, and every fork with it.
    lab.mine("b4", "b5 b6");
    lab.side("b5");
    lab.best("b6");
    let expected = [("b6", "b6", Best), ("a5", "a2", Side), ("y4", "b3", Invalid), ("x4", "a2", Invalid)];
    assert_eq!(tips(&lab), expected);

    lab.mine("a5", "a6 a7");
    lab.side("a6");
    lab.best("a7");
    let expected = [("a7", "a7", Best), ("b6", "a2", Side), ("y4", "a2", Invalid), ("x4", "a3", Invalid)];
    assert_eq!(tips(&lab), expected);
}

#[test]
fn an_invalid_block_on_a_dropped_branch_forks_where_the_branch_did() {
    // genesis - s1 - a2 - x3*          there is no room to keep what is left
    //        |     \ b2 - b3
    //         \ c1 - c2 - c3 - c4
    let mut lab = Lab::with_limits(fixed(4), SideLimits { blocks: 0, ..SideLimits::default() });
    lab.mine("genesis", "s1 a2");
    lab.mine_with("x3", "a2", "bad");
    lab.mine("s1", "b2 b3");
    lab.mine("genesis", "c1 c2 c3 c4");
    lab.best("s1 a2");
    lab.broken("x3", "ledger-bad");
    for (branch, tip, fork) in [("b2 b3", "b3", "s1"), ("c1 c2 c3 c4", "c4", "genesis")] {
        for name in branch.split_whitespace() {
            lab.give(name, Origin::Bulk).unwrap();
        }
        lab.chain.commit().unwrap();
        assert_eq!(tips(&lab), [(tip, tip, BranchStatus::Best), ("x3", fork, BranchStatus::Invalid)]);
    }
}

#[test]
fn a_bad_block_and_its_descendants_are_invalid_tips() {
    use BranchStatus::{Best, Invalid, Side};
    // genesis - a1 - a2 - a3
    //         \ b1 - b2*- b3 - b4
    let mut lab = Lab::new(fixed(4));
    lab.mine("genesis", "a1 a2 a3");
    lab.mine("genesis", "b1");
    lab.mine_with("b2", "b1", "fail");
    lab.mine("b2", "b3 b4");
    lab.best("a1 a2 a3");
    lab.side("b1 b2 b3");
    lab.broken("b4", "invalid-ancestor");
    let invalid = ["b4", "b3", "b2"].map(|name| (name, "genesis", Invalid));
    assert_eq!(tips(&lab), [&[("a3", "a3", Best), ("b1", "genesis", Side)], &invalid[..]].concat());
}

#[test]
fn blocks_are_found_by_hash_on_every_branch() {
    let lab = forked();
    let reader = reader(&lab);
    for name in ["genesis", "a1", "a3", "a4", "a5", "b3", "b4"] {
        let block = lab.block(name);
        let id = BlockId { index: block.index(), hash: block.hash() };
        assert_eq!(reader.find(&block.hash()), Ok(Some(id)), "{name}");
        assert_eq!(reader.block(id).as_ref(), Ok(block), "{name}");
        assert_eq!(reader.entry(id).map(|entry| entry.work), Ok(lab.work(name)), "{name}");
        assert_eq!(reader.is_best(id), Ok(!name.starts_with('b')), "{name}");
        let at = reader.best_at(block.index()).unwrap();
        assert_eq!(at == Some(id), !name.starts_with('b'), "{name}");
    }
    for name in ["x4", "y4"] {
        assert_eq!(reader.find(&lab.hash(name)), Ok(None), "{name} is invalid and not stored");
    }
    assert_eq!(reader.find(&BlockHash::ZERO), Ok(None));
    assert_eq!(reader.best_at(Height(6)), Ok(None));
    assert_eq!(reader.best_at(Height(u64::MAX)), Ok(None));
}

#[test]
fn a_query_sees_blocks_that_are_not_stored_yet_and_writes_nothing() {
    // genesis - a1 - a2 - a3      in bulk, not committed
    //              \ b2 - b3
    let mut lab = Lab::new(lively());
    lab.mine("genesis", "a1 a2 a3");
    lab.mine("a1", "b2 b3");
    lab.store.fail_after_commits(0);
    for name in ["a1", "a2", "a3", "b2"] {
        lab.give(name, Origin::Bulk).unwrap();
    }
    for (name, fork) in [("genesis", "a1"), ("a1", "b2"), ("a2", "a3"), ("b2", "b3")] {
        let mut branch = lab.chain.branch_at(&lab.hash(name)).unwrap().unwrap();
        let next = lab.block(fork).header().clone();
        branch.extend(next, &lab.rules, lab.now, false).unwrap();
        assert_eq!((branch.work(), lab.chain.contains(&lab.hash(name))), (lab.work(fork), Ok(true)), "{name}");
    }
    assert!(lab.chain.branch_at(&lab.hash("b3")).unwrap().is_none());
    assert_eq!(reader(&lab).tip_id().unwrap().hash, lab.hash("genesis"), "readers see what is stored");
    assert!(!lab.chain.is_committed());
    lab.store.heal();
    lab.chain.commit().unwrap();
    lab.side("b3");
}

#[test]
fn a_reader_keeps_its_snapshot_of_the_chain() {
    let mut lab = forked();
    let before = reader(&lab);
    lab.mine("b4", "b5 b6");
    lab.side("b5");
    lab.best("b6");
    assert_eq!(lab.name(before.tip().unwrap().hash()), "a5");
    assert_eq!(names(&lab, &before.blocks(Height(2), 9, usize::MAX).unwrap()), "a2 a3 a4 a5");
    assert_eq!(before.find(&lab.hash("b6")), Ok(None), "it came later");
    assert_eq!(names(&lab, &reader(&lab).blocks(Height(2), 9, usize::MAX).unwrap()), "a2 b3 b4 b5 b6");
}

#[test]
fn an_earlier_reader_does_not_find_a_later_block() {
    let mut lab = forked();
    let before = reader(&lab);
    lab.mine("a5", "a6");
    lab.best("a6");
    assert_eq!(before.find(&lab.hash("a6")), Ok(None));
    assert_eq!(before.blocks_by_hash(&[lab.hash("a5"), lab.hash("a6")], usize::MAX).map(|blocks| blocks.len()), Ok(1));
    assert!(reader(&lab).find(&lab.hash("a6")).unwrap().is_some());
}

#[test]
fn pages_of_headers_and_blocks_keep_to_their_limits() {
    let lab = forked();
    let reader = reader(&lab);
    let headers = |from, limit| {
        let headers = reader.headers(Height(from), limit).unwrap();
        headers.iter().map(|header| lab.name(header.hash()).to_owned()).collect::<Vec<_>>().join(" ")
    };
    let blocks = |from, limit, bytes| names(&lab, &reader.blocks(Height(from), limit, bytes).unwrap());
    for (from, limit, expected) in
        [(0, 3, "genesis a1 a2"), (2, 100, "a2 a3 a4 a5"), (5, 1, "a5"), (6, 9, ""), (0, 0, ""), (u64::MAX, 9, "")]
    {
        assert_eq!(headers(from, limit), expected, "headers from {from}, {limit} of them");
        assert_eq!(blocks(from, limit, usize::MAX), expected, "blocks from {from}, {limit} of them");
    }
    let size = lab.block("a2").data().len();
    for (bytes, expected) in [
        (0, "a2"),
        (size - 1, "a2"),
        (2 * size - 1, "a2"),
        (2 * size, "a2 a3"),
        (3 * size, "a2 a3 a4"),
        (4 * size, "a2 a3 a4 a5"),
    ] {
        assert_eq!(blocks(2, 100, bytes), expected, "blocks in {bytes} bytes");
    }
}

#[test]
fn blocks_by_hash_come_in_the_order_asked_until_one_is_unknown_or_the_bytes_are_used_up() {
    let lab = forked();
    let reader = reader(&lab);
    let size = lab.block("a2").data().len();
    let check = |asked: &str, bytes, expected| {
        let hashes: Vec<_> = asked.split_whitespace().map(|name| lab.hash(name)).collect();
        let blocks = reader.blocks_by_hash(&hashes, bytes).unwrap();
        assert_eq!(names(&lab, &blocks), expected, "asked for {asked:?} in {bytes} bytes");
        for block in blocks {
            assert_eq!(block, *lab.block(lab.name(block.hash())), "read back with other content");
        }
    };
    let all = usize::MAX;
    check("", all, "");
    check("a1 a2 a3 a4 a5", all, "a1 a2 a3 a4 a5");
    check("a4 a5 a1 a2", all, "a4 a5 a1 a2");
    check("a2 b3 b4", all, "a2 b3 b4");
    check("b4 a4 b3 a3", all, "b4 a4 b3 a3");
    check("a5 a5 a5", all, "a5 a5 a5");
    check("a1 a2 x4 a3", all, "a1 a2");
    check("x4 a1", all, "");
    check("a2 a3 a4", 0, "a2");
    check("a2 a3 a4", 2 * size, "a2 a3");
    check("a3 b4", 0, "a3");
    check("a2 b3 a4 b4", 2 * size, "a2 b3");
    check("a2 b3 a4 b4", 2 * size + 1, "a2 b3");
    check("b3 b4 a2 a3", 3 * size, "b3 b4 a2");
}

#[test]
fn blocks_without_data_count_as_blocks() {
    let mut lab = Lab::new(fixed(1));
    lab.mine_with("a1", "genesis", "");
    lab.mine_with("a2", "a1", "say something");
    lab.best("a1 a2");
    let hashes = [lab.hash("a1"), lab.hash("a2")];
    assert_eq!(names(&lab, &reader(&lab).blocks(Height(1), 9, 5).unwrap()), "a1");
    assert_eq!(names(&lab, &reader(&lab).blocks_by_hash(&hashes, 5).unwrap()), "a1");
}

#[test]
fn headers_follow_the_first_block_of_a_locator_that_is_on_the_best_chain() {
    let lab = forked();
    let reader = reader(&lab);
    let after = |locator: &[BlockHash], limit| {
        let headers = reader.headers_after(locator, limit).unwrap();
        headers.map(|headers| headers.iter().map(|header| lab.name(header.hash()).to_owned()).collect::<Vec<_>>())
    };
    let foreign = BlockHash::of("foreign");
    let cases: [(&[&str], Option<&[&str]>); 6] = [
        (&["a5"], Some(&[])),
        (&["b4", "b3", "a2", "a1", "genesis"], Some(&["a3", "a4", "a5"])),
        (&["b4", "genesis"], Some(&["a1", "a2", "a3", "a4", "a5"])),
        (&["x4", "a4", "a1"], Some(&["a5"])),
        (&["b4", "y4"], None),
        (&[], None),
    ];
    for (locator, expected) in cases {
        let hashes: Vec<_> = [foreign].into_iter().chain(locator.iter().map(|name| lab.hash(name))).collect();
        let expected = expected.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(after(&hashes, 100), expected, "{locator:?}");
    }
    assert_eq!(after(&[lab.hash("a1")], 2).map(|headers| headers.len()), Some(2));
    assert_eq!(after(&[lab.hash("a1")], 0).map(|headers| headers.len()), Some(0));

    let mut long = vec![foreign; MAX_LOCATOR - 1];
    long.push(lab.hash("a4"));
    assert_eq!(after(&long, 100).map(|headers| headers.len()), Some(1), "the 64th is still read");
    long.insert(0, foreign);
    assert_eq!(after(&long, 100), None, "the 65th is not");
}

#[test]
fn a_locator_is_dense_at_the_tip_sparse_below_and_ends_with_genesis() {
    let mut lab = Lab::new(fixed(1));
    let mut parent = lab.block("genesis").clone();
    for height in 1..=700_u64 {
        let block = crate::lab::mine_on(&lab.rules, &[&parent], 1, "");
        lab.keep(&format!("{height}"), block.clone());
        lab.give(&format!("{height}"), Origin::Bulk).unwrap();
        parent = block;
        if ![1, 2, 9, 10, 11, 12, 100, 700].contains(&height) {
            continue;
        }
        lab.chain.commit().unwrap();
        let locator = reader(&lab).locator().unwrap();
        assert_eq!(locator[0], parent.hash(), "begins with the tip");
        assert_eq!(locator[locator.len() - 1], lab.hash("genesis"), "ends with genesis");
        let heights: Vec<_> = locator.iter().map(|hash| reader(&lab).find(hash).unwrap().unwrap().index.0).collect();
        assert!(heights.windows(2).all(|pair| pair[0] > pair[1]), "newest first: {heights:?}");
        let dense = heights.len().min(10);
        assert!(heights[..dense].windows(2).all(|pair| pair[0] == pair[1] + 1), "{heights:?}");
        // Ten at the top, then one for each doubling, then genesis: 64 are enough for 2^53 blocks.
        let doublings = 64 - height.leading_zeros() as usize;
        assert!(locator.len() <= 11 + doublings, "{} hashes for {height} blocks", locator.len());
    }
    const { assert!(11 + 53 <= MAX_LOCATOR) };
}
