//! Transactions across blocks and branches: an id counts once on a chain, and a change of branch restores everything.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests: this is how they fail

use crate::transactions_lab::{MoneyLab, fields, money};
use ecdsa::signature::Verifier as _;
use p256::ecdsa::VerifyingKey;
use shared::chain::{Accepted, Origin};
use shared::keys::{PlainVerifier, Signature};
use shared::layer::transaction::locate_transaction;
use shared::ledger::{Address, Payment, Transaction, TransactionRules};

fn alice_has_100() -> MoneyLab {
    let mut lab = MoneyLab::new(money());
    lab.mine("a1", "genesis", "alice", &[]);
    lab.best("a1");
    lab
}

#[test]
fn an_id_counts_once_in_a_block_and_once_on_a_chain() {
    let mut lab = alice_has_100();
    let payment = lab.pay("alice", "bob", 10, 0);
    let twice = lab.bundle("miner", &[&payment, &payment]);
    let detail = lab.refused("a1", &twice, "known-id");
    assert!(detail.starts_with("transaction 1 of the bundle: ") && detail.contains("in block 2"), "{detail}");
    lab.mine("a2", "a1", "miner", &[&payment]);
    lab.best("a2");
    let again = lab.bundle("miner", &[&payment]);
    let detail = lab.refused("a2", &again, "known-id");
    assert!(detail.contains(&format!("transaction {} is in block 2 of this chain already", payment.id())), "{detail}");
    // Also if it is only in the store.
    lab.chain.flush().unwrap();
    let again = lab.bundle("other", &[&payment]);
    lab.refused("a2", &again, "known-id");
    lab.restart();
    lab.mine("a3", "a2", "miner", &[]);
    lab.best("a3");
    lab.refused("a3", &again, "known-id");
    assert_eq!(lab.balances(["alice", "bob"]), [90, 10]);
}

#[test]
fn a_transaction_may_stand_on_both_branches_and_moves_with_the_best_one() {
    // a1 - a2 (payment) - a3
    //    \ b2 - b3 - b4 (payment)
    let mut lab = alice_has_100();
    let (payment, other) = (lab.pay("alice", "bob", 10, 0), lab.pay("alice", "bob", 5, 0));
    lab.mine("a2", "a1", "miner", &[&payment]);
    lab.mine("a3", "a2", "miner", &[&other]);
    lab.mine("b2", "a1", "miner", &[]);
    lab.mine("b3", "b2", "other", &[]);
    lab.mine("b4", "b3", "other", &[&other, &payment]);
    lab.best("a2 a3");
    let place =
        |lab: &MoneyLab| locate_transaction(lab.state().as_ref(), &payment.id()).unwrap().map(|place| place.index.0);
    assert_eq!(place(&lab), Some(2));
    lab.side("b2 b3");
    lab.best("b4");
    assert_eq!(place(&lab), Some(4));
    let again = lab.bundle("miner", &[&payment]);
    lab.refused("b4", &again, "known-id");
}

#[test]
fn what_an_abandoned_branch_confirmed_can_be_confirmed_again() {
    // a1 - a2 (payment)
    //    \ b2 - b3 - b4 (payment)
    let mut lab = alice_has_100();
    let payment = lab.pay("alice", "bob", 10, 0);
    lab.mine("a2", "a1", "miner", &[&payment]);
    lab.mine("b2", "a1", "miner", &[]);
    lab.mine("b3", "b2", "miner", &[]);
    lab.best("a2");
    lab.side("b2");
    lab.best("b3");
    assert_eq!(locate_transaction(lab.state().as_ref(), &payment.id()), Ok(None), "its id is free again");
    assert_eq!(lab.balances(["alice", "bob"]), [100, 0]);
    lab.mine("b4", "b3", "miner", &[&payment]);
    lab.best("b4");
    assert_eq!(lab.balances(["alice", "bob"]), [90, 10]);
}

/// The other signature that fits the same text: n - s for s.
fn twin(transaction: &Transaction) -> Transaction {
    let signature = p256::ecdsa::Signature::from_slice(transaction.as_payment().unwrap().signature.as_bytes()).unwrap();
    let (r, s) = signature.split_scalars();
    let twin = p256::ecdsa::Signature::from_scalars(r, -s).unwrap();
    Payment { signature: Signature::from_bytes(twin.to_bytes().into()), ..fields(transaction) }.into()
}

#[test]
fn two_valid_signatures_still_make_one_transaction() {
    let mut lab = alice_has_100();
    let payment = lab.pay("alice", "bob", 10, 0);
    let twin = twin(&payment);
    assert_ne!(payment.as_payment().unwrap().signature, twin.as_payment().unwrap().signature);
    for transaction in [&payment, &twin] {
        assert_eq!(transaction.check(&TransactionRules::of(lab.params()), &PlainVerifier), Ok(()));
    }
    let both = lab.bundle("miner", &[&payment, &twin]);
    lab.refused("a1", &both, "known-id");
    lab.mine("a2", "a1", "miner", &[&twin]);
    lab.best("a2");
    let other = lab.bundle("miner", &[&payment]);
    lab.refused("a2", &other, "known-id");
}

#[test]
fn a_wrong_signature_with_a_valid_id_is_refused() {
    let mut lab = alice_has_100();
    let (payment, other) = (lab.pay("alice", "bob", 10, 0), lab.pay("alice", "bob", 10, 0));
    let borrowed = Payment { signature: fields(&other).signature, ..fields(&payment) }.into();
    let data = lab.bundle("miner", &[&payment, &borrowed]);
    let detail = lab.refused("a1", &data, "signature");
    assert!(detail.starts_with("transaction 1 of the bundle: "), "{detail}");
}

#[test]
fn reusing_a_uuid_does_not_claim_anothers_id() {
    let mut lab = alice_has_100();
    lab.mine("a2", "a1", "mallory", &[]);
    lab.best("a2");
    let payment = lab.pay("alice", "bob", 10, 0);
    let mut draft = lab.draft("mallory", "bob", 10, 0);
    draft.uuid = payment.as_payment().unwrap().uuid;
    let squatter = lab.sign("mallory", draft);
    assert_ne!(squatter.id(), payment.id());
    lab.mine("a3", "a2", "miner", &[&squatter]);
    lab.best("a3");
    assert_eq!(locate_transaction(lab.state().as_ref(), &payment.id()), Ok(None), "it confirms nobody else's payment");
    lab.mine("a4", "a3", "miner", &[&payment]);
    lab.best("a4");
    assert_eq!(lab.balances(["bob"]), [20]);
}

#[test]
fn a_better_branch_that_turns_out_bad_changes_nothing() {
    // a1 - a2
    //    \ b2 - b3 (spends what the payment in b2 took)
    let mut lab = alice_has_100();
    let payments: Vec<_> = [60, 70, 80].map(|amount| lab.pay("alice", "bob", amount, 0)).into();
    lab.mine("a2", "a1", "miner", &[&payments[0]]);
    lab.mine("b2", "a1", "miner", &[&payments[1]]);
    lab.mine("b3", "b2", "miner", &[&payments[2]]);
    lab.best("a2");
    lab.side("b2");
    let before = lab.rows();
    lab.broken("b3", "balance");
    assert_eq!(lab.rows(), before);
    lab.mine("a3", "a2", "miner", &[]);
    lab.best("a3");
}

#[test]
fn the_state_follows_repeated_reorganisations() {
    // a1 - a2 - a3 - a4 - a5
    //    \ b2 - b3 - b4
    let mut lab = alice_has_100();
    for (branch, to, last) in [("a", "bob", 6), ("b", "carol", 5)] {
        for index in 2..last {
            let parent = if index == 2 { "a1".to_owned() } else { format!("{branch}{}", index - 1) };
            let (first, second) = (lab.pay("alice", to, 7, 1), lab.pay(to, "dave", 2, 2));
            lab.mine(&format!("{branch}{index}"), &parent, to, &[&first, &second]);
        }
    }
    lab.best("a2 a3");
    lab.side("b2 b3");
    let before = lab.rows();
    lab.best("b4");
    assert_ne!(lab.rows(), before);
    lab.chain.flush().unwrap();
    lab.side("a4");
    lab.best("a5");
    lab.restart();
}

#[test]
fn a_restart_without_a_flush_finds_the_same_money() {
    let mut lab = alice_has_100();
    let first = lab.pay("alice", "bob", 10, 1);
    lab.mine("a2", "a1", "miner", &[&first]);
    lab.best("a2");
    lab.chain.flush().unwrap();
    let second = lab.pay("bob", "carol", 5, 1);
    lab.mine("a3", "a2", "miner", &[&second]);
    lab.best("a3");
    let before = lab.rows();
    lab.restart();
    assert_eq!(lab.rows(), before);
    let again = lab.bundle("miner", &[&second]);
    lab.refused("a3", &again, "known-id");
}

#[test]
fn a_block_that_cannot_be_written_changes_no_balance() {
    let mut lab = alice_has_100();
    let payment = lab.pay("alice", "bob", 10, 1);
    lab.mine("a2", "a1", "miner", &[&payment]);
    let before = lab.rows();
    lab.store.set_full(true);
    assert!(lab.push("a2").is_err());
    assert_eq!(lab.rows(), before);
    lab.store.set_full(false);
    lab.best("a2");
}

#[test]
fn a_deep_reorganisation_reaches_below_a_flush() {
    // a1 - a2 … a40 (flushed at 15 and 30)
    //    \ b2 … b41
    let mut lab = alice_has_100();
    let mut names = Vec::new();
    for (branch, to, last) in [("a", "bob", 40), ("b", "carol", 41)] {
        for index in 2..=last {
            let parent = if index == 2 { "a1".to_owned() } else { format!("{branch}{}", index - 1) };
            let payment = lab.pay("alice", to, index % 3 + 1, 0);
            let back = lab.pay(to, "alice", 1, 0);
            names.push(format!("{branch}{index}"));
            lab.mine(&format!("{branch}{index}"), &parent, "alice", &[&payment, &back]);
        }
    }
    for name in &names {
        let accepted = lab.give(name, Origin::Bulk);
        let expected = if name.starts_with('b') && name != "b41" { Accepted::Side } else { Accepted::Best };
        assert_eq!(accepted, Ok(expected), "{name}");
        if ["a15", "a30"].contains(&name.as_str()) {
            lab.chain.flush().unwrap();
        }
    }
    lab.chain.commit().unwrap();
    assert_eq!(lab.chain.take_reorganisation().unwrap().undone(), 39);
    lab.check();
    assert_eq!(lab.balances(["bob"]), [0]);
    assert!(!lab.has_row("bob"), "nobody was ever called bob on this branch");
}

/// As `openssl dgst -sha256 -verify` checks it: the digest is SHA-256 and the key is the address's.
#[test]
fn a_signature_is_over_the_text_with_the_key_of_the_address() {
    let mut lab = alice_has_100();
    let payment = lab.pay("alice", "bob", 10, 1);
    let Payment { uuid, from, to, .. } = payment.as_payment().unwrap();
    let text = format!("{}:{uuid}:{from}:{to}:10:1:", lab.params().network_id());
    let key = VerifyingKey::from_sec1_bytes(&Address::public_key(from)).unwrap();
    let signature = p256::ecdsa::Signature::from_slice(payment.as_payment().unwrap().signature.as_bytes()).unwrap();
    assert!(key.verify(text.as_bytes(), &signature).is_ok());
    assert_eq!(payment.id().to_string(), shared::block::DataHash::of(text).to_string());
}
