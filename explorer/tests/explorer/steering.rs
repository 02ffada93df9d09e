//! The orders of a node's page: what each does to a real network, who may give it, and that tokens stay secret.

use crate::lab::{Lab, TOKEN, client};
use crate::visitor::page;
use serde_json::{Value, json};
use shared::params::LayerName;
use testkit::{http, until};

/// Sends an order as the script of a page does; returns the status and the body.
async fn order(lab: &Lab, node: &str, action: &str, body: Value) -> (u16, Value) {
    let url = format!("http://{}/api/node/{node}/{action}", lab.explorer);
    let request = http().post(url).header("content-type", "application/json").body(body.to_string());
    let answer = request.send().await.unwrap();
    let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
    assert!(!text.contains(TOKEN), "{text}");
    (status, serde_json::from_str(&text).unwrap())
}

async fn error_of(node: &str, peer: &str) -> Option<String> {
    client().node_peers(node).await.unwrap().into_iter().find(|listed| listed.address == *peer)?.error
}

async fn lab() -> Lab {
    let lab = Lab::quiet(LayerName::Data).await;
    until("the explorer knows all nodes", async || {
        let page = page(&lab.explorer, "/").await?;
        lab.nodes.iter().all(|node| page.contains(&format!("href=\"/node/{node}\""))).then_some(())
    })
    .await;
    lab
}

#[tokio::test]
async fn a_node_mines_and_syncs_on_request() {
    let lab = lab().await;
    let node = &lab.nodes[0];
    let (status, reply) = order(&lab, node, "mine", json!({"blocks": 2})).await;
    assert_eq!((status, reply["blocks"].as_array().unwrap().len()), (200, 2), "{reply}");
    assert_eq!(reply["message"], format!("{node} mined 2 blocks."));
    assert_eq!(lab.tip(0).await.index.0, 2);
    lab.agree().await;
    let (status, reply) = order(&lab, node, "sync", json!({})).await;
    assert_eq!(status, 200, "{reply}");
    assert!(reply["message"].as_str().unwrap().contains("stays on block 2"), "{reply}");
}

#[tokio::test]
async fn cutting_and_allowing_work_on_both_sides() {
    let lab = lab().await;
    let (node, others) = (&lab.nodes[0], &lab.nodes[1..]);
    let (status, reply) = order(&lab, node, "cut", json!({"peers": others})).await;
    assert_eq!(status, 200, "{reply}");
    for other in others {
        assert_eq!(error_of(node, other).await.as_deref(), Some("blocked"));
        assert_eq!(error_of(other, node).await.as_deref(), Some("blocked"));
    }
    assert_eq!(order(&lab, &lab.nodes[1], "mine", json!({"blocks": 3})).await.0, 200);
    assert_eq!(lab.tip(0).await.index.0, 0, "it received blocks from nodes that it was cut off from");
    let (status, reply) = order(&lab, node, "allow", json!({"peers": others})).await;
    assert_eq!(status, 200, "{reply}");
    assert_eq!(lab.agree().await.index.0, 3);
    let connected = async || error_of(node, &others[0]).await.is_none().then_some(());
    until("they are connected again", connected).await;
}

#[tokio::test]
async fn orders_have_bounds() {
    let lab = lab().await;
    let node = &lab.nodes[0];
    for (who, action, body, status, reason) in [
        (&**node, "mine", json!({"blocks": 0}), 400, "1 to 20"),
        (node, "mine", json!({"blocks": 21}), 400, "1 to 20"),
        (node, "mine", json!({"blocks": 1, "data": "x"}), 400, "data"),
        (node, "sync", json!({"now": true}), 400, "now"),
        (node, "cut", json!({"peers": []}), 400, "1 to 100"),
        (node, "connect", json!({"peers": [node]}), 404, "no other node"),
        (node, "connect", json!({"peers": ["127.0.0.1:22"]}), 404, "127.0.0.1:22"),
        (node, "stop", json!({}), 404, "nothing at"),
        ("127.0.0.1:22", "mine", json!({"blocks": 1}), 404, "no node"),
        (&lab.explorer, "mine", json!({"blocks": 1}), 404, "no node"),
    ] {
        let (got, reply) = order(&lab, who, action, body.clone()).await;
        assert_eq!(got, status, "{action} {body}: {reply}");
        assert!(reply["detail"].as_str().unwrap().contains(reason), "{action} {body}: {reply}");
    }
    assert_eq!(lab.tip(0).await.index.0, 0);
}

#[tokio::test]
async fn foreign_pages_may_not_steer() {
    let lab = lab().await;
    let url = format!("http://{}/api/node/{}/mine", lab.explorer, lab.nodes[0]);
    let post = || http().post(&url).header("content-type", "application/json").body("{\"blocks\":1}");
    for foreign in [
        post().header("origin", "http://evil.example"),
        post().header("origin", "null"),
        post().header("sec-fetch-site", "cross-site"),
        post().header("sec-fetch-site", "same-site"),
    ] {
        assert_eq!(foreign.send().await.unwrap().status(), 403);
    }
    let form = http().post(&url).header("content-type", "text/plain").body("{\"blocks\":1}");
    assert_eq!(form.send().await.unwrap().status(), 415);
    assert_eq!(http().get(&url).send().await.unwrap().status(), 405);
    assert_eq!(lab.tip(0).await.index.0, 0);
}

#[tokio::test]
async fn no_page_contains_a_token() {
    let lab = lab().await;
    let node = format!("/node/{}", lab.nodes[0]);
    for path in ["/", &node, "/charts", "/charts/forks.csv", "/blocks", "/info", "/openapi.json"] {
        let shown = page(&lab.explorer, path).await.unwrap();
        assert!(!shown.is_empty() && !shown.contains(TOKEN), "{path}");
    }
    let shown = page(&lab.explorer, &node).await.unwrap();
    assert!(shown.contains("data-action=\"mine\""), "{shown}");
}
