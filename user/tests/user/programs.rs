//! A program's life from the command line, by docs/protocol.md §15: assembled, deployed, called, read, looked into.

use crate::lab::{Lab, TOKEN, network, until};
use crate::program::Program;
use serde_json::{Value, json};
use shared::params::Params;

const COUNTER: &str = "; adds 1 to slot 0, logs it and returns it
PUSH0 SLOAD PUSH 1 ADD DUP1 PUSH0 SSTORE
PUSH0 MSTORE  PUSH 7 PUSH 32 PUSH0 LOG1
PUSH 32 PUSH0 RETURN
";

pub(crate) fn programs(name: &str) -> Params {
    let Params { initial_difficulty, retarget, .. } = network(name);
    Params { name: name.to_owned(), initial_difficulty, retarget, ..Params::of_programs() }
}

fn word(number: u8) -> String {
    format!("0x{number:064x}")
}

/// Mines until the transaction has a receipt.
pub(crate) async fn receipt(user: &Program, sent: &Value) -> Value {
    let id = sent["transaction"]["id"].as_str().unwrap();
    until("it is in a block", async || {
        user.run(&["mine", "1", "--token", TOKEN]).ok();
        let receipt = user.run(&["receipt", id, "--json"]);
        (receipt.code == 0).then(|| receipt.json())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_lives_from_the_command_line_alone() {
    let lab = Lab::with_params(programs("command-line"), |_| {}).await;
    let user = lab.user();
    lab.mine(&user, 1).await;
    user.write("counter.asm", COUNTER);
    let init = user.run(&["asm", "counter.asm", "--deploy"]).ok();
    user.write("counter.hex", &init);
    let listing = user.run(&["disasm", "counter.hex"]).ok();
    assert!(listing.contains("CODECOPY") && listing.contains("LOG1"), "{listing}");

    let deployed = user.json(&["deploy", "counter.hex", "-s", "alice"]);
    let program = deployed["program"].as_str().unwrap();
    assert_eq!(receipt(&user, &deployed).await["status"], "succeeded");
    let read = user.json(&["read", program]);
    assert_eq!((&read["status"], &read["output"]), (&json!("succeeded"), &json!(word(1))));
    let called = user.json(&["call", program, "-s", "alice", "--amount", "0.5"]);
    let gas = called["gas"].as_u64().unwrap();
    let done = receipt(&user, &called).await;
    assert_eq!((&done["status"], &done["output"]), (&json!("succeeded"), &json!(word(1))), "{done}");
    let used = done["gas_used"].as_u64().unwrap();
    assert!((used * 5 / 4..used * 4 / 3).contains(&gas), "{gas} declared, {used} used");

    let id = called["transaction"]["id"].as_str().unwrap();
    for (args, words) in [
        (&["receipt", id][..], &["succeeded", "0.5 LAB", "log"][..]),
        (&["program", program], &["0.5 LAB", "SLOAD", "made by"]),
        (&["programs"], &[program]),
        (&["storage", program], &["0000000000000001"]),
        (&["logs", program], &["0000000000000007"]),
        (&["logs", program, "--topic", &word(8)], &["no logs"]),
        (&["trace", id], &["SSTORE", "16 of 16 steps"]),
        (&["run", "0x60016002015f5260205ff3"], &["ADD", "0000000000000003"]),
        (&["tx", id], &["confirmed", "call"]),
    ] {
        let shown = user.run(args).ok();
        for word in words {
            let confirmed = *word == "confirmed" && shown.contains("confirmation");
            assert!(confirmed || shown.contains(word), "{args:?} does not show {word}: {shown}");
        }
    }
    crate::explained::recheck(&user, &user.run(&["explain", "tx", id]).ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_work_is_said_before_anything_is_paid() {
    let lab = Lab::with_params(programs("said-before"), |_| {}).await;
    let user = lab.user();
    lab.mine(&user, 1).await;
    user.write("refuser.asm", "PUSH0 PUSH0 REVERT");
    user.write("wrong.asm", "PUSH0\nFOO");
    user.write("refuser.hex", &user.run(&["asm", "refuser.asm"]).ok());
    let nowhere = "0x1234567890123456789012345678901234567890";
    for (args, words) in [
        (&["asm", "wrong.asm"][..], "line 2: FOO is no instruction"),
        (&["deploy", "wrong.asm", "-s", "alice"], "hex"),
        (&["deploy", "refuser.hex", "-s", "alice"], "reverted"),
        (&["call", "lab1qw3a092402y9t2zw3vrxdlgl3j6c3gvfm4zu09kmfz6rencp3cz6sj7943p", "-s", "alice"], "of a key"),
        (&["call", nowhere, "0xa", "-s", "alice"], "hex"),
        (&["call", nowhere, "--gas", "99999999", "-s", "alice"], "at most 16777216"),
        (&["program", nowhere], "no program"),
        (&["send", "1", "lab1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqfllqas", "-s", "alice"], "deploy"),
    ] {
        let refused = user.run(args);
        assert_ne!(refused.code, 0, "{args:?}");
        assert!(refused.stderr.contains(words), "{args:?}: {}", refused.stderr);
    }
}

/// The path of an example's compiled code.
fn example(name: &str) -> String {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    root.join(format!("docs/examples/programs/{name}.hex")).display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_are_called_by_their_signatures() {
    let lab = Lab::with_params(programs("signatures"), |_| {}).await;
    let user = lab.user();
    lab.mine(&user, 1).await;
    let types = "constructor(string,string,uint8,uint256)";
    let deployed = user.json(&["deploy", &example("token"), types, "Lunch", "LUN", "2", "1000", "-s", "alice"]);
    let token = deployed["program"].as_str().unwrap();
    assert_eq!(receipt(&user, &deployed).await["status"], "succeeded");
    let paid = user.json(&["call", token, "transfer(address,uint256)", "bob", "300", "-s", "alice"]);
    assert_eq!(receipt(&user, &paid).await["status"], "succeeded");
    let bob = user.json(&["address", "bob", "--engine"])["account"].as_str().unwrap().to_owned();
    assert_eq!(user.run(&["address", "bob", "--engine"]).ok().trim(), bob);
    assert_eq!(user.run(&["address", crate::program::BOB, "--engine"]).ok().trim(), bob);
    for (signature, args, values) in [
        ("balanceOf(address)(uint256)", &["bob"][..], json!(["300"])),
        ("balanceOf(address)(uint256)", &[&bob], json!(["300"])),
        ("name()(string)", &[], json!(["Lunch"])),
        ("decimals()(uint8)", &[], json!(["2"])),
    ] {
        let read = user.json(&[&["read", token, signature], args].concat());
        assert_eq!(read["values"], values, "{signature}");
    }
    let refused = user.json(&["read", token, "transfer(address,uint256)(bool)", "bob", "5000", "--from", "alice"]);
    assert_eq!((&refused["status"], &refused["reason"]), (&json!("reverted"), &json!("too few tokens")));
    assert!(refused.get("values").is_none(), "{refused}");
    for (args, words) in [
        (&["call", token, "transfer(address,uint256)", "bob", "5000", "-s", "alice"][..], "too few tokens"),
        (&["call", token, "transfer(address,uint256)", "bob", "-s", "alice"], "takes 2 arguments, not 1"),
        (&["call", token, "transfer(address,uint256)", "bob", "x", "-s", "alice"], "a number of type uint256"),
        (&["call", token, "0x", "bob", "-s", "alice"], "arguments need a signature"),
        (&["deploy", &example("token"), "name()", "-s", "alice"], "constructor"),
        (&["read", token, "transfer"], "no signature"),
    ] {
        let refused = user.run(args);
        assert_ne!(refused.code, 0, "{args:?}");
        assert!(refused.stderr.contains(words), "{args:?}: {}", refused.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_thief_empties_the_bank_with_the_fault() {
    let lab = Lab::with_params(programs("reentrancy"), |_| {}).await;
    let user = lab.user();
    lab.mine(&user, 1).await;
    let deploy = async |args: &[&str]| {
        let deployed = user.json(&[&["deploy"], args, &["-s", "alice"]].concat());
        assert_eq!(receipt(&user, &deployed).await["status"], "succeeded");
        deployed["program"].as_str().unwrap().to_owned()
    };
    let call = async |args: &[&str]| {
        let called = user.json(&[&["call"], args, &["-s", "alice"]].concat());
        let receipt = receipt(&user, &called).await;
        assert_eq!(receipt["status"], "succeeded", "{receipt}");
        called["transaction"]["id"].as_str().unwrap().to_owned()
    };
    let bank = deploy(&[&example("bank")]).await;
    call(&[&bank, "deposit()", "--amount", "10"]).await;
    let thief = deploy(&[&example("thief"), "constructor(address)", &bank]).await;
    let held = |address: &str| user.json(&["program", address])["balance"].as_u64().unwrap();
    assert_eq!(held(&bank), 1_000_000_000);
    let theft = call(&[&thief, "steal()", "--amount", "5"]).await;
    assert_eq!((held(&bank), held(&thief)), (0, 0), "the thief has passed it on to alice");
    let trace = user.json(&["trace", &theft]);
    let deepest = trace["calls"].as_array().unwrap().iter().map(|call| call["depth"].as_u64().unwrap()).max();
    assert!(deepest.unwrap() >= 6, "withdraw inside of withdraw inside of withdraw: {trace}");
}
