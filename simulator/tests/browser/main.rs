//! The path of a newcomer who starts the program and opens the one address that it prints: blocks arrive, a button
//! splits the network and it heals by itself, a wallet earns and pays. It is the real program, used by clicks alone.
//!
//! It needs chromium and chromedriver: `cargo test -p simulator --test browser -- --ignored`. Pictures go to
//! `$CHAINLAB_SCREENSHOTS`, or `target/screenshots`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod program;

use program::Program;
use testkit::browser::{Tab, browse};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn a_newcomer_sees_blocks_a_fork_and_a_payment() {
    let program = Program::start();
    browse(&program.explorer, "program", async |tab| {
        tab.go("/").await;
        tab.mark().await;
        blocks_arrive(tab).await;
        a_fork_happens_and_heals(tab).await;
        tab.was_not_reloaded().await;
        a_wallet_earns(tab).await;
        a_payment_is_confirmed(tab, &program.member).await;
    })
    .await;
}

async fn blocks_arrive(tab: &Tab) {
    tab.reads("#live-state", "live").await;
    tab.wait("document.querySelectorAll('#tree a.block').length >= 2").await;
    let blocks = "document.querySelectorAll('#tree a.block').length";
    let now = tab.eval(blocks).await.as_u64().unwrap();
    tab.wait(&format!("{blocks} > {now}")).await;
    tab.reads("#ticker", "found block").await;
}

async fn a_fork_happens_and_heals(tab: &Tab) {
    tab.click("[data-split=split]").await;
    tab.reads("#split", "the network is split").await;
    tab.reads("#agreement", "2 branches").await;
    tab.find("#tree a.stale").await;
    tab.picture("program-split").await;
    // The network heals without another click.
    tab.reads("#split", "see a fork happen").await;
    tab.reads("#agreement", "nodes agree on block").await;
    tab.reads("#ticker", "all nodes are on one chain again").await;
    tab.picture("program-healed").await;
}

async fn a_wallet_earns(tab: &Tab) {
    tab.click("nav a[href='/wallet']").await;
    tab.find("#wallet-add[open] #wallet-new").await;
    tab.click("#wallet-new").await;
    tab.reads("#wallet-balance", "0 LAB").await;
    tab.find("#wallet-earn[open] #earn-mine").await;
    tab.click("#earn-mine").await;
    tab.reads("#earn-status", "you found block").await;
    // The reward, and perhaps fees.
    tab.wait("parseFloat(document.querySelector('#wallet-balance').textContent) >= 50").await;
}

async fn a_payment_is_confirmed(tab: &Tab, member: &str) {
    tab.fill("#send-to", member).await;
    tab.fill("#send-amount", "12.5").await;
    tab.fill("#send-message", "hello").await;
    tab.click("#send-preview").await;
    tab.click("#send-confirm").await;
    tab.wait("document.querySelector('#send-status').dataset.state === 'confirmed'").await;
    tab.reads("#send-words", "of 6").await;
    tab.wait("parseFloat(document.querySelector('#wallet-balance').textContent) < 38").await;
    tab.scroll_to("#send-status").await;
    tab.picture("program-paid").await;
    tab.click("#send-words a").await;
    tab.reads("main", "hello").await;
    tab.reads("main", "confirmation").await;
}
