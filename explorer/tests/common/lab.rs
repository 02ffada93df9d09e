//! A network inside this process: a tracker, nodes, a mempool if there is money, and the explorer with the nodes'
//! tokens. The system chooses the ports, and the data is in a temporary folder.

use serde_json::{Value, json};
use shared::block::{Nonce, Seal};
use shared::chain::Tip;
use shared::config::{Config, Hashrate, Secret};
use shared::layer::program::new_program;
use shared::ledger::{Address, Amount, Transaction, Unsigned, Uuid};
use shared::params::{LayerName, Params, RetargetRule};
use shared::program::{Call, CallKind};
use shared::wire::{MineRequest, PeersUpdate};
use shared::work::{Difficulty, search};
use std::collections::BTreeMap;
use tempfile::TempDir;
use testkit::{Running, http, listener, until};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) use testkit::{TOKEN, client, key};

/// One LAB.
pub(crate) const LAB: u64 = Amount::GRAINS_PER_LAB;

/// A network. It stops when this is dropped.
pub(crate) struct Lab {
    pub(crate) params: Params,
    /// `host:port` of each.
    pub(crate) nodes: Vec<String>,
    pub(crate) mempool: Option<String>,
    pub(crate) explorer: String,
    stop: CancellationToken,
    /// Stops only the explorer.
    stop_explorer: CancellationToken,
    explorer_task: Option<JoinHandle<()>>,
    services: Vec<Running>,
    root: TempDir,
}

impl Lab {
    /// Four nodes that mine only on request, so that the test decides what happens.
    pub(crate) async fn quiet(layer: LayerName) -> Self {
        let params = Params {
            initial_difficulty: Difficulty::new(1000).unwrap(),
            retarget: RetargetRule::Fixed,
            ..Self::params(layer, "quiet")
        };
        Self::start(params, false).await
    }

    /// The same with a difficulty that no test can mine.
    pub(crate) async fn hard() -> Self {
        let params = Params {
            initial_difficulty: Difficulty::new(1_000_000_000_000).unwrap(),
            retarget: RetargetRule::Fixed,
            ..Self::params(LayerName::Transaction, "hard")
        };
        Self::start(params, false).await
    }

    /// A tracker without members, and an explorer.
    pub(crate) async fn empty() -> Self {
        let params = Self::params(LayerName::Transaction, "empty");
        let (stop, root) = (CancellationToken::new(), tempfile::tempdir().unwrap());
        let mut config = Config { network: params.clone(), ..Config::default() };
        let tracker = testkit::start_tracker(listener().await.0, &config).await;
        config.explorer.tracker.clone_from(&tracker.address);
        let mut lab = Self::of(params, stop, root);
        lab.services.push(tracker);
        lab.start_explorer(config).await;
        lab
    }

    /// Four nodes that together find about one block a second.
    pub(crate) async fn mining() -> Self {
        Self::start(Self::params(LayerName::Transaction, "mining"), true).await
    }

    fn params(layer: LayerName, name: &str) -> Params {
        Params {
            name: name.to_owned(),
            layer,
            genesis_time: runtime::clock::Clock::new(0).time(),
            block_interval_ms: 1000,
            initial_difficulty: Difficulty::new(20_000).unwrap(),
            ..Params::of_layer(layer)
        }
    }

    async fn start(params: Params, mine: bool) -> Self {
        params.check().unwrap();
        let root = tempfile::tempdir().unwrap();
        let stop = CancellationToken::new();
        let mut config = Config { network: params.clone(), ..Config::default() };
        let tracker = testkit::start_tracker(listener().await.0, &config).await;
        (config.node.mine, config.node.hashrate) = (mine, Hashrate::PerSecond(5000));
        (config.node.poll_ms, config.mempool.poll_ms) = (500, 100);
        config.node.token = Some(Secret::from(TOKEN.to_owned()));
        for member_tracker in [&mut config.node.tracker, &mut config.mempool.tracker, &mut config.explorer.tracker] {
            member_tracker.clone_from(&tracker.address);
        }
        let mut lab = Self::of(params, stop, root);
        lab.services.push(tracker);
        let mempool = if lab.params.layer.has_money() { Some(bound().await) } else { None };
        config.node.mempool = mempool.as_ref().map(|(_, at)| at.clone());
        lab.start_nodes(&config).await;
        if let Some((listener, at)) = mempool {
            lab.start_mempool(&config, listener, at).await;
        }
        lab.start_explorer(config).await;
        lab
    }

    fn of(params: Params, stop: CancellationToken, root: TempDir) -> Self {
        let (nodes, stop_explorer) = (Vec::new(), stop.child_token());
        Self {
            params,
            nodes,
            mempool: None,
            explorer: String::new(),
            stop_explorer,
            explorer_task: None,
            services: Vec::new(),
            stop,
            root,
        }
    }

    async fn start_nodes(&mut self, config: &Config) {
        let mut listeners = Vec::new();
        for _ in 0..4 {
            listeners.push(bound().await);
        }
        self.nodes = listeners.iter().map(|(_, at)| at.clone()).collect();
        for (number, (listener, at)) in listeners.into_iter().enumerate() {
            let mut config = config.clone();
            config.node.message = format!("mined by node {}", number + 1);
            if config.network.layer.has_money() {
                config.node.miner = Some(key(&format!("miner {number}")).address().to_string());
            }
            let node = testkit::start_node(listener, self.root.path(), config, &self.peers_of(&at), 0).await;
            self.services.push(node);
        }
    }

    async fn start_mempool(&mut self, config: &Config, listener: TcpListener, at: String) {
        let peers = self.peers_of(&at);
        let mempool = testkit::start_mempool(listener, self.root.path(), config.clone(), &peers, 0).await;
        self.services.push(mempool);
        self.mempool = Some(at);
    }

    async fn start_explorer(&mut self, config: Config) {
        let (listener, at) = bound().await;
        let tokens: BTreeMap<_, _> = self.nodes.iter().map(|node| (node.clone(), TOKEN.to_owned())).collect();
        let settings = explorer::Settings { config, tokens, names: self.names(), thefts: None, metrics: None };
        let running = explorer::run(listener, settings, self.stop_explorer.clone());
        self.explorer_task = Some(tokio::spawn(async move { running.await.unwrap() }));
        until("the explorer knows everybody", async || {
            let page = http().get(format!("http://{at}/")).send().await.ok()?.text().await.ok()?;
            let all_are_there = self.nodes.iter().chain(&self.mempool).all(|service| page.contains(service));
            (all_are_there && !page.contains("is being asked") && !page.contains(">starting<")).then_some(())
        })
        .await;
        self.explorer = at;
    }

    /// Stops the explorer only.
    pub(crate) async fn stop_explorer(&mut self) {
        self.stop_explorer.cancel();
        self.explorer_task.take().unwrap().await.unwrap();
    }

    /// The nodes are A to D, and their miners Ada, Ben, Cleo and Dan.
    fn names(&self) -> explorer::NameBook {
        let mut names = explorer::NameBook::default();
        for (number, (node, person)) in self.nodes.iter().zip(["Ada", "Ben", "Cleo", "Dan"]).enumerate() {
            names.add_node(node.clone(), person[..1].to_owned()).unwrap();
            names.add_person(key(&format!("miner {number}")).address(), person.to_owned()).unwrap();
        }
        names
    }

    fn peers_of<'a>(&'a self, own: &str) -> Vec<&'a str> {
        self.nodes.iter().filter(|node| *node != own).map(String::as_str).collect()
    }

    /// Lets a node mine; returns the hashes of its blocks.
    pub(crate) async fn mine(&self, node: usize, blocks: u64) -> Vec<String> {
        self.mine_data(node, blocks, None).await
    }

    /// The same with text in the blocks, on a network without money.
    pub(crate) async fn mine_data(&self, node: usize, blocks: u64, data: Option<&str>) -> Vec<String> {
        let request = MineRequest { blocks, data: data.map(str::to_owned) };
        let answer = client().mine(&self.nodes[node], TOKEN, &request).await.unwrap();
        answer.hashes.iter().map(ToString::to_string).collect()
    }

    /// The tip of a node.
    pub(crate) async fn tip(&self, node: usize) -> Tip {
        client().info(&self.nodes[node]).await.unwrap().tip.unwrap()
    }

    /// Waits until all nodes and the mempool have the same tip.
    pub(crate) async fn agree(&self) -> Tip {
        until("all have the same tip", async || {
            let first = self.tip(0).await;
            for service in self.nodes[1..].iter().chain(&self.mempool) {
                if client().info(service).await.ok()?.tip?.hash != first.hash {
                    return None;
                }
            }
            Some(first)
        })
        .await
    }

    /// Cuts the first two nodes off from the last two.
    pub(crate) async fn split(&self) {
        let (left, right) = self.nodes.split_at(2);
        for (own, others) in [(left, right), (right, left)] {
            for node in own {
                let update = json!({"block": others});
                let update: PeersUpdate = serde_json::from_value(update).unwrap();
                client().update_peers(node, TOKEN, &update).await.unwrap();
            }
        }
    }

    /// Lets them talk again.
    pub(crate) async fn heal(&self) {
        let (left, right) = self.nodes.split_at(2);
        for (own, others) in [(left, right), (right, left)] {
            for node in own {
                let update = json!({"unblock": others, "add": others});
                let update: PeersUpdate = serde_json::from_value(update).unwrap();
                client().update_peers(node, TOKEN, &update).await.unwrap();
            }
        }
        for node in &self.nodes {
            client().sync_now(node, TOKEN).await.unwrap();
        }
    }

    /// Mines a block for `miner` with a node's work, as an outside miner does.
    pub(crate) async fn reward(&self, node: usize, miner: &str) {
        let url = format!("http://{}/work", self.nodes[node]);
        // Another block may end an offer before it is solved.
        until("a block is mined for the wallet", async || {
            let offer: Value = http().get(format!("{url}?miner={miner}")).send().await.ok()?.json().await.ok()?;
            let seal: Seal = offer["seal"].as_str()?.parse().unwrap();
            let target = Difficulty::new(offer["difficulty"].as_u64()?).unwrap().target();
            let nonce = search(&seal, &target, Nonce(0), u64::MAX).unwrap();
            let solution = json!({"seal": offer["seal"], "nonce": nonce});
            (http().post(&url).json(&solution).send().await.ok()?.status() == 201).then_some(())
        })
        .await;
    }

    /// Sends the mempool a payment, signed by the key of the seed `from`.
    pub(crate) async fn pay(&self, from: &str, to: &Address, amount: u64, fee: u64, msg: &str) -> Transaction {
        let pair = key(from);
        let unsigned = Unsigned {
            uuid: Uuid(self.uuid()),
            from: pair.address(),
            to: *to,
            amount: Amount::new(amount).unwrap(),
            fee: Amount::new(fee).unwrap(),
            msg: msg.to_owned(),
        };
        let transaction = pair.sign_transaction(unsigned, self.params.network_id());
        client().push_transaction(self.mempool.as_ref().unwrap(), &transaction).await.unwrap();
        transaction
    }

    /// The same for a transaction that asks something of a program, or makes one.
    pub(crate) async fn send(&self, from: &str, to: &Address, amount: u64, msg: &str) -> Transaction {
        self.pay(from, to, amount, 1000, msg).await
    }

    /// Makes a program whose code is what this assembly says, and waits until it is in a block.
    pub(crate) async fn deploy(&self, from: &str, assembly: &str, amount: u64) -> Address {
        let code = shared::program::assemble(assembly).unwrap();
        let length = u16::try_from(code.len()).unwrap().to_be_bytes();
        // PUSH2 length, DUP1, PUSH1 10, PUSH0, CODECOPY, PUSH0, RETURN
        let head = [0x61, length[0], length[1], 0x80, 0x60, 10, 0x5f, 0x39, 0x5f, 0xf3];
        let call = Call { gas: 1_000_000, input: [&head[..], &code].concat() };
        let deployment = self.send(from, &Address::nobody(), amount, &call.to_msg(CallKind::Deploy)).await;
        self.confirm(&deployment).await;
        Address::of_program(new_program(&deployment.id()))
    }

    /// Mines blocks until a transaction is in one.
    pub(crate) async fn confirm(&self, transaction: &Transaction) {
        until("the transaction is in a block", async || {
            self.mine(0, 1).await;
            self.agree().await;
            let confirmations = client().confirmations(self.mempool.as_ref()?, &transaction.id()).await;
            confirmations.ok().filter(|confirmations| *confirmations > 0)
        })
        .await;
    }

    /// Differs on each call.
    fn uuid(&self) -> [u8; 16] {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        now.as_nanos().to_be_bytes()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// A listener on a free port, and its address as text.
async fn bound() -> (TcpListener, String) {
    let (listener, at) = listener().await;
    (listener, at.to_string())
}
