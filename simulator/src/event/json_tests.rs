//! The JSON of every event, line by line: programs read it, so a renamed type or field must not change it.

use super::{AttackStep, Income, NamedAddress, Partitioned, RunEvent, RunStatus, SpentCoins, Started, TimedEvent};
use crate::money_proof::{MoneyProof, PaymentCounts};
use crate::report::{BlocksFound, NodesOnBranch, RunReport};
use shared::block::{BlockHash, BlockId, Height};
use shared::ledger::{Amount, TransactionId};
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

fn branches() -> Vec<NodesOnBranch> {
    vec![NodesOnBranch { nodes: vec![text("A")], tip: block(2) }]
}

fn started(income: Income) -> Started {
    let contact = || NamedAddress { name: text("A"), address: text("127.0.0.1:8100") };
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

fn report(money: Option<MoneyProof>) -> RunEvent {
    RunEvent::Report(Box::new(RunReport {
        seconds: 1.5,
        blocks: 3,
        agreed: false,
        tip: Some(block(3)),
        branches: branches(),
        found: vec![BlocksFound { node: text("A"), blocks: 3 }],
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
        thefts: None,
        failed_services: 8,
        money,
    }))
}

fn money() -> MoneyProof {
    let given_up = BTreeMap::from([(text("expired"), 2)]);
    MoneyProof {
        proven: true,
        fault: Some(text("none")),
        block: Some(block(3)),
        addresses: 1,
        payments: 2,
        held: 3,
        created: 4,
        given: 5,
        coins: 0,
        programs: 0,
        slots: 0,
        members: PaymentCounts {
            accepted: 1,
            confirmed: 2,
            pending: 3,
            uncovered: BTreeMap::new(),
            lost_rewards: BTreeMap::new(),
            given_up,
            refused: 4,
            forgotten: 5,
        },
    }
}

fn blocks_and_nodes() -> Vec<RunEvent> {
    let nodes = || vec![text("B"), text("C")];
    vec![
        RunEvent::Mining { nodes: 4, within_ms: 20 },
        RunEvent::Found { node: text("A"), block: block(1), difficulty: 10, after_ms: Some(-5), best: true },
        RunEvent::Found { node: text("A"), block: block(1), difficulty: 10, after_ms: None, best: false },
        RunEvent::Received { nodes: nodes(), block: block(1), within_ms: Some(5), agreed: true },
        RunEvent::CaughtUp { node: text("A"), blocks: 2, tip: block(2) },
        RunEvent::Fork { branches: branches() },
        RunEvent::Reorganised { nodes: nodes(), undone: 1, applied: 2, fork: block(0), tip: block(2) },
        RunEvent::Agreed { nodes: 4, tip: block(2) },
        RunEvent::Partitioned(Partitioned { halves: halves(), for_ms: 8000, mempool: Some(1) }),
        RunEvent::Partitioned(Partitioned { halves: halves(), for_ms: 8000, mempool: None }),
        RunEvent::CutOff { nodes: vec![text("10.0.0.1:1")], from: vec![text("A")] },
        RunEvent::CutFromOutside { sides: halves() },
        RunEvent::OpenedFromOutside { sides: halves() },
        RunEvent::Healed { halves: halves(), found: [1, 2] },
        RunEvent::Dropped { node: text("A"), peer: text("10.0.0.1:1"), reason: text("r") },
        RunEvent::Silent { node: text("A"), reason: text("r") },
        RunEvent::Back { node: text("A") },
        RunEvent::Waiting { reason: text("r") },
        RunEvent::Joined { node: text("A"), address: text("10.0.0.1:1") },
        RunEvent::Left { node: text("A") },
        RunEvent::Tracker { reason: Some(text("r")) },
        RunEvent::Tracker { reason: None },
        RunEvent::Failed { service: text("tracker"), reason: text("r") },
        RunEvent::BadBlock { node: text("A"), block: block(1), reason: text("r") },
        RunEvent::Trouble { what: text("w"), reason: text("r") },
        RunEvent::Ending { reason: text("r") },
    ]
}

fn money_and_sums() -> Vec<RunEvent> {
    let (from, to) = (|| text("Ada"), || text("Ben"));
    let (id, msg) = (TransactionId::of("some payment"), text("for tea"));
    let status = RunStatus {
        height: 1,
        difficulty: 2,
        hashrate: 3,
        interval_ms: Some(4),
        tips: 5,
        checked: 6,
        pending: Some(7),
    };
    vec![
        RunEvent::Payment { id, from: from(), to: to(), amount: amount(5), fee: amount(1), msg, coins: None },
        RunEvent::Payment {
            id,
            from: from(),
            to: to(),
            amount: amount(5),
            fee: amount(1),
            msg: String::new(),
            coins: Some(SpentCoins { spent: 2, change: amount(3), replaces: true }),
        },
        RunEvent::Coins { id, from: from(), spent: 1, made: 8, amount: 9 },
        RunEvent::Call { id, from: from(), does: text("moves 5 tokens to Cleo with"), program: text("token") },
        RunEvent::Payments { count: 3, amount: 9, refused: 1 },
        RunEvent::Refused { from: from(), to: to(), amount: amount(5), reason: text("r") },
        RunEvent::GivenUp { count: 1, reason: text("expired") },
        RunEvent::Returned { count: 2 },
        RunEvent::Confirmed { block: block(1), payments: 2, amount: 9, miner: text("Ada"), earned: 50 },
        RunEvent::Status(RunStatus { pending: None, interval_ms: None, ..status.clone() }),
        RunEvent::Status(status),
        RunEvent::Started(started(Income::Given(5))),
        RunEvent::Started(started(Income::Mined(6))),
        RunEvent::Started(started(Income::None)),
        RunEvent::Started(bare_start()),
        report(Some(money())),
        report(None),
    ]
}

fn attack() -> Vec<RunEvent> {
    let (attacker, victim) = (|| text("Mallory"), || text("Ben"));
    let begins = |confirmations, chance| AttackStep::Begins {
        attacker: attacker(),
        strategy: text("selfish:0.35"),
        share: 0.35,
        hashrate: 7,
        confirmations,
        chance,
    };
    let steps = [
        begins(None, None),
        begins(Some(2), Some(0.5)),
        AttackStep::Paid {
            attacker: attacker(),
            victim: victim(),
            amount: amount(5),
            confirmations: 2,
            payment: Box::new(super::transaction("mallory", "ben", "5", "")),
        },
        AttackStep::Kept { attacker: attacker(), height: 4, secret: 1, public: 0 },
        AttackStep::HandedOver { victim: victim(), confirmations: 2 },
        AttackStep::Published { attacker: attacker(), blocks: 3 },
        AttackStep::Stole { attacker: attacker(), victim: victim(), amount: amount(5), enough: Some(9) },
        AttackStep::GaveUp { attacker: attacker(), secret: 1, public: 7 },
    ];
    steps.map(RunEvent::Attack).to_vec()
}

#[test]
fn programs_read_the_same_json_in_every_version() {
    let all = blocks_and_nodes().into_iter().chain(money_and_sums()).chain(attack());
    let lines: Vec<String> = all.map(|event| serde_json::to_string(&TimedEvent { at_ms: 5, event }).unwrap()).collect();
    assert_eq!(lines.join("\n"), LINES.trim_end());
}
