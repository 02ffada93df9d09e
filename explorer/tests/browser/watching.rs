//! Pages that stay open: blocks arrive, forks begin and end, without a reload.

use crate::lab::Lab;
use shared::params::LayerName;
use testkit::browser::Tab;
use testkit::browser::browse;
use testkit::until;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn a_block_arrives_without_reloading() {
    let lab = Lab::quiet(LayerName::Transaction).await;
    browse(&lab.explorer, "arrival", async |tab| {
        tab.go("/").await;
        tab.mark().await;
        tab.reads("#live-state", "live").await;
        tab.reads("#agreement", "All 4 nodes agree on block 0").await;
        for height in 1..=3 {
            let hash = &lab.mine(0, 1).await[0];
            tab.find(&format!("#tree a.block.best[href='/block/{hash}']")).await;
            tab.reads("#agreement", &format!("All 4 nodes agree on block {height}")).await;
            tab.reads("#ticker", &format!("block {height}")).await;
        }
        // The block is a link to its page, which counts confirmations.
        tab.click("#tree a.block[data-key]").await;
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
        tab.reads("#agreement", "All 4 nodes agree on block 2").await;
        lab.split().await;
        // One block each on this side, three together on that one.
        let stale = lab.mine(0, 1).await.remove(0);
        let ahead = lab.mine(2, 2).await.pop().unwrap();
        until("its neighbour has heard of it", async || (lab.tip(3).await.hash.to_string() == ahead).then_some(()))
            .await;
        let best = lab.mine(3, 1).await.remove(0);
        tab.reads("#agreement", "2 branches since block 2").await;
        tab.find(&format!("#tree a.stale[href='/block/{stale}']")).await;
        tab.find(&format!("#tree a.best[href='/block/{best}']")).await;
        // Two nodes stand on each of both.
        tab.wait("document.querySelectorAll('#tree text.at').length === 4").await;
        tab.still().await;
        tab.picture("story-2-a-fork").await;

        lab.heal().await;
        lab.agree().await;
        tab.reads("#agreement", "All 4 nodes agree on block 5").await;
        // The branch that was left stays to be seen, and who left it is told.
        tab.find(&format!("#tree a.stale[href='/block/{stale}']")).await;
        tab.reads("#ticker", "left").await;
        tab.was_not_reloaded().await;
        tab.go(&format!("/block/{stale}")).await;
        tab.reads("#standing", "branch").await;
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
        let link = format!("a[href='/transaction/{}']", paid.id);
        tab.find(&format!("#pool {link}")).await;
        lab.agree().await;
        lab.mine(2, 1).await;
        tab.find(&format!("#confirmed {link}")).await;
        tab.reads("#pool", "nothing is waiting").await;
        tab.was_not_reloaded().await;
        confirmations_count_up(tab, &lab, &paid.id.to_string()).await;
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

/// Passes connections on to `explorer` until it is told to stall: then they stay open, and nothing gets through.
async fn stalling_proxy(explorer: &str) -> (String, watch::Sender<bool>) {
    let (listener, at) = testkit::listener().await;
    let (stall, is_stalled) = watch::channel(false);
    let explorer = explorer.to_owned();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (explorer, is_stalled) = (explorer.clone(), is_stalled.clone());
            tokio::spawn(async move {
                let server = TcpStream::connect(explorer).await?;
                let ((mut from_client, to_client), (mut from_server, to_server)) =
                    (client.into_split(), server.into_split());
                let up = pass(&mut from_client, to_server, is_stalled.clone());
                let down = pass(&mut from_server, to_client, is_stalled);
                tokio::join!(up, down);
                Ok::<_, std::io::Error>(())
            });
        }
    });
    (at.to_string(), stall)
}

async fn pass(from: &mut OwnedReadHalf, mut to: OwnedWriteHalf, mut is_stalled: watch::Receiver<bool>) {
    let mut bytes = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        let _ = is_stalled.wait_for(|is_stalled| !is_stalled).await;
        if to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn a_page_whose_stream_is_dead_does_not_say_live() {
    let lab = Lab::quiet(LayerName::Data).await;
    let (proxy, stall) = stalling_proxy(&lab.explorer).await;
    browse(&proxy, "dead-stream", async |tab| {
        tab.go("/").await;
        tab.mark().await;
        tab.reads("#live-state", "live").await;
        stall.send_replace(true);
        tab.reads("#live-state", "not connected").await;
        lab.mine(0, 1).await;
        stall.send_replace(false);
        tab.reads("#live-state", "live").await;
        tab.reads("#agreement", "All 4 nodes agree on block 1").await;
        tab.was_not_reloaded().await;
    })
    .await;
}
