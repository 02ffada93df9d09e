//! Claims of strangers that are not proven: they stop no mining, and cost no other node its peers.

use crate::hostile_peers::{Liar, Lie};
use crate::lab::{Answer, Asked, Lab, agree, block_on, fields_on, mining, quiet, seal, to_json, until};
use reqwest::Method;
use serde_json::json;
use shared::block::Header;

/// Headers of a valid branch on `parent`, with more work than a test mines.
fn heavy(parent: &Header, count: usize, name: &str) -> Vec<Header> {
    let mut headers: Vec<Header> = Vec::new();
    while headers.len() < count {
        let block = block_on(headers.last().unwrap_or(parent), name);
        headers.push(block.header().clone());
    }
    headers
}

#[tokio::test]
async fn headers_whose_bodies_never_come_stop_no_mining() {
    let lab = Lab::new("withheld");
    let genesis = lab.params.genesis();
    let mut liars = Vec::new();
    for name in ["one", "two", "three"] {
        let headers = heavy(genesis.header(), 300, name);
        liars.push(Liar::start(&lab, Lie::Withholds(headers)).await);
    }
    let at: Vec<_> = liars.iter().map(|liar| liar.address.as_str()).collect();
    let node = lab.start(mining(&lab.params), &at, 0).await;
    until("the node has mined", async || (node.tip().await.0 >= 10).then_some(())).await;
    for liar in &at {
        let error =
            until("a liar is dropped", async || node.error_of(liar).await.filter(|error| error.contains("left alone")))
                .await;
        assert!(error.contains("does not deliver"), "{error}");
    }
}

#[tokio::test]
async fn a_follower_is_not_held_up_by_relays_that_deliver_no_bodies() {
    let lab = Lab::new("relays");
    let honest = lab.node(&[]).await;
    honest.mine(200).await;
    let genesis = lab.params.genesis();
    let mut liars = Vec::new();
    for number in 0..12 {
        let headers = heavy(genesis.header(), 20, &format!("relay {number}"));
        liars.push(Liar::start(&lab, Lie::Withholds(headers)).await);
    }
    let mut peers: Vec<_> = liars.iter().map(|liar| liar.address.as_str()).collect();
    peers.push(&honest.address);
    let node = lab.start(quiet(&lab.params), &peers, 0).await;
    agree(&[&node, &honest], 200).await;
    let mined = honest.mine(3).await;
    assert_eq!(agree(&[&node, &honest], 203).await, mined[2]);
}

#[tokio::test]
async fn no_node_is_dropped_for_blocks_that_others_push_in_its_name() {
    let lab = Lab::new("framed");
    let honest = lab.node(&[]).await;
    let node = lab.node(&[&honest]).await;
    until("they are connected", async || node.is_connected_to(&honest.address).await).await;
    let genesis = lab.params.genesis();
    for number in 0..18 {
        let data = format!("framed {number}");
        let easy = seal(fields_on(genesis.header(), 1, &data), &data);
        let push = node.request(Method::POST, "/block").header("Chainlab-Node", &honest.address).body(to_json(&easy));
        let answer = Answer::of(push).await;
        assert_eq!(answer.status, 422, "{}", answer.body);
    }
    assert_eq!(node.error_of(&honest.address).await, None, "the honest node is blamed for what it did not push");
    let mined = honest.mine(2).await;
    assert_eq!(agree(&[&node, &honest], 2).await, mined[1]);
}

#[tokio::test]
async fn a_node_that_nobody_can_call_back_shares_the_blocks_that_it_mined_alone() {
    let lab = Lab::new("uncallable");
    let mut config = quiet(&lab.params);
    // Nobody listens there.
    config.node.advertise = Some("127.0.0.1:9".to_owned());
    let hidden = lab.start(config, &[], 0).await;
    let alone = hidden.mine(3).await;
    let node = lab.node(&[]).await;
    hidden.peers(json!({"add": [node.address]})).await;
    until("it has found the node", async || hidden.is_connected_to(&node.address).await).await;
    let answer = node.post("/block", to_json(&hidden.block(3).await)).await;
    assert_eq!((answer.status, answer.ok()["missing"].as_str()), (202, Some(alone[1].as_str())));
    let mined = hidden.mine(1).await;
    assert_eq!(agree(&[&node, &hidden], 4).await, mined[0]);
}

/// Pushes a block from a source address of this machine, without a name.
#[cfg(target_os = "linux")]
async fn push_from(ip: &str, node: &impl Asked, block: &shared::block::Block) -> Answer {
    let client = reqwest::Client::builder().no_proxy().local_address(Some(ip.parse().unwrap())).build().unwrap();
    let push = client.post(node.url("/block")).header("Content-Type", "application/json").body(to_json(block));
    Answer::of(push).await
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_blocked_peer_does_not_evade_the_block_by_not_naming_itself() {
    let lab = Lab::new("blocked-ip");
    let node = lab.node(&[]).await;
    node.peers(json!({"block": ["127.0.0.2:8100"]})).await;
    let block = block_on(lab.params.genesis().header(), "not wanted");
    assert_eq!(push_from("127.0.0.2", &node, &block).await.status, 403);
    assert_eq!(push_from("127.0.0.3", &node, &block).await.status, 201, "other machines are not blocked");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn invalid_blocks_count_against_the_machine_that_they_come_from() {
    let lab = Lab::new("invalid-pushes");
    let node = lab.node(&[]).await;
    let easy = seal(fields_on(lab.params.genesis().header(), 1, "easy"), "easy");
    let mut refused = 0;
    while push_from("127.0.0.2", &node, &easy).await.status == 422 {
        refused += 1;
        assert!(refused <= 100, "invalid blocks are read without end");
    }
    assert_eq!(push_from("127.0.0.2", &node, &easy).await.status, 429);
    assert_eq!(push_from("127.0.0.3", &node, &easy).await.status, 422, "others may go on");
}
