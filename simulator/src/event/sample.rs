//! A signed payment for tests of events, their lines and the narration.

use shared::block::BlockHash;
use shared::keys::KeyPair;
use shared::ledger::{Amount, Transaction, Unsigned, Uuid};

/// A payment between the owners of two seeds, without a fee.
pub(crate) fn transaction(from: &str, to: &str, lab: &str, msg: &str) -> Transaction {
    numbered_transaction(7, from, to, lab, msg)
}

/// The same; those with different numbers are different payments.
pub(crate) fn numbered_transaction(number: u8, from: &str, to: &str, lab: &str, msg: &str) -> Transaction {
    let (pair, amount) = (KeyPair::from_seed(from), Amount::from_lab(lab).unwrap());
    let (from, to) = (pair.address(), KeyPair::from_seed(to).address());
    let unsigned = Unsigned { uuid: Uuid([number; 16]), from, to, amount, fee: Amount::ZERO, msg: msg.to_owned() };
    pair.sign_transaction(unsigned, BlockHash::ZERO)
}
