//! What a node says of itself: which block its answers stand on, and what keeps it from its work.

use crate::lab::{Asked, Lab, mining, network, now, quiet, until};
use serde_json::json;

const HOUR_MS: u64 = 3_600_000;

#[tokio::test]
async fn a_chain_ahead_of_the_clock_is_said_and_nothing_is_promised() {
    let mut params = network("ahead");
    params.genesis_time = now().plus_ms(HOUR_MS);
    let lab = Lab::of(params.clone());
    let node = lab.start(mining(&params), &[], 0).await;
    assert_eq!(node.json("/info").await["health"], json!(["alone", "waits-for-clock"]));
    for answer in [node.steer("/mine", json!({"blocks": 1})).await, node.get("/work").await] {
        let seconds: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((3000..=3600).contains(&seconds), "{seconds}");
        let detail = answer.refused(503).detail;
        assert!(detail.contains("ahead of this machine's clock") && detail.contains("by itself at 2"), "{detail}");
    }
    assert_eq!(node.get("/chainlength").await.headers["chainlab-age-ms"], "0", "no age is negative");
}

#[tokio::test]
async fn mining_goes_on_by_itself_when_the_clock_has_reached_the_chain() {
    let mut params = network("caught-up");
    params.genesis_time = now().plus_ms(params.max_future_ms + 1500);
    let lab = Lab::of(params.clone());
    let node = lab.start(mining(&params), &[], 0).await;
    until("it mines", async || (node.tip().await.0 > 0).then_some(())).await;
    assert_eq!(node.json("/info").await["health"], json!(["alone"]));
}

#[tokio::test]
async fn an_answer_names_the_block_that_it_stands_on_and_its_age() {
    let lab = Lab::new("stands-on");
    let node = lab.node(&[]).await;
    node.mine(2).await;
    for path in ["/chainlength", "/block/0", "/block?index=1", "/headers", "/blockchain", "/tips", "/peers"] {
        let answer = node.get(path).await;
        assert_eq!(answer.headers["chainlab-height"], "2", "{path}");
        let age_ms: u64 = answer.headers["chainlab-age-ms"].to_str().unwrap().parse().unwrap();
        assert!(age_ms < 3_600_000, "{path}: {age_ms}");
    }
    assert_eq!(node.get("/chainlength").await.body, "3");
    assert!(!node.get("/running").await.headers.contains_key("chainlab-height"));
    assert!(!node.get("/block/9").await.headers.contains_key("chainlab-height"), "a refusal stands on nothing");
    until("the age of the tip is measured", async || {
        let metrics = node.get("/metrics").await.body;
        metrics.lines().any(|line| line.starts_with("chainlab_tip_age_seconds ")).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_node_without_peers_is_alone() {
    let lab = Lab::new("alone");
    let node = lab.start(quiet(&lab.params), &[], 0).await;
    assert_eq!(node.json("/info").await["health"], json!(["alone"]));
    let other = lab.node(&[&node]).await;
    for node in [&node, &other] {
        until("both have a peer", async || (node.json("/info").await["health"] == json!([])).then_some(())).await;
    }
}
