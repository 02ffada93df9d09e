//! What the first page shows, from pictures made by hand.

use super::*;
use crate::network::Seen;
use crate::view::snapshot;
use shared::block::{BlockId, Height, Timestamp};
use shared::wire::{Info, MiningInfo, PoolInfo};
use shared::work::Work;

const HOSTILE: &str = "<script>alert(1)</script>\"'\u{202e}";

fn hash(name: &str) -> BlockHash {
    BlockHash::of(name)
}

fn add(picture: &mut Picture, index: u64, name: &str, parent: &str, mined_by: Option<&str>) {
    let block = Seen {
        index: Height(index),
        hash: hash(name),
        prev_hash: hash(parent),
        timestamp: Timestamp::from_ms(index * 1000),
        difficulty: 5000,
        mined_by: mined_by.map(str::to_owned),
    };
    picture.blocks.insert(block.hash, block);
}

fn contact(index: u64, name: &str) -> Contact {
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
    Contact { info: Some(info), last_seen: Some(timestamp), error: None }
}

// 0 ─ 1 ─ 2 ─ 3    8100, 8101
//     └── 2'       8102; 8103 does not answer
fn forked() -> Picture {
    let mut picture = Picture { tracker: "127.0.0.1:8090".to_owned(), ..Picture::default() };
    let blocks = [(0, "0", ""), (1, "1", "0"), (2, "2", "1"), (3, "3", "2"), (2, "2'", "1")];
    for (index, name, parent) in blocks {
        add(&mut picture, index, name, parent, (name == "3").then_some("127.0.0.1:8101"));
    }
    for (port, index, name) in [(8100, 3, "3"), (8101, 3, "3"), (8102, 2, "2'"), (8103, 1, "1")] {
        picture.nodes.insert(format!("127.0.0.1:{port}"), contact(index, name));
    }
    picture.nodes.get_mut("127.0.0.1:8103").unwrap().error = Some("unreachable: refused".to_owned());
    let mut mempool = contact(3, "3");
    mempool.info.as_mut().unwrap().pool = Some(PoolInfo { count: 2, bytes: 700 });
    picture.mempools.insert("127.0.0.1:8091".to_owned(), mempool);
    picture.ticker.push_front(Fact {
        at: Timestamp::from_ms(3000),
        topic: Topic::Block,
        words: "127.0.0.1:8101 found block 3".to_owned(),
        block: Some(BlockId { index: Height(3), hash: hash("3") }),
        payment: None,
    });
    picture
}

fn shown(picture: &Picture) -> String {
    render(picture, "classroom", true, &Splitting::Possible).into_string()
}

fn sentence(tips: &[(u64, &str)]) -> String {
    let mut picture = forked();
    picture.nodes = tips
        .iter()
        .enumerate()
        .map(|(place, (index, name))| (format!("host:{}", 8100 + place), contact(*index, name)))
        .collect();
    let words = agreement_words(&Agreement::of(&picture), &picture).into_string();
    words
        .replace(&format!("title=\"{}\" ", hash("2'")), "")
        .replace("<strong class=\"good\">", "")
        .replace("</strong>", "")
}

#[test]
fn a_forked_network() {
    snapshot("network", &render(&forked(), "classroom", true, &Splitting::Possible));
}

#[test]
fn whether_the_nodes_agree_is_said_in_a_sentence() {
    for (tips, expected) in [
        (&[][..], "No node answers at the moment."),
        (&[(3, "3")], "The only node is at block 3."),
        (&[(3, "3"), (3, "3")], "Both nodes agree on block 3."),
        (&[(3, "3"), (3, "3"), (3, "3")], "All 3 nodes agree on block 3."),
        (&[(3, "3"), (1, "1")], "1 of 2 nodes is at block 3, the others are on their way there."),
        (&[(3, "3"), (3, "3"), (1, "1")], "2 of 3 nodes are at block 3, the others are on their way there."),
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
fn who_finds_nothing_is_told_what_to_start() {
    let nobody = Picture { tracker_error: Some("unreachable".to_owned()), ..Picture::default() };
    assert!(shown(&nobody).contains("target/release/tracker") && shown(&nobody).contains("unreachable"));
    let alone = Picture { tracker: "127.0.0.1:8090".to_owned(), ..Picture::default() };
    assert!(shown(&alone).contains("Nobody is here yet") && !shown(&alone).contains("The tracker does not answer"));
    assert!(!shown(&forked()).contains("class=\"card notice\""));
}

#[test]
fn without_money_there_are_no_mempools() {
    assert!(!render(&forked(), "classroom", false, &Splitting::Impossible).into_string().contains("Mempools"));
}

#[test]
fn what_strangers_say_stays_text() {
    let mut picture = forked();
    let (_, contact) = picture.nodes.pop_first().unwrap();
    picture.nodes.insert(HOSTILE.to_owned(), Contact { error: Some(HOSTILE.to_owned()), ..contact.clone() });
    picture.nodes.insert(format!("{HOSTILE}:1"), contact.clone());
    picture.mempools.insert(HOSTILE.to_owned(), contact);
    picture.tracker_error = Some(HOSTILE.to_owned());
    add(&mut picture, 3, "3", "2", Some(HOSTILE));
    picture.ticker[0].words = HOSTILE.to_owned();
    let shown = shown(&picture);
    assert!(!shown.contains("<script") && !shown.contains("\"'"), "{shown}");
}

#[test]
fn a_split_can_be_begun_and_ended_where_it_can() {
    let shown = |splitting| split(&splitting, &forked()).into_string();
    assert_eq!(shown(Splitting::Impossible), "");
    let possible = shown(Splitting::Possible);
    assert!(possible.contains("data-split=\"split\"") && !possible.contains("heal\""), "{possible}");
    let halves = [vec!["127.0.0.1:8100".to_owned()], vec!["127.0.0.1:8102".to_owned(), HOSTILE.to_owned()]];
    for (until, words) in [(Some(Timestamp::from_ms(20_000)), "<time"), (None, "once each half has found")] {
        let going_on = shown(Splitting::GoesOn(Split { halves: halves.clone(), until }));
        assert!(going_on.contains("data-split=\"heal\"") && going_on.contains(words), "{going_on}");
        assert!(going_on.contains(":8102, &lt;script&gt;") && !going_on.contains("<script"), "{going_on}");
    }
}
