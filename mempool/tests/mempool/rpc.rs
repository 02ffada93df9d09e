//! `POST /rpc`: what clients of Ethereum read, and what they are refused.

use crate::lab::{Asked, LAB, Lab, address, network};
use crate::programs::{COUNTER, Maker, STEPS, post, programs};
use reqwest::Method;
use serde_json::{Value, json};
use shared::layer::program::new_program;
use shared::ledger::{Address, Transaction};
use shared::program::Word;
use testkit::{Answer, Running};

/// A chain of three blocks: the first pays alice, the second deploys the counter, the third calls it and pays bob.
struct Network {
    lab: Lab,
    node: Running,
    mempool: Running,
    maker: Maker,
    deployment: Transaction,
    call: Transaction,
    payment: Transaction,
}

impl Network {
    async fn start(name: &str) -> Self {
        let lab = Lab::of(programs(name));
        let node = lab.node().await;
        let mempool = lab.mempool(&[&node]).await;
        let mut maker = Maker::new(lab.params.clone());
        maker.mine(&node, &mempool, &[]).await;
        let deployment = maker.deploy(&COUNTER);
        maker.mine(&node, &mempool, &[&deployment]).await;
        let call = maker.call(Address::of_program(new_program(&deployment.id())), 100_000, 7);
        let payment = lab.pay("alice", "bob", LAB, 1000);
        maker.mine(&node, &mempool, &[&payment, &call]).await;
        Self { lab, node, mempool, maker, deployment, call, payment }
    }

    fn program(&self) -> Value {
        json!(new_program(&self.deployment.id()))
    }

    async fn answer(&self, method: &str, params: Value) -> Value {
        let request = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params});
        let answer = post(&self.mempool, "/rpc", request).await.ok();
        assert_eq!((&answer["jsonrpc"], &answer["id"]), (&json!("2.0"), &json!(7)), "{answer}");
        answer
    }

    async fn ask(&self, method: &str, params: Value) -> Value {
        let mut answer = self.answer(method, params).await;
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].take()
    }

    /// Code and words of a refusal.
    async fn refused(&self, method: &str, params: Value) -> (i64, String) {
        let answer = self.answer(method, params).await;
        let (code, message) = (answer["error"]["code"].as_i64(), answer["error"]["message"].as_str());
        (code.unwrap_or_else(|| panic!("{method}: {answer}")), message.unwrap().to_owned())
    }
}

fn hash(text: impl std::fmt::Display) -> Value {
    json!(format!("0x{text}"))
}

#[tokio::test]
async fn clients_of_ethereum_read_blocks_transactions_and_receipts() {
    let network = Network::start("rpc-reads").await;
    let chain = network.ask("eth_chainId", json!([])).await;
    let decimal = network.ask("net_version", json!([])).await;
    assert_eq!(chain, json!(format!("{:#x}", decimal.as_str().unwrap().parse::<u64>().unwrap())));
    assert_eq!(network.ask("eth_blockNumber", json!([])).await, json!("0x3"));
    assert_eq!(network.ask("eth_accounts", json!([])).await, json!([]));
    assert!(network.ask("web3_clientVersion", json!([])).await.as_str().unwrap().starts_with("Chainlab/"));

    let block = network.ask("eth_getBlockByNumber", json!(["latest", false])).await;
    assert_eq!(block["transactions"], json!([hash(network.payment.id()), hash(network.call.id())]));
    assert_eq!(block["miner"], json!(address("alice").account()));
    let full = network.ask("eth_getBlockByHash", json!([block["hash"], true])).await;
    assert_eq!(
        (&full["transactions"][1]["hash"], &full["transactions"][1]["value"]),
        (&hash(network.call.id()), &json!("0x7"))
    );
    let parent = network.ask("eth_getBlockByHash", json!([block["parentHash"], false])).await;
    assert_eq!(parent["number"], json!("0x2"));
    let genesis = network.ask("eth_getBlockByNumber", json!(["earliest", true])).await;
    assert_eq!((&genesis["number"], &genesis["transactions"]), (&json!("0x0"), &json!([])));
    assert_eq!(network.ask("eth_getBlockByNumber", json!(["0x9", false])).await, Value::Null);
    let history = network.ask("eth_feeHistory", json!(["0x2", "latest", [50]])).await;
    assert_eq!((&history["oldestBlock"], &history["baseFeePerGas"]), (&json!("0x2"), &json!(["0x0", "0x0", "0x0"])));

    let deployed = network.ask("eth_getTransactionReceipt", json!([hash(network.deployment.id())])).await;
    assert_eq!((&deployed["contractAddress"], &deployed["status"]), (&network.program(), &json!("0x1")));
    assert_eq!((&deployed["to"], &deployed["logs"]), (&Value::Null, &json!([])));
    let receipt = network.ask("eth_getTransactionReceipt", json!([hash(network.call.id())])).await;
    assert_eq!((&receipt["transactionIndex"], &receipt["blockHash"]), (&json!("0x1"), &block["hash"]));
    assert_eq!(receipt["gasUsed"], receipt["cumulativeGasUsed"], "the payment before used none");
    let log = &receipt["logs"][0];
    assert_eq!((&log["address"], &log["data"]), (&network.program(), &json!(Word::from(1))));
    let paid = network.ask("eth_getTransactionByHash", json!([hash(network.payment.id())])).await;
    assert_eq!((&paid["to"], &paid["blockNumber"]), (&json!(address("bob").account()), &json!("0x3")));
    assert_eq!(network.ask("eth_getTransactionByHash", json!([hash("0".repeat(64))])).await, Value::Null);

    let mut network = network;
    let pending = network.maker.call(Address::of_program(new_program(&network.deployment.id())), 100_000, 0);
    network.mempool.accept(&pending).await;
    let shown = network.ask("eth_getTransactionByHash", json!([hash(pending.id())])).await;
    assert_eq!((&shown["hash"], &shown["blockNumber"]), (&hash(pending.id()), &Value::Null));
    assert_eq!(network.ask("eth_getTransactionReceipt", json!([hash(pending.id())])).await, Value::Null);
}

#[tokio::test]
async fn clients_of_ethereum_read_accounts_calls_and_logs_now_and_before() {
    let mut network = Network::start("rpc-state").await;
    let (program, alice) = (network.program(), json!(address("alice").account()));
    assert_eq!(network.ask("eth_getBalance", json!([program, "latest"])).await, json!("0x7"));
    assert_eq!(network.ask("eth_getBalance", json!([program, "0x2"])).await, json!("0x0"));
    assert_eq!(network.ask("eth_getTransactionCount", json!([alice])).await, json!("0x2"));
    let code = network.ask("eth_getCode", json!([program, "latest"])).await;
    assert!(code.as_str().unwrap().starts_with("0x5f5460010180"), "{code}");
    assert_eq!(network.ask("eth_getCode", json!([program, "0x1"])).await, json!("0x"));
    assert_eq!(network.ask("eth_getStorageAt", json!([program, "0x0", "latest"])).await, json!(Word::from(1)));
    for (block, expected) in [("latest", Word::from(2)), ("0x2", Word::from(1))] {
        let called = network.ask("eth_call", json!([{"to": program, "from": alice}, block])).await;
        assert_eq!(called, json!(expected), "{block}");
    }
    let gas = network.ask("eth_estimateGas", json!([{"to": program, "value": "0x1", "from": alice}])).await;
    assert!(gas.as_str().unwrap().len() > 4, "{gas}");
    // PUSH4 "oops" in an Error(string) would be long: this reverts with one byte.
    let (code, words) = network.refused("eth_call", json!([{"data": "0x60015f5360015ffd"}])).await;
    assert_eq!((code, words.as_str()), (3, "execution reverted"));

    let more = network.maker.call(Address::of_program(new_program(&network.deployment.id())), 100_000, 0);
    let again = network.maker.call(Address::of_program(new_program(&network.deployment.id())), 100_000, 0);
    let Network { node, mempool, maker, .. } = &mut network;
    maker.mine(node, mempool, &[&more, &again]).await;
    let logs = async |filter: Value| network.ask("eth_getLogs", json!([filter])).await.as_array().unwrap().clone();
    let all = logs(json!({"fromBlock": "earliest", "address": program})).await;
    let numbers: Vec<_> = all.iter().map(|log| log["data"].clone()).collect();
    assert_eq!(numbers, [1, 2, 3].map(|number| json!(Word::from(number))));
    assert_eq!((&all[2]["logIndex"], &all[2]["transactionIndex"]), (&json!("0x1"), &json!("0x1")));
    assert_eq!(logs(json!({"fromBlock": "0x0", "toBlock": "0x3"})).await, all[..1]);
    assert_eq!(logs(json!({"blockHash": all[1]["blockHash"]})).await, all[1..]);
    let seven = Word::from(7);
    assert_eq!(logs(json!({"fromBlock": "0x0", "topics": [[seven, Word::from(8)]]})).await, all);
    assert_eq!(logs(json!({"fromBlock": "0x0", "address": [program], "topics": [seven]})).await, all);
    assert!(logs(json!({"fromBlock": "0x0", "address": program, "topics": [null, seven]})).await.is_empty());
    assert!(logs(json!({"fromBlock": "0x0", "address": alice})).await.is_empty());
    assert!(logs(json!({"fromBlock": "0x9"})).await.is_empty());

    let trace = network.ask("debug_traceTransaction", json!([hash(network.call.id()), {"enableMemory": true}])).await;
    assert_eq!((trace["structLogs"].as_array().unwrap().len() as u64, &trace["failed"]), (STEPS, &json!(false)));
    assert_eq!((&trace["structLogs"][0]["op"], &trace["structLogs"][0]["gasCost"]), (&json!("PUSH0"), &json!(2)));
    let tree = network.ask("debug_traceTransaction", json!([hash(network.call.id()), {"tracer": "callTracer"}])).await;
    assert_eq!((&tree["type"], &tree["to"], &tree["value"]), (&json!("CALL"), &program, &json!("0x7")));
}

#[tokio::test]
async fn what_is_not_offered_is_refused_in_words() {
    let network = Network::start("rpc-refusals").await;
    let program = network.program();
    for (method, params, code, words) in [
        ("eth_sendRawTransaction", json!(["0x02"]), -32601, "P-256"),
        ("eth_sendTransaction", json!([{}]), -32601, "user rpc"),
        ("eth_newFilter", json!([{}]), -32601, "eth_getLogs"),
        ("eth_nothing", json!([]), -32601, "not offered"),
        ("eth_getBalance", json!([]), -32602, "missing"),
        ("eth_getBalance", json!(["0x12"]), -32602, "40 hex digits"),
        ("eth_getBalance", json!([program, "0x9"]), -32000, "no such block"),
        ("eth_call", json!(["0x"]), -32602, "an object"),
        ("eth_call", json!([{"to": program}, "latest", {"0x0": {}}]), -32602, "overrides"),
        ("eth_call", json!([{"to": program, "value": "0xffffffffffffffff"}]), -32602, "more than there can be"),
        ("eth_getLogs", json!([{"topics": [1, 2]}]), -32602, "topic"),
        ("eth_getLogs", json!([{"topics": [null, null, null, null, null]}]), -32602, "four"),
        ("eth_getTransactionReceipt", json!(["0x12"]), -32602, "64 hex digits"),
        ("debug_traceTransaction", json!([hash(network.payment.id())]), -32000, "called no program"),
        ("debug_traceTransaction", json!([hash(network.call.id()), {"tracer": "x"}]), -32602, "callTracer"),
    ] {
        let (got, said) = network.refused(method, params.clone()).await;
        assert_eq!(got, code, "{method} {params}: {said}");
        assert!(said.contains(words), "{method} {params}: {said}");
    }
    let raw = async |body: String| {
        let answer = Answer::of(network.mempool.request(Method::POST, "/rpc").body(body)).await;
        answer.ok()
    };
    let request = json!({"jsonrpc": "2.0", "id": "a", "method": "eth_chainId"});
    let many = async |count| raw(Value::Array(vec![request.clone(); count]).to_string()).await;
    assert_eq!(many(100).await.as_array().unwrap().len(), 100);
    for (answer, code) in [
        (many(101).await, -32600),
        (many(0).await, -32600),
        (raw("{".to_owned()).await, -32700),
        (raw("7".to_owned()).await, -32600),
        (raw(json!({"method": "eth_chainId"}).to_string()).await, -32600),
        (raw(json!({"id": 1, "jsonrpc": "1.0", "method": "eth_chainId"}).to_string()).await, -32600),
        (raw(json!({"id": 1}).to_string()).await, -32600),
        (raw(json!({"id": 1, "method": "eth_chainId", "params": {}}).to_string()).await, -32602),
    ] {
        assert_eq!(answer["error"]["code"], json!(code), "{answer}");
    }
    let foreign = network.mempool.request(Method::POST, "/rpc").header("origin", "http://elsewhere.example");
    assert_eq!(Answer::of(foreign.body(request.to_string())).await.status, 403);
    let long = network.mempool.request(Method::POST, "/rpc").body(" ".repeat(300_000));
    assert_eq!(Answer::of(long).await.status, 413);
    assert!(network.lab.params.layer.has_programs());
}

#[tokio::test]
async fn other_layers_have_no_rpc() {
    let lab = Lab::of(network("rpc-payments"));
    let node = lab.node().await;
    let mempool = lab.mempool(&[&node]).await;
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []});
    assert_eq!(post(&mempool, "/rpc", request).await.status, 404);
}
