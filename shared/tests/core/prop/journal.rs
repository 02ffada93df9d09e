//! Undoing is the inverse of applying, whatever was written and however overlays are stacked; journals survive storage.
#![allow(clippy::unwrap_used)] // helpers of tests: this is how they fail

use proptest::prelude::*;
use shared::state::{Journal, Overlay, State, StateRead, StateView, Writes};
use shared::store::{Batch, MemoryStore, Store};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

type Write = (Vec<u8>, Option<Vec<u8>>);

/// Few keys, so that blocks often write the same one.
fn key() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![prop::collection::vec(0_u8..3, 0..3), prop::collection::vec(any::<u8>(), 0..3)]
}

fn writes() -> impl Strategy<Value = Vec<Write>> {
    prop::collection::vec((key(), prop::option::of(prop::collection::vec(any::<u8>(), 0..4))), 0..8)
}

/// The writes of some blocks, and whether the state is flushed after each.
fn blocks() -> impl Strategy<Value = Vec<(Vec<Write>, bool)>> {
    prop::collection::vec((writes(), any::<bool>()), 0..8)
}

fn write(view: &mut dyn StateView, writes: &[Write]) {
    for (key, value) in writes {
        match value {
            Some(value) => view.put(key, value),
            None => view.delete(key),
        }
    }
}

fn write_model(model: &mut Model, writes: &[Write]) {
    for (key, value) in writes {
        match value {
            Some(value) => drop(model.insert(key.clone(), value.clone())),
            None => drop(model.remove(key)),
        }
    }
}

/// Checks that each key has the model's value.
fn check(state: &dyn StateRead, model: &Model, keys: &[Vec<u8>]) -> Result<(), TestCaseError> {
    for key in keys {
        let value = state.get(key).unwrap();
        prop_assert_eq!(value.as_deref(), model.get(key).map(Vec::as_slice), "key {:?}", key);
    }
    Ok(())
}

fn flush(state: &mut State, store: &MemoryStore) {
    let mut batch = Batch::default();
    state.flush_into(&mut batch);
    store.commit(&batch).unwrap();
    state.flushed();
    state.set_snapshot(store.snapshot().unwrap());
}

fn stored_in(store: &MemoryStore) -> State {
    State::stored_in(store.snapshot().unwrap(), false)
}

/// All rows, by a scan from the beginning.
fn rows(state: &State, from: &[u8]) -> Model {
    let mut rows = Model::new();
    state
        .scan(from, &mut |key, value| {
            assert!(rows.last_key_value().is_none_or(|(last, _)| last.as_slice() < key), "rows come in order, once");
            rows.insert(key.to_vec(), value.to_vec());
            ControlFlow::Continue(())
        })
        .unwrap();
    rows
}

fn writes_of(changes: BTreeMap<Vec<u8>, Option<Vec<u8>>>) -> Writes {
    changes.into_iter().map(|(key, value)| (key.into(), value.map(Into::into))).collect()
}

proptest! {
    #![proptest_config(super::config(1000))]

    #[test]
    fn undoing_block_by_block_passes_every_earlier_state(below in blocks(), above in blocks()) {
        let store = MemoryStore::default();
        let mut state = stored_in(&store);
        let all = || below.iter().chain(&above);
        let keys: Vec<_> = all().flat_map(|(writes, _)| writes.iter().map(|(key, _)| key.clone())).collect();

        // Blocks of the best chain, each in an overlay that the state absorbs.
        let (mut model, mut history) = (Model::new(), Vec::new());
        for (writes, flushed) in &below {
            let mut block = Overlay::new(&state);
            write(&mut block, writes);
            history.push((model.clone(), block.journal().unwrap().to_bytes()));
            write_model(&mut model, writes);
            check(&block, &model, &keys)?;
            let writes = block.into_writes();
            state.absorb(writes);
            check(&state, &model, &keys)?;
            prop_assert_eq!(rows(&state, &[]), model.clone());
            let from = keys.first().cloned().unwrap_or_default();
            prop_assert_eq!(rows(&state, &from), model.clone().split_off(&from));
            if *flushed {
                flush(&mut state, &store);
                check(&state, &model, &keys)?;
            }
        }
        // A branch on trial: overlays on an overlay, undone and dropped.
        let tip = model.clone();
        let mut trial = Overlay::new(&state);
        let mut trials = Vec::new();
        for (writes, _) in &above {
            let mut block = Overlay::new(&trial);
            write(&mut block, writes);
            trials.push((model.clone(), block.journal().unwrap()));
            write_model(&mut model, writes);
            check(&block, &model, &keys)?;
            let writes = block.into_writes();
            trial.absorb(writes);
            check(&trial, &model, &keys)?;
        }
        for (before, journal) in trials.into_iter().rev() {
            trial.undo(journal);
            check(&trial, &before, &keys)?;
        }
        for (before, journal) in history.into_iter().rev() {
            trial.undo(Journal::from_bytes(&journal).unwrap());
            check(&trial, &before, &keys)?;
        }
        check(&state, &tip, &keys)?;
        // The trial's writes undo the state and its store completely.
        let writes = trial.into_writes();
        state.absorb(writes);
        check(&state, &Model::new(), &keys)?;
        flush(&mut state, &store);
        check(&stored_in(&store), &Model::new(), &keys)?;
    }

    #[test]
    fn an_overlay_that_is_dropped_changes_nothing(below in writes(), above in writes()) {
        let mut state = stored_in(&MemoryStore::default());
        let mut block = Overlay::new(&state);
        write(&mut block, &below);
        let absorbed = block.into_writes();
        state.absorb(absorbed);
        let mut model = Model::new();
        write_model(&mut model, &below);
        let mut failing = Overlay::new(&state);
        write(&mut failing, &above);
        drop(failing);
        let keys: Vec<_> = below.iter().chain(&above).map(|(key, _)| key.clone()).collect();
        check(&state, &model, &keys)?;
    }

    #[test]
    fn a_journal_survives_storage(old in prop::collection::btree_map(key(), prop::option::of(key()), 0..8)) {
        let journal = Journal(writes_of(old));
        prop_assert_eq!(Journal::from_bytes(&journal.to_bytes()), Ok(journal));
    }

    #[test]
    fn no_bytes_make_the_journal_panic(
        bytes in prop::collection::vec(prop_oneof![Just(0_u8), Just(1), Just(2), any::<u8>()], 0..60)
    ) {
        if let Ok(journal) = Journal::from_bytes(&bytes) {
            prop_assert_eq!(Journal::from_bytes(&journal.to_bytes()), Ok(journal));
        }
    }

    #[test]
    fn a_mark_that_is_neither_0_nor_1_is_refused(key in key(), mark in 2_u8..) {
        let mut bytes = Journal(writes_of(BTreeMap::from([(key.clone(), Some(Vec::new()))]))).to_bytes();
        bytes[4 + key.len()] = mark;
        prop_assert_eq!(Journal::from_bytes(&bytes), Err(shared::state::MalformedJournal));
    }

    #[test]
    fn a_journal_that_ends_early_is_refused(
        old in prop::collection::btree_map(key(), prop::option::of(key()), 1..8), at in any::<prop::sample::Index>()
    ) {
        let old = writes_of(old);
        let bytes = Journal(old.clone()).to_bytes();
        let cut = at.index(bytes.len());
        // A cut between two entries cannot be detected; any other is.
        match Journal::from_bytes(&bytes[..cut]) {
            Ok(Journal(part)) => prop_assert!(part.iter().all(|(key, value)| old.get(key) == Some(value))),
            Err(error) => prop_assert_eq!(error, shared::state::MalformedJournal),
        }
    }
}
