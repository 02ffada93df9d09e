//! The exchange between nodes: `/sync/headers` and `/sync/blocks`.

use crate::lab::{Asked, Lab, block_on, to_json};
use reqwest::Method;
use serde_json::{Value, json};
use shared::block::{Block, BlockHash, COMPACT_TYPE, Header};

#[tokio::test]
async fn headers_follow_the_first_hash_that_is_on_the_best_chain() {
    let lab = Lab::new("sync-headers");
    let node = lab.node(&[]).await;
    let hashes = node.mine(10).await;
    let side = block_on(node.block(3).await.header(), "side");
    assert_eq!(node.post("/block", to_json(&side)).await.status, 201);
    let (genesis, unknown) = (lab.id().to_string(), BlockHash::of("unknown").to_string());
    let side = side.hash().to_string();
    for (locator, limit, expected) in [
        (json!([genesis]), 2000, &hashes[..]),
        (json!([hashes[9]]), 2000, &[]),
        (json!([hashes[4], genesis]), 2000, &hashes[5..]),
        (json!([hashes[4], genesis]), 2, &hashes[5..7]),
        (json!([genesis]), 9_007_199_254_740_991_u64, &hashes[..]),
        (json!([genesis]), 0, &[]),
        // A hash that is unknown, or on a side branch, is skipped.
        (json!([unknown, hashes[7], genesis]), 2000, &hashes[8..]),
        (json!([side, hashes[2], genesis]), 2000, &hashes[3..]),
    ] {
        let answer = node.post("/sync/headers", json!({"locator": locator, "limit": limit})).await.ok();
        let got: Vec<_> = answer.as_array().unwrap().iter().map(|header| header["hash"].as_str().unwrap()).collect();
        assert_eq!(got, expected, "{locator}");
    }
}

#[tokio::test]
async fn a_locator_without_a_known_hash_is_a_conflict_and_a_long_one_is_malformed() {
    let lab = Lab::new("locators");
    let node = lab.node(&[]).await;
    node.mine(1).await;
    let unknown: Vec<_> = (0..65).map(|n| BlockHash::of(format!("{n}"))).collect();
    let ask = |locator: &[BlockHash]| node.post("/sync/headers", json!({"locator": locator, "limit": 10}));
    ask(&unknown[..64]).await.refused(409);
    ask(&[]).await.refused(409);
    assert!(ask(&unknown).await.refused(400).detail.contains("64"));
    // The longest allowed locator is searched to its end.
    let mut longest = unknown[..63].to_vec();
    longest.push(lab.id());
    assert_eq!(ask(&longest).await.ok().as_array().unwrap().len(), 1);
    for (body, reason) in [
        (json!({"locator": [lab.id()]}), "limit"),
        (json!({"limit": 10}), "locator"),
        (json!({"locator": ["x"], "limit": 10}), "locator[0]"),
        (json!({"locator": [lab.id().to_string().to_uppercase()], "limit": 10}), "64 lower-case"),
        (json!({"locator": lab.id(), "limit": 10}), "locator"),
        (json!({"locator": [lab.id()], "limit": -1}), "limit"),
        (json!({"locator": [lab.id()], "limit": 10, "from": 1}), "`from`"),
    ] {
        let detail = node.post("/sync/headers", &body).await.refused(400).detail;
        assert!(detail.contains(reason), "{body}: {detail}");
    }
}

#[tokio::test]
async fn blocks_come_in_the_requested_order_until_one_is_unknown() {
    let lab = Lab::new("sync-blocks");
    let node = lab.node(&[]).await;
    let hashes = node.mine(10).await;
    let side = block_on(node.block(3).await.header(), "side");
    assert_eq!(node.post("/block", to_json(&side)).await.status, 201);
    let (side, unknown) = (side.hash().to_string(), BlockHash::of("unknown").to_string());
    let h = |n: usize| hashes[n].clone();
    for (asked, expected) in [
        (vec![h(0), h(1), h(2)], 3),
        (vec![h(9), h(0), h(5), h(4), h(6)], 5),
        (vec![side.clone(), h(8), side], 3),
        (vec![h(2), h(2), h(2)], 3),
        (vec![h(0), h(1), unknown.clone(), h(2)], 2),
        (vec![unknown], 0),
        (vec![], 0),
    ] {
        let answer = node.post("/sync/blocks", json!({ "hashes": asked })).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["content-type"], "application/x-ndjson");
        let got: Vec<Value> = answer.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(got.len(), expected, "{asked:?}");
        for (block, hash) in got.iter().zip(&asked) {
            assert_eq!(*block, node.json(&format!("/block/{hash}")).await);
        }
    }
    let many = vec![h(0); 501];
    assert!(node.post("/sync/blocks", json!({ "hashes": many })).await.refused(400).detail.contains("500"));
    assert_eq!(node.post("/sync/blocks", json!({ "hashes": many[..500] })).await.body.lines().count(), 500);
}

#[tokio::test]
async fn a_stranger_that_announces_a_block_and_does_not_send_it_keeps_nobody_from_sending_it() {
    let lab = Lab::new("announced");
    let node = lab.node(&[]).await;
    node.mine(1).await;
    let block = block_on(node.block(1).await.header(), &"x".repeat(5_000));
    let announce = async || node.post("/announce", json!({ "hash": block.hash() })).await.ok()["interest"].clone();
    for _ in 0..3 {
        assert_eq!(announce().await, "wanted", "nobody who has delivered a block has promised this one");
    }
    assert_eq!(node.post("/block", to_json(&block)).await.status, 201);
    assert_eq!(announce().await, "known");
    let next = block_on(block.header(), "next").hash();
    let ask = async || node.post("/announce", json!({ "hash": next })).await.ok()["interest"].clone();
    assert_eq!((ask().await, ask().await), (json!("wanted"), json!("coming")), "this machine has delivered a block");
}

#[tokio::test]
async fn both_forms_of_headers_and_blocks_say_the_same() {
    let lab = Lab::new("compact");
    let node = lab.node(&[]).await;
    let hashes = node.mine(5).await;
    let compact = async |path: &str, ask: &Value| {
        let request = node.request(Method::POST, path).header("content-type", "application/json");
        let answer = request.header("accept", COMPACT_TYPE).body(ask.to_string()).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], COMPACT_TYPE);
        answer.bytes().await.unwrap()
    };
    let ask = json!({"locator": [lab.id()], "limit": 4});
    let headers = Header::from_compact(&compact("/sync/headers", &ask).await).unwrap();
    assert_eq!(json!(headers), node.post("/sync/headers", &ask).await.ok());
    let ask = json!({ "hashes": [hashes[4], hashes[0], hashes[1]] });
    let blocks = Block::from_compact(&compact("/sync/blocks", &ask).await).unwrap();
    let lines = node.post("/sync/blocks", &ask).await.body;
    assert_eq!(blocks.iter().map(to_json).collect::<Vec<_>>(), lines.lines().collect::<Vec<_>>());
    assert_eq!(blocks.len(), 3);
}

#[tokio::test]
async fn an_answer_of_blocks_stays_below_8_mib_and_has_at_least_one() {
    let mut params = crate::lab::network("large-blocks");
    params.max_data_bytes = 3 << 20;
    let lab = Lab::of(params);
    let node = lab.node(&[]).await;
    // 3 MiB of data each; the first is 18 MiB as JSON.
    let mut tip = node.block(0).await;
    let mut hashes = Vec::new();
    for data in ["\u{1}", "x", "x", "x"] {
        tip = block_on(tip.header(), &data.repeat(3 << 20));
        assert_eq!(node.post("/block", to_json(&tip)).await.status, 201);
        hashes.push(tip.hash());
    }
    for (asked, expected) in [(&hashes[..], 1), (&hashes[1..], 2)] {
        let answer = node.post("/sync/blocks", json!({ "hashes": asked })).await;
        assert_eq!(answer.body.lines().count(), expected);
    }
}
