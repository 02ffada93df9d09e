//! Transactions and addresses: known answers, refusals, and every typing mistake of one character.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests: this is how they fail

use bech32::{Bech32, Bech32m, ByteIterExt, Checksum, Fe32, Fe32IterExt, Hrp};
use serde::Deserialize;
use serde_json::Value;
use shared::block::BlockHash;
use shared::keys::{KeyPair, PlainVerifier, Verifier};
use shared::ledger::{Address, BadAddress, Transaction, TransactionId, TransactionRules};

#[derive(Deserialize)]
struct Vectors {
    network: BlockHash,
    cases: Vec<Value>,
}

#[derive(Deserialize)]
struct Known {
    transaction: Value,
    text: String,
    valid: bool,
}

#[derive(Deserialize)]
struct Reject {
    why: String,
    r#as: String,
    body: String,
}

impl Vectors {
    fn rules(&self) -> TransactionRules {
        TransactionRules { network: self.network, max_msg_bytes: 256, has_programs: false, has_coins: false }
    }
}

#[test]
fn transactions_have_their_text_and_id_and_verdict() {
    let file: Vectors = serde_json::from_str(include_str!("../vectors/transactions.json")).unwrap();
    let rules = file.rules();
    let mut valid = 0;
    for case in &file.cases {
        let known: Known = serde_json::from_value(case.clone()).unwrap();
        let json = known.transaction.to_string();
        let transaction: Transaction = serde_json::from_str(&json).unwrap();
        let written = serde_json::to_value(&transaction).unwrap();
        assert_eq!(written, known.transaction, "written back");
        assert_eq!(transaction.text(file.network), known.text);
        assert_eq!(transaction.id(), TransactionId::of(&known.text), "id of {}", known.text);
        let verdict = transaction.check(&rules, &PlainVerifier);
        assert_eq!(verdict.is_ok(), known.valid, "{}: {verdict:?}", known.text);
        valid += usize::from(known.valid);
    }
    assert!(valid > 0 && valid < file.cases.len(), "{valid} of {} are valid", file.cases.len());
}

#[test]
fn invalid_transactions_are_refused() {
    let file: Vectors = serde_json::from_str(include_str!("../vectors/rejects.json")).unwrap();
    let rules = file.rules();
    assert_eq!(file.cases.len(), 34);
    for case in &file.cases {
        let Reject { why, r#as, body } = serde_json::from_value(case.clone()).unwrap();
        let read: Result<Transaction, _> = serde_json::from_str(&body);
        match (r#as.as_str(), read) {
            ("malformed", Err(_)) => {}
            ("malformed", Ok(transaction)) => {
                assert_eq!(why, "not a point of the curve", "was read as {transaction:?}");
                let points = [transaction.as_payment().unwrap().from, transaction.as_payment().unwrap().to]
                    .map(|address| PlainVerifier.is_point(&address).is_ok());
                assert_ne!(points, [true, true], "{why}");
            }
            ("rule", Err(error)) => panic!("{why}: could not be read: {error}"),
            ("rule", Ok(transaction)) => {
                let broken = transaction.check(&rules, &PlainVerifier).expect_err(&why);
                let expected = match why.as_str() {
                    "sum above 2^53" | "nothing moves" => "amount",
                    "control character" | "C1 control character" | "message too long" => "msg",
                    "another network" | "id of other content" => "id",
                    "signature of zeros" => "signature",
                    other => panic!("a new case, {other}: which rule is it?"),
                };
                assert_eq!(broken.name(), expected, "{why}: {broken}");
            }
            (other, _) => panic!("{why}: unknown kind {other}"),
        }
    }
}

fn alice() -> Address {
    KeyPair::from_seed("alice").address()
}

/// Any bytes in the spelling of an address.
fn spelt<C: Checksum>(prefix: &str, bytes: &[u8]) -> String {
    bech32::encode::<C>(Hrp::parse(prefix).unwrap(), bytes).unwrap()
}

#[test]
fn every_typing_mistake_of_one_character_is_caught() {
    let good = alice().to_string();
    let characters: Vec<char> = (' '..='~').chain(['é', '\0', '\n']).collect();
    let mut tried = 0;
    for place in 0..good.len() {
        let (before, after) = (&good[..place], &good[place + 1..]);
        for &other in characters.iter().filter(|other| !good[place..].starts_with(**other)) {
            let wrong = format!("{before}{other}{after}");
            assert!(wrong.parse::<Address>().is_err(), "{wrong}");
            let longer = format!("{before}{other}{}", &good[place..]);
            assert!(longer.parse::<Address>().is_err(), "{longer}");
            tried += 1;
        }
        assert!(format!("{before}{after}").parse::<Address>().is_err(), "without character {place}");
        if place + 1 < good.len() && good.as_bytes()[place] != good.as_bytes()[place + 1] {
            let swapped = format!("{before}{}{}{}", &after[..1], &good[place..=place], &after[1..]);
            assert!(swapped.parse::<Address>().is_err(), "{swapped}");
        }
    }
    assert_eq!(tried, 63 * (95 + 3 - 1));
    assert_eq!(good.parse(), Ok(alice()));
}

#[test]
fn other_spellings_of_addresses_are_refused() {
    let key = alice().public_key();
    let good = spelt::<Bech32m>("lab", &key);
    assert_eq!(good, alice().as_str());
    let mixed = good.replacen("qw", "qW", 1);
    assert_ne!(mixed, good);
    let mut uncompressed = key;
    uncompressed[0] = 4;
    for (what, wrong, expected) in [
        ("upper case", good.to_uppercase(), BadAddress::UpperCase),
        ("mixed case", mixed, BadAddress::UpperCase),
        ("another prefix", spelt::<Bech32m>("lac", &key), BadAddress::Prefix),
        ("a longer prefix", spelt::<Bech32m>("labs", &key), BadAddress::Prefix),
        ("a prefix with a 1", spelt::<Bech32m>("lab1", &key), BadAddress::Length(64)),
        // The last 1 ends the prefix: with fewer bytes behind it, such a text has the right length and beginning.
        ("a prefix with a 1 and 32 bytes", spelt::<Bech32m>("lab1", &key[..32]), BadAddress::Prefix),
        ("words for a prefix", spelt::<Bech32m>("lab1:pay-<b>bob</b>'&limit=0#-", &key[..16]), BadAddress::Prefix),
        ("bech32, not bech32m", spelt::<Bech32>("lab", &key), BadAddress::Checksum),
        ("32 bytes", spelt::<Bech32m>("lab", &key[..32]), BadAddress::Length(62)),
        ("34 bytes", spelt::<Bech32m>("lab", &[&key[..], &[0]].concat()), BadAddress::Length(65)),
        ("first byte 04", spelt::<Bech32m>("lab", &uncompressed), BadAddress::NotAKey),
        ("a space before", format!(" {good}"), BadAddress::Prefix),
        ("a space after", format!("{good} "), BadAddress::Length(64)),
        ("nothing", String::new(), BadAddress::Prefix),
    ] {
        assert_eq!(wrong.parse::<Address>(), Err(expected), "{what}: {wrong}");
        assert!(serde_json::from_value::<Address>(Value::String(wrong)).is_err(), "{what}");
    }
    assert_eq!(Address::of_public_key(&uncompressed), Err(BadAddress::NotAKey));
}

#[test]
fn padding_that_is_not_zero_is_refused() {
    // 33 bytes are 264 bits, and 53 characters 265: the last bit is free, and must be zero.
    let key = alice().public_key();
    let mut digits: Vec<Fe32> = key.iter().copied().bytes_to_fes().collect();
    let spell = |digits: &[Fe32]| -> String {
        let hrp = Hrp::parse("lab").unwrap();
        digits.iter().copied().with_checksum::<Bech32m>(&hrp).chars().collect()
    };
    assert_eq!(digits.len(), 53);
    assert_eq!(spell(&digits), alice().as_str());
    let last = digits.last_mut().unwrap();
    assert_eq!(last.to_u8() & 1, 0);
    *last = Fe32::try_from(last.to_u8() | 1).unwrap();
    assert_eq!(spell(&digits).parse::<Address>(), Err(BadAddress::NotAKey));
}
