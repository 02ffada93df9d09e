//! A network of real programs, with blocks and payments, so that there is something to ask for.

use laboratory::plan::Plan;
use serde_json::json;
use shared::wire::MineRequest;
use std::fmt::Write;
use std::path::Path;
use tempfile::TempDir;
use testkit::{Process, client, key, pay, payment};

pub(crate) const TOKEN: &str = "a-token-of-the-tests";

/// A small run of real nodes, for an explorer of its own.
const RECORDED: &str = "title = \"a recording\"\nmodel = \"core\"\nblocks = 8\n[consensus]\n\
    block_interval_ms = 20_000\ninitial_difficulty = 50\n[network]\nnodes = 3\npreset = \"lan\"\ngraph = \"full\"\n";

/// A tracker, a mempool, a node, an explorer that may steer the node, and one that shows a recording.
pub(crate) struct Network {
    folder: TempDir,
    tracker: Process,
    mempool: Process,
    nodes: [Process; 2],
    explorer: Process,
    recording: Process,
}

impl Network {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = [
            ("NETWORK__NAME", "descriptions"),
            ("NETWORK__INITIAL_DIFFICULTY", "1"),
            ("NETWORK__RETARGET", "fixed"),
            ("NODE__TOKEN", TOKEN),
            ("NODE__MINE", "false"),
            ("NODE__POLL_MS", "500"),
            ("MEMPOOL__POLL_MS", "100"),
            ("TRACKER__LEASE_SECONDS", "3"),
        ];
        let settings = settings.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
        let service = |name, args: &[&str]| Process::new(name, folder.path(), &settings, args);
        let miner = key("alice").address();
        let tracker = service("tracker", &[]);
        let mempool = service("mempool", &["-t", &tracker.address]);
        let node = || service("node", &["-t", &tracker.address, "--miner", miner.as_str()]);
        let nodes = [node(), node()];
        let tokens = nodes.each_ref().map(|node| format!("{}={TOKEN}", node.address)).join(",");
        let mut with_tokens = settings.clone();
        with_tokens.push(("EXPLORER__TOKENS".to_owned(), tokens));
        let explorer = Process::new("explorer", folder.path(), &with_tokens, &["-t", &tracker.address]);
        let (mut text, plan) = (String::new(), Plan::read(RECORDED, &[], None).unwrap());
        assert!(plan.record(0, &mut |line| text += &(line + "\n")));
        std::fs::write(folder.path().join("run.jsonl"), text).unwrap();
        let recording = Process::new("explorer", folder.path(), &settings, &["--recording", "run.jsonl"]);
        let mut network = Self { folder, tracker, mempool, nodes, explorer, recording };
        network.tracker.start().await;
        network.mempool.start().await;
        for node in &mut network.nodes {
            node.start().await;
        }
        network.explorer.start().await;
        network.recording.start().await;
        network.fill().await;
        network
    }

    /// Makes blocks with payments, and one payment that stays pending.
    async fn fill(&self) {
        for number in 0..2 {
            self.mine(3).await;
            self.pay(number).await;
        }
        self.mine(1).await;
        self.pay(2).await;
    }

    async fn mine(&self, blocks: u64) {
        client().mine(&self.nodes[0].address, TOKEN, &MineRequest { blocks, data: None }).await.unwrap();
        let height = self.nodes[0].tip().await.index.0;
        self.mempool.reaches(height).await;
        self.nodes[1].reaches(height).await;
    }

    async fn pay(&self, number: u128) {
        let network = self.mempool.info().await.network_id;
        let transaction = payment(network, &key("alice"), key("bob").address(), 1_000_000, 0, number);
        pay(&self.mempool.address, &transaction).await;
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Each service and its address.
    pub(crate) fn services(&self) -> [(&'static str, &str); 5] {
        [
            ("tracker", &self.tracker.address),
            ("mempool", &self.mempool.address),
            ("node", &self.nodes[0].address),
            ("explorer", &self.explorer.address),
            ("recording", &self.recording.address),
        ]
    }

    /// What exists in this network, as TOML.
    pub(crate) async fn dictionaries(&self) -> String {
        let (client, alice) = (client(), key("alice").address());
        let history = client.history(&self.mempool.address, &alice, None, 20).await.unwrap().entries;
        let transactions: Vec<_> =
            history.iter().filter_map(|entry| Some(entry.transaction.as_ref()?.id().to_string())).collect();
        let blocks: Vec<_> = history.iter().filter_map(|entry| Some(entry.block?.hash.to_string())).collect();
        assert!(!transactions.is_empty() && !blocks.is_empty());
        let ids: Vec<_> = transactions.iter().chain(&blocks).cloned().chain(["0".to_owned(), "3".to_owned()]).collect();
        let nodes: Vec<_> = self.nodes.iter().map(|node| node.address.clone()).collect();
        let lists = [
            ("addresses", json!([alice, key("bob").address()])),
            ("transactions", json!(transactions)),
            ("ids", json!(ids)),
            ("nodes", json!(nodes)),
            ("files", json!(["difficulty.csv", "interval.csv", format!("{alice}.svg")])),
        ];
        let mut toml = String::new();
        for (name, values) in lists {
            // A JSON array of texts is one in TOML, too.
            write!(toml, "\n[dictionaries.{name}]\nvalues = {values}\n").unwrap();
        }
        toml
    }
}
