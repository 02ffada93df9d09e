//! The buttons of a node's page: mining, cutting off, connecting again. No token is on the page.

use crate::lab::{Lab, TOKEN};
use shared::params::LayerName;
use testkit::browser::Tab;
use testkit::browser::browse;

async fn open(tab: &Tab, node: &str) {
    tab.go(&format!("/node/{node}")).await;
    tab.find("#steering button").await;
    let page = tab.eval("document.documentElement.outerHTML").await;
    assert!(!page.as_str().unwrap().contains(TOKEN), "the page shows a token");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn a_button_mines() {
    let lab = Lab::quiet(LayerName::Transaction).await;
    browse(&lab.explorer, "button", async |tab| {
        open(tab, &lab.nodes[1]).await;
        tab.mark().await;
        tab.click("#steering [data-action=mine]").await;
        tab.reads("#steering-result", "mined 1 block").await;
        tab.reads("#node-height", "1").await;
        tab.fill("#mine-count", "3").await;
        tab.click("#mine-more button").await;
        tab.reads("#steering-result", "mined 3 blocks").await;
        tab.reads("#node-height", "4").await;
        // The node earned four rewards of 50 LAB.
        tab.reads("#node-state", "200").await;
        tab.was_not_reloaded().await;
        assert_eq!(lab.agree().await.index.0, 4);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn buttons_cut_a_node_off_and_connect_it_again() {
    let lab = Lab::quiet(LayerName::Data).await;
    let [first, second, ..] = &lab.nodes[..] else { panic!("four nodes") };
    browse(&lab.explorer, "cut", async |tab| {
        lab.mine(0, 1).await;
        lab.agree().await;
        // One peer.
        open(tab, first).await;
        tab.mark().await;
        tab.click(&format!("[data-action=cut][data-peer='{second}']")).await;
        tab.find(&format!("[data-action=allow][data-peer='{second}']")).await;
        tab.click(&format!("[data-action=allow][data-peer='{second}']")).await;
        tab.find(&format!("[data-action=cut][data-peer='{second}']")).await;
        // All peers: the node and the others continue separately.
        tab.click("#steering [data-action=cut][data-all]").await;
        tab.wait("document.querySelectorAll('#node-peers-table [data-action=allow]').length === 3").await;
        tab.click("#steering [data-action=mine]").await;
        tab.reads("#node-height", "2").await;
        let best = lab.mine(1, 3).await.pop().unwrap();
        assert_ne!(lab.tip(0).await.hash.to_string(), best, "it received a block although it was cut off");
        // The network's page shows both branches.
        tab.was_not_reloaded().await;
        tab.go("/").await;
        tab.reads("#head h1", "split in two").await;
        open(tab, first).await;
        tab.click("#steering [data-action=allow][data-all]").await;
        tab.reads("#node-height", "4").await;
        tab.reads("#steering-result", first).await;
        assert_eq!(lab.agree().await.hash.to_string(), best);
        tab.click("#steering [data-action=sync]").await;
        tab.reads("#steering-result", "nobody has a better chain").await;
    })
    .await;
}
