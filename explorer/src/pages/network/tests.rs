//! What the first page shows of some networks.

use super::*;
use crate::network::BlockSummary;
use crate::view::snapshot;
use shared::block::{BlockId, Height, Timestamp};
use shared::wire::{Health, Info, MiningInfo, PoolInfo};
use shared::work::Work;

const HOSTILE: &str = "<script>alert(1)</script>\"'\u{202e}";

fn hash(name: &str) -> BlockHash {
    BlockHash::of(name)
}

fn add(state: &mut NetworkState, index: u64, name: &str, parent: &str, mined_by: Option<&str>) {
    let block = BlockSummary {
        index: Height(index),
        hash: hash(name),
        prev_hash: hash(parent),
        timestamp: Timestamp::from_ms(index * 1000),
        difficulty: 5000,
        mined_by: mined_by.map(str::to_owned),
    };
    state.blocks.insert(block.hash, block);
}

fn service(index: u64, name: &str) -> ServiceState {
    let timestamp = Timestamp::from_ms(index * 1000);
    let info = Info {
        service: "node".to_owned(),
        version: "1".to_owned(),
        network_id: hash("network"),
        network: serde_json::Value::Null,
        address: "a:1".to_owned(),
        started: timestamp,
        tip: Some(Tip { index: Height(index), hash: hash(name), timestamp, work: Work(index.into()) }),
        peers: Some(3),
        mining: Some(MiningInfo { enabled: true, address: None, threads: 1, hashrate: 12_345 }),
        pool: None,
        members: None,
        health: None,
    };
    ServiceState { info: Some(info), last_seen: Some(timestamp), error: None }
}

// 0 ─ 1 ─ 2 ─ 3    8100, 8101
//     └── 2'       8102; 8103 does not answer
fn forked() -> NetworkState {
    let mut state = NetworkState { tracker: "127.0.0.1:8090".to_owned(), ..NetworkState::default() };
    let blocks = [(0, "0", ""), (1, "1", "0"), (2, "2", "1"), (3, "3", "2"), (2, "2'", "1")];
    for (index, name, parent) in blocks {
        add(&mut state, index, name, parent, (name == "3").then_some("127.0.0.1:8101"));
    }
    for (port, index, name) in [(8100, 3, "3"), (8101, 3, "3"), (8102, 2, "2'"), (8103, 1, "1")] {
        state.nodes.insert(format!("127.0.0.1:{port}"), service(index, name));
    }
    state.nodes.get_mut("127.0.0.1:8103").unwrap().error = Some("unreachable: refused".to_owned());
    let mut mempool = service(3, "3");
    mempool.info.as_mut().unwrap().pool = Some(PoolInfo { count: 2, bytes: 700 });
    state.mempools.insert("127.0.0.1:8091".to_owned(), mempool);
    state.news.push_front(NewsItem {
        at: Timestamp::from_ms(3000),
        topic: Topic::Block,
        text: "127.0.0.1:8101 found block 3".to_owned(),
        block: Some(BlockId { index: Height(3), hash: hash("3") }),
        payment: None,
    });
    state
}

fn shown(state: &NetworkState) -> String {
    render(state, "classroom", true, &Splitting::Possible).into_string()
}

fn sentence(tips: &[(u64, &str)]) -> String {
    let mut state = forked();
    state.nodes = tips
        .iter()
        .enumerate()
        .map(|(place, (index, name))| (format!("host:{}", 8100 + place), service(*index, name)))
        .collect();
    let text = agreement_words(&Agreement::of(&state), &state).into_string();
    text.replace(&format!("title=\"{}\" ", hash("2'")), "")
        .replace("<strong class=\"good\">", "")
        .replace("</strong>", "")
}

#[test]
fn a_forked_network() {
    snapshot("network", &render(&forked(), "classroom", true, &Splitting::Possible));
}

#[test]
fn a_sentence_says_whether_the_nodes_agree() {
    for (tips, expected) in [
        (&[][..], "No node answers at the moment."),
        (&[(3, "3")], "The only node is at block 3."),
        (&[(3, "3"), (3, "3")], "Both nodes agree on block 3."),
        (&[(3, "3"), (3, "3"), (3, "3")], "All 3 nodes agree on block 3."),
        (&[(3, "3"), (1, "1")], "1 of 2 nodes is at block 3, the others are catching up."),
        (&[(3, "3"), (3, "3"), (1, "1")], "2 of 3 nodes are at block 3, the others are catching up."),
    ] {
        assert_eq!(sentence(tips), expected);
    }
    let forked = sentence(&[(3, "3"), (2, "2'"), (3, "3")]);
    assert!(forked.contains("2 branches since block 1:"), "{forked}");
    assert!(
        forked.contains(":8100, :8102 are on the branch of block 3")
            && forked.contains(":8101 is on the branch of block 2"),
        "{forked}"
    );
}

#[test]
fn without_services_the_page_says_what_to_start() {
    let nobody = NetworkState { tracker_error: Some("unreachable".to_owned()), ..NetworkState::default() };
    assert!(shown(&nobody).contains("target/release/tracker") && shown(&nobody).contains("unreachable"));
    let alone = NetworkState { tracker: "127.0.0.1:8090".to_owned(), ..NetworkState::default() };
    assert!(shown(&alone).contains("No node is here yet") && !shown(&alone).contains("The tracker does not answer"));
    assert!(!shown(&forked()).contains("class=\"card notice\""));
}

#[test]
fn a_node_that_is_kept_from_mining_is_not_said_to_mine() {
    let card = |health: &[Health]| {
        let mut service = service(3, "3");
        service.info.as_mut().unwrap().health = Some(health.to_vec());
        node("a:1", &service).into_string()
    };
    assert!(card(&[]).contains(">mining<") && card(&[]).contains("H/s"));
    for (health, words) in [(Health::WaitsForClock, "waits for its clock"), (Health::CannotStore, "cannot store")] {
        let shown = card(&[health]);
        assert!(shown.contains(">not mining<") && shown.contains(words) && !shown.contains("H/s"), "{shown}");
    }
    let shown = card(&[Health::Alone, Health::Behind]);
    assert!(shown.contains(">mining<") && shown.contains(">alone<") && shown.contains(">behind<"), "{shown}");
}

#[test]
fn without_money_there_are_no_mempools() {
    assert!(!render(&forked(), "classroom", false, &Splitting::Impossible).into_string().contains("Mempools"));
}

#[test]
fn hostile_names_and_errors_stay_text() {
    let mut state = forked();
    let (_, service) = state.nodes.pop_first().unwrap();
    state.nodes.insert(HOSTILE.to_owned(), ServiceState { error: Some(HOSTILE.to_owned()), ..service.clone() });
    state.nodes.insert(format!("{HOSTILE}:1"), service.clone());
    state.mempools.insert(HOSTILE.to_owned(), service);
    state.tracker_error = Some(HOSTILE.to_owned());
    add(&mut state, 3, "3", "2", Some(HOSTILE));
    state.news[0].text = HOSTILE.to_owned();
    let shown = shown(&state);
    assert!(!shown.contains("<script") && !shown.contains("\"'"), "{shown}");
}

#[test]
fn the_button_splits_or_heals_the_network() {
    let shown = |splitting| split(&splitting, &forked()).into_string();
    assert_eq!(shown(Splitting::Impossible), "");
    let possible = shown(Splitting::Possible);
    assert!(possible.contains("data-split=\"split\"") && !possible.contains("heal\""), "{possible}");
    let halves = [vec!["127.0.0.1:8100".to_owned()], vec!["127.0.0.1:8102".to_owned(), HOSTILE.to_owned()]];
    for (until, text) in [(Some(Timestamp::from_ms(20_000)), "<time"), (None, "once each half has found")] {
        let going_on = shown(Splitting::InProgress(Split { halves: halves.clone(), until }));
        assert!(going_on.contains("data-split=\"heal\"") && going_on.contains(text), "{going_on}");
        assert!(going_on.contains(":8102, &lt;script&gt;") && !going_on.contains("<script"), "{going_on}");
    }
}
