//! The rules of the layer by name: what makes a block invalid.

use crate::lab::{Lab, address, params};
use crate::programs::COUNTER;
use shared::ledger::{Address, OutcomeHash, Payment, Transaction};
use shared::params::Params;
use shared::program::{AccountId, MAX_INIT_CODE};

/// A lab in which `alice` has money, and a counter.
fn lab() -> (Lab, AccountId) {
    // So much that the rules of a single transaction come first.
    let mut lab = Lab::new(Params { max_block_gas: Some(1 << 30), ..params() });
    lab.mine("alice", &[]);
    let counter = lab.deployed("alice", COUNTER, 0);
    (lab, counter)
}

fn refused(lab: &mut Lab, transactions: &[&Transaction], rule: &str) -> String {
    let data = lab.unchecked("miner", transactions).to_data().0;
    lab.refused(data, rule)
}

#[test]
fn a_msg_that_is_no_call_breaks_rule_call() {
    let (mut lab, counter) = lab();
    let program = Address::of_program(counter);
    for msg in ["", "for lunch", "call 100000", "call 100000 0xA9", "call 100000 0xa", "deploy 100000 0x"] {
        let wrong = lab.transaction("alice", program, 0, 1, msg);
        refused(&mut lab, &[&wrong], "call");
    }
    let wrong = lab.transaction("alice", Address::nobody(), 0, 1, "call 100000 0x");
    refused(&mut lab, &[&wrong], "call");
}

#[test]
fn too_little_and_too_much_gas_break_rule_gas() {
    let (mut lab, counter) = lab();
    let program = Address::of_program(counter);
    // 21,000 for a transaction, and the floor for its input: 10 for each zero byte, 40 for each other byte (EIP-7623).
    let enough = lab.transaction("alice", program, 0, 1, "call 21050 0x0001");
    for msg in ["call 0 0x", "call 20999 0x", "call 21049 0x0001", "call 16777217 0x"] {
        let wrong = lab.transaction("alice", program, 0, 1, msg);
        refused(&mut lab, &[&wrong], "gas");
    }
    lab.mine("miner", std::slice::from_ref(&enough));
    assert_eq!(lab.receipt(&enough).status, "out-of-gas", "enough to begin, too little to run");
}

#[test]
fn long_init_code_breaks_rule_init_code() {
    let (mut lab, _) = lab();
    let msg = format!("deploy 16000000 0x{}", "00".repeat(MAX_INIT_CODE + 1));
    let wrong = lab.transaction("alice", Address::nobody(), 0, 1, &msg);
    refused(&mut lab, &[&wrong], "init-code");
}

#[test]
fn gas_that_blocks_declare_together_is_bounded() {
    let (_, counter) = lab();
    let mut lab = Lab::new(Params { max_block_gas: Some(100_000), ..params() });
    lab.mine("alice", &[]);
    let half =
        |lab: &mut Lab, gas| lab.transaction("alice", Address::of_program(counter), 0, 1, &format!("call {gas} 0x"));
    let (a, b) = (half(&mut lab, 50_000), half(&mut lab, 50_001));
    refused(&mut lab, &[&a, &b], "block-gas");
    let left_out: shared::ledger::Bundle = serde_json::from_str(&lab.template("miner", &[a.clone(), b])).unwrap();
    assert_eq!(left_out.transactions, [a], "the template leaves out what does not fit");
}

#[test]
fn a_lying_outcome_is_refused() {
    let (mut lab, counter) = lab();
    let call = lab.call("alice", counter, 0, &[]);
    let right = lab.template("miner", std::slice::from_ref(&call));
    let mut lie: shared::ledger::Bundle = serde_json::from_str(&right).unwrap();
    lie.outcome = Some(OutcomeHash::of("something else"));
    let reason = lab.refused(lie.to_data().0, "outcome");
    assert!(reason.contains("claims the outcome"), "{reason}");
    assert_eq!(lab.slot(counter, 0).to_u64(), Some(0), "nothing of a refused block stays");
    lie.outcome = None;
    lab.refused(lie.to_data().0, "bundle");
    let block = lab.block_on(&lab.tip(), right);
    lab.accept(block).unwrap();
}

fn payment(transaction: Transaction) -> Payment {
    transaction.as_payment().cloned().unwrap()
}

#[test]
fn what_layer_2_refuses_stays_refused() {
    let (mut lab, counter) = lab();
    let call = lab.call("alice", counter, 0, &[]);
    lab.mine("miner", std::slice::from_ref(&call));
    refused(&mut lab, &[&call], "known-id");
    let poor = lab.call("poor", counter, 0, &[]);
    refused(&mut lab, &[&poor], "balance");
    let nothing = lab.transaction("alice", address("bob"), 0, 1, "");
    refused(&mut lab, &[&nothing], "amount");
    let changed = payment(lab.call("alice", counter, 0, &[]));
    let changed = Payment { msg: "call 200001 0x".to_owned(), ..changed }.into();
    refused(&mut lab, &[&changed], "id");
    let mut from_program = lab.unchecked("miner", &[]);
    from_program.miner_address = Address::of_program(counter);
    lab.refused(from_program.to_data().0, "bundle");
}

#[test]
fn other_layers_know_neither_programs_nor_outcomes() {
    let (mut lab, counter) = lab();
    let call = lab.call("alice", counter, 1, &[]);
    let layer_2 = shared::chain::Rules::new(Params { new_address_balance: 1000, ..Params::default() });
    for bundle in [lab.unchecked("miner", &[]), lab.unchecked("miner", &[&call])] {
        let refused = layer_2.read_data(&bundle.to_data().0).map(drop).unwrap_err();
        assert_eq!(refused.name(), "bundle", "{refused}");
    }
    let mut without = lab.unchecked("miner", &[&call]);
    without.outcome = None;
    assert_eq!(layer_2.read_data(&without.to_data().0).map(drop).unwrap_err().name(), "bundle");
    let Payment { uuid, from, to, amount, fee, msg, signature, .. } = payment(call);
    let unsigned = shared::ledger::Unsigned { uuid, from, to, amount, fee, msg };
    let call = unsigned.sign(layer_2.params().network_id(), |_| signature);
    let rules = shared::ledger::TransactionRules::of(layer_2.params());
    assert_eq!(call.check(&rules, &shared::keys::PlainVerifier).unwrap_err().name(), "address");
}
