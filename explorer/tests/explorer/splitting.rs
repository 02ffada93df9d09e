//! The button that splits the network: the halves are cut off, there is one split at a time, and it always heals.

use crate::lab::{Lab, TOKEN, client};
use crate::visitor::shows;
use serde_json::Value;
use shared::params::LayerName;
use testkit::{http, until};

async fn order(lab: &Lab, action: &str) -> (u16, String) {
    let url = format!("http://{}/api/{action}", lab.explorer);
    let answer = http().post(url).header("content-type", "application/json").body("{}").send().await.unwrap();
    let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
    assert!(!text.contains(TOKEN), "{text}");
    (status, text)
}

/// Whether each node has cut off exactly the nodes of the other half.
async fn is_split(lab: &Lab) -> bool {
    let mut nodes = lab.nodes.clone();
    nodes.sort_unstable();
    let mut cut = 0;
    for (place, node) in nodes.iter().enumerate() {
        let peers = client().node_peers(node).await.unwrap();
        for peer in peers.iter().filter(|peer| peer.error.as_deref() == Some("blocked")) {
            let other = nodes.iter().position(|node| *node == peer.address).unwrap();
            assert_ne!(place < 2, other < 2, "{node} has cut off {} of its own half", peer.address);
            cut += 1;
        }
    }
    assert!(cut == 0 || cut == 8, "{cut} of 8 ends of links are cut");
    cut == 8
}

async fn lab() -> Lab {
    let lab = Lab::quiet(LayerName::Data).await;
    shows(&lab.explorer, &["Nobody mines the first block yet."]).await;
    lab
}

#[tokio::test]
async fn halves_fork_and_heal_on_request() {
    let lab = lab().await;
    assert_eq!(order(&lab, "heal").await.0, 409);
    let (status, reply) = order(&lab, "split").await;
    assert_eq!(status, 200, "{reply}");
    assert!(is_split(&lab).await);
    let (status, reply) = order(&lab, "split").await;
    assert!(status == 409 && reply.contains("split already"), "{reply}");
    // The halves are the first two and the last two nodes in the order of their addresses.
    let mut order_of: Vec<usize> = (0..4).collect();
    order_of.sort_unstable_by_key(|node| &lab.nodes[*node]);
    lab.mine(order_of[0], 1).await;
    let best = lab.mine(order_of[3], 2).await.pop().unwrap();
    shows(&lab.explorer, &["Split in two: ", "data-split=\"heal\"", " s to go."]).await;
    let page = shows(&lab.explorer, &["can no longer talk to"]).await;
    assert_eq!(
        page.matches("can no longer talk to").count(),
        2,
        "a split is one item of news, in its text and its key: {page}"
    );
    assert_eq!(order(&lab, "heal").await.0, 200);
    assert!(!is_split(&lab).await);
    assert_eq!(lab.agree().await.hash.to_string(), best);
    shows(&lab.explorer, &["Healed: ", "data-split=\"split\"", "are reconnected to"]).await;
}

#[tokio::test]
async fn a_split_does_not_outlive_the_explorer() {
    let mut lab = lab().await;
    assert_eq!(order(&lab, "split").await.0, 200);
    assert!(is_split(&lab).await);
    lab.stop_explorer().await;
    assert!(!is_split(&lab).await);
}

#[tokio::test]
async fn a_refused_request_leaves_the_network_whole() {
    let lab = lab().await;
    let foreign = http().post(format!("http://{}/api/split", lab.explorer)).header("content-type", "application/json");
    let foreign = foreign.header("origin", "http://evil.example").body("{}").send().await.unwrap();
    assert_eq!(foreign.status(), 403);
    for (body, status) in [("{\"seconds\": 1000000}", 400), ("", 400), ("[]", 400)] {
        let url = format!("http://{}/api/split", lab.explorer);
        let answer = http().post(url).header("content-type", "application/json").body(body).send().await.unwrap();
        assert_eq!(answer.status(), status, "{body:?}");
    }
    assert!(!is_split(&lab).await);
    let described: Value =
        http().get(format!("http://{}/openapi.json", lab.explorer)).send().await.unwrap().json().await.unwrap();
    assert!(described["paths"]["/api/split"]["post"].is_object());
    until("nothing is cut", async || (!is_split(&lab).await).then_some(())).await;
}

#[tokio::test]
async fn nobody_steals_where_no_simulator_carries_it_out() {
    let lab = lab().await;
    let url = format!("http://{}/api/steal", lab.explorer);
    for (body, status) in [
        ("{\"percent\": 30, \"confirmations\": 2}", 403),
        ("{\"percent\": 99, \"confirmations\": 2}", 400),
        ("{\"percent\": 30, \"confirmations\": 0}", 400),
        ("{}", 400),
    ] {
        let answer = http().post(&url).header("content-type", "application/json").body(body).send().await.unwrap();
        assert_eq!(answer.status(), status, "{body:?}");
    }
    let page = shows(&lab.explorer, &["Split the network"]).await;
    assert!(!page.contains("data-steal"), "{page}");
}
