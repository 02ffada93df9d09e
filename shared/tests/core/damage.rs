//! Stored rows that the disk has changed: noticed when they are read, and put right from another copy.
#![allow(clippy::unwrap_used)] // helpers of tests: this is how they fail

use crate::lab::{Lab, fixed};
use shared::block::{BlockId, Height};
use shared::chain::{ChainReader, Origin};
use shared::store::{Batch, Store, StoreError, Table};

fn key(lab: &Lab, name: &str) -> (BlockId, Vec<u8>) {
    let (index, hash) = (lab.block(name).index(), lab.hash(name));
    (BlockId { index, hash }, [&index.0.to_be_bytes()[..], &hash.as_bytes()[..]].concat())
}

/// Flips one bit of byte `at` in a row of a block, and shows readers the store as it is then.
fn flip(lab: &mut Lab, table: Table, name: &str, at: usize) -> BlockId {
    let (id, key) = key(lab, name);
    let store = &lab.store.memory;
    let mut row = store.snapshot().unwrap().get(table, &key).unwrap().unwrap();
    row[at] ^= 4;
    let mut batch = Batch::default();
    batch.put(table, &key, row);
    store.commit(&batch).unwrap();
    lab.chain.flush().unwrap();
    id
}

fn lab() -> Lab {
    let mut lab = Lab::new(fixed(4));
    lab.mine("genesis", "a1 a2 a3");
    lab.mine("a1", "b2");
    lab.best("a1 a2 a3");
    lab.side("b2");
    lab.chain.flush().unwrap();
    lab
}

/// Every way to read the block.
fn reads(reader: &ChainReader, id: BlockId) -> Vec<Result<(), StoreError>> {
    vec![reader.block(id).map(drop), reader.data(id).map(drop), reader.blocks_by_hash(&[id.hash], 1 << 20).map(drop)]
}

#[test]
fn no_changed_bit_of_a_stored_block_is_ever_read_as_a_block() {
    for (table, length) in [(Table::Headers, 88), (Table::Bodies, lab().block("a2").data().len())] {
        for at in 0..length {
            for name in ["a2", "b2"] {
                let mut lab = lab();
                let damaged = flip(&mut lab, table, name, at);
                let reader = lab.chain.view().reader().unwrap();
                for read in reads(&reader, damaged) {
                    let is_named = matches!(&read, Err(StoreError::DamagedBlock { id, .. }) if *id == damaged);
                    assert!(is_named, "byte {at} of {table:?} of {name}: {read:?}");
                }
                assert!(reader.blocks(Height(0), 4, 1 << 20).is_err() || name == "b2");
                assert!(reader.headers(Height(0), 4).is_err() || name == "b2" || table == Table::Bodies);
            }
        }
    }
}

#[test]
fn a_damaged_block_is_whole_again_after_another_copy_of_it_came() {
    for (table, at) in [(Table::Headers, 3), (Table::Headers, 100), (Table::Bodies, 0)] {
        for name in ["a2", "b2"] {
            let mut lab = lab();
            let damaged = flip(&mut lab, table, name, at);
            let (block, before) = (lab.block(name).clone(), lab.chain.tip().clone());
            assert_eq!(lab.chain.restore(&block), Ok(true));
            let reader = lab.chain.view().reader().unwrap();
            assert_eq!(reader.block(damaged).unwrap(), block);
            assert_eq!(reader.entry(damaged).unwrap().work, lab.work(name));
            assert_eq!(*lab.chain.tip(), before);
            lab.restart();
            assert_eq!(lab.chain.view().reader().unwrap().block(damaged).unwrap(), block);
        }
    }
}

#[test]
fn only_blocks_that_are_stored_are_restored_and_parents_first() {
    let mut lab = lab();
    lab.mine("a1", "unknown");
    let unknown = lab.block("unknown").clone();
    assert_eq!(lab.chain.restore(&unknown), Ok(false));
    assert!(!lab.chain.contains(&unknown.hash()).unwrap());

    let (parent, _) = (flip(&mut lab, Table::Headers, "a2", 0), flip(&mut lab, Table::Bodies, "a3", 0));
    let (a2, a3) = (lab.block("a2").clone(), lab.block("a3").clone());
    let refused = lab.chain.restore(&a3);
    assert!(matches!(refused, Err(StoreError::DamagedBlock { id, .. }) if id == parent), "{refused:?}");
    assert_eq!((lab.chain.restore(&a2), lab.chain.restore(&a3)), (Ok(true), Ok(true)));
    lab.mine("a3", "a4");
    assert!(lab.give("a4", Origin::Single).is_ok());
}

#[test]
fn a_height_that_names_a_wrong_block_is_linked_to_the_right_one_again() {
    for name in ["a1", "a2", "a3"] {
        let mut lab = lab();
        let (right, _) = key(&lab, name);
        let mut wrong = *right.hash.as_bytes();
        wrong[9] ^= 64;
        let mut batch = Batch::default();
        batch.put(Table::Best, right.index.0.to_be_bytes(), wrong);
        lab.store.commit(&batch).unwrap();
        lab.chain.flush().unwrap();
        let reader = lab.chain.view().reader().unwrap();
        let found = reader.best_at(right.index).unwrap().unwrap();
        assert!(matches!(reader.block(found), Err(StoreError::DamagedBlock { id, .. }) if id == found));
        assert_eq!(lab.chain.relink(right), Ok(false), "{name} itself is linked nowhere");
        assert_eq!(lab.chain.relink(found), Ok(true), "{name}");
        let reader = lab.chain.view().reader().unwrap();
        assert_eq!(reader.best_at(right.index).unwrap(), Some(right));
        assert_eq!(lab.chain.relink(right), Ok(false), "a whole link is left alone");
    }
}
