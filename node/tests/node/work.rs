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
    for height in 1..3 {
        let again = node.post("/work", &solution).await;
        assert_eq!((again.status, &again.ok()["status"]), (200, &json!("known")), "at height {height}");
        node.mine(1).await;
    }
}

#[tokio::test]
async fn wrong_stale_or_unknown_work_makes_no_block() {
    let lab = Lab::new("no-work");
    let node = lab.node(&[]).await;
    let offer = node.json("/work").await;
    let wrong = json!({"seal": offer["seal"], "nonce": nonce_for(&offer, false)});
    assert_eq!(node.post("/work", wrong).await.refused(422).rule.as_deref(), Some("proof-of-work"));
    let unknown = json!({"seal": "0".repeat(64), "nonce": "0".repeat(16)});
    let problem = node.post("/work", unknown).await.refused(404);
    assert!(problem.rule.as_deref() == Some("not-offered") && problem.detail.contains("GET /work"), "{problem}");
    let good = json!({"seal": offer["seal"], "nonce": nonce_for(&offer, true)});
    node.mine(2).await;
    let problem = node.post("/work", good).await.refused(404);
    assert_eq!(problem.rule.as_deref(), Some("stale"));
    assert!(problem.detail.contains("for block 1, the tip is 2"), "{problem}");
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

#[tokio::test]
async fn a_solution_just_after_another_block_is_a_side_block_that_can_still_win() {
    let lab = Lab::new("late-work");
    let node = lab.node(&[]).await;
    let offer = node.json("/work").await;
    let others = node.mine(1).await;
    let solution = json!({"seal": offer["seal"], "nonce": nonce_for(&offer, true)});
    let answer = node.post("/work", &solution).await;
    assert_eq!((answer.status, &answer.ok()["status"]), (201, &json!("taken")));
    assert!(text(&answer.ok()["reason"]).contains("side branch"), "{}", answer.body);
    let tips = node.json("/tips").await;
    let status = |hash: &serde_json::Value| {
        let tip = tips.as_array().unwrap().iter().find(|tip| &tip["hash"] == hash).expect("a tip");
        tip["status"].clone()
    };
    assert_eq!(status(&answer.ok()["hash"]), "side");
    assert_eq!(status(&json!(others[0])), "best");
}

#[tokio::test]
async fn work_stays_good_however_often_others_ask() {
    let lab = Lab::new("much-work");
    let node = lab.node(&[]).await;
    let offer = node.json("/work?miner=first").await;
    for other in 0..300 {
        node.json(&format!("/work?miner={other}")).await;
    }
    let solution = json!({"seal": offer["seal"], "nonce": nonce_for(&offer, true)});
    assert_eq!(node.post("/work", &solution).await.status, 201);
}
