//! Blocks and payments for the tests of pages (tests only).

use shared::block::{Block, DataHash, HeaderFields, Nonce};
use shared::keys::KeyPair;
use shared::ledger::{Address, Amount, Bundle, CoinName, Input, Output, Transaction, TransactionId};
use shared::ledger::{Unsigned, UnsignedSpend, Uuid};
use shared::params::{LayerName, Params};

/// What an attacker may write into a message.
pub(super) const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u{202e}&amp;";

/// The address of a seed.
pub(super) fn address(seed: &str) -> Address {
    KeyPair::from_seed(seed).address()
}

/// alice pays bob 1.5 LAB.
pub(crate) fn payment(number: u8, msg: &str) -> Transaction {
    let unsigned = Unsigned {
        uuid: Uuid([number; 16]),
        from: address("alice"),
        to: address("bob"),
        amount: Amount::new(150_000_000).expect("an amount"),
        fee: Amount::new(1000 * u64::from(number)).expect("a fee"),
        msg: msg.to_owned(),
    };
    KeyPair::from_seed("alice").sign_transaction(unsigned, Params::default().network_id())
}

/// alice spends two coins of 50 LAB, and leaves what the outputs, in LAB, do not take.
pub(super) fn spend(outputs: &[(&str, u64)]) -> Transaction {
    let lab = |lab: u64| Amount::new(lab * Amount::GRAINS_PER_LAB).expect("an amount");
    let coin = |name: &str| CoinName { id: TransactionId::of(name), place: 0 };
    let input = |name| Input { coin: coin(name), address: address("alice"), amount: lab(50) };
    let unsigned = UnsignedSpend {
        inputs: vec![input("one"), input("two")],
        outputs: outputs.iter().map(|(to, amount)| Output { address: address(to), amount: lab(*amount) }).collect(),
        msg: "for lunch".to_owned(),
    };
    unsigned.sign(Params::of_layer(LayerName::Utxo).network_id(), |_, text| KeyPair::from_seed("alice").sign(text))
}

/// Genesis and a block with one payment; both have the message `msg`.
pub(crate) fn blocks(msg: &str) -> [Block; 2] {
    let bundle = Bundle {
        msg: msg.to_owned(),
        miner_address: address("carol"),
        transactions: vec![payment(1, msg)],
        outcome: None,
    };
    after_genesis(bundle.to_data().0)
}

/// Genesis and a block of text.
pub(super) fn blocks_of_text(text: &str) -> [Block; 2] {
    after_genesis(text.to_owned())
}

fn after_genesis(data: String) -> [Block; 2] {
    let params = Params::default();
    let genesis = params.genesis();
    let fields = HeaderFields {
        index: genesis.index().next(),
        prev_hash: genesis.hash(),
        timestamp: params.genesis_time.plus_ms(5000),
        difficulty: params.initial_difficulty,
        data_hash: DataHash::of(&data),
    };
    let block = Block::new(fields, Nonce(1234), data);
    [genesis, block]
}

/// Fails if a part of [`HOSTILE`] is markup or changes the direction of text.
#[track_caller]
pub(super) fn assert_harmless(shown: &str) {
    for bad in ["<script>alert", "<img src=x", "\u{202e}"] {
        assert!(!shown.contains(bad), "{bad:?} in {shown}");
    }
}
