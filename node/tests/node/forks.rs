//! Networks that split and merge: partitions, late joiners, peers of peers, wrong clocks, no tracker.

use crate::lab::{Asked, Lab, Node, UNUSED_ADDRESS, agree, listed_nodes, mining, quiet, start_tracker, to_json, until};
use futures_util::StreamExt;
use serde_json::json;
use shared::wire::NodeEvent;
use shared::work::Difficulty;

/// Blocks or unblocks all nodes of one half on all nodes of the other.
async fn steer_apart(left: &[&Node], right: &[&Node], how: &str) {
    for (half, other) in [(left, right), (right, left)] {
        let addresses: Vec<_> = other.iter().map(|node| node.address.clone()).collect();
        for node in half {
            node.peers(json!({ how: addresses })).await;
        }
    }
}

#[tokio::test]
async fn two_halves_that_mined_apart_become_one_chain() {
    let lab = Lab::new("partition");
    let a = lab.node(&[]).await;
    let b = lab.node(&[&a]).await;
    let c = lab.node(&[&a, &b]).await;
    let d = lab.node(&[&a, &b, &c]).await;
    for node in [&a, &b, &c, &d] {
        until("everybody knows everybody", async || {
            let peers = node.json("/peers").await;
            let peers = peers.as_array().unwrap();
            (peers.len() == 3 && peers.iter().all(|peer| peer["error"].is_null())).then_some(())
        })
        .await;
    }
    a.mine(2).await;
    agree(&[&a, &b, &c, &d], 2).await;

    steer_apart(&[&a, &b], &[&c, &d], "block").await;
    let (left, right) = (a.mine(3).await, d.mine(6).await);
    assert_eq!(agree(&[&a, &b], 5).await, left[2]);
    assert_eq!(agree(&[&c, &d], 8).await, right[5]);
    assert_ne!(a.tip().await, c.tip().await, "the halves are apart");

    let mut events = a.events().await;
    steer_apart(&[&a, &b], &[&c, &d], "unblock").await;
    assert_eq!(agree(&[&a, &b, &c, &d], 8).await, right[5], "most work wins");
    loop {
        if let NodeEvent::Reorg(reorg) = events.next().await.unwrap() {
            assert_eq!((reorg.undone, reorg.fork.index.0), (3, 2));
            break;
        }
    }
    for hash in &left {
        assert_eq!(a.json(&format!("/block/{hash}")).await["hash"], hash.as_str(), "the lost branch is still known");
    }
    assert_eq!(a.json("/tips").await[1]["fork"]["index"], 2);
}

#[tokio::test]
async fn a_late_joiner_fetches_thousands_of_blocks() {
    let mut params = crate::lab::network("late-joiner");
    params.initial_difficulty = Difficulty::new(1).unwrap();
    let lab = Lab::of(params);
    let old = lab.node(&[]).await;
    for _ in 0..3 {
        old.mine(1000).await;
    }
    assert_eq!(old.json("/tips").await.as_array().unwrap().len(), 1, "a node that mines alone does not fork itself");
    // Before it knows the other node, so that no event is missed.
    let joiner = lab.node(&[]).await;
    let mut events = joiner.events().await;
    joiner.peers(json!({"add": [old.address]})).await;
    agree(&[&old, &joiner], 3000).await;
    assert_eq!(joiner.json("/blockchain").await, old.json("/blockchain").await);
    let source = loop {
        if let NodeEvent::Block(block) = events.next().await.unwrap() {
            break block.source;
        }
    };
    assert_eq!(source, shared::wire::BlockSource::Synced, "the blocks were fetched, not pushed");
}

#[tokio::test]
async fn a_node_finds_the_peers_of_its_peers() {
    let lab = Lab::new("peers-of-peers");
    let a = lab.node(&[]).await;
    let b = lab.node(&[&a]).await;
    until("b knows a", async || b.is_connected_to(&a.address).await).await;
    let c = lab.node(&[&b]).await;
    until("c knows a", async || c.is_connected_to(&a.address).await).await;
}

#[tokio::test]
async fn a_node_alone_mines() {
    let lab = Lab::new("alone");
    let node = lab.start(mining(&lab.params), &[], 0).await;
    until("it has mined", async || (node.tip().await.0 >= 5).then_some(())).await;
    assert_eq!(node.json("/info").await["mining"]["enabled"], true);
    let peers = node.json("/peers").await;
    assert_eq!(peers, json!([]));
}

#[tokio::test]
async fn racing_miners_agree_on_one_chain() {
    let lab = Lab::new("race");
    let a = lab.start(mining(&lab.params), &[], 0).await;
    let b = lab.start(mining(&lab.params), &[&a.address], 0).await;
    let c = lab.start(mining(&lab.params), &[&a.address, &b.address], 0).await;
    let nodes = [&a, &b, &c];
    until("all have grown", async || {
        for node in nodes {
            if node.tip().await.0 < 30 {
                return None;
            }
        }
        Some(())
    })
    .await;
    until("20 blocks deep all have the same", async || {
        let mut hashes = Vec::new();
        for node in nodes {
            hashes.push(node.json("/block/20").await["hash"].clone());
        }
        (hashes[0] == hashes[1] && hashes[1] == hashes[2]).then_some(())
    })
    .await;
}

#[tokio::test]
async fn blocks_from_a_clock_that_is_ahead_are_refused_and_the_others_mine_on() {
    let lab = Lab::new("fast-clock");
    let (a, b) = (lab.node(&[]).await, lab.node(&[]).await);
    let fast = lab.start(quiet(&lab.params), &[&a.address, &b.address], 600_000).await;
    a.peers(json!({"add": [b.address]})).await;
    until("all are connected", async || {
        a.is_connected_to(&fast.address)
            .await
            .and(a.is_connected_to(&b.address).await)
            .and(fast.is_connected_to(&b.address).await)
    })
    .await;
    let early = fast.mine(3).await;
    let answer = a.post("/block", to_json(&fast.block(1).await)).await;
    assert_eq!(answer.status, 202);
    assert!(answer.body.contains("ahead"), "{}", answer.body);
    let report = a.steer("/sync", "").await.ok();
    assert_eq!(report["result"], "authoritative", "{report}");
    let ours = a.mine(2).await;
    assert_eq!(agree(&[&a, &b], 2).await, ours[1]);
    assert_eq!(a.get(&format!("/block/{}", early[0])).await.status, 404);
    a.is_connected_to(&fast.address).await.expect("a wrong clock is no offence");
    // As soon as the others have more work, the fast node adopts their chain.
    let ours = a.mine(2).await;
    assert_eq!(agree(&[&a, &b, &fast], 4).await, ours[1]);
}

#[tokio::test]
async fn nodes_find_each_other_through_a_tracker_that_may_go_and_come_back() {
    let lab = Lab::new("tracker");
    let tracker = start_tracker("127.0.0.1:0").await;
    let mut config = quiet(&lab.params);
    config.node.tracker.clone_from(&tracker.address);
    let a = lab.start(config.clone(), &[], 0).await;
    let b = lab.start(config.clone(), &[], 0).await;
    until("they know each other", async || {
        a.is_connected_to(&b.address).await.and(b.is_connected_to(&a.address).await)
    })
    .await;
    let mut expected = vec![a.address.clone(), b.address.clone()];
    expected.sort();
    assert_eq!(listed_nodes(&tracker).await, expected);

    let at = tracker.address.clone();
    tracker.stop().await;
    let mined = a.mine(3).await;
    assert_eq!(agree(&[&a, &b], 3).await, mined[2], "without a tracker they go on");
    let c = lab.start(config, &[], 0).await;
    assert_eq!(c.mine(1).await.len(), 1, "one that starts without a tracker works alone");

    let tracker = start_tracker(&at).await;
    expected.push(c.address.clone());
    expected.sort();
    until("all are listed again", async || (listed_nodes(&tracker).await == expected).then_some(())).await;
    agree(&[&a, &b, &c], 3).await;
    let keeps = async || (listed_nodes(&tracker).await == expected).then_some(());
    keeps().await.expect("leases are renewed");
}

#[tokio::test]
async fn an_unreachable_peer_is_listed_with_the_reason_and_does_no_harm() {
    let lab = Lab::new("not-there");
    let friend = lab.node(&[]).await;
    let node = lab.start(quiet(&lab.params), &[UNUSED_ADDRESS, &friend.address], 0).await;
    let error = until("the absence is noticed", async || {
        node.error_of(UNUSED_ADDRESS).await.filter(|error| error.contains("unreachable"))
    })
    .await;
    assert!(error.to_lowercase().contains("refused"), "{error}");
    let mined = friend.mine(1).await;
    assert_eq!(agree(&[&node, &friend], 1).await, mined[0]);
}
