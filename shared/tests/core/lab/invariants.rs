//! Invariants between two changes: memory and store agree, and a restart would change nothing.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests: this is how they fail

use super::Lab;
use super::ledger::{Command, commands};
use shared::block::{Block, BlockHash, BlockId, Height};
use shared::chain::{BranchStatus, Chain};
use shared::store::{Batch, MemoryStore, Store, Table};
use shared::work::Work;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

fn rows(store: &dyn Store, table: Table) -> Rows {
    let mut rows = Rows::new();
    let mut visit = |key: &[u8], value: &[u8]| {
        assert!(rows.insert(key.to_vec(), value.to_vec()).is_none());
        ControlFlow::Continue(())
    };
    store.snapshot().unwrap().scan(table, &[], &mut visit).unwrap();
    rows
}

fn copy(store: &dyn Store) -> MemoryStore {
    let mut batch = Batch::default();
    for table in Table::ALL {
        for (key, value) in rows(store, table) {
            batch.put(table, key, value);
        }
    }
    let copy = MemoryStore::default();
    copy.commit(&batch).unwrap();
    copy
}

/// The state after these blocks, by a model without overlays; `None` if one of them is invalid.
pub(crate) fn model_state<'a>(blocks: impl IntoIterator<Item = &'a Block>) -> Option<BTreeMap<String, String>> {
    let mut state = BTreeMap::new();
    for block in blocks.into_iter().filter(|block| block.index() > Height::GENESIS) {
        for command in commands(block.data())? {
            match command {
                Command::Put(key, value) => drop(state.insert(key, value)),
                Command::Claim(key, value) if !state.contains_key(&key) => drop(state.insert(key, value)),
                Command::Del(key) => drop(state.remove(&key)),
                Command::Say => {}
                Command::FailUnless(key, value) if state.get(&key) == Some(&value) => {}
                Command::Fail | Command::FailUnless(..) | Command::Claim(..) => return None,
            }
        }
    }
    Some(state)
}

/// The state of a chain that is opened on a copy of the lab's store.
pub(super) fn stored_state(lab: &Lab) -> BTreeMap<String, String> {
    state_of(&mut reopened(lab))
}

fn reopened(lab: &Lab) -> (Chain, MemoryStore) {
    let copy = copy(&lab.store.memory);
    (Chain::open(lab.rules.clone(), Arc::new(copy.clone()), lab.limits()).unwrap(), copy)
}

fn state_of((chain, store): &mut (Chain, MemoryStore)) -> BTreeMap<String, String> {
    chain.flush().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    rows(store, Table::State).into_iter().map(|(key, value)| (text(key), text(value))).collect()
}

/// Checks all invariants.
pub(crate) fn check_whole(lab: &Lab) {
    let reader = lab.chain.view().reader().unwrap();
    let tip = lab.chain.tip();
    assert_eq!(reader.tip().unwrap(), *tip, "the store has another tip than memory");

    let blocks = reader.blocks(Height::GENESIS, usize::MAX, usize::MAX).unwrap();
    assert_eq!(blocks.len() as u64, tip.index.0 + 1, "the best chain has another length than its tip's index says");
    assert_eq!(blocks[blocks.len() - 1].hash(), tip.hash(), "the best chain does not end with the tip");
    let joined = blocks.windows(2).all(|pair| pair[1].header().prev_hash == pair[0].hash());
    assert!(joined, "the best chain's blocks do not join");
    let work: Work = blocks.iter().map(|block| block.header().difficulty.work()).sum();
    assert_eq!(tip.work, work, "the tip's work is not the sum of the difficulties");

    check_rows(lab, &blocks);
    check_tips(lab, &blocks);
    let mut again = reopened(lab);
    assert_eq!(again.0.tip(), tip, "a restart would change the tip");
    assert_eq!(again.0.next_difficulty(), lab.chain.next_difficulty(), "a restart would change the next difficulty");
    let (here, there) = (valid_tips(&lab.chain), valid_tips(&again.0));
    assert_eq!(here, there, "a restart would change the branches");
    let state = model_state(&blocks).unwrap_or_else(|| panic!("the best chain has an invalid block"));
    assert_eq!(state_of(&mut again), state, "the state is not what the best chain's blocks make");
}

/// Every stored block is on the best chain or a side branch, has a body, and can be found; no rows of other blocks are
/// left.
fn check_rows(lab: &Lab, best: &[Block]) {
    let store = &lab.store.memory;
    let key = |id: BlockId| [&id.index.0.to_be_bytes()[..], id.hash.as_bytes()].concat();
    let best_keys: BTreeSet<_> =
        best.iter().map(|block| key(BlockId { index: block.index(), hash: block.hash() })).collect();
    let side_keys: BTreeSet<_> = rows(store, Table::SideBlocks).into_keys().collect();
    assert!(best_keys.is_disjoint(&side_keys), "a block is on the best chain and beside it");
    let stored: BTreeSet<_> = best_keys.union(&side_keys).cloned().collect();
    for table in [Table::Headers, Table::Bodies] {
        let keys: BTreeSet<_> = rows(store, table).into_keys().collect();
        assert_eq!(keys, stored, "{table:?} has rows of blocks that are not in the tree, or lacks some");
    }
    assert_eq!(rows(store, Table::Best).len(), best.len(), "Best has rows above the tip");
    let undo: BTreeSet<_> = rows(store, Table::Undo).into_keys().collect();
    assert!(undo.is_subset(&best_keys), "a block has a journal that is not on the best chain");

    let reader = lab.chain.view().reader().unwrap();
    for key in &stored {
        let hash = BlockHash::from_bytes(key[8..].try_into().unwrap());
        assert!(reader.find(&hash).unwrap().is_some(), "{} is stored and cannot be found", lab.name(hash));
        assert_eq!(lab.chain.contains(&hash), Ok(true), "{} is stored and not contained", lab.name(hash));
    }
    for hash in rows(store, Table::Index).into_keys() {
        assert!(stored.iter().any(|key| key[8..] == hash), "Index has a block that is not stored");
    }
}

fn check_tips(lab: &Lab, best: &[Block]) {
    for tip in lab.chain.tips() {
        let name = lab.name(tip.hash);
        let fork = lab.branch(name).into_iter().rev().find(|block| best.contains(block)).unwrap();
        assert_eq!(tip.work, lab.work(name), "work of the {:?} tip {name}", tip.status);
        let got = lab.name(tip.fork.hash);
        assert_eq!(got, lab.name(fork.hash()), "where the {:?} branch {name} leaves the best chain", tip.status);
        if tip.status == BranchStatus::Side {
            assert!(tip.work <= lab.chain.tip().work, "the side branch {name} has more work than the best chain");
        }
    }
}

fn valid_tips(chain: &Chain) -> Vec<(BlockHash, Work)> {
    let tips = chain.tips().into_iter().filter(|tip| tip.status != BranchStatus::Invalid);
    tips.map(|tip| (tip.hash, tip.work)).collect()
}
