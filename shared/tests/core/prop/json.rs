//! JSON of blocks: written blocks are read back, and every block that is read has the hash that it claims.
#![allow(clippy::unwrap_used)] // helpers of tests: this is how they fail

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared::block::{Block, BlockHash, DataHash, Header, HeaderFields, Height, Nonce, Timestamp};
use shared::json::MAX_INTEGER;
use shared::work::Difficulty;

/// An integer, mostly small or near the bounds.
fn integer(bounds: std::ops::RangeInclusive<u64>) -> impl Strategy<Value = u64> {
    let (low, high) = (*bounds.start(), *bounds.end());
    prop_oneof![Just(low), Just(high), low..=high.min(low + 100), bounds]
}

fn block() -> impl Strategy<Value = Block> {
    let text = prop_oneof![any::<String>(), "[ -~]{0,40}", "[\u{0}-\u{20}\"\\\\\u{7f}-\u{a0}\u{2028}\u{10ffff}]{0,20}"];
    (
        integer(0..=MAX_INTEGER),
        any::<[u8; 32]>(),
        integer(0..=Timestamp::MAX.as_ms()),
        integer(1..=MAX_INTEGER),
        text,
        any::<u64>(),
    )
        .prop_map(|(index, prev_hash, ms, difficulty, data, nonce)| {
            let fields = HeaderFields {
                index: Height(index),
                prev_hash: BlockHash::from_bytes(prev_hash),
                timestamp: Timestamp::from_ms(ms),
                difficulty: Difficulty::new(difficulty).unwrap(),
                data_hash: DataHash::of(""),
            };
            Block::new(fields, Nonce(nonce), data)
        })
}

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The hash of a block in JSON, by §3 and nothing else.
fn hash_of(json: &Value) -> String {
    let text = |name: &str| match &json[name] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let data_hash = sha256(&text("data"));
    let names = ["index", "prev_hash", "timestamp", "difficulty"].map(text);
    let seal = sha256(&format!("{} {data_hash}", names.join(" ")));
    sha256(&format!("{seal}{}", text("nonce")))
}

#[derive(Debug, Clone)]
enum Mutation {
    Set(Index, u8),
    Remove(Index),
    Insert(Index, u8),
    Repeat(Index, Index),
    Cut(Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    // Mostly bytes with a meaning in JSON.
    let byte = || prop_oneof![any::<u8>(), proptest::sample::select(&b"{}[]\",:\\0123456789-+.eEnulatrfsd \n"[..])];
    prop_oneof![
        (any::<Index>(), byte()).prop_map(|(at, byte)| Mutation::Set(at, byte)),
        any::<Index>().prop_map(Mutation::Remove),
        (any::<Index>(), byte()).prop_map(|(at, byte)| Mutation::Insert(at, byte)),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Mutation::Repeat(from, to)),
        any::<Index>().prop_map(Mutation::Cut),
    ]
}

fn mutate(json: &mut Vec<u8>, mutation: &Mutation) {
    if json.is_empty() {
        return;
    }
    let place = |at: &Index| at.index(json.len());
    match mutation {
        Mutation::Set(at, byte) => {
            let at = place(at);
            json[at] = *byte;
        }
        Mutation::Remove(at) => drop(json.remove(place(at))),
        Mutation::Insert(at, byte) => json.insert(place(at), *byte),
        Mutation::Repeat(from, to) => {
            let (from, to) = (place(from).min(place(to)), place(from).max(place(to)));
            let again = json[from..to].to_vec();
            json.splice(to..to, again);
        }
        Mutation::Cut(at) => json.truncate(place(at)),
    }
}

proptest! {
    #![proptest_config(super::config(1000))]

    #[test]
    fn a_block_is_read_back_as_it_was_written(block in block()) {
        let json = serde_json::to_vec(&block).unwrap();
        prop_assert_eq!(&Block::from_json(&json).unwrap(), &block);
        let value: Value = serde_json::from_slice(&json).unwrap();
        prop_assert_eq!(hash_of(&value), block.hash().to_string(), "the hash is not that of docs/protocol.md §3");
        let header = serde_json::to_vec(block.header()).unwrap();
        prop_assert_eq!(&serde_json::from_slice::<Header>(&header).unwrap(), block.header());
    }

    #[test]
    fn whatever_is_read_has_the_hash_that_it_says(
        block in block(),
        mutations in prop::collection::vec(mutation(), 1..4),
    ) {
        let mut json = serde_json::to_vec(&block).unwrap();
        for mutation in &mutations {
            mutate(&mut json, mutation);
        }
        if let Ok(read) = Block::from_json(&json) {
            let value = serde_json::to_value(&read).unwrap();
            prop_assert_eq!(hash_of(&value), read.hash().to_string());
            prop_assert_eq!(read, block, "a mutation found another block with a valid hash");
        }
    }

    #[test]
    fn no_field_can_be_changed_without_the_hash(block in block(), other in block()) {
        let original = serde_json::to_value(&block).unwrap();
        let data_hash = serde_json::to_value(other.header().data_hash).unwrap();
        let mut other = serde_json::to_value(&other).unwrap();
        other["data_hash"] = data_hash;
        for name in ["index", "prev_hash", "timestamp", "difficulty", "data", "nonce", "hash"] {
            let mut changed = original.clone();
            changed[name] = other[name].clone();
            let read = Block::from_json(changed.to_string().as_bytes());
            prop_assert_eq!(read.is_ok(), changed == original, "field {} with {}", name, &other[name]);
        }
        let original = serde_json::to_value(block.header()).unwrap();
        for name in ["index", "prev_hash", "timestamp", "difficulty", "data_hash", "nonce", "hash"] {
            let mut changed = original.clone();
            changed[name] = other[name].clone();
            let read = serde_json::from_value::<Header>(changed.clone());
            prop_assert_eq!(read.is_ok(), changed == original, "field {} of a header with {}", name, &other[name]);
        }
    }

    #[test]
    fn an_object_must_have_its_fields_and_no_others(block in block(), name in "[a-z_]{0,12}", at in any::<Index>()) {
        let original = serde_json::to_value(&block).unwrap();
        let names: Vec<_> = original.as_object().unwrap().keys().cloned().collect();
        let field = &names[at.index(names.len())];
        let mut without = original.clone();
        without.as_object_mut().unwrap().remove(field);
        prop_assert!(Block::from_json(without.to_string().as_bytes()).is_err(), "without {}", field);
        for wrong in [Value::Null, json!(-1), json!(1.5), json!([]), json!({}), json!(true), json!(MAX_INTEGER + 1)] {
            let mut changed = original.clone();
            changed[field] = wrong.clone();
            prop_assert!(Block::from_json(changed.to_string().as_bytes()).is_err(), "{} = {}", field, wrong);
        }
        if !names.contains(&name) {
            let mut more = original.clone();
            more[&name] = json!(1);
            prop_assert!(Block::from_json(more.to_string().as_bytes()).is_err(), "with {}", name);
        }
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Block::from_json(&bytes).is_err());
    }

    #[test]
    fn a_timestamp_has_one_spelling(
        ms in integer(0..=Timestamp::MAX.as_ms()),
        text in "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]\\.[0-9]{3}Z",
    ) {
        let time = Timestamp::from_ms(ms);
        prop_assert_eq!(time.to_string().len(), 24);
        prop_assert_eq!(time.to_string().parse(), Ok(time));
        if let Ok(time) = text.parse::<Timestamp>() {
            prop_assert_eq!(time.to_string(), text);
        }
    }
}
