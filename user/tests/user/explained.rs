//! The commands of `user explain`, run by a shell.

use crate::offline::EXAMPLE;
use crate::program::{Program, RunOutput};
use serde_json::Value;
use shared::keys::KeyPair;
use shared::ledger::{Amount, Unsigned, Uuid};
use shared::params::Params;
use std::process::Command;

/// Whether this machine has the programs that the commands need.
pub(crate) fn has_tools() -> bool {
    ["sh", "sha256sum", "openssl"].iter().all(|tool| {
        let version = if *tool == "openssl" { "version" } else { "--version" };
        *tool == "sh" || Command::new(tool).arg(version).output().is_ok()
    })
}

/// Runs a script as printed, and compares each output line with the script's `# gives` comment.
#[track_caller]
pub(crate) fn recheck(user: &Program, script: &str) {
    let promised: Vec<_> = script.lines().filter_map(|line| line.strip_prefix("# gives ")).collect();
    assert!(promised.len() >= 2, "{script}");
    if !has_tools() {
        return;
    }
    let RunOutput { code, stdout, stderr } = user.sh(script);
    assert_eq!(code, 0, "{script}\n{stdout}{stderr}");
    let printed: Vec<_> = stdout.lines().collect();
    assert_eq!(printed.len(), promised.len(), "{script}\n{stdout}{stderr}");
    for (printed, promised) in printed.iter().zip(promised) {
        assert!(printed.starts_with(promised), "{script}\nprinted {printed}\npromised {promised}");
    }
}

#[test]
fn the_example_of_the_protocol_is_rechecked_by_a_shell() {
    let user = Program::without_services();
    user.write("payment.json", EXAMPLE);
    let script = user.run(&["explain", "tx", "payment.json", "--offline"]).ok();
    assert!(script.contains("sha256sum") && script.contains("openssl dgst -sha256 -verify"), "{script}");
    recheck(&user, &script);
    let json = user.json(&["explain", "tx", "payment.json", "--offline"]);
    assert_eq!(json["steps"].as_array().unwrap().last().unwrap()["gives"], "Verified OK");
}

#[test]
fn a_message_that_would_be_a_command_is_only_text() {
    let user = Program::without_services();
    let (alice, network) = (KeyPair::from_seed("alice"), Params::default().network_id());
    for msg in ["'; touch broken; '", "$(touch broken)`touch broken`", "%s%n\\n -n \"quoted\" ☃", "\u{202e}desrever"]
    {
        let unsigned = Unsigned {
            uuid: Uuid([7; 16]),
            from: alice.address(),
            to: KeyPair::from_seed("bob").address(),
            amount: Amount::new(1).unwrap(),
            fee: Amount::ZERO,
            msg: msg.to_owned(),
        };
        let payment = serde_json::to_string(&alice.sign_transaction(unsigned, network)).unwrap();
        let script = user.run_with_input(&["explain", "tx", "-", "--offline"], &payment).ok();
        recheck(&user, &script);
        assert!(!user.path("broken").exists(), "{script}");
    }
}

#[test]
fn a_signature_that_is_wrong_is_seen_by_openssl() {
    let user = Program::without_services();
    let mut payment: Value = serde_json::from_str(EXAMPLE).unwrap();
    payment["signature"] = "1".repeat(128).into();
    let script = user.run_with_input(&["explain", "tx", "-", "--offline"], &payment.to_string()).ok();
    assert!(script.ends_with("# gives Verification failure\n"), "{script}");
    if has_tools() {
        let output = user.sh(&script);
        assert!(output.code != 0 && output.stdout.ends_with("Verification failure\n"), "{output:?}");
    }
}
