//! Filling the next block: all valid candidates in their order, as many as fit.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests: this is how they fail

use crate::transactions_lab::{MoneyLab, fields, money, nobody};
use shared::layer::{EffectError, TemplateRequest};
use shared::ledger::{Amount, Bundle, Payment, Transaction, json_of};
use shared::params::Params;
use std::sync::Arc;

fn template(
    lab: &mut MoneyLab,
    miner: &str,
    message: &str,
    candidates: &[&Transaction],
) -> Result<String, EffectError> {
    let candidates: Vec<_> = candidates.iter().map(|&candidate| Arc::new(candidate.clone())).collect();
    let miner = Some(lab.address(miner));
    lab.chain.template(&TemplateRequest { message, miner, candidates: &candidates })
}

/// Requests a template, mines it, and returns its transactions.
#[track_caller]
fn taken(lab: &mut MoneyLab, parent: &str, miner: &str, candidates: &[&Transaction]) -> Vec<Transaction> {
    let data = template(lab, miner, "", candidates).unwrap();
    let name = format!("on-{parent}");
    lab.mine_data(&name, parent, &data);
    lab.best(&name);
    Bundle::from_data(&data).unwrap().0.transactions
}

fn rule(result: Result<String, EffectError>) -> &'static str {
    match result {
        Err(EffectError::Invalid(broken)) => broken.rule,
        other => panic!("there should be no template, but: {other:?}"),
    }
}

fn alice_has_100(params: Params) -> MoneyLab {
    let mut lab = MoneyLab::new(params);
    lab.mine("a1", "genesis", "alice", &[]);
    lab.best("a1");
    lab
}

#[test]
fn valid_candidates_are_included_in_order_and_others_skipped() {
    let mut lab = alice_has_100(money());
    let confirmed = lab.pay("alice", "bob", 10, 0);
    lab.mine("a2", "a1", "miner", &[&confirmed]);
    lab.best("a2");
    let early = lab.pay("carol", "dave", 5, 0);
    let gift = lab.pay("alice", "carol", 20, 3);
    let later = lab.pay("carol", "dave", 15, 1);
    let too_much = lab.pay("alice", "dave", 70, 0);
    let rest = lab.pay("alice", "dave", 67, 0);
    let forged = Payment { signature: fields(&rest).signature, ..fields(&lab.pay("alice", "bob", 0, 0)) }.into();
    let lie = Payment { signature: fields(&gift).signature, ..fields(&lab.pay("bob", "mallory", 5, 0)) }.into();
    let candidates = [&early, &confirmed, &gift, &gift, &forged, &lie, &later, &too_much, &rest];
    let taken = taken(&mut lab, "a2", "miner", &candidates);
    assert_eq!(taken, [gift, later, rest]);
    assert_eq!(lab.balances(["alice", "carol", "dave", "miner"]), [0, 4, 82, 204]);
}

#[test]
fn a_full_block_includes_the_first_candidates() {
    let mut lab = alice_has_100(Params { max_transactions: 2, ..money() });
    let payments: Vec<_> = (0..3).map(|_| lab.pay("alice", "bob", 1, 0)).collect();
    let candidates: Vec<_> = payments.iter().collect();
    assert_eq!(taken(&mut lab, "a1", "miner", &candidates), payments[..2]);
    let mut lab = alice_has_100(Params { max_transactions: 0, ..money() });
    assert_eq!(taken(&mut lab, "a1", "miner", &candidates), []);
}

#[test]
fn candidates_that_do_not_fit_are_skipped() {
    let mut lab = alice_has_100(Params { max_data_bytes: 1500, max_msg_bytes: 1000, ..money() });
    let mut talk = |length: usize| {
        let mut draft = lab.draft("alice", "bob", 1, 0);
        draft.msg = "x".repeat(length);
        lab.sign("alice", draft)
    };
    let (short, long) = (talk(0), talk(900));
    let frame = "{\"msg\":\"\",\"miner_address\":\"\",\"transactions\":[,]}".len() + 63;
    let exact = talk(1500 - frame - 2 * json_of(&short).len());
    let one_more = talk(exact.msg().len() + 1);
    // By itself one needs no comma.
    let alone = talk(1500 - (frame - 1) - json_of(&short).len());
    assert_eq!(template(&mut lab, "miner", "", &[&alone, &short]).unwrap().len(), 1500);
    let candidates = [&short, &long, &one_more, &exact];
    let data = template(&mut lab, "miner", "", &candidates).unwrap();
    assert_eq!(data.len(), 1500, "to the last byte");
    assert_eq!(taken(&mut lab, "a1", "miner", &candidates), [short, exact]);
}

#[test]
fn impossible_requests_fail() {
    let mut lab = alice_has_100(Params { max_data_bytes: 1000, max_msg_bytes: 2000, ..money() });
    assert_eq!(rule(template(&mut lab, "miner", "a\nb", &[])), "msg");
    assert_eq!(rule(template(&mut lab, "miner", &"x".repeat(2001), &[])), "msg");
    assert_eq!(rule(template(&mut lab, "miner", &"x".repeat(1001), &[])), "max-data-bytes");
    assert_eq!(rule(template(&mut lab, "miner", &"\"".repeat(500), &[])), "max-data-bytes");
    assert_eq!(rule(lab.chain.template(&TemplateRequest::default())), "miner");
    let miner = Some(nobody());
    assert_eq!(rule(lab.chain.template(&TemplateRequest { miner, ..TemplateRequest::default() })), "address");
}

#[test]
fn a_payment_that_would_overflow_the_miners_balance_is_skipped() {
    let max = Amount::MAX.grains();
    let params = Params { reward: max - 50, halving_blocks: 1, ..money() };
    let mut lab = alice_has_100(params);
    // The miner has less than half of the largest amount, alice nearly all of it: with her payment the reward would
    // overflow.
    lab.mine("a2", "a1", "miner", &[]);
    lab.best("a2");
    let [rich, miner] = lab.balances(["alice", "miner"]);
    let next_reward = (max - 50) / 4;
    let room = max - miner - next_reward;
    let (too_generous, too_dear) = (lab.pay("alice", "miner", room + 1, 0), lab.pay("alice", "bob", 1, room + 1));
    let just_right = lab.pay("alice", "miner", room - 1, 1);
    let one_more = lab.pay("alice", "bob", 1, 1);
    assert!(rich > room + 2);
    let taken = taken(&mut lab, "a2", "miner", &[&too_generous, &too_dear, &just_right, &one_more]);
    assert_eq!(taken, [just_right]);
    assert_eq!(lab.balances(["miner"]), [max]);
    assert_eq!(rule(template(&mut lab, "miner", "", &[])), "max-balance");
}

#[test]
fn a_valid_candidate_behind_many_invalid_ones_is_included() {
    let mut lab = alice_has_100(money());
    let empty = lab.pay("nobody", "bob", 50, 30);
    let good = lab.pay("alice", "bob", 10, 1);
    let mut candidates = vec![&empty; 12_000];
    candidates.push(&good);
    assert_eq!(taken(&mut lab, "a1", "miner", &candidates), std::slice::from_ref(&good));
}
