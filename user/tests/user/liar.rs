//! A mempool that lies: it sends other content under the id that was asked for, and lists that never end.

use crate::coins::coins;
use crate::lab::{Lab, network};
use crate::program::Program;
use serde_json::{Value, json};
use shared::block::BlockHash;
use shared::keys::KeyPair;
use shared::ledger::{Amount, CoinName, Input, Output, Transaction, TransactionId, UnsignedSpend};
use shared::params::Params;
use std::sync::{Arc, Mutex};
use testkit::{Answer, address, http, key, payment};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A server whose answers its maker chooses by the path; it stops when it is dropped.
struct Liar {
    address: String,
    /// The first line of each request.
    requests: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Liar {
    /// Starts a mempool of the network of `params`. Every answer names a next page.
    async fn start(params: Params, answer: impl Fn(&str) -> Value + Send + 'static) -> Self {
        let lab = Lab::new().await;
        let honest = lab.mempool(params).await;
        let info = Answer::of(http().get(format!("http://{honest}/info"))).await.ok();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 4096];
                // The program sends its small requests in one piece.
                let length = stream.read(&mut request).await.unwrap_or(0);
                let request = String::from_utf8_lossy(&request[..length]);
                let line = request.lines().next().unwrap_or_default();
                seen.lock().unwrap().push(line.to_owned());
                let path = line.split(' ').nth(1).unwrap_or_default();
                let json = if path == "/info" { info.to_string() } else { answer(path).to_string() };
                let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\
                            Link: </next?before=1&from=x>; rel=\"next\"\r\nContent-Length:";
                let _ = stream.write_all(format!("{head} {}\r\n\r\n{json}", json.len()).as_bytes()).await;
            }
        });
        Self { address, requests, task }
    }

    fn user(&self) -> Program {
        Program::with(&["--mempool", &self.address])
    }

    /// How many requests began so.
    fn count(&self, begin: &str) -> usize {
        self.requests.lock().unwrap().iter().filter(|line| line.starts_with(begin)).count()
    }
}

impl Drop for Liar {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A spend of the coins of this many blocks that alice mined; the rest goes back to her.
fn spend(network: BlockHash, coins: u16, to: &str, amount: u64) -> Transaction {
    const FIFTY: u64 = 5_000_000_000;
    let grains = |grains| Amount::new(grains).unwrap();
    let input = |place| Input {
        coin: CoinName { id: TransactionId::of("mined"), place },
        address: address("alice"),
        amount: grains(FIFTY),
    };
    let rest = FIFTY * u64::from(coins) - amount - 1000;
    let outputs = vec![
        Output { address: address(to), amount: grains(amount) },
        Output { address: address("alice"), amount: grains(rest) },
    ];
    let unsigned = UnsignedSpend { inputs: (0..coins).map(input).collect(), outputs, msg: String::new() };
    unsigned.sign(network, |_, text| key("alice").sign(text))
}

fn pending(transaction: &Value) -> Value {
    json!({"transaction": transaction, "status": "pending", "confirmations": 0})
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_signed_that_a_mempool_invents_under_an_id() {
    let params = coins("liar");
    let network = params.network_id();
    let honest = spend(network, 1, "bob", 100_000_000);
    let mut lie = serde_json::to_value(spend(network, 3, "mallory", 14_900_000_000)).unwrap();
    lie["id"] = json!(honest.id());
    let status = pending(&lie);
    let liar = Liar::start(params, move |_| status.clone()).await;
    let (user, id) = (liar.user(), honest.id().to_string());
    for command in
        [&["bump", &id, "-s", "alice", "-F", "0.0005"][..], &["tx", &id], &["verify", &id], &["explain", "tx", &id]]
    {
        let kind = user.run(&[command, &["--json"]].concat()).error_kind(1);
        assert_eq!(kind, "not-a-transaction", "{command:?}");
    }
    assert_eq!(liar.count("POST"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_the_owner_has_signed_before_is_bumped() {
    let params = coins("unsigned");
    // The id is that of the content, but another key has signed it.
    let honest = spend(params.network_id(), 1, "bob", 100_000_000);
    let mut invented = serde_json::to_value(&honest).unwrap();
    invented["signatures"] = json!([KeyPair::from_seed("mallory").sign("a text")]);
    let status = pending(&invented);
    let liar = Liar::start(params, move |_| status.clone()).await;
    let flags = ["bump", &honest.id().to_string(), "-s", "alice", "-F", "0.0005", "--json"];
    assert_eq!(liar.user().run(&flags).error_kind(1), "signature");
    assert_eq!(liar.count("POST"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_of_invented_payments_is_refused() {
    let params = network("invented");
    let mut lie = serde_json::to_value(payment(params.network_id(), &key("bob"), address("alice"), 5, 1, 7)).unwrap();
    lie["amount"] = json!(5_000_000);
    let entry = json!({
        "transaction": &lie, "status": "pending", "confirmations": 0, "before": 0, "balance": 5_000_000
    });
    let liar = Liar::start(params, move |path| match path {
        path if path.starts_with("/history") => json!([entry]),
        path if path.starts_with("/balance") => json!(9_000_000_000_u64),
        _ => pending(&lie),
    });
    let liar = liar.await;
    let user = liar.user();
    assert_eq!(user.run(&["history", "alice", "--json"]).error_kind(1), "not-a-transaction");
    for more in [&[][..], &["--id", "0b9d3c5e-8a41-4a6f-9d20-1f6f1f0c7a11"]] {
        let flags = [&["send", "1", "bob", "-s", "alice", "--json"], more].concat();
        assert_eq!(user.run(&flags).error_kind(1), "not-a-transaction", "{more:?}");
    }
    assert_eq!(liar.count("POST"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_without_an_end_are_given_up() {
    let reward = json!({
        "reward": 5, "status": "confirmed", "confirmations": 1, "before": 0, "balance": 5,
        "block": {"index": 1, "hash": "0".repeat(64)}
    });
    let liar = Liar::start(coins("endless"), move |path| match path {
        // Every change address has been used, and alice's pages are empty.
        path if path.starts_with("/history") && !path.contains(address("alice").as_str()) => json!([reward]),
        _ => json!([]),
    });
    let liar = liar.await;
    let user = liar.user();
    let refused = user.run(&["send", "1", "bob", "-s", "alice", "--fresh-change"]).expect_error(2);
    assert!(refused.contains("alice/1 to alice/1000") && refused.contains("--change"), "{refused}");
    assert_eq!(liar.count("GET /history"), 1000);
    let history = user.json(&["history", "-s", "alice"]);
    assert_eq!(history["entries"], json!([]));
    assert_eq!(user.json(&["coins", "alice"])["coins"], json!([]));
}
