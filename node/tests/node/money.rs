//! Layer `transaction` in a lab: payments, and a mempool that lists what a test sets.

use crate::lab::{Lab, Node, mining, network, quiet, until};
use http::header::{ETAG, IF_NONE_MATCH};
use http::{HeaderValue, StatusCode};
use runtime::server::{self, Request, Response, Router, Service, get, reply};
use serde::Deserialize;
use shared::block::Block;
use shared::keys::KeyPair;
use shared::ledger::{Address, Amount, Bundle, Transaction, Unsigned, Uuid};
use shared::params::{LayerName, Params};
use shared::wire::{Info, PoolOrder, Problem};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The first balance of every address, in grains.
pub(crate) const FAUCET: u64 = 1_000_000;

/// A network with money and up to five transactions a block, which are found at once.
pub(crate) fn money(name: &str) -> Params {
    let params = Params {
        layer: LayerName::Transaction,
        reward: 5000,
        halving_blocks: 0,
        new_address_balance: FAUCET,
        max_transactions: 5,
        max_msg_bytes: 64,
        ..network(name)
    };
    params.check().unwrap();
    params
}

pub(crate) fn key(seed: &str) -> KeyPair {
    KeyPair::from_seed(seed)
}

pub(crate) fn address(seed: &str) -> Address {
    key(seed).address()
}

/// A new payment, not yet signed.
pub(crate) fn unsigned(from: &str, amount: u64, fee: u64) -> Unsigned {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut uuid = [0; 16];
    uuid[..8].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    Unsigned {
        uuid: Uuid(uuid),
        from: address(from),
        to: address("somebody"),
        amount: Amount::new(amount).unwrap(),
        fee: Amount::new(fee).unwrap(),
        msg: "for \"lunch\" ☃".to_owned(),
    }
}

/// A payment of 1 grain.
pub(crate) fn pay(lab: &Lab, from: &str, fee: u64) -> Transaction {
    key(from).sign_transaction(unsigned(from, 1, fee), lab.id())
}

pub(crate) fn bundle(block: &Block) -> Bundle {
    Bundle::from_data(block.data()).unwrap().0
}

/// A node that takes transactions from `mempool` and mines only on demand.
pub(crate) async fn quiet_node(lab: &Lab, mempool: &str) -> Node {
    let mut config = quiet(&lab.params);
    config.node.mempool = Some(mempool.to_owned());
    config.node.miner = Some(address("miner").to_string());
    lab.start(config, &[], 0).await
}

/// The same, but always mining, at a rate that hardly ever finds a block.
pub(crate) async fn patient_node(lab: &Lab, mempool: &str) -> Node {
    let mut config = mining(&lab.params);
    config.node.mempool = Some(mempool.to_owned());
    config.node.miner = Some(address("miner").to_string());
    config.node.hashrate = shared::config::Hashrate::PerSecond(1);
    lab.start(config, &[], 0).await
}

/// A mempool whose answers of `/unprocessed` a test sets; it stops when it is dropped.
pub(crate) struct FakeMempool {
    pub(crate) address: String,
    pub(crate) lists: Arc<Mutex<Lists>>,
    stop: CancellationToken,
    ended: JoinHandle<std::io::Result<()>>,
}

/// Its lists, and the requests so far.
#[derive(Default)]
pub(crate) struct Lists {
    by_fee: Vec<Transaction>,
    by_age: Vec<Transaction>,
    version: u64,
    pub(crate) asked: Vec<(PoolOrder, usize)>,
    pub(crate) not_modified: usize,
    /// Whether it never answers requests for its lists.
    pub(crate) is_silent: bool,
}

impl FakeMempool {
    pub(crate) async fn start(lab: &Lab) -> Self {
        Self::start_at(lab, "127.0.0.1:0").await
    }

    pub(crate) async fn start_at(lab: &Lab, address: &str) -> Self {
        let listener = until("the port is free", async || TcpListener::bind(address).await.ok()).await;
        let at = listener.local_addr().unwrap().to_string();
        let lists = Arc::<Mutex<Lists>>::default();
        let service = Arc::new(Answers { address: at.clone(), params: lab.params.clone(), lists: lists.clone() });
        let kit = server::Settings { network: Some(lab.id()), ..server::Settings::default() };
        let stop = CancellationToken::new();
        let router = Router::new("mempool", "").group("mempool", "", [get("/unprocessed", "Lists", unprocessed)]);
        let ended = tokio::spawn(server::serve(listener, service, router, kit, stop.clone()));
        Self { address: at, lists, stop, ended }
    }

    /// Lists these transactions in both orders.
    pub(crate) fn list(&self, transactions: &[&Transaction]) {
        self.list_in_orders(transactions, transactions);
    }

    pub(crate) fn list_in_orders(&self, by_fee: &[&Transaction], by_age: &[&Transaction]) {
        let owned = |list: &[&Transaction]| list.iter().map(|transaction| (*transaction).clone()).collect();
        let mut lists = self.lists.lock().unwrap();
        (lists.by_fee, lists.by_age) = (owned(by_fee), owned(by_age));
        lists.version += 1;
    }

    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        (&mut self.ended).await.unwrap().unwrap();
    }
}

impl Drop for FakeMempool {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

struct Answers {
    address: String,
    params: Params,
    lists: Arc<Mutex<Lists>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    order: PoolOrder,
    limit: usize,
}

impl Service for Answers {
    fn info(&self) -> Info {
        Info {
            service: "mempool".to_owned(),
            version: "0".to_owned(),
            network_id: self.params.network_id(),
            network: serde_json::to_value(&self.params).unwrap(),
            address: self.address.clone(),
            started: crate::lab::now(),
            tip: None,
            peers: None,
            mining: None,
            pool: None,
            members: None,
            health: None,
        }
    }
}

async fn unprocessed(answers: Arc<Answers>, request: Request) -> Result<Response, Problem> {
    let Query { order, limit } = request.query()?;
    if answers.lists.lock().unwrap().is_silent {
        return std::future::pending().await;
    }
    let mut lists = answers.lists.lock().unwrap();
    lists.asked.push((order, limit));
    let etag = format!("\"{}\"", lists.version);
    if request.header(&IF_NONE_MATCH) == Some(&etag) {
        lists.not_modified += 1;
        return Ok(reply::whole(StatusCode::NOT_MODIFIED, "application/json", bytes::Bytes::new()));
    }
    let list = if order == PoolOrder::Fee { &lists.by_fee } else { &lists.by_age };
    let mut response = reply::json(&list[..limit.min(list.len())])?;
    response.headers_mut().insert(ETAG, HeaderValue::from_str(&etag).unwrap());
    Ok(response)
}
