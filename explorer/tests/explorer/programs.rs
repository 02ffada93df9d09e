//! The pages of programs, on a real network: a program is made, tried, called, and looked at step by step.

use crate::lab::{LAB, Lab, key};
use reqwest::StatusCode;
use shared::ledger::{Address, Transaction};
use shared::params::LayerName;
use shared::program::{Call, CallKind};
use testkit::http;

/// Adds the call's first word to slot 0, logs the sum with the topic 7, and returns it; without data it refuses.
const ADDER: &str = "
    CALLDATASIZE PUSH @go JUMPI PUSH0 PUSH0 REVERT
    go: JUMPDEST PUSH0 CALLDATALOAD PUSH0 SLOAD ADD DUP1 PUSH0 SSTORE
    PUSH0 MSTORE PUSH 7 PUSH 32 PUSH0 LOG1 PUSH 32 PUSH0 RETURN";

async fn page(lab: &Lab, path: &str) -> (StatusCode, String) {
    let answer = http().get(format!("http://{}{path}", lab.explorer)).send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

async fn shown(lab: &Lab, path: &str) -> String {
    let (status, page) = page(lab, path).await;
    assert_eq!(status, 200, "{path}: {page}");
    page
}

/// A network on which alice has made the program.
async fn with_program() -> (Lab, Address) {
    let lab = Lab::quiet(LayerName::Program).await;
    lab.reward(0, key("alice").address().as_str()).await;
    lab.agree().await;
    let program = lab.deploy("alice", ADDER, LAB).await;
    (lab, program)
}

async fn call(lab: &Lab, program: &Address, gas: u64, input: &[u8]) -> Transaction {
    let msg = Call { gas, input: input.to_vec() }.to_msg(CallKind::Call);
    let sent = lab.send("alice", program, 5, &msg).await;
    lab.confirm(&sent).await;
    sent
}

fn word(number: u8) -> [u8; 32] {
    std::array::from_fn(|place| if place == 31 { number } else { 0 })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_is_on_all_pages_about_it() {
    let (lab, program) = with_program().await;
    let good = call(&lab, &program, 100_000, &word(41)).await;
    let bad = call(&lab, &program, 100_000, &[]).await;
    let list = shown(&lab, "/programs").await;
    assert!(list.contains(&format!("/program/{program}")) && list.contains("aria-current=\"page\">Programs"), "{list}");

    let page = shown(&lab, &format!("/program/{program}")).await;
    for part in [
        "SLOAD",
        "reverted: the program refused",
        ">41</span>",
        &format!("/transaction/{}", good.id()),
        "how it changed",
        "1.00<span class=\"rest\">000005</span> LAB",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert_eq!(shown(&lab, &format!("/program/{}", program.account())).await, page, "by its account");

    let receipt = shown(&lab, &format!("/transaction/{}", good.id())).await;
    for part in ["✓ succeeded", "of 100,000", "money moved", "step by step", "calls"] {
        assert!(receipt.contains(part), "{part}: {receipt}");
    }
    assert!(shown(&lab, &format!("/transaction/{}", bad.id())).await.contains("the program refused"));

    let mempool = lab.mempool.as_ref().unwrap();
    let block = crate::lab::client().transaction(mempool, &good.id()).await.unwrap().block.unwrap();
    let block = shown(&lab, &format!("/block/{}", block.hash)).await;
    for part in ["Level 3: runs", "1 call", "declared of 15,000,000 allowed", "its steps"] {
        assert!(block.contains(part), "{part}: {block}");
    }
    let address = shown(&lab, &format!("/address/{program}")).await;
    assert!(address.contains("called by") && address.contains("+<span class=\"amount\">0.00"), "{address}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_step_of_a_call_is_a_page() {
    let (lab, program) = with_program().await;
    let call = call(&lab, &program, 100_000, &word(1)).await;
    let trace = format!("/transaction/{}/trace", call.id());
    let first = shown(&lab, &trace).await;
    assert!(first.contains("Step 1 of 21") && first.contains("CALLDATASIZE"), "{first}");
    let mut path = trace.clone();
    let mut names = Vec::new();
    while let Some(next) = {
        let page = shown(&lab, &path).await;
        let (_, name) = page.split_once("<p class=\"step-name\">").unwrap();
        names.push(name.split('<').next().unwrap().to_owned());
        page.split_once("rel=\"next\" href=\"").and_then(|(_, link)| Some(link.split('#').next()?.to_owned()))
    } {
        path = next;
        assert!(names.len() < 50, "the steps have no end");
    }
    let expected = "CALLDATASIZE PUSH2 JUMPI JUMPDEST PUSH0 CALLDATALOAD PUSH0 SLOAD ADD DUP1 PUSH0 SSTORE PUSH0 \
                    MSTORE PUSH1 PUSH1 PUSH0 LOG1 PUSH1 PUSH0 RETURN";
    assert_eq!(names.join(" "), expected);
    let beyond = shown(&lab, &format!("{trace}?step=9007199254740991")).await;
    assert!(beyond.contains("It has only"), "{beyond}");
    for (path, status) in [
        (format!("/transaction/{}/trace", "0".repeat(64)), 404),
        ("/transaction/12/trace".to_owned(), 404),
        (format!("{trace}?step=-1"), 400),
        (format!("{trace}?what=1"), 400),
    ] {
        assert_eq!(page(&lab, &path).await.0, status, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_form_shows_what_a_call_would_do_and_keeps_nothing() {
    let (lab, program) = with_program().await;
    let path = |query: &str| format!("/program/{program}?{query}");
    let data = format!("0x{}07", "00".repeat(31));
    for (query, part) in [
        (format!("data={data}"), "✓ succeeded"),
        (format!("data={data}"), "Call it with a transaction"),
        ("data=0x".to_owned(), "the program refused"),
        ("function=f(uint8)&arguments=300".to_owned(), "a number of type uint8"),
        ("function=f(uint8)&arguments=3&from=nobody+known".to_owned(), "caller"),
        ("function=f(uint8)&arguments=3".to_owned(), "✓ succeeded"),
        ("function=f(uint8[2])&arguments=[1]".to_owned(), "expected 2 values"),
        ("function=f(uint8[2])(uint256)&arguments=[3,+4]".to_owned(), "id=\"returned\""),
        (format!("data={data}&amount=1000000"), "The call cannot begin"),
    ] {
        let page = shown(&lab, &path(&query)).await;
        assert!(page.contains(part), "{query}: {part}: {page}");
    }
    assert!(shown(&lab, &path("")).await.contains("All slots are 0"), "nothing was kept");
    for (path, status) in [
        (path("slot=x"), 400),
        (path("logs_before=7"), 400),
        (path("what=1"), 400),
        ("/program/0x12".to_owned(), 404),
        (format!("/program/0x{}", "7".repeat(40)), 404),
        ("/programs?before=7".to_owned(), 400),
    ] {
        assert_eq!(page(&lab, &path).await.0, status, "{path}");
    }
}

/// alice calls a program with `amount` grains and waits until the call is in a block.
async fn play(lab: &Lab, program: &Address, amount: u64, input: &[u8]) -> String {
    let msg = Call { gas: 300_000, input: input.to_vec() }.to_msg(CallKind::Call);
    let sent = lab.send("alice", program, amount, &msg).await;
    lab.confirm(&sent).await;
    let receipt = crate::lab::client().receipt(lab.mempool.as_ref().unwrap(), &sent.id()).await.unwrap();
    receipt.receipt.status
}

async fn balance(lab: &Lab, of: &Address) -> u64 {
    crate::lab::client().balance(lab.mempool.as_ref().unwrap(), of, 1).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gambler_who_sees_prevrandao_never_loses_until_the_lottery_is_repaired() {
    let lab = Lab::quiet(LayerName::Program).await;
    lab.reward(0, key("alice").address().as_str()).await;
    lab.agree().await;
    let (prize, stake) = (LAB, LAB / 100);
    let lottery = lab.deploy("alice", include_str!("../../programs/lottery.asm"), prize).await;
    let gambler = lab.deploy("alice", include_str!("../../programs/gambler.asm"), 0).await;
    let attack = |lottery: &Address| [&[0; 16][..], &lottery.account().0].concat();
    let mut left = prize;
    for _ in 0..4 {
        assert_eq!(play(&lab, &gambler, stake, &attack(&lottery)).await, "succeeded");
        let now = balance(&lab, &lottery).await;
        assert!(now == left || now == left - stake, "the gambler lost: {left} {now}");
        left = now;
    }
    assert_eq!(balance(&lab, &gambler).await, 0, "all of it went home");

    let repaired = lab.deploy("alice", include_str!("../../programs/lottery-repaired.asm"), prize).await;
    play(&lab, &gambler, stake, &attack(&repaired)).await;
    play(&lab, &gambler, stake, &attack(&repaired)).await;
    assert_ne!(play(&lab, &repaired, 0, &[]).await, "succeeded", "nobody settles without a bet of their own");
    let before = balance(&lab, &repaired).await;
    assert!((prize..=prize + stake).contains(&before), "a bet of the gambler is a bet: {before}");
    assert_eq!(play(&lab, &repaired, stake, &[]).await, "succeeded");
    assert_eq!(balance(&lab, &repaired).await, before + stake, "the bet waits for its block's hash");
    assert_eq!(play(&lab, &repaired, 0, &[]).await, "succeeded");
    let after = balance(&lab, &repaired).await;
    assert!(after == before + stake || after == before - stake, "won or lost: {before} {after}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn networks_without_programs_say_so() {
    let lab = Lab::quiet(LayerName::Transaction).await;
    let id = "0".repeat(64);
    let account = format!("/program/0x{}", "7".repeat(40));
    for path in ["/programs", &account, &format!("/transaction/{id}/trace")] {
        let page = shown(&lab, path).await;
        assert!(page.contains("This network has no programs") && page.contains("layer <code>program"), "{page}");
    }
    let first = shown(&lab, "/blocks").await;
    assert!(!first.contains("href=\"/programs\""), "the menu has no entry that leads nowhere");
}
