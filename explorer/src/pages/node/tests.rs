//! The page of a node: with and without its token, without answers, and with hostile peers.

use super::details::others;
use super::*;
use crate::header_cache::tests::chain;
use crate::network::ServiceState;
use crate::stats::tests::state;
use crate::view::snapshot;
use serde_json::json;
use shared::block::{BlockId, Timestamp};
use shared::wire::{Health, PeerInfo};
use shared::work::Work;

const NODE: &str = "127.0.0.1:8100";

fn peer(address: &str, error: Option<&str>) -> PeerInfo {
    PeerInfo { address: address.to_owned(), tip: None, last_seen: None, error: error.map(str::to_owned) }
}

fn sample(peers: Vec<PeerInfo>) -> (NodeDetails, NetworkState) {
    let best = chain(None, &[1000, 2000, 3000]);
    let mut state = state(&best, &[]);
    for address in ["127.0.0.1:8101", "127.0.0.1:8102", "127.0.0.1:8103"] {
        state.nodes.insert(address.to_owned(), ServiceState::default());
    }
    let service = state.nodes.get_mut(NODE).unwrap();
    service.last_seen = Some(Timestamp::from_ms(4000));
    if let Some(info) = &mut service.info {
        info.mining = serde_json::from_value(json!({"enabled": true, "threads": 1, "hashrate": 50_000})).ok();
    }
    let tip = |index: usize, status| BranchTip {
        index: best[index].index,
        hash: best[index].hash(),
        work: Work(1000),
        fork: BlockId { index: best[0].index, hash: best[0].hash() },
        status,
    };
    let node = NodeDetails {
        address: NODE.to_owned(),
        service: service.clone(),
        tips: Ok(vec![tip(2, BranchStatus::Best), tip(1, BranchStatus::Side)]),
        others: others(&state, NODE, peers),
        balance: None,
        params: vec![("name".to_owned(), "lab".to_owned())],
        has_money: true,
        can_steer: true,
    };
    (node, state)
}

#[test]
fn a_node_that_can_be_steered() {
    let peers = vec![peer("127.0.0.1:8101", None), peer("127.0.0.1:8102", Some("blocked"))];
    let (node, state) = sample(peers);
    snapshot("node", &render(&node, &state));
    let page = render(&node, &state).into_string();
    for (action, peer) in [("cut", 8101), ("allow", 8102), ("connect", 8103)] {
        assert!(page.contains(&format!("data-action=\"{action}\" data-peer=\"127.0.0.1:{peer}\"")), "{page}");
    }
}

#[test]
fn without_a_token_the_page_says_how_to_get_buttons() {
    let (node, state) = sample(vec![peer("127.0.0.1:8101", None)]);
    let page = render(&NodeDetails { can_steer: false, ..node }, &state).into_string();
    assert!(!page.contains("data-action") && page.contains("CHAINLAB__EXPLORER__TOKENS"), "{page}");
}

#[test]
fn a_node_that_does_not_answer_has_a_page() {
    let (mut node, state) = sample(Vec::new());
    node.service = ServiceState { error: Some("unreachable: refused".to_owned()), ..ServiceState::default() };
    node.tips = Err("too slow".to_owned());
    let page = render(&node, &state).into_string();
    assert!(
        page.contains("unreachable: refused") && page.contains("The node did not say: <bdi class=\"said\">too slow"),
        "{page}"
    );
}

#[test]
fn what_keeps_a_node_from_its_work_is_said_in_a_sentence() {
    for (health, sentence) in [
        (Health::Alone, "No other node answers this node"),
        (Health::Behind, "a chain with more work"),
        (Health::CannotStore, "cannot write to its disk"),
        (Health::WaitsForClock, "ahead of this node's clock"),
    ] {
        let (mut node, state) = sample(Vec::new());
        node.service.info.as_mut().unwrap().health = Some(vec![health]);
        let page = render(&node, &state).into_string();
        let is_kept = matches!(health, Health::CannotStore | Health::WaitsForClock);
        assert_eq!((page.contains(", but not now"), page.contains("Hash rate")), (is_kept, !is_kept), "{page}");
        assert!(page.contains(sentence), "{page}");
        // What a node said before it stopped answering is old.
        node.service.error = Some("unreachable".to_owned());
        assert!(!render(&node, &state).into_string().contains(sentence));
    }
}

#[test]
fn hostile_answers_stay_text() {
    let evil = "<script>alert(1)</script>\"'\u{202e}";
    let (mut node, mut state) = sample(vec![peer(evil, Some(evil)), peer("127.0.0.1:8101", Some(evil))]);
    node.service.error = Some(evil.to_owned());
    if let Some(info) = &mut node.service.info {
        info.version = evil.to_owned();
    }
    state.blocks.values_mut().for_each(|block| block.mined_by = Some(evil.to_owned()));
    let page = render(&node, &state).into_string();
    assert!(!page.contains("<script>") && page.contains("<bdi class=\"said\">&lt;script&gt;"), "{page}");
    assert!(!page.contains("\"'"), "{page}");
    // No button connects a node to an address that the explorer does not know.
    assert!(!page.contains("data-peer=\"&lt;"), "{page}");
}
