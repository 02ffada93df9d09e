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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn a_visitor_starts_a_theft_and_sees_how_it_ends() {
    let program = Program::start();
    browse(&program.explorer, "program", async |tab| {
        tab.go("/").await;
        tab.mark().await;
        tab.reads("#live-state", "live").await;
        tab.click("[data-steal=open]").await;
        tab.reads("#theft", "each cell is the exact chance of success").await;
        tab.reads("#theft", "23.3 %").await;
        tab.picture("program-theft-before").await;
        // A cell whose theft practically always succeeds: one in a million does not.
        let cell = "document.querySelector('[data-percent=\"60\"][data-confirmations=\"1\"]')";
        tab.eval(&format!("{cell}.dataset.percent = 80")).await;
        tab.click("[data-percent=\"80\"]").await;
        tab.reads("#theft", "tries to steal, with 80 % of the hash rate").await;
        tab.reads("#theft", "against").await;
        tab.picture("program-theft").await;
        tab.reads("#theft h2", "stolen: the payment of 30 lab is gone").await;
        tab.reads("#theft", "no number of confirmations helps").await;
        tab.was_not_reloaded().await;
        tab.reads("#people", "mallory 2").await;
        tab.picture("program-theft-after").await;
        tab.click("[data-steal=close]").await;
        tab.wait("document.getElementById('theft-drawer').hidden").await;
    })
    .await;
}

async fn blocks_arrive(tab: &Tab) {
    tab.reads("#live-state", "live").await;
    tab.wait("document.querySelectorAll('#chain a.block').length >= 2").await;
    let blocks = "document.querySelectorAll('#chain a.block').length";
    let now = tab.eval(blocks).await.as_u64().unwrap();
    tab.wait(&format!("{blocks} > {now}")).await;
    tab.reads("#events", "found block").await;
}

async fn a_fork_happens_and_heals(tab: &Tab) {
    tab.click("[data-split=split]").await;
    tab.reads("#head h1", "split in two").await;
    tab.reads("#people", "two truths for now").await;
    tab.picture("program-split").await;
    // The network heals without another click.
    tab.reads("#head h1", "healed").await;
    tab.reads("#head .act", "split the network").await;
    tab.reads("#events", "all nodes are on one chain again").await;
    tab.picture("program-healed").await;
}

async fn a_wallet_earns(tab: &Tab) {
    tab.click("nav a[href='/wallet']").await;
    tab.find("#wallet-add[open] #wallet-new").await;
    tab.click("#wallet-new").await;
    tab.reads("#wallet-balance", "0 LAB").await;
    tab.find("#wallet-earn[open] #earn-mine").await;
    // At a node's rate, chance might let it find nothing for a minute.
    tab.eval("document.getElementById('earn-full').click()").await;
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
