//! The first page shows nodes, blocks, forks and payments, and gets an event when they change.

use crate::lab::{LAB, Lab, key};
use crate::visitor::{Listener, shows};
use shared::params::LayerName;

#[tokio::test]
async fn nodes_blocks_and_payments_are_shown_and_reported() {
    let lab = Lab::quiet(LayerName::Transaction).await;
    let at = &lab.explorer;
    shows(at, &["All 4 nodes agree on block 0."]).await;
    let mut listener = Listener::of(at).await;
    let hashes = lab.mine(0, 2).await;
    listener.hears(&["nodes", "blocks", "ticker"]).await;
    let found = format!("{} found block 2", lab.nodes[0]);
    let page = shows(at, &["All 4 nodes agree on block 2.", &found]).await;
    for node in &lab.nodes {
        assert!(page.contains(&format!("href=\"/node/{node}\"")), "{node}");
    }
    for hash in &hashes {
        assert!(page.contains(&format!("class=\"block best\" href=\"/block/{hash}\"")), "{hash}");
    }
    let page_script = page.matches("<script").count();
    assert_eq!(page_script, page.matches("<script type=\"module\" src=\"/assets/").count(), "inline script");

    lab.agree().await;
    lab.pay("miner 0", &key("bob").address(), LAB, 1000, "<script>alert(1)</script>").await;
    listener.hears(&["pool", "ticker"]).await;
    shows(at, &["1 LAB from lab1", ": waits for a block", "1 payment,"]).await;
    lab.mine(1, 1).await;
    shows(at, &[": is in block 3", "0 payments,"]).await;
}

// 0 ─ 1 ─ 2        the first two nodes
//     └── 2' ─ 3'  the last two
#[tokio::test]
async fn a_fork_is_drawn_and_its_end_is_reported() {
    let lab = Lab::quiet(LayerName::Data).await;
    let at = &lab.explorer;
    lab.mine(0, 1).await;
    lab.agree().await;
    shows(at, &["All 4 nodes agree on block 1."]).await;
    lab.split().await;
    let left = lab.mine(0, 1).await;
    lab.mine(2, 2).await;
    let page = shows(at, &["2 branches", " since block 1:", "Two blocks follow block 1: the chain forks"]).await;
    assert!(page.contains(" were cut off from "));
    let stale = format!("class=\"block stale\" href=\"/block/{}\"", left[0]);
    shows(at, &[&stale]).await;
    lab.heal().await;
    shows(
        at,
        &[
            "All 4 nodes agree on block 3.",
            "left the last block of its branch for 2 heavier ones",
            "All nodes are on one chain again, at block 3",
            &stale,
        ],
    )
    .await;
}
