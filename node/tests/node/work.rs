//! `/work` from the side of an outside miner, which searches with the core's kernel.

use crate::lab::{Asked, Lab, text};
use serde_json::json;
use shared::block::{Nonce, Seal};
use shared::work::{Difficulty, search};

/// A solution of an offer; if `solved` is false, one whose hash is above the target.
fn nonce_for(offer: &serde_json::Value, solved: bool) -> Nonce {
    let seal: Seal = text(&offer["seal"]).parse().unwrap();
    let target = Difficulty::new(offer["difficulty"].as_u64().unwrap()).unwrap().target();
    if solved {
        return search(&seal, &target, Nonce(0), u64::MAX).unwrap();
    }
    (0..).map(Nonce).find(|nonce| !target.is_met_by(&seal.block_hash(*nonce))).unwrap()
}

#[tokio::test]
async fn solved_work_makes_a_block() {
    let lab = Lab::new("work");
    let node = lab.node(&[]).await;
    let offer = node.json("/work?miner=somebody%20else").await;
    assert_eq!((&offer["index"], &offer["difficulty"]), (&json!(1), &json!(1000)));
    assert_eq!(text(&offer["target"]), Difficulty::new(1000).unwrap().target().to_string());
    let solution = json!({"seal": offer["seal"], "nonce": nonce_for(&offer, true)});
    let answer = node.post("/work", &solution).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let block = node.json("/block/1").await;
    assert_eq!(answer.ok()["hash"], block["hash"]);
    assert!(text(&block["data"]).contains("somebody else"));
    // The same solution again is for a tip that has passed.
    node.post("/work", &solution).await.refused(404);
}

#[tokio::test]
async fn wrong_stale_or_unknown_work_makes_no_block() {
    let lab = Lab::new("no-work");
    let node = lab.node(&[]).await;
    let offer = node.json("/work").await;
    let wrong = json!({"seal": offer["seal"], "nonce": nonce_for(&offer, false)});
    assert_eq!(node.post("/work", wrong).await.refused(422).rule.as_deref(), Some("proof-of-work"));
    let unknown = json!({"seal": "0".repeat(64), "nonce": "0".repeat(16)});
    assert!(node.post("/work", unknown).await.refused(404).detail.contains("GET /work"));
    let good = json!({"seal": offer["seal"], "nonce": nonce_for(&offer, true)});
    node.mine(1).await;
    node.post("/work", good).await.refused(404);
    for (body, reason) in [
        (json!({"seal": offer["seal"]}), "nonce"),
        (json!({"seal": offer["seal"], "nonce": 7}), "16 lower-case"),
        (json!({"seal": "x", "nonce": "0".repeat(16)}), "64"),
    ] {
        let detail = node.post("/work", body).await.refused(400).detail;
        assert!(detail.contains(reason), "{detail}");
    }
    let long = "x".repeat(lab.params.max_data_bytes as usize);
    assert!(node.get(&format!("/work?miner={long}")).await.refused(400).detail.contains("too long"));
    node.get("/work?minter=x").await.refused(400);
}
