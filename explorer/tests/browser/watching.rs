//! Pages that stay open: blocks arrive, forks begin and end, without a reload.

use crate::lab::Lab;
use crate::proxy::{HostHeader, Proxy};
use shared::params::LayerName;
use testkit::browser::Tab;
use testkit::browser::browse;
use testkit::until;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn a_block_arrives_without_reloading() {
    let lab = Lab::quiet(LayerName::Transaction).await;
    browse(&lab.explorer, "arrival", async |tab| {
        tab.go("/").await;
        tab.mark().await;
        tab.reads("#live-state", "live").await;
        tab.reads("#head h1", "nobody mines the first block yet").await;
        for height in 1..=3 {
            let hash = &lab.mine(0, 1).await[0];
            tab.find(&format!("#chain a.block[href='/block/{hash}']")).await;
            tab.reads("#head h1", &format!("block {height}")).await;
            tab.reads("#events", &format!("block {height}")).await;
        }
        // The block is a link to its page, which counts confirmations.
        tab.click("#chain a.block:last-of-type").await;
        tab.wait("location.pathname.startsWith('/block/')").await;
        tab.mark().await;
        let standing = tab.text("#standing").await;
        lab.mine(1, 1).await;
        tab.wait(&format!("document.querySelector('#standing').innerText !== {standing:?}")).await;
        tab.was_not_reloaded().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn a_fork_is_drawn_and_heals() {
    let lab = Lab::quiet(LayerName::Transaction).await;
    browse(&lab.explorer, "fork", async |tab| {
        lab.mine(0, 2).await;
        lab.agree().await;
        tab.go("/").await;
        tab.mark().await;
        tab.reads("#head h1", "block 2").await;
        lab.split().await;
        // One block each on this side, three together on that one.
        let stale = lab.mine(0, 1).await.remove(0);
        let ahead = lab.mine(2, 2).await.pop().unwrap();
        until("its neighbour has heard of it", async || (lab.tip(3).await.hash.to_string() == ahead).then_some(()))
            .await;
        let best = lab.mine(3, 1).await.remove(0);
        tab.reads("#head h1", "split in two").await;
        tab.reads("#head", "a and b have found 1 block, c and d 3").await;
        tab.find(&format!("#chain a.block:not(.lost)[href='/block/{stale}']")).await;
        tab.find(&format!("#chain a.block[href='/block/{best}']")).await;
        // Two nodes stand on each of both.
        tab.wait("document.querySelectorAll('#chain .badge').length === 4").await;
        tab.still().await;
        tab.picture("story-2-a-fork").await;

        lab.heal().await;
        lab.agree().await;
        tab.reads("#head h1", "healed: c and d’s branch won, 3 blocks to 1").await;
        // The branch that lost stays where it was, and who left it is told.
        tab.find(&format!("#chain a.block.lost[href='/block/{stale}']")).await;
        tab.reads("#events", "dropped 1 block").await;
        tab.was_not_reloaded().await;
        tab.go(&format!("/block/{stale}")).await;
        tab.reads("#undone", "its reward does not count").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn lists_and_charts_update_without_reloading() {
    let lab = Lab::quiet(LayerName::Transaction).await;
    browse(&lab.explorer, "lists", async |tab| {
        lab.mine(0, 1).await;
        lab.agree().await;
        tab.go("/blocks").await;
        tab.mark().await;
        let hash = &lab.mine(1, 1).await[0];
        tab.find(&format!("main a[href='/block/{hash}'], main a[href='/block/2']")).await;
        tab.was_not_reloaded().await;
        // The miner of the first block pays, and the payment moves from one list to the other.
        tab.go("/transactions").await;
        tab.mark().await;
        tab.reads("#pool", "nothing is waiting").await;
        let paid = lab.pay("miner 0", &crate::lab::key("bob").address(), 5, 1000, "for bob").await;
        let link = format!("a[href='/transaction/{}']", paid.id());
        tab.find(&format!("#pool {link}")).await;
        lab.agree().await;
        lab.mine(2, 1).await;
        tab.find(&format!("#confirmed {link}")).await;
        tab.reads("#pool", "nothing is waiting").await;
        tab.was_not_reloaded().await;
        confirmations_count_up(tab, &lab, &paid.id().to_string()).await;
    })
    .await;
}

async fn confirmations_count_up(tab: &Tab, lab: &Lab, id: &str) {
    tab.go(&format!("/transaction/{id}")).await;
    tab.mark().await;
    tab.reads("main", "1 confirmation").await;
    lab.agree().await;
    lab.mine(3, 1).await;
    tab.reads("main", "2 confirmations").await;
    tab.was_not_reloaded().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn a_page_whose_stream_is_dead_does_not_say_live() {
    let lab = Lab::quiet(LayerName::Data).await;
    let proxy = Proxy::to(&lab.explorer, HostHeader::Kept).await;
    browse(&proxy.address, "dead-stream", async |tab| {
        tab.go("/").await;
        tab.mark().await;
        tab.reads("#live-state", "live").await;
        proxy.stall.send_replace(true);
        tab.reads("#live-state", "not connected").await;
        lab.mine(0, 1).await;
        proxy.stall.send_replace(false);
        tab.reads("#live-state", "live").await;
        tab.reads("#head h1", "block 1").await;
        tab.was_not_reloaded().await;
    })
    .await;
}
