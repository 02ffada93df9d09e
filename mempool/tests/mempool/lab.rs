//! A node and mempools inside this process, on ports that the system chose, and blocks made by hand.

use futures_util::{Stream, StreamExt};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use shared::block::{Block, BlockHash, DataHash, Header, HeaderFields, Nonce};
use shared::config::Config;
use shared::ledger::{Amount, Bundle, Transaction};
use shared::params::{LayerName, Params, RetargetRule};
use shared::wire::PoolEvent;
use shared::work::{Difficulty, search};
use std::cell::Cell;
use std::pin::Pin;
use tempfile::TempDir;
use testkit::listener;

pub(crate) use testkit::{Answer, Running, UNUSED_ADDRESS, address, client, http, key, until};

/// One LAB.
pub(crate) const LAB: u64 = Amount::GRAINS_PER_LAB;

/// The network `name`: 50 LAB for each block, which is found in a moment.
pub(crate) fn network(name: &str) -> Params {
    let params = Params {
        name: name.to_owned(),
        layer: LayerName::Transaction,
        initial_difficulty: Difficulty::new(50).unwrap(),
        retarget: RetargetRule::Fixed,
        reward: 50 * LAB,
        ..Params::default()
    };
    params.check().unwrap();
    params
}

/// The same, where every address begins with 100 LAB.
pub(crate) fn faucet(name: &str) -> Params {
    Params { new_address_balance: 100 * LAB, ..network(name) }
}

/// Services of one network, and the folder that their files are in.
pub(crate) struct Lab {
    pub(crate) params: Params,
    pub(crate) root: TempDir,
    next_uuid: Cell<u64>,
}

impl Lab {
    pub(crate) fn of(params: Params) -> Self {
        Self { params, root: tempfile::tempdir().unwrap(), next_uuid: Cell::new(1) }
    }

    pub(crate) fn id(&self) -> BlockHash {
        self.params.network_id()
    }

    /// A payment that differs from all others of the lab.
    pub(crate) fn pay(&self, from: &str, to: &str, amount: u64, fee: u64) -> Transaction {
        let number = self.next_uuid.replace(self.next_uuid.get() + 1);
        testkit::payment(self.id(), &key(from), address(to), amount, fee, u128::from(number) << 64)
    }

    /// A valid block on top of `parent`.
    pub(crate) fn block(&self, parent: &Header, miner: &str, transactions: &[&Transaction]) -> Block {
        let transactions = transactions.iter().map(|transaction| (*transaction).clone()).collect();
        let bundle = Bundle { msg: String::new(), miner_address: address(miner), transactions, outcome: None };
        let (data, _) = bundle.to_data();
        let fields = HeaderFields {
            index: parent.index.next(),
            prev_hash: parent.hash(),
            timestamp: parent.timestamp.plus_ms(1),
            difficulty: self.params.initial_difficulty,
            data_hash: DataHash::of(&data),
        };
        let nonce = search(&fields.seal(), &fields.difficulty.target(), Nonce(0), u64::MAX).unwrap();
        Block::new(fields, nonce, data)
    }

    /// A node that does not mine.
    pub(crate) async fn node(&self) -> Running {
        let mut config = Config { network: self.params.clone(), ..Config::default() };
        config.node.mine = false;
        config.node.tracker = UNUSED_ADDRESS.to_owned();
        testkit::start_node(listener().await.0, self.root.path(), config, &[], 0).await
    }

    /// What a mempool of the lab is told, unless a test wants otherwise.
    pub(crate) fn config(&self) -> Config {
        let mut config = Config { network: self.params.clone(), ..Config::default() };
        config.mempool.tracker = UNUSED_ADDRESS.to_owned();
        config.mempool.poll_ms = 30;
        config
    }

    /// A mempool that follows `nodes`.
    pub(crate) async fn mempool(&self, nodes: &[&Running]) -> Running {
        self.start(self.config(), nodes, 0).await
    }

    /// The same, told something else, in the folder of port `folder` (0: its own).
    pub(crate) async fn start(&self, config: Config, nodes: &[&Running], folder: u16) -> Running {
        let peers: Vec<_> = nodes.iter().map(|node| node.address.as_str()).collect();
        testkit::start_mempool(listener().await.0, self.root.path(), config, &peers, folder).await
    }
}

/// Pushes a block to a node, which must accept it.
pub(crate) async fn push_block(node: &Running, block: &Block) {
    let json = serde_json::to_vec(block).unwrap();
    client().push_block(&node.address, json.into()).await.unwrap();
}

/// The header of the genesis block.
pub(crate) async fn genesis(node: &Running) -> Header {
    client().block(&node.address, 0, 1 << 20).await.unwrap().header().clone()
}

/// Whatever answers as a mempool at an address: one in this process, or a process of its own.
pub(crate) trait Asked {
    fn at(&self) -> &str;

    async fn get(&self, path: &str) -> Answer {
        Answer::of(http().get(format!("http://{}{path}", self.at()))).await
    }

    /// JSON of an answer 200.
    async fn json(&self, path: &str) -> Value {
        self.get(path).await.ok()
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        http().request(method, format!("http://{}{path}", self.at())).header(CONTENT_TYPE, "application/json")
    }

    async fn push_text(&self, body: impl Into<String>) -> Answer {
        Answer::of(self.request(Method::POST, "/pushtx").body(body.into())).await
    }

    async fn push(&self, transaction: &Transaction) -> Answer {
        self.push_text(to_json(transaction)).await
    }

    /// Pushes what must be taken.
    async fn accept(&self, transaction: &Transaction) {
        let answer = self.push(transaction).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        assert_eq!(answer.ok(), serde_json::json!({"id": transaction.id(), "status": "accepted"}));
    }

    /// What is pending, by age.
    async fn pending(&self) -> Vec<Transaction> {
        serde_json::from_value(self.json("/unprocessed?order=age&limit=10000").await).unwrap()
    }

    async fn balance(&self, of: &str, confirmations: u64) -> u64 {
        client().balance(self.at(), &address(of), confirmations).await.unwrap()
    }

    /// Waits until the mempool stands on a block.
    async fn stands_on(&self, block: &Block) {
        until("the mempool stands on the block", async || {
            let tip = client().info(self.at()).await.ok()?.tip?;
            (tip.hash == block.hash()).then_some(())
        })
        .await;
    }

    async fn events(&self) -> Pin<Box<dyn Stream<Item = PoolEvent> + Send>> {
        let events = client().pool_events(self.at()).await.unwrap();
        Box::pin(events.filter_map(|event| async move { event.ok() }))
    }
}

impl Asked for Running {
    fn at(&self) -> &str {
        &self.address
    }
}

pub(crate) fn to_json(transaction: &Transaction) -> String {
    serde_json::to_string(transaction).unwrap()
}
