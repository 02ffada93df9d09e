//! The worked example of docs/protocol.md §15: the code produces it, and the page has it word for word. The outcome is
//! computed here a second time, from receipts and rows.

use crate::lab::{Lab, Rows, address};
use crate::programs::{COUNTER, deploying};
use sha2::{Digest, Sha256};
use shared::keys::KeyPair;
use shared::layer::program::new_program;
use shared::ledger::{Address, Amount, Bundle, Transaction, Unsigned, Uuid};
use shared::params::Params;
use shared::program::{Call, CallKind};
use std::fmt::Write;

const PAGE: &str = include_str!("../../../docs/protocol.md");

fn sign(params: &Params, number: u8, to: Address, amount: u64, msg: String) -> Transaction {
    let (amount, fee) = (Amount::new(amount).unwrap(), Amount::new(1000).unwrap());
    let unsigned = Unsigned { uuid: Uuid([number; 16]), from: address("alice"), to, amount, fee, msg };
    KeyPair::from_seed("alice").sign_transaction(unsigned, params.network_id())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The lines that are hashed, from what services remember and the rows that a block wrote.
fn lines(lab: &Lab, transactions: &[Transaction], outputs: &[&[u8]], writes: &Rows) -> String {
    let mut lines = String::new();
    for (transaction, output) in transactions.iter().zip(outputs) {
        let receipt = lab.receipt(transaction);
        let output = hex(&Sha256::digest(output));
        writeln!(lines, "receipt {} {} {} {output}", transaction.id(), receipt.status, receipt.gas_used).unwrap();
    }
    for (key, value) in writes {
        writeln!(lines, "write 0x{} 0x{}", hex(key), hex(value)).unwrap();
    }
    lines
}

#[test]
fn the_worked_example_of_the_protocol_is_what_the_code_does() {
    let params = Params::of_programs();
    let deployment = Call { gas: 200_000, input: deploying(COUNTER) }.to_msg(CallKind::Deploy);
    let deployment = sign(&params, 1, Address::nobody(), 0, deployment);
    let counter = new_program(&deployment.id());
    let call = Call { gas: 100_000, input: Vec::new() }.to_msg(CallKind::Call);
    let call = sign(&params, 2, Address::of_program(counter), 0, call);
    let mut expected = vec![
        params.canonical_json(),
        params.network_id().to_string(),
        format!("{}", address("alice").account()),
        deployment.msg().to_owned(),
        deployment.id().to_string(),
        counter.to_string(),
        Address::of_program(counter).to_string(),
        call.text(params.network_id()),
        call.id().to_string(),
    ];
    let both = [deployment, call];
    let mut lab = Lab::new(params);
    lab.mine("alice", &[]);
    let before = lab.rows();
    let bundle: Bundle = lab.mine("miner", &both);
    let outputs: [&[u8]; 2] = [COUNTER, &[&[0; 31][..], &[1]].concat()];
    let is_engines = |key: &[u8]| matches!((key[0], key.len()), (b'a', 21) | (b'c', 33) | (b's', 53));
    // Of the accounts, the miner's is not the engine's to write.
    let miner = shared::program::account_key(&address("miner").account());
    let writes = lab.rows().into_iter().filter(|(key, value)| is_engines(key) && before.get(key) != Some(value));
    let writes = writes.filter(|(key, _)| key[..] != miner).collect();
    let lines = lines(&lab, &both, &outputs, &writes);
    let outcome = hex(&Sha256::digest(&lines));
    assert_eq!(bundle.outcome.unwrap().to_string(), outcome, "recomputed from:\n{lines}");
    expected.extend(lines.lines().map(str::to_owned));
    expected.push(outcome);
    let missing: Vec<_> = expected.iter().filter(|line| !PAGE.contains(*line)).collect();
    assert!(missing.is_empty(), "docs/protocol.md §15 does not have:\n{missing:#?}");
}
