//! Reading the chain: blocks by height and hash, the whole chain, headers page by page, tips, the common endpoints.

use crate::lab::{Asked, Lab, block_on, text, to_json};
use serde_json::Value;

#[tokio::test]
async fn a_block_is_found_by_height_by_hash_in_any_case_and_by_query() {
    let lab = Lab::new("by-height");
    let node = lab.node(&[]).await;
    let hashes = node.mine(2).await;
    let first = node.json("/block/1").await;
    assert_eq!(first["hash"], hashes[0].as_str());
    for path in
        [format!("/block/{}", hashes[0]), format!("/block/{}", hashes[0].to_uppercase()), "/block?index=1".to_owned()]
    {
        assert_eq!(node.json(&path).await, first, "{path}");
    }
    let genesis = node.json("/block/0").await;
    assert_eq!(genesis["hash"], lab.id().to_string());
    assert_eq!(genesis["data"], lab.params.canonical_json());
    assert_eq!(genesis["prev_hash"], "0".repeat(64));
}

#[tokio::test]
async fn an_unknown_block_is_404_and_a_malformed_name_400() {
    let lab = Lab::new("not-there");
    let node = lab.node(&[]).await;
    node.mine(1).await;
    let unknown = "0".repeat(64);
    for (path, status, reason) in [
        ("/block/2", 404, "no block 2 yet, the last one is 1"),
        ("/block/9007199254740991", 404, "no block"),
        ("/block/18446744073709551615", 400, "expected a height"),
        (&format!("/block/{unknown}"), 404, &*unknown),
        ("/block/18446744073709551616", 400, "expected a height"),
        ("/block/-1", 400, "expected a height"),
        ("/block/+1", 400, "expected a height"),
        ("/block/1.0", 400, "expected a height"),
        ("/block/one", 400, "expected a height"),
        (&format!("/block/{}", "g".repeat(64)), 400, "64"),
        ("/block", 400, "index"),
        ("/block?index=", 400, "expected a height"),
        ("/block?index=1&index=1", 400, "index"),
        ("/block?height=1", 400, "height"),
        ("/headers?from=x", 400, "from"),
        ("/headers?from=-1", 400, "from"),
        ("/headers?limit=1e2", 400, "limit"),
        ("/headers?limit=%2B5", 400, "limit"),
        ("/headers?limit=9007199254740992", 400, "at most 9007199254740991"),
        ("/headers?form=1", 400, "form"),
        ("/blockchain?limit=ten", 400, "limit"),
        ("/blockchain?from=18446744073709551615", 400, "from"),
        ("/blockchain?until=1", 400, "until"),
        ("/nothing", 404, "/docs"),
    ] {
        let problem = node.get(path).await.refused(status);
        assert!(problem.detail.contains(reason), "{path}: no {reason:?} in {:?}", problem.detail);
    }
}

#[tokio::test]
async fn the_whole_chain_has_the_same_blocks_as_single_requests() {
    let lab = Lab::new("whole-chain");
    let node = lab.node(&[]).await;
    // More than the 500 blocks of one page.
    node.mine(700).await;
    assert_eq!(node.get("/chainlength").await.body, "701");
    let whole = node.json("/blockchain").await;
    let whole = whole.as_array().unwrap();
    assert_eq!(whole.len(), 701);
    for height in [0, 1, 250, 499, 500, 501, 700] {
        assert_eq!(whole[height], node.json(&format!("/block/{height}")).await, "block {height}");
    }
    for (query, range) in [
        ("from=0&limit=3", 0..3),
        ("from=499&limit=3", 499..502),
        ("from=699", 699..701),
        ("from=700&limit=5", 700..701),
        ("from=701", 0..0),
        ("limit=0", 0..0),
        ("limit=500", 0..500),
        ("from=9007199254740991&limit=9007199254740991", 0..0),
    ] {
        let part = node.json(&format!("/blockchain?{query}")).await;
        assert_eq!(part.as_array().unwrap(), &whole[range], "{query}");
    }
}

#[tokio::test]
async fn headers_continue_through_links_to_the_tip() {
    let lab = Lab::new("headers");
    let node = lab.node(&[]).await;
    // The last page has one header, which an off-by-one error would lose.
    node.mine(20).await;
    let mut path = "/headers?limit=10".to_owned();
    let mut all: Vec<Value> = Vec::new();
    loop {
        let answer = node.get(&path).await;
        all.extend(answer.ok().as_array().unwrap().iter().cloned());
        let Some(link) = answer.headers.get("link") else { break };
        let link = link.to_str().unwrap();
        path = link.strip_prefix('<').unwrap().split_once(">; rel=\"next\"").unwrap().0.to_owned();
    }
    assert_eq!(all.len(), 21);
    for (height, header) in all.iter().enumerate() {
        let mut block = node.json(&format!("/block/{height}")).await;
        assert_eq!(header["hash"], block["hash"]);
        assert_eq!(header["index"], height);
        assert!(block.as_object_mut().unwrap().remove("data").is_some());
        assert_eq!(text(&header["data_hash"]).len(), 64);
        assert!(header.get("data").is_none());
    }
    assert_eq!(node.json("/headers?from=21").await, serde_json::json!([]));
    assert!(node.get("/headers").await.headers.get("link").is_none(), "21 fit into the default of 100");
}

#[tokio::test]
async fn a_side_branch_is_listed_and_served_by_hash_alone() {
    let lab = Lab::new("side-branch");
    let node = lab.node(&[]).await;
    let best = node.mine(3).await;
    let genesis = node.block(0).await;
    let side = block_on(genesis.header(), "another first block");
    assert_eq!(node.post("/block", to_json(&side)).await.status, 201);
    assert_eq!(node.block(side.hash()).await, side);
    assert_eq!(node.json("/block/1").await["hash"], best[0].as_str());
    let tips = node.json("/tips").await;
    let expected = serde_json::json!([
        {"index": 3, "hash": best[2], "work": "3001", "fork": {"index": 3, "hash": best[2]}, "status": "best"},
        {"index": 1, "hash": side.hash(), "work": "1001", "fork": {"index": 0, "hash": lab.id()}, "status": "side"},
    ]);
    assert_eq!(tips, expected);
}

#[tokio::test]
async fn every_endpoint_is_described_and_docs_is_served() {
    let lab = Lab::new("described");
    let node = lab.node(&[]).await;
    let api = node.json("/openapi.json").await;
    assert!(text(&api["openapi"]).starts_with("3.1"), "{}", api["openapi"]);
    for (path, methods) in [
        ("/running", &["get"][..]),
        ("/info", &["get"]),
        ("/metrics", &["get"]),
        ("/openapi.json", &["get"]),
        ("/docs", &["get"]),
        ("/block", &["get", "post"]),
        ("/block/{id}", &["get"]),
        ("/blockchain", &["get"]),
        ("/chainlength", &["get"]),
        ("/headers", &["get"]),
        ("/tips", &["get"]),
        ("/peers", &["get", "post"]),
        ("/sync", &["post"]),
        ("/events", &["get"]),
        ("/sync/headers", &["post"]),
        ("/sync/blocks", &["post"]),
        ("/mine", &["post"]),
        ("/work", &["get", "post"]),
    ] {
        for method in methods {
            assert!(api["paths"][path][method].is_object(), "{method} {path} is not described");
        }
    }
    assert_eq!(node.get("/docs").await.status, 200);
    assert_eq!(node.get("/running").await.body, "running");
    for (method, path) in [("DELETE", "/block/0"), ("PUT", "/peers"), ("POST", "/chainlength"), ("PATCH", "/mine")] {
        let method = method.parse().unwrap();
        let answer = crate::lab::Answer::of(node.request(method, path).body("{}")).await;
        answer.refused(405);
        assert!(answer.headers.contains_key("allow"), "{path}");
    }
}

#[tokio::test]
async fn info_describes_the_node_and_metrics_its_state() {
    let lab = Lab::new("info");
    let node = lab.node(&[]).await;
    let hashes = node.mine(4).await;
    let info = node.json("/info").await;
    assert_eq!(info["service"], "node");
    assert_eq!(info["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(info["network_id"], lab.id().to_string());
    assert_eq!(info["network"], serde_json::to_value(&lab.params).unwrap());
    assert_eq!(info["address"], node.address.as_str());
    assert_eq!(info["peers"], 0);
    assert_eq!((&info["tip"]["index"], &info["tip"]["work"]), (&4.into(), &"4001".into()));
    assert_eq!(info["tip"]["hash"], hashes[3].as_str());
    assert_eq!((&info["mining"]["enabled"], &info["mining"]["threads"]), (&false.into(), &1.into()));
    assert!(info["mining"]["hashrate"].is_u64());
    assert_eq!(text(&info["started"]).len(), 24);
    // All nodes in this process share its metrics, so a test can only check that they exist.
    let metrics = node.get("/metrics").await.body;
    for name in [
        "chainlab_height ",
        "chainlab_difficulty ",
        "chainlab_peers ",
        "chainlab_blocks_total{source=\"mined\"} ",
        "chainlab_http_requests_total{service=\"node\",route=\"mine\"",
        "chainlab_http_request_seconds_bucket{",
    ] {
        assert!(metrics.contains(name), "no {name} in\n{metrics}");
    }
}
