//! A person who has never seen a blockchain: one page, and from there only what can be clicked. Blocks arrive, a fork
//! happens and heals, a wallet is made, money comes, is paid and confirmed.

use crate::driver::browse;
use crate::lab::{Lab, key};
use crate::wallet;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn who_knows_nothing_sees_it_all() {
    let lab = Lab::mining().await;
    browse(&lab, "newcomer", async |tab| {
        tab.go("/").await;
        tab.mark().await;
        tab.wait("document.querySelectorAll('#tree a.block').length >= 4").await;
        tab.picture("story-1-blocks-arrive").await;

        // Two halves of the network do not hear of each other for a while, and both go on mining.
        lab.split().await;
        lab.mine(0, 2).await;
        lab.mine(2, 2).await;
        tab.find("#tree a.stale").await;
        tab.reads("#agreement", "2 branches").await;
        lab.heal().await;
        tab.reads("#agreement", "nodes agree on block").await;
        tab.was_not_reloaded().await;

        tab.click("nav a[href='/wallet']").await;
        let own = wallet::make(tab, "My first").await;
        lab.reward(0, own.as_str()).await;
        tab.reads("#wallet-balance", "50 LAB").await;
        wallet::prepare(tab, key("a friend").address().as_str(), "20", "thank you").await;
        tab.picture("story-3-a-preview").await;
        tab.click("#send-confirm").await;
        wallet::sent(tab, "confirmed").await;
        tab.reads("#send-words", "of 6").await;
        tab.reads("#wallet-history", "block").await;
        tab.scroll_to("#wallet-home").await;
        tab.picture("story-4-confirmed").await;
    })
    .await;
}
