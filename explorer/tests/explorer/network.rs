//! The first page shows nodes, blocks, forks and payments, and gets an event when they change.

use crate::lab::{LAB, Lab, key};
use crate::visitor::{Listener, shows};
use shared::params::LayerName;

#[tokio::test]
async fn nodes_blocks_and_payments_are_shown_and_reported() {
    let lab = Lab::quiet(LayerName::Transaction).await;
    let at = &lab.explorer;
    shows(at, &["Nobody mines the first block yet."]).await;
    let mut listener = Listener::of(at).await;
    let hashes = lab.mine(0, 2).await;
    listener.hears(&["nodes", "blocks", "ticker"]).await;
    let found = format!("<b>A (Ada)</b> found block <a href=\"/block/{}\">2</a>", hashes[1]);
    let page = shows(at, &["All 4 nodes", "block 2", &found, "100 LAB in all: 2 blocks × 50, none missing."]).await;
    for node in &lab.nodes {
        assert!(page.contains(&format!("href=\"/node/{node}\"")), "{node}");
    }
    for hash in &hashes {
        assert!(page.contains(&format!("class=\"block f-a\" href=\"/block/{hash}\"")), "{hash}");
    }
    let page_script = page.matches("<script").count();
    assert_eq!(page_script, page.matches("<script type=\"module\" src=\"/assets/").count(), "inline script");

    lab.agree().await;
    lab.pay("miner 0", &key("bob").address(), LAB, 1000, "<script>alert(1)</script>").await;
    listener.hears(&["pool", "ticker"]).await;
    let paid = format!("Ada paid {} 1.00 LAB", key("bob").address().short());
    shows(at, &[&paid, "1 payment · under 1 % full"]).await;
    lab.mine(1, 1).await;
    shows(at, &["found block", "Block 4 in the making", "No payments yet"]).await;
}

// 0 ─ 1 ─ 2        the first two nodes
//     └── 2' ─ 3'  the last two
#[tokio::test]
async fn a_fork_is_drawn_and_its_end_is_reported() {
    let lab = Lab::quiet(LayerName::Data).await;
    let at = &lab.explorer;
    lab.mine(0, 1).await;
    lab.agree().await;
    shows(at, &["All 4 nodes", "block 1"]).await;
    lab.split().await;
    // Amber before any block is found.
    let page = shows(at, &["Split in two: ", "Neither side has found a block yet."]).await;
    assert!(!page.contains("nodes agree:"), "the page says that they agree: {page}");
    let left = lab.mine(0, 1).await;
    lab.mine(2, 2).await;
    let page =
        shows(at, &["A and B have found 1 block, C and D 2.", "Fork: two different blocks now follow block "]).await;
    assert!(page.contains(" can no longer talk to ") && !page.contains(" lost\""), "nobody has lost yet: {page}");
    let stale = format!("class=\"block f-a lost\" href=\"/block/{}\"", left[0]);
    lab.heal().await;
    shows(
        at,
        &[
            "Healed: C and D’s branch won, 2 blocks to 1.",
            "dropped 1 block and switched to a branch with more work",
            "All nodes are on one chain again, at block ",
            "1 block, undone",
            &stale,
        ],
    )
    .await;
}
