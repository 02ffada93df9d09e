//! Steering a node: mining on demand, syncing now, choosing peers, and subscribing to events.

use crate::lab::{Answer, Asked, Lab, agree, block_on, fields_on, http, mining, seal, text, to_json, until};
use futures_util::StreamExt;
use serde_json::json;
use shared::block::BlockHash;
use shared::wire::{BlockEvent, BlockSource, NodeEvent, PeerChange, PeerEvent};
use std::time::Duration;
use tokio::time::{sleep, timeout};

#[tokio::test]
async fn mining_on_demand_returns_the_requested_blocks() {
    let lab = Lab::new("mine");
    let node = lab.node(&[]).await;
    let hashes = node.mine(300).await;
    assert_eq!(hashes.len(), 300);
    assert_eq!(node.tip().await, (300, hashes[299].clone()), "the blocks are visible once their hashes are returned");
    for height in [1, 2, 150, 300] {
        assert_eq!(node.json(&format!("/block/{height}")).await["hash"], hashes[height - 1].as_str());
    }
    // A node alone never forks its own chain.
    assert_eq!(node.json("/tips").await.as_array().unwrap().len(), 1);
    let answer = node.steer("/mine", json!({"blocks": 2, "data": "for \"you\" ☃"})).await.ok();
    assert_eq!(answer["hashes"].as_array().unwrap().len(), 2);
    for height in [301, 302] {
        assert_eq!(node.json(&format!("/block/{height}")).await["data"], "for \"you\" ☃");
    }
}

#[tokio::test]
async fn mining_on_demand_has_bounds() {
    let lab = Lab::new("mine-bounds");
    let node = lab.node(&[]).await;
    for (body, reason) in [
        (json!({"blocks": 0}), "1 to 1000"),
        (json!({"blocks": 1001}), "1 to 1000"),
        (json!({"blocks": u64::MAX}), "2^53"),
        (json!({"blocks": -1}), "blocks"),
        (json!({"blocks": 1.5}), "blocks"),
        (json!({"blocks": "1"}), "blocks"),
        (json!({}), "blocks"),
        (json!({"block": 1}), "`block`"),
        (json!({"blocks": 1, "data": 5}), "data"),
        (json!({"blocks": 1, "data": null}), "data"),
        (json!([1]), "sequence"),
    ] {
        let detail = node.steer("/mine", &body).await.refused(400).detail;
        assert!(detail.contains(reason), "{body}: {detail}");
    }
    let long = "x".repeat(lab.params.max_data_bytes as usize + 1);
    let problem = node.steer("/mine", json!({"blocks": 1, "data": long})).await.refused(422);
    assert_eq!(problem.rule.as_deref(), Some("max-data-bytes"));
    assert_eq!(node.get("/chainlength").await.body, "1");
}

#[tokio::test]
async fn an_order_is_filled_only_with_blocks_of_its_own() {
    let lab = Lab::new("own-orders");
    let node = lab.node(&[]).await;
    for _ in 0..5 {
        // The first client disconnects while its blocks are searched, and the second waits behind it.
        let first = timeout(Duration::from_millis(60), node.steer("/mine", json!({"blocks": 1000, "data": "first"})));
        let second = async {
            sleep(Duration::from_millis(20)).await;
            node.steer("/mine", json!({"blocks": 2, "data": "second"})).await.ok()
        };
        let (_, answer) = tokio::join!(first, second);
        for hash in answer["hashes"].as_array().unwrap() {
            let block = node.json(&format!("/block/{}", hash.as_str().unwrap())).await;
            assert_eq!(block["data"], "second");
        }
    }
}

#[tokio::test]
async fn orders_of_blocks_wait_for_each_other() {
    let lab = Lab::new("orders");
    let node = lab.start(mining(&lab.params), &[], 0).await;
    let (a, b, c) = tokio::join!(node.mine(5), node.mine(3), node.mine(4));
    let mut all = [a, b, c].concat();
    for hash in &all {
        assert!(node.json(&format!("/block/{hash}")).await["index"].as_u64().is_some());
    }
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 12, "no block is given to two");
}

#[tokio::test]
async fn sync_reports_its_result() {
    let lab = Lab::new("sync");
    let (a, b) = (lab.node(&[]).await, lab.node(&[]).await);
    let genesis = json!({"index": 0, "hash": lab.id()});
    let sync = async || b.steer("/sync", "").await.ok();
    assert_eq!(sync().await, json!({"result": "authoritative", "from": genesis, "to": genesis}));

    // b asks a only on demand: a is blocked when b polls.
    let apart = json!({"block": [a.address]});
    let together = json!({"unblock": [a.address], "add": [a.address]});
    b.peers(apart.clone()).await;
    let first = a.mine(2).await;
    b.peers(together.clone()).await;
    let report = sync().await;
    let tip = json!({"index": 2, "hash": first[1]});
    // Adding a peer starts a sync at once, so the result may be there before the request.
    assert!(report["result"] == "updated" || report["from"] == tip, "{report}");
    assert_eq!(report["to"], tip);
    assert_eq!(sync().await, json!({"result": "authoritative", "from": tip, "to": tip}));

    b.peers(apart).await;
    let (ours, theirs) = (b.mine(1).await, a.mine(3).await);
    b.peers(together).await;
    let report = sync().await;
    let (ours, theirs) = (json!({"index": 3, "hash": ours[0]}), json!({"index": 5, "hash": theirs[2]}));
    assert!(report["result"] == "reorganised" && report["from"] == ours || report["from"] == theirs, "{report}");
    assert_eq!(report["to"], theirs);
    for body in ["[]", "{\"now\":true}", "x"] {
        b.steer("/sync", body).await.refused(400);
    }
}

#[tokio::test]
async fn each_result_of_a_sync_is_reported_if_polls_are_rare() {
    let lab = Lab::new("sync-results");
    let a = lab.node(&[]).await;
    let mut config = crate::lab::quiet(&lab.params);
    config.node.poll_ms = 3_600_000;
    let b = lab.start(config, &[&a.address], 0).await;
    until("b knows a", async || b.is_connected_to(&a.address).await).await;
    // a does not know b, so it pushes no block to b.
    a.peers(json!({"block": [b.address]})).await;
    a.mine(2).await;
    a.peers(json!({"unblock": [b.address], "remove": [b.address]})).await;
    let report = b.steer("/sync", "{}").await.ok();
    assert_eq!((&report["result"], &report["to"]["index"]), (&json!("updated"), &json!(2)), "{report}");

    // When both talk again, a's push may come before b's sync, which then has nothing to do. So it is tried again.
    let report = until("a sync of b reorganises", async || {
        b.peers(json!({"block": [a.address]})).await;
        a.peers(json!({"block": [b.address]})).await;
        b.mine(1).await;
        a.mine(2).await;
        b.peers(json!({"unblock": [a.address]})).await;
        a.peers(json!({"unblock": [b.address]})).await;
        let report = b.steer("/sync", "{}").await.ok();
        until("b follows a", async || {
            b.steer("/sync", "{}").await.ok();
            (b.tip().await == a.tip().await).then_some(())
        })
        .await;
        (report["result"] != "authoritative").then_some(report)
    })
    .await;
    let heights = ["from", "to"].map(|end| report[end]["index"].as_u64().unwrap());
    assert_eq!((&report["result"], heights[1] - heights[0]), (&json!("reorganised"), 1), "{report}");
}

#[tokio::test]
async fn peers_are_added_removed_and_blocked_by_hand() {
    let lab = Lab::new("peers");
    let (a, b) = (lab.node(&[]).await, lab.node(&[]).await);
    assert_eq!(a.json("/peers").await, json!([]));
    a.peers(json!({"add": [b.address]})).await;
    until("a knows b", async || a.is_connected_to(&b.address).await).await;
    b.mine(1).await;
    let tip = until("a hears of b's tip", async || {
        let listed = a.json("/peers").await[0].clone();
        (listed["tip"]["index"] == 1).then_some(listed)
    })
    .await;
    assert_eq!(text(&tip["last_seen"]).len(), 24);
    a.peers(json!({"block": [b.address]})).await;
    assert_eq!(a.error_of(&b.address).await.as_deref(), Some("blocked"));
    a.peers(json!({"unblock": [b.address]})).await;
    until("a knows b again", async || a.is_connected_to(&b.address).await).await;
    a.peers(json!({"remove": [b.address]})).await;
    assert_eq!(a.json("/peers").await, json!([]));
    for (body, reason) in [
        (json!({"add": ["here"]}), "\"here\" is not an address"),
        (json!({"add": [b.address], "block": ["http://a:80"]}), "http://a:80"),
        (json!({"add": b.address}), "add"),
        (json!({"ad": [b.address]}), "`ad`"),
        (json!({"add": (1..=1001).map(|n| format!("10.0.0.1:{n}")).collect::<Vec<_>>()}), "1000"),
    ] {
        let detail = a.steer("/peers", &body).await.refused(400).detail;
        assert!(detail.contains(reason), "{detail}");
    }
    assert_eq!(a.json("/peers").await, json!([]), "a refused update changes nothing");
}

#[tokio::test]
async fn events_are_sent_as_they_happen() {
    let lab = Lab::new("events");
    let (a, b) = (lab.node(&[]).await, lab.node(&[]).await);
    let mut events = a.events().await;
    let mut next = async |what: &str, wanted: &dyn Fn(&NodeEvent) -> bool| loop {
        let event = timeout(crate::lab::DEADLINE, events.next()).await.unwrap_or_else(|_| panic!("no event: {what}"));
        let event = event.unwrap_or_else(|| panic!("the events end before: {what}"));
        if wanted(&event) {
            return event;
        }
    };
    let mined = a.mine(1).await;
    let is_mined = |hash: BlockHash| hash.to_string() == mined[0];
    next(
        "a's own block",
        &|event| matches!(event, NodeEvent::Block(block) if is_mined(block.hash) && block.best && block.index.0 == 1),
    )
    .await;
    next("mining found it", &|event| matches!(event, NodeEvent::Mining(mining) if mining.found.is_some_and(is_mined)))
        .await;
    b.mine(3).await;
    let is_b = |peer: &PeerEvent, change| peer.address == b.address && peer.change == change;
    a.peers(json!({"add": [b.address]})).await;
    next("b is a peer", &|event| matches!(event, NodeEvent::Peer(peer) if is_b(peer, PeerChange::Connected))).await;
    let NodeEvent::Reorg(reorg) = next("b's chain is better", &|event| matches!(event, NodeEvent::Reorg(_))).await
    else {
        unreachable!()
    };
    // It adopts the other branch as soon as that has more work; the third block only extends it.
    assert_eq!((reorg.undone, reorg.applied, reorg.fork.hash), (1, 2, lab.id()));
    assert_eq!((reorg.from.hash.to_string(), reorg.to.index.0), (mined[0].clone(), 2));
    next("the third block follows", &|event| {
        let is_synced = |block: &BlockEvent| block.best && block.source == BlockSource::Synced;
        matches!(event, NodeEvent::Block(block) if block.index.0 == 3 && is_synced(block))
    })
    .await;
    a.peers(json!({"block": [b.address]})).await;
    next("b is blocked", &|event| matches!(event, NodeEvent::Peer(peer) if is_b(peer, PeerChange::Blocked))).await;
}

#[tokio::test]
async fn the_number_of_subscribers_is_bounded() {
    let lab = Lab::new("subscribers");
    let mut config = crate::lab::quiet(&lab.params);
    config.http.max_subscribers = 2;
    let node = lab.start(config, &[], 0).await;
    let held = (node.events().await, node.events().await);
    Answer::of(http().get(node.url("/events"))).await.refused(503);
    drop(held);
    until("there is room again", async || {
        let answer = http().get(node.url("/events")).send().await.unwrap();
        (answer.status() == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_block_pushed_to_one_node_reaches_all_and_an_invalid_one_none() {
    let lab = Lab::new("relay");
    let a = lab.node(&[]).await;
    let b = lab.node(&[&a]).await;
    let c = lab.node(&[&b]).await;
    until("all are connected", async || b.is_connected_to(&a.address).await.and(c.is_connected_to(&b.address).await))
        .await;
    let genesis = a.block(0).await;
    let bad = seal(fields_on(genesis.header(), 1, "bad"), "bad");
    a.post("/block", to_json(&bad)).await.refused(422);
    let good = block_on(genesis.header(), "good");
    assert_eq!(a.post("/block", to_json(&good)).await.status, 201);
    assert_eq!(agree(&[&a, &b, &c], 1).await, good.hash().to_string());
    assert_eq!(c.get(&format!("/block/{}", bad.hash())).await.status, 404);
}
