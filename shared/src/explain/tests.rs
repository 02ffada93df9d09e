//! The explained commands; user/tests runs them in a shell.

use super::*;
use crate::keys::{KeyPair, PlainVerifier};
use crate::ledger::{Amount, Payment, Unsigned, Uuid};
use crate::params::Params;

fn payment(msg: &str) -> (Transaction, BlockHash) {
    let (alice, network) = (KeyPair::from_seed("alice"), Params::default().network_id());
    let unsigned = Unsigned {
        uuid: Uuid([7; 16]),
        from: alice.address(),
        to: KeyPair::from_seed("bob").address(),
        amount: Amount::new(150_000_000).expect("an amount"),
        fee: Amount::ZERO,
        msg: msg.to_owned(),
    };
    (alice.sign_transaction(unsigned, network), network)
}

#[track_caller]
fn explained(transaction: &Transaction, network: BlockHash) -> Explanation {
    super::transaction(transaction, network, &PlainVerifier).expect("an explanation")
}

#[test]
fn a_right_signature_is_promised_to_be_right() {
    let (payment, network) = payment("for lunch");
    let explanation = explained(&payment, network);
    assert_eq!(explanation.steps[2].gives, payment.id().to_string());
    assert_eq!(explanation.steps[2].what, "id");
    assert_eq!(explanation.steps.last().expect("steps").gives, "Verified OK");
}

#[test]
fn a_forged_signature_is_said_to_fail() {
    let (payment, network) = payment("for lunch");
    let payment = payment.as_payment().expect("a payment").clone();
    let signature = serde_json::from_str(&format!("\"{}\"", "1".repeat(128))).expect("a signature");
    let last = explained(&Payment { signature, ..payment }.into(), network).steps.pop().expect("steps");
    assert_eq!((last.what.as_str(), last.gives.as_str()), ("the signature is not the payer's", "Verification failure"));
}

#[test]
fn a_wrong_id_is_told_from_the_right_one() {
    let (payment, network) = payment("for lunch");
    let content = payment.as_payment().expect("a payment").clone();
    let forged: Transaction = Payment { id: TransactionId::of("another"), ..content }.into();
    let step = &explained(&forged, network).steps[2];
    assert_eq!(step.gives, payment.id().to_string());
    assert!(step.what.contains(&forged.id().to_string()), "{step:?}");
}

#[test]
fn a_script_is_the_steps_with_what_they_mean() {
    let genesis = Params::default().genesis();
    let explanation = block(&genesis);
    assert_eq!(explanation.steps.len(), 3, "genesis has no proof of work");
    let script = explanation.script();
    assert!(script.starts_with(&format!("# block 0 ({}), which is given and not mined\n", genesis.hash())), "{script}");
    assert!(script.ends_with(&format!("# gives {}", genesis.hash())), "{script}");
}
