//! A newcomer who only clicks: blocks arrive, a fork begins and ends, a wallet is made, earns, pays, and its payment is
//! confirmed.

use crate::lab::{Lab, key};
use crate::wallet;
use testkit::browser::browse;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn a_newcomer_sees_everything_by_clicking() {
    let lab = Lab::mining().await;
    browse(&lab.explorer, "newcomer", async |tab| {
        tab.go("/").await;
        tab.mark().await;
        tab.wait("document.querySelectorAll('#chain a.block').length >= 4").await;
        tab.picture("story-1-blocks-arrive").await;

        // The network is split for a while, and both halves continue mining.
        tab.click("[data-split=split]").await;
        tab.reads("#head h1", "split in two").await;
        tab.reads("#people", "two truths for now").await;
        let both = "/found \\d+ blocks?, .* \\d+\\./.test(document.querySelector('#head').innerText)";
        tab.wait(both).await;
        tab.click("[data-split=heal]").await;
        tab.reads("#head h1", "healed").await;
        tab.find("#chain a.block.lost").await;
        tab.reads("#head .act", "split the network").await;
        tab.was_not_reloaded().await;

        tab.click("nav a[href='/wallet']").await;
        wallet::make(tab, "My first").await;
        wallet::earn(tab, "50").await;
        wallet::prepare(tab, key("a friend").address().as_str(), "20", "thank you").await;
        tab.picture("story-3-a-preview").await;
        tab.click("#send-confirm").await;
        wallet::sent(tab, "confirmed").await;
        tab.reads("#send-words", "of 6").await;
        tab.reads("#wallet-history", "block").await;
        tab.scroll_to(".wallet-send").await;
        tab.picture("story-4-confirmed").await;
    })
    .await;
}
