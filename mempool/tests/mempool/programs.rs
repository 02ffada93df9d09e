//! Programs over HTTP: deployed, called, read and traced, on a node and a mempool that run the layer.

use crate::lab::{Asked, LAB, Lab, address, genesis, key, network, push_block};
use engine::RevmEngine;
use reqwest::Method;
use serde_json::{Value, json};
use shared::block::{Block, DataHash, HeaderFields, Nonce};
use shared::chain::{Chain, Origin, Rules, SideLimits};
use shared::keys::PlainVerifier;
use shared::layer::TemplateRequest;
use shared::layer::program::new_program;
use shared::ledger::{Address, Amount, Transaction, Unsigned, Uuid};
use shared::params::Params;
use shared::program::{Call, CallKind, Word};
use shared::store::MemoryStore;
use shared::work::search;
use std::sync::Arc;
use testkit::{Answer, Running, http};

/// Adds 1 to its slot 0, logs the sum with the topic 7, and returns it.
#[rustfmt::skip]
pub(crate) const COUNTER: [u8; 23] = [
    0x5f, 0x54, 0x60, 1, 0x01, 0x80, 0x5f, 0x55, 0x5f, 0x52, 0x60, 7, 0x60, 32, 0x5f, 0xa1, 0x60, 32, 0x5f, 0xf3,
    0, 0, 0,
];
/// The instructions that it runs.
pub(crate) const STEPS: u64 = 16;

pub(crate) fn programs(name: &str) -> Params {
    let Params { initial_difficulty, retarget, reward, .. } = network(name);
    Params { name: name.to_owned(), initial_difficulty, retarget, reward, ..Params::of_programs() }
}

/// Makes the blocks, on a chain of its own.
pub(crate) struct Maker {
    chain: Chain,
    signed: u128,
}

impl Maker {
    pub(crate) fn new(params: Params) -> Self {
        let rules = Rules::with_engine(params, Arc::new(PlainVerifier), Arc::new(RevmEngine::default()));
        let store = Arc::new(MemoryStore::default());
        Self { chain: Chain::open(Arc::new(rules), store, SideLimits::default()).unwrap(), signed: 0 }
    }

    pub(crate) fn sign(&mut self, to: Address, amount: u64, msg: String) -> Transaction {
        self.signed += 1;
        let [amount, fee] = [amount, 1000].map(|grains| Amount::new(grains).unwrap());
        let unsigned = Unsigned { uuid: Uuid(self.signed.to_be_bytes()), from: address("alice"), to, amount, fee, msg };
        key("alice").sign_transaction(unsigned, self.chain.rules().params().network_id())
    }

    pub(crate) fn deploy(&mut self, code: &[u8]) -> Transaction {
        let init = [&[0x60, u8::try_from(code.len()).unwrap(), 0x80, 0x60, 9, 0x5f, 0x39, 0x5f, 0xf3], code].concat();
        self.sign(Address::nobody(), 0, Call { gas: 200_000, input: init }.to_msg(CallKind::Deploy))
    }

    pub(crate) fn call(&mut self, program: Address, gas: u64, amount: u64) -> Transaction {
        self.sign(program, amount, Call { gas, input: Vec::new() }.to_msg(CallKind::Call))
    }

    /// A block with these transactions, which a node accepts and a mempool follows.
    pub(crate) async fn mine(&mut self, node: &Running, mempool: &Running, transactions: &[&Transaction]) {
        let candidates: Vec<_> = transactions.iter().map(|one| Arc::new((*one).clone())).collect();
        let wanted = TemplateRequest { message: "", miner: Some(address("alice")), candidates: &candidates };
        let data = self.chain.template(&wanted).unwrap();
        let parent = self.chain.tip().header.clone();
        let fields = HeaderFields {
            index: parent.index.next(),
            prev_hash: parent.hash(),
            timestamp: parent.timestamp.plus_ms(1000),
            difficulty: self.chain.next_difficulty(),
            data_hash: DataHash::of(&data),
        };
        let nonce = search(&fields.seal(), &fields.difficulty.target(), Nonce(0), u64::MAX).unwrap();
        let block = Block::new(fields, nonce, data);
        self.chain.accept(block.clone(), block.header().timestamp, Origin::Single).unwrap();
        push_block(node, &block).await;
        mempool.stands_on(&block).await;
    }
}

pub(crate) async fn post(mempool: &Running, path: &str, body: Value) -> Answer {
    Answer::of(mempool.request(Method::POST, path).body(body.to_string())).await
}

#[tokio::test]
async fn a_program_is_deployed_called_read_and_traced() {
    let lab = Lab::of(programs("programs"));
    let node = lab.node().await;
    let mempool = lab.mempool(&[&node]).await;
    let mut maker = Maker::new(lab.params.clone());
    maker.mine(&node, &mempool, &[]).await;
    let deployment = maker.deploy(&COUNTER);
    let program = Address::of_program(new_program(&deployment.id()));
    mempool.accept(&deployment).await;
    maker.mine(&node, &mempool, &[&deployment]).await;

    // Read without a transaction.
    let read = post(&mempool, "/call", json!({"to": program})).await.ok();
    assert_eq!((&read["status"], &read["output"]), (&json!("succeeded"), &json!(Word::from(1))));
    assert_eq!(read["logs"][0]["topics"], json!([Word::from(7)]));
    let estimate = post(&mempool, "/estimate", json!({"from": address("alice"), "to": program})).await.ok();
    let gas = estimate["gas"].as_u64().unwrap();
    let used = read["gas_used"].as_u64().unwrap();
    assert!((used..used + used / 60 + 10).contains(&gas), "{gas} for a call that uses {used}");

    // Called by a transaction, with just the gas that was estimated, and with too little.
    let call = maker.call(program, gas, 5);
    let poor = maker.call(program, 25_000, 5);
    mempool.accept(&call).await;
    mempool.accept(&poor).await;
    assert_eq!(mempool.get(&format!("/receipt/{}", call.id())).await.status, 404, "not in the chain yet");
    let mut events = http().get(format!("http://{}/events", mempool.address)).send().await.unwrap();
    maker.mine(&node, &mempool, &[&call, &poor]).await;
    let receipt = mempool.json(&format!("/receipt/{}", call.id())).await;
    assert_eq!((&receipt["status"], &receipt["output"]), (&json!("succeeded"), &json!(Word::from(1))), "{receipt}");
    assert_eq!((&receipt["block"]["index"], &receipt["confirmations"]), (&json!(3), &json!(1)));
    assert_eq!(receipt["moved"].as_array().unwrap().len(), 2, "from alice to the program");
    let mut seen = String::new();
    // The receipt of the call that failed is the last event of the block.
    while !seen.contains("out-of-gas") {
        seen += std::str::from_utf8(&events.chunk().await.unwrap().unwrap()).unwrap();
    }
    let named = |name: &str| seen.lines().filter(|line| *line == format!("event: {name}")).count();
    assert_eq!((named("confirmed"), named("receipt"), named("log")), (2, 2, 1), "{seen}");
    let failed = mempool.json(&format!("/receipt/{}", poor.id())).await;
    assert_eq!((&failed["status"], &failed["gas_used"]), (&json!("out-of-gas"), &json!(25_000)));
    let balance = mempool.json(&format!("/balance/{program}")).await;
    assert_eq!(balance, json!(5), "what failed gave nothing");

    // What is there.
    let info = mempool.json(&format!("/program/{program}")).await;
    assert_eq!((&info["maker"], &info["balance"]), (&json!(address("alice")), &json!(5)));
    assert_eq!(mempool.json("/programs").await, json!([info]));
    assert_eq!(info["code_bytes"], json!(23));
    let by_account = mempool.json(&format!("/program/{}", info["account"].as_str().unwrap())).await;
    assert_eq!(by_account, info);
    let code = mempool.json(&format!("/code/{program}")).await;
    assert!(code.as_str().unwrap().starts_with("0x5f5460010180"), "{code}");
    let storage = mempool.json(&format!("/storage/{program}")).await;
    assert_eq!(storage, json!([{"slot": Word::ZERO, "value": Word::from(1)}]));
    let logs = mempool.json(&format!("/logs?address={program}&topic0={}", Word::from(7))).await;
    assert_eq!((&logs[0]["data"], &logs[0]["transaction"]), (&json!(Word::from(1)), &json!(call.id())));
    assert_eq!(mempool.json(&format!("/logs?address={program}&topic0={}", Word::from(8))).await, json!([]));

    // The calls in short, of the block and of the program.
    let block = receipt["block"]["hash"].as_str().unwrap();
    let in_block = mempool.json(&format!("/receipts/{block}")).await;
    let statuses = [&in_block[0]["status"], &in_block[1]["status"]];
    assert_eq!(statuses, ["succeeded", "out-of-gas"], "{in_block}");
    assert_eq!((&in_block[0]["from"], &in_block[0]["amount"]), (&json!(address("alice")), &json!(5)));
    assert_eq!((&in_block[0]["logs"], &in_block[0]["index"]), (&json!(1), &json!(3)));
    let newest = mempool.json(&format!("/calls/{program}?limit=2")).await;
    assert_eq!(newest, json!([in_block[1], in_block[0]]), "newest first");
    let oldest = mempool.json(&format!("/calls/{program}?before=3.0.0")).await;
    assert_eq!((&oldest[0]["id"], &oldest[0]["is_deployment"]), (&json!(deployment.id()), &json!(true)));
    assert_eq!(mempool.json(&format!("/receipts/{}", genesis(&node).await.hash())).await, json!([]));
    assert_eq!(mempool.get(&format!("/receipts/{}", "0".repeat(64))).await.status, 404);

    // Each step.
    let trace = mempool.json(&format!("/trace/{}?limit=3", call.id())).await;
    assert_eq!((&trace["steps_in_all"], &trace["result"]["status"]), (&json!(STEPS), &json!("succeeded")), "{trace}");
    assert_eq!(trace["steps"].as_array().unwrap().len(), 3);
    assert_eq!(trace["steps"][2]["stack"], json!([Word::ZERO]), "what SLOAD read: the block before, not now");
    assert_eq!((&trace["steps"][0]["cost"], &trace["steps"][2]["cost"]), (&json!(2), &json!(3)), "{trace}");
    let read = json!({"slot": Word::ZERO, "value": Word::ZERO});
    assert_eq!(trace["steps"][1]["slot"], read, "what SLOAD read");
    let touched =
        json!([{"account": program.account(), "slot": Word::ZERO, "read": Word::ZERO, "written": Word::from(1)}]);
    assert_eq!(trace["storage"], touched);
    let only = &trace["calls"][0];
    assert_eq!((&only["kind"], &only["depth"], &only["end_step"]), (&json!("CALL"), &json!(0), &json!(STEPS)));
    assert_eq!((&only["to"], &only["value"]), (&json!(program.account()), &json!(Word::from(5))));
    let last = mempool.json(&format!("/trace/{}?from={}", call.id(), STEPS - 1)).await;
    assert_eq!(last["steps"][0]["opcode"], json!(0xf3));
    // What a call would have returned a block ago, and before the program was there.
    for (confirmations, output) in [(1, json!(Word::from(2))), (2, json!(Word::from(1))), (3, json!("0x"))] {
        let past = post(&mempool, "/call", json!({"to": program, "confirmations": confirmations})).await.ok();
        assert_eq!(past["output"], output, "with {confirmations} confirmations");
    }
    let run = post(&mempool, "/run", json!({"code": "0x60016002015f5260205ff3"})).await.ok();
    assert_eq!(run["result"]["output"], json!(Word::from(3)));
}

#[tokio::test]
async fn bad_questions_about_programs_are_refused_in_words() {
    let lab = Lab::of(programs("refusals"));
    let node = lab.node().await;
    let mempool = lab.mempool(&[&node]).await;
    let mut maker = Maker::new(lab.params.clone());
    maker.mine(&node, &mempool, &[]).await;
    let payment = lab.pay("alice", "bob", LAB, 1000);
    mempool.accept(&payment).await;
    maker.mine(&node, &mempool, &[&payment]).await;
    let none = Address::of_program(new_program(&payment.id()));
    for (path, status) in [
        (format!("/receipt/{}", payment.id()), 404),
        (format!("/trace/{}", payment.id()), 404),
        ("/receipt/12".to_owned(), 400),
        (format!("/program/{none}"), 404),
        (format!("/code/{none}"), 404),
        ("/program/0x12".to_owned(), 400),
        ("/logs".to_owned(), 400),
        (format!("/logs?address={none}&topic0=0x12"), 400),
        (format!("/logs?address={none}&before=7"), 400),
        (format!("/storage/{none}?limit=x"), 400),
        ("/programs?before=1.2".to_owned(), 400),
        (format!("/calls/{none}?before=7"), 400),
        ("/calls/0x12".to_owned(), 400),
        ("/receipts/12".to_owned(), 400),
    ] {
        assert_eq!(mempool.get(&path).await.status, status, "{path}");
    }
    for (path, body, status) in [
        ("/call", json!({"to": none, "gas": 1_u64 << 40}), 422),
        ("/call", json!({"to": none, "gas": 100}), 422),
        ("/call", json!({"to": none, "amount": 5}), 422),
        ("/call", json!({"to": none, "data": "0xa"}), 400),
        ("/call", json!({"to": none, "what": 1}), 400),
        ("/call", json!({"to": "lab1"}), 400),
        ("/call", json!({"to": none, "confirmations": 0}), 422),
        ("/call", json!({"to": none, "confirmations": 4}), 422),
        ("/call", json!({"to": none, "confirmations": 1001}), 422),
        ("/estimate", json!({"to": none, "confirmations": 1001}), 422),
        // Init code that reverts fails with any gas.
        ("/estimate", json!({"data": "0x5f5ffd"}), 422),
        ("/run", json!({"code": "5f"}), 400),
        // Never ends, but its gas does.
        ("/run", json!({"code": "0x5b5f56", "gas": 100_000}), 200),
    ] {
        let answer = post(&mempool, path, body.clone()).await;
        assert_eq!(answer.status, status, "{path} {body}: {}", answer.body);
    }
    let wrong = [
        (maker.sign(none, 0, "for lunch".to_owned()), "call"),
        (maker.call(none, 20_000, 0), "gas"),
        (maker.call(none, 1 << 25, 0), "gas"),
        (maker.call(none, 100_000, 10_000 * LAB), "balance"),
    ];
    for (transaction, rule) in wrong {
        let answer = mempool.push(&transaction).await;
        assert_eq!(answer.status, 422, "{rule}: {}", answer.body);
        assert!(answer.body.contains(&format!("\"rule\":\"{rule}\"")), "{rule}: {}", answer.body);
    }
    let long = maker.sign(Address::nobody(), 0, format!("deploy 4000000 0x{}", "00".repeat(49_000)));
    assert_eq!(mempool.push(&long).await.status, 201, "code may be longer than all other bodies");
}

#[tokio::test]
async fn networks_of_other_layers_have_no_programs() {
    let lab = Lab::of(network("payments"));
    let node = lab.node().await;
    let mempool = lab.mempool(&[&node]).await;
    let id = "0".repeat(64);
    for path in [format!("/receipt/{id}"), "/programs".to_owned(), format!("/trace/{id}"), "/logs?address=x".to_owned()]
    {
        let answer = mempool.get(&path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.body.contains("no programs"), "{path}: {}", answer.body);
    }
    assert_eq!(post(&mempool, "/call", json!({})).await.status, 404);
    let program = Address::of_program(shared::program::AccountId([1; 20]));
    assert_eq!(mempool.get(&format!("/balance/{program}")).await.status, 400, "not an address of this layer");
}
