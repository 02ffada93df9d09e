//! `user rpc`: signs for clients of Ethereum, and refuses web pages.

use crate::lab::Lab;
use crate::programs::{programs, receipt};
use serde_json::{Value, json};
use shared::wire::Role;
use std::process::{Child, Command, Stdio};
use testkit::{Answer, client, free_port, http, remove_settings, until};

/// A running wallet with alice's key; it is killed when it is dropped.
struct Wallet {
    child: Child,
    port: u16,
}

impl Wallet {
    async fn start(lab: &Lab) -> Self {
        let port = free_port();
        let mut command = Command::new(env!("CARGO_BIN_EXE_user"));
        remove_settings(&mut command);
        command.args(["rpc", "-s", "alice", "-t", &lab.tracker, "--port", &port.to_string()]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let wallet = Self { child, port };
        until("the wallet is ready", async || {
            let running = http().get(format!("http://127.0.0.1:{port}/running")).send().await.ok()?;
            running.status().is_success().then_some(())
        })
        .await;
        wallet
    }

    /// Sends a body with extra headers.
    async fn post(&self, body: &Value, headers: &[(&str, &str)]) -> Answer {
        let mut request = http().post(format!("http://127.0.0.1:{}/", self.port)).body(body.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::of(request).await
    }

    async fn ask(&self, method: &str, params: Value) -> Value {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        self.post(&request, &[("content-type", "application/json")]).await.ok()
    }
}

impl Drop for Wallet {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_deploys_and_calls_with_the_key_of_the_wallet() {
    let lab = Lab::with_params(programs("wallet"), |_| {}).await;
    let user = lab.user();
    lab.mine(&user, 1).await;
    let wallet = Wallet::start(&lab).await;
    let alice = wallet.ask("eth_accounts", json!([])).await["result"][0].clone();
    assert_eq!(alice, user.json(&["address", "alice", "--engine"])["account"]);
    // Init code of a counter: adds 1 to slot 0 and returns it.
    let init = "0x600e8060095f395ff35f54600101805f555f5260205ff3";
    let plain = json!([{"from": alice, "data": init}]);
    let members = client().members(&lab.tracker).await.unwrap();
    let mempool = members.iter().find(|member| member.role == Role::Mempool).unwrap();
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": "eth_estimateGas", "params": plain});
    let theirs = gas(&client().rpc(&mempool.address, &request).await.unwrap());
    let ours = gas(&wallet.ask("eth_estimateGas", plain).await);
    assert_eq!(ours, theirs + theirs / 4, "a quarter more than the mempool says");
    let id = sent(&wallet.ask("eth_sendTransaction", json!([{"from": alice, "data": init, "nonce": "0x5"}])).await);
    let deployed = receipt(&user, &id).await;
    assert_eq!(deployed["status"], "succeeded");
    let receipt_of = json!([format!("0x{}", id["transaction"]["id"].as_str().unwrap())]);
    let program = wallet.ask("eth_getTransactionReceipt", receipt_of).await["result"]["contractAddress"].clone();
    let paid = json!([{"from": alice, "to": program, "value": "0x7", "gas": "0xfffff", "maxFeePerGas": "0x1"}]);
    let called = sent(&wallet.ask("eth_sendTransaction", paid).await);
    let done = receipt(&user, &called).await;
    assert_eq!((&done["status"], &done["gas"]), (&json!("succeeded"), &json!(0xf_ffff)));
    assert_eq!(wallet.ask("eth_getBalance", json!([program, "latest"])).await["result"], "0x7");

    let bob = user.json(&["address", "bob", "--engine"])["account"].clone();
    for (transaction, code, words) in [
        (json!({"from": bob, "to": program}), -32602, "only"),
        (json!({"to": bob, "value": "0x1"}), -32000, "user send"),
        (json!({"to": program, "chainId": "0x1"}), -32602, "chainId"),
        (json!({"to": program, "value": "0xffffffffffffffff"}), -32602, "value"),
        (json!({"to": program, "data": "0xa"}), -32602, "data"),
        (json!({"to": "lab"}), -32602, "to: expected"),
        // Init code that reverts.
        (json!({"data": "0x5f5ffd"}), 3, "reverted"),
        (json!(7), -32602, "object"),
    ] {
        let error = wallet.ask("eth_sendTransaction", json!([transaction])).await["error"].clone();
        assert_eq!(error["code"], json!(code), "{transaction}: {error}");
        assert!(error["message"].as_str().unwrap().contains(words), "{transaction}: {error}");
    }
    assert_eq!(wallet.ask("eth_nothing", json!([])).await["error"]["code"], json!(-32601));
    let batch = json!([
        {"jsonrpc": "2.0", "id": "a", "method": "eth_accounts"}, {"jsonrpc": "2.0", "id": "b", "method": "eth_chainId"},
    ]);
    let answers = wallet.post(&batch, &[("content-type", "application/json")]).await.ok();
    assert_eq!(
        (&answers[0]["id"], &answers[0]["result"], &answers[1]["id"]),
        (&json!("a"), &json!([alice]), &json!("b"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_page_cannot_spend() {
    let lab = Lab::with_params(programs("wallet-pages"), |_| {}).await;
    let wallet = Wallet::start(&lab).await;
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": "eth_sendTransaction", "params": [{"data": "0x"}]});
    let json_type = ("content-type", "application/json");
    for (headers, status) in [
        (&[json_type, ("origin", "http://elsewhere.example")][..], 403),
        (&[json_type, ("origin", "null")], 403),
        (&[json_type, ("origin", "http://127.0.0.1:9999")], 403),
        (&[json_type, ("sec-fetch-site", "cross-site")], 403),
        (&[json_type, ("host", "elsewhere.example")], 403),
        (&[("content-type", "text/plain")], 415),
        (&[("content-type", "application/x-www-form-urlencoded")], 415),
    ] {
        assert_eq!(wallet.post(&request, headers).await.status, status, "{headers:?}");
    }
    let user = lab.user();
    let words = user.run(&["rpc", "-s", "alice", "--port", &wallet.port.to_string()]).expect_error(1);
    assert!(words.contains("choose another with --port"), "{words}");
}

fn gas(answer: &Value) -> u64 {
    u64::from_str_radix(answer["result"].as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
}

/// The transaction of an answer, in the form that `receipt` takes.
fn sent(answer: &Value) -> Value {
    assert!(answer["result"].is_string(), "{answer}");
    let id = answer["result"].as_str().unwrap();
    json!({"transaction": {"id": id.trim_start_matches("0x")}})
}
