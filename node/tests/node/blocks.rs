//! `POST /block`: taken, known, not yet, or refused with the rule that it breaks.

use crate::lab::{Asked, Lab, Node, block_on, fields_on, now, seal, to_json};
use serde_json::json;
use shared::block::{Block, Height, Nonce};
use shared::work::Difficulty;

async fn node_with_tip(lab: &Lab) -> (Node, Block) {
    let node = lab.node(&[]).await;
    node.mine(2).await;
    let tip = node.block(2).await;
    (node, tip)
}

#[tokio::test]
async fn a_new_block_is_stored_once_and_visible_at_once() {
    let lab = Lab::new("taken");
    let (node, mut tip) = node_with_tip(&lab).await;
    for height in 3..30 {
        let block = block_on(tip.header(), "pushed");
        let answer = node.post("/block", to_json(&block)).await;
        assert_eq!(answer.status, 201);
        assert_eq!(answer.ok(), json!({"status": "taken", "hash": block.hash()}));
        // After the 201 the block can be read without waiting.
        assert_eq!(node.get("/chainlength").await.body, format!("{}", height + 1));
        assert_eq!(node.block(height).await, block);
        tip = block;
    }
    let again = node.post("/block", to_json(&tip)).await;
    assert_eq!(again.status, 200);
    assert_eq!(again.ok(), json!({"status": "known", "hash": tip.hash()}));
}

#[tokio::test]
async fn a_block_that_cannot_be_judged_yet_is_no_violation() {
    let lab = Lab::new("not-yet");
    let (node, tip) = node_with_tip(&lab).await;
    let missing = block_on(tip.header(), "never sent");
    let orphan = block_on(missing.header(), "orphan");
    let mut fields = fields_on(tip.header(), 1000, "early");
    fields.timestamp = now().plus_ms(lab.params.max_future_ms + 60_000);
    let early = seal(fields, "early");
    for (block, reason) in [(&orphan, missing.hash().to_string()), (&early, "15000 ms ahead".to_owned())] {
        let answer = node.post("/block", to_json(block)).await;
        assert_eq!(answer.status, 202);
        let answer = answer.ok();
        assert_eq!((&answer["status"], &answer["hash"]), (&json!("later"), &json!(block.hash())));
        assert!(answer["reason"].as_str().unwrap().contains(&reason), "{answer}");
        assert_eq!(node.get(&format!("/block/{}", block.hash())).await.status, 404, "it is not stored");
    }
    assert_eq!(node.tip().await, (2, tip.hash().to_string()));
    // Once its parent is stored, the orphan is stored too.
    assert_eq!(node.post("/block", to_json(&missing)).await.status, 201);
    assert_eq!(node.post("/block", to_json(&orphan)).await.status, 201);
    assert_eq!(node.tip().await, (4, orphan.hash().to_string()));
}

#[tokio::test]
async fn a_broken_rule_is_named() {
    let lab = Lab::new("broken-rule");
    let (node, tip) = node_with_tip(&lab).await;
    let good = fields_on(tip.header(), 1000, "x");
    let miss = (0..).map(|nonce| Block::new(good, Nonce(nonce), "x".to_owned()));
    let misses = miss.into_iter().find(|block| !good.difficulty.target().is_met_by(&block.hash())).unwrap();
    let long = "x".repeat(lab.params.max_data_bytes as usize + 1);
    let wrong_hash = to_json(&block_on(tip.header(), "x")).replace("\"data\":\"x\"", "\"data\":\"y\"");
    let index = |index| shared::block::HeaderFields { index: Height(index), ..good };
    let difficulty = |value| shared::block::HeaderFields { difficulty: Difficulty::new(value).unwrap(), ..good };
    let at = |timestamp| shared::block::HeaderFields { timestamp, ..good };
    let parents = node.block(1).await.header().timestamp;
    for (body, rule) in [
        (to_json(&seal(index(2), "x")), "index"),
        (to_json(&seal(index(4), "x")), "index"),
        (to_json(&seal(at(tip.header().timestamp), "x")), "timestamp"),
        (to_json(&seal(at(parents), "x")), "timestamp"),
        (to_json(&seal(difficulty(999), "x")), "difficulty"),
        (to_json(&seal(difficulty(1001), "x")), "difficulty"),
        (to_json(&seal(difficulty(1), "x")), "difficulty"),
        (to_json(&misses), "proof-of-work"),
        (to_json(&block_on(tip.header(), &long)), "max-data-bytes"),
        (wrong_hash, "hash"),
    ] {
        let problem = node.post("/block", &body).await.refused(422);
        assert_eq!(problem.rule.as_deref(), Some(rule), "{problem}");
    }
    assert_eq!(node.tip().await, (2, tip.hash().to_string()));
    // Data of exactly the allowed length is valid, even if each byte is escaped.
    let data = "\u{1}".repeat(lab.params.max_data_bytes as usize);
    assert_eq!(node.post("/block", to_json(&block_on(tip.header(), &data))).await.status, 201);
}

#[tokio::test]
async fn a_malformed_block_is_refused_before_the_chain_sees_it() {
    let lab = Lab::new("no-block");
    let (node, tip) = node_with_tip(&lab).await;
    let json = to_json(&block_on(tip.header(), "x"));
    let replaced = |from: &str, to: &str| {
        let changed = json.replace(from, to);
        assert_ne!(changed, json, "{from}");
        changed
    };
    for (body, reason) in [
        (String::new(), "EOF"),
        ("{}".to_owned(), "missing field"),
        ("[]".to_owned(), "sequence"),
        ("null".to_owned(), "null"),
        (format!("\u{feff}{json}"), "expected value"),
        (format!("{json}{json}"), "trailing"),
        (replaced("\"index\":3", "\"index\":3,\"index\":3"), "duplicate"),
        (replaced("\"index\":3", "\"index\":3,\"height\":3"), "unknown field `height`"),
        (replaced("\"index\":3,", ""), "missing field `index`"),
        (replaced("\"index\":3", "\"index\":null"), "null"),
        (replaced("\"index\":3", "\"index\":-0"), "floating point"),
        (replaced("\"index\":3", "\"index\":3.0"), "floating point"),
        (replaced("\"index\":3", "\"index\":3e0"), "floating point"),
        (replaced("\"index\":3", "\"index\":NaN"), "expected value"),
        (replaced("\"index\":3", "\"index\":\"3\""), "string"),
        (replaced("\"index\":3", "\"index\":9007199254740992"), "2^53"),
        (replaced("\"index\":3", "\"index\":99999999999999999999999999999999"), "invalid"),
        (replaced("\"data\":\"x\"", "\"data\":[\"x\"]"), "sequence"),
        (replaced("\"data\":\"x\"", "\"data\":\"\\ud800\""), "hex escape"),
        (replaced("\"difficulty\":1000", "\"difficulty\":0"), "difficulty"),
    ] {
        let problem = node.post("/block", &body).await.refused(400);
        assert!(problem.detail.contains(reason), "{body}: no {reason:?} in {:?}", problem.detail);
        assert_eq!(problem.rule, None);
    }
    let limit = lab.params.max_block_json();
    let problem = node.post("/block", " ".repeat(limit + 1)).await.refused(413);
    assert!(problem.detail.contains(&limit.to_string()), "{}", problem.detail);
    let plain = node.request(reqwest::Method::POST, "/block").header("content-type", "text/plain").body(json);
    // A separate request, since reqwest would append a second content type to that of the helper.
    drop(plain);
    let plain = crate::lab::http().post(node.url("/block")).header("content-type", "text/plain").body("{}");
    assert!(crate::lab::Answer::of(plain).await.refused(415).detail.contains("text/plain"));
}
