//! Which requests are allowed: tokens, origins, hosts, networks, blocked peers.

use crate::lab::{Answer, Asked, Lab, Node, agree, block_on, fields_on, http, network, seal, to_json, until};
use reqwest::Method;
use serde_json::json;
use shared::wire::{NETWORK_HEADER, NODE_HEADER};

#[tokio::test]
async fn only_requests_with_the_token_steer() {
    let lab = Lab::new("token");
    let node = lab.node(&[]).await;
    for path in ["/mine", "/peers", "/sync"] {
        let body = if path == "/mine" { "{\"blocks\":1}" } else { "{}" };
        let ask = || node.request(Method::POST, path).body(body);
        for (request, reason) in [
            (ask(), "Bearer"),
            // Without a media type: the missing token is named first.
            (http().post(node.url(path)), "Bearer"),
            (ask().bearer_auth("guess"), "not the token"),
            (ask().bearer_auth(""), "token"),
            (ask().bearer_auth(format!("{}x", node.token())), "not the token"),
            (ask().basic_auth("user", Some(node.token())), "Bearer"),
            (ask().header("authorization", node.token()), ""),
        ] {
            let answer = Answer::of(request).await;
            assert!(answer.refused(401).detail.contains(reason), "{path}: {}", answer.body);
            assert!(answer.headers.contains_key("www-authenticate"));
        }
        assert_eq!(node.steer(path, body).await.status, 200, "{path}");
    }
    assert_eq!(node.get("/chainlength").await.body, "2", "only the one with the token mined");
}

#[tokio::test]
async fn a_token_is_made_at_first_start_and_only_its_owner_may_read_it() {
    let lab = Lab::new("token-file");
    let mut config = crate::lab::quiet(&lab.params);
    config.node.token = None;
    let node = lab.start(config, &[], 0).await;
    let port = node.address.rsplit_once(':').unwrap().1;
    let file = lab.folder(port).join("token");
    let token = std::fs::read_to_string(&file).unwrap();
    assert_eq!(token.trim_end().len(), 64);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    node.steer("/mine", json!({"blocks": 1})).await.refused(401);
    let with_file = node.request(Method::POST, "/mine").bearer_auth(token.trim_end()).body("{\"blocks\":1}");
    assert_eq!(Answer::of(with_file).await.status, 200);
}

#[tokio::test]
async fn a_page_of_another_origin_can_neither_write_nor_use_a_foreign_host_name() {
    let lab = Lab::new("foreign-page");
    let node = lab.node(&[]).await;
    let block = to_json(&block_on(node.block(0).await.header(), "x"));
    let post = || node.request(Method::POST, "/block").body(block.clone());
    for (request, reason) in [
        (post().header("origin", "http://evil.example"), "evil.example"),
        (post().header("origin", "null"), "null"),
        (post().header("sec-fetch-site", "cross-site"), "cross-site"),
        (post().header("host", "evil.example"), "evil.example"),
        (http().get(node.url("/block/0")).header("host", "evil.example:80"), "evil.example"),
        (http().get(node.url("/info")).header("host", "127.0.0.1.evil.example"), "evil.example"),
    ] {
        let detail = Answer::of(request).await.refused(403).detail;
        assert!(detail.contains(reason), "{detail}");
    }
    assert_eq!(node.tip().await.0, 0);
    assert_eq!(Answer::of(post().header("origin", node.url(""))).await.status, 201, "its own page may");
}

#[tokio::test]
async fn a_request_for_another_network_is_refused_with_both_ids() {
    let lab = Lab::new("network-header");
    let node = lab.node(&[]).await;
    let other = network("another").network_id();
    for path in ["/block/0", "/chainlength", "/peers"] {
        let answer = Answer::of(http().get(node.url(path)).header(NETWORK_HEADER, other.to_string())).await;
        let detail = answer.refused(409).detail;
        assert!(detail.contains(&other.to_string()) && detail.contains(&lab.id().to_string()), "{detail}");
    }
    for (id, status) in [(lab.id().to_string(), 200), (lab.id().to_string().to_uppercase(), 400), ("x".to_owned(), 400)]
    {
        assert_eq!(Answer::of(http().get(node.url("/tips")).header(NETWORK_HEADER, &id)).await.status, status, "{id}");
    }
    let info = http().get(node.url("/info")).header(NETWORK_HEADER, other.to_string());
    assert_eq!(Answer::of(info).await.status, 200, "one must be able to see what differs");
}

#[tokio::test]
async fn a_node_of_another_network_is_not_a_peer_and_peers_names_the_difference() {
    let (ours, mut params) = (Lab::new("ours"), network("ours"));
    params.block_interval_ms = 301;
    params.reward = 1;
    let theirs = Lab::of(params);
    let stranger = theirs.node(&[]).await;
    stranger.mine(3).await;
    let node = ours.node(&[&stranger]).await;
    let error = until("the stranger is judged", async || {
        node.error_of(&stranger.address).await.filter(|error| error.contains("another network"))
    })
    .await;
    for part in [ours.id().to_string(), theirs.id().to_string(), "block_interval_ms is 300 here and 301 there".into()] {
        assert!(error.contains(&part), "no {part} in {error}");
    }
    let (friend, mined) = (ours.node(&[&node]).await, node.mine(2).await);
    assert_eq!(agree(&[&node, &friend], 2).await, mined[1]);
    until("only the friend counts", async || (node.json("/info").await["peers"] == 1).then_some(())).await;
    assert_eq!(stranger.tip().await.0, 3);
}

async fn push_as(node: &Node, sender: &str, block: &shared::block::Block) -> Answer {
    Answer::of(node.request(Method::POST, "/block").header(NODE_HEADER, sender).body(to_json(block))).await
}

#[tokio::test]
async fn a_blocked_peer_is_refused_until_it_is_unblocked() {
    let lab = Lab::new("blocked");
    let node = lab.node(&[]).await;
    let block = block_on(node.block(0).await.header(), "x");
    node.peers(json!({"block": ["127.0.0.1:7777"]})).await;
    let problem = push_as(&node, "127.0.0.1:7777", &block).await.refused(403);
    assert!(problem.detail.contains("127.0.0.1:7777"), "{}", problem.detail);
    let read = http().get(node.url("/block/0")).header(NODE_HEADER, "127.0.0.1:7777");
    Answer::of(read).await.refused(403);
    assert_eq!(push_as(&node, "127.0.0.1:7778", &block).await.status, 201, "somebody else may");
    node.peers(json!({"unblock": ["127.0.0.1:7777"]})).await;
    assert_eq!(push_as(&node, "127.0.0.1:7777", &block).await.status, 200);
}

#[tokio::test]
async fn a_request_that_claims_another_sender_does_not_harm_that_node() {
    let lab = Lab::new("slander");
    let victim = lab.node(&[]).await;
    let node = lab.node(&[&victim]).await;
    until("the victim is a peer", async || node.is_connected_to(&victim.address).await).await;
    let genesis = node.block(0).await;
    let bad = seal(fields_on(genesis.header(), 1, "bad"), "bad");
    // No machine has 192.0.2.1 (RFC 5737), so the request cannot come from there.
    for liar in ["192.0.2.1:8100", "no such host:1", "nowhere.invalid:8100", "", "127.0.0.1", "[::1]:99999", "\u{7f}"] {
        let Ok(liar) = reqwest::header::HeaderValue::from_bytes(liar.as_bytes()) else { continue };
        let request = node.request(Method::POST, "/block").header(NODE_HEADER, liar).body(to_json(&bad));
        Answer::of(request).await.refused(422);
    }
    let listed = node.json("/peers").await;
    assert_eq!(listed.as_array().unwrap().len(), 1, "nobody was put on the list in another's name: {listed}");
    node.is_connected_to(&victim.address).await.expect("the victim is as good a peer as before");
}
