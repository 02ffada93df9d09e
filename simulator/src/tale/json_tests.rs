//! The JSON of every event, line by line: programs read it, so a renamed type or field must not change it.

use super::{Branch, Contact, Income, Started, Status, Tale, Told};
use crate::proof::{Money, Settled};
use crate::report::{Found, Report};
use shared::block::{BlockHash, Height};
use shared::ledger::{Amount, TransactionId};
use shared::wire::BlockId;
use std::collections::BTreeMap;

const LINES: &str = include_str!("events.jsonl");

fn block(index: u64) -> BlockId {
    BlockId { index: Height(index), hash: BlockHash::from_bytes([0x0a; 32]) }
}

fn text(text: &str) -> String {
    text.to_owned()
}

fn amount(grains: u64) -> Amount {
    Amount::new(grains).unwrap()
}

fn halves() -> [Vec<String>; 2] {
    [vec![text("A")], vec![text("B"), text("C")]]
}

fn branches() -> Vec<Branch> {
    vec![Branch { nodes: vec![text("A")], tip: block(2) }]
}

fn started(income: Income) -> Started {
    let contact = || Contact { name: text("A"), address: text("127.0.0.1:8100") };
    Started {
        network: text("sim"),
        network_id: text("0a0a"),
        layer: text("transaction"),
        block_interval_ms: 5000,
        hashrate: Some(text("50000")),
        seed: 7,
        tracker: text("127.0.0.1:8090"),
        explorer: Some(text("http://127.0.0.1:8080/")),
        mempool: Some(text("127.0.0.1:8091")),
        nodes: vec![contact()],
        members: vec![contact()],
        rate: 1,
        config: Some(text("network.toml")),
        income: Some(income),
        height: 3,
    }
}

fn bare_start() -> Started {
    Started {
        hashrate: None,
        explorer: None,
        mempool: None,
        members: Vec::new(),
        config: None,
        income: None,
        ..started(Income::None)
    }
}

fn report(money: Option<Money>) -> Tale {
    Tale::Report(Report {
        seconds: 1.5,
        blocks: 3,
        agreed: false,
        tip: Some(block(3)),
        branches: branches(),
        found: vec![Found { node: text("A"), blocks: 3 }],
        forks: 1,
        reorganisations: 2,
        deepest_reorganisation: 3,
        stale: 4,
        interval_ms: Some(1500),
        interval_aimed_at_ms: 1600,
        difficulty_first: Some(10),
        difficulty_last: None,
        checked: 5,
        bad: 6,
        unchecked: 7,
        failed_services: 8,
        money,
    })
}

fn money() -> Money {
    let given_up = BTreeMap::from([(text("expired"), 2)]);
    Money {
        proven: true,
        fault: Some(text("none")),
        block: Some(block(3)),
        addresses: 1,
        payments: 2,
        held: 3,
        created: 4,
        given: 5,
        members: Settled { accepted: 1, confirmed: 2, pending: 3, given_up, refused: 4, forgotten: 5 },
    }
}

fn blocks_and_nodes() -> Vec<Tale> {
    let nodes = || vec![text("B"), text("C")];
    vec![
        Tale::Mining { nodes: 4, within_ms: 20 },
        Tale::Found { node: text("A"), block: block(1), difficulty: 10, after_ms: Some(-5), best: true },
        Tale::Found { node: text("A"), block: block(1), difficulty: 10, after_ms: None, best: false },
        Tale::Received { nodes: nodes(), block: block(1), within_ms: Some(5), agreed: true },
        Tale::CaughtUp { node: text("A"), blocks: 2, tip: block(2) },
        Tale::Fork { branches: branches() },
        Tale::Reorganised { nodes: nodes(), undone: 1, applied: 2, fork: block(0), tip: block(2) },
        Tale::Agreed { nodes: 4, tip: block(2) },
        Tale::Partitioned { halves: halves(), for_ms: 8000, mempool: Some(1) },
        Tale::Partitioned { halves: halves(), for_ms: 8000, mempool: None },
        Tale::Healed { halves: halves(), found: [1, 2] },
        Tale::Dropped { node: text("A"), peer: text("10.0.0.1:1"), reason: text("r") },
        Tale::Silent { node: text("A"), reason: text("r") },
        Tale::Back { node: text("A") },
        Tale::Waiting { reason: text("r") },
        Tale::Joined { node: text("A"), address: text("10.0.0.1:1") },
        Tale::Left { node: text("A") },
        Tale::Tracker { reason: Some(text("r")) },
        Tale::Tracker { reason: None },
        Tale::Failed { service: text("tracker"), reason: text("r") },
        Tale::BadBlock { node: text("A"), block: block(1), reason: text("r") },
        Tale::Trouble { what: text("w"), reason: text("r") },
        Tale::Ending { reason: text("r") },
    ]
}

fn money_and_sums() -> Vec<Tale> {
    let (from, to) = (|| text("Ada"), || text("Ben"));
    let (id, msg) = (TransactionId::of("some payment"), text("for tea"));
    let status =
        Status { height: 1, difficulty: 2, hashrate: 3, interval_ms: Some(4), tips: 5, checked: 6, pending: Some(7) };
    vec![
        Tale::Payment { id, from: from(), to: to(), amount: amount(5), fee: amount(1), msg },
        Tale::Payments { count: 3, amount: 9, refused: 1 },
        Tale::Refused { from: from(), to: to(), amount: amount(5), reason: text("r") },
        Tale::GivenUp { count: 1, reason: text("expired") },
        Tale::Returned { count: 2 },
        Tale::Confirmed { block: block(1), payments: 2, amount: 9, miner: text("Ada"), earned: 50 },
        Tale::Status(Status { pending: None, interval_ms: None, ..status.clone() }),
        Tale::Status(status),
        Tale::Started(started(Income::Given(5))),
        Tale::Started(started(Income::Mined(6))),
        Tale::Started(started(Income::None)),
        Tale::Started(bare_start()),
        report(Some(money())),
        report(None),
    ]
}

#[test]
fn programs_read_the_same_json_in_every_version() {
    let all = blocks_and_nodes().into_iter().chain(money_and_sums());
    let lines: Vec<String> = all.map(|tale| serde_json::to_string(&Told { at_ms: 5, tale }).unwrap()).collect();
    assert_eq!(lines.join("\n"), LINES.trim_end());
}
