//! A network of processes in a temporary folder: tracker, mempool and nodes.

use crate::{Process, TOKEN, client, finish, program};
use shared::block::BlockHash;
use shared::ledger::Address;
use shared::wire::MineRequest;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

/// The reward of a block, in grains.
pub const REWARD: u64 = 5_000_000_000;

/// A running network whose nodes mine for an address that the test names.
pub struct ProcessNetwork {
    folder: TempDir,
    settings: Vec<(String, String)>,
    pub tracker: Process,
    pub mempool: Process,
    pub nodes: Vec<Process>,
}

impl ProcessNetwork {
    /// Starts a tracker, a mempool and `nodes` nodes that mine for `miner`. `settings` override the shared settings:
    /// easy blocks, and short intervals at which members learn of one another.
    pub async fn start(name: &str, nodes: usize, miner: &Address, settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let shared = [
            ("NETWORK__NAME", name),
            ("NETWORK__BLOCK_INTERVAL_MS", "1000"),
            ("NETWORK__INITIAL_DIFFICULTY", "100"),
            ("NETWORK__RETARGET", "fixed"),
            ("NODE__TOKEN", TOKEN),
            ("NODE__POLL_MS", "500"),
            ("MEMPOOL__POLL_MS", "200"),
            ("TRACKER__LEASE_SECONDS", "3"),
        ];
        let settings = shared.iter().chain(settings).map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let settings: Vec<_> = settings.collect();
        let service = |name, args: &[&str]| Process::new(name, folder.path(), &settings, args);
        let tracker = service("tracker", &[]);
        let mempool = service("mempool", &["-t", &tracker.address]);
        let node = |_| service("node", &["-t", &tracker.address, "--miner", miner.as_str()]);
        let nodes = (0..nodes).map(node).collect();
        let mut lab = Self { folder, settings, tracker, mempool, nodes };
        lab.tracker.start().await;
        lab.mempool.start().await;
        for node in &mut lab.nodes {
            node.start().await;
        }
        lab
    }

    /// A service with flags of its own, to start at the address of another one that has ended.
    pub fn replace(&self, other: &Process, name: &'static str, args: &[&str]) -> Process {
        let args = [args, &["-t", &self.tracker.address]].concat();
        Process::on_port(other.port(), name, self.folder.path(), &self.settings, &args)
    }

    /// Another service, on a port and in a folder of its own.
    pub fn another(&self, name: &'static str) -> Process {
        Process::new(name, self.folder.path(), &self.settings, &["-t", &self.tracker.address])
    }

    /// The working folder of the programs.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A program with the settings of this network.
    pub fn program(&self, name: &str) -> Command {
        program(name, self.folder(), &self.settings)
    }

    /// `user` with these arguments, on this network.
    pub fn user(&self, args: &[&str]) -> Command {
        let mut command = self.program("user");
        command.args(args).args(["-t", &self.tracker.address]);
        command
    }

    /// Runs `user`, which must succeed, and returns its output.
    #[track_caller]
    pub fn user_ok(&self, args: &[&str]) -> String {
        succeeded(&finish(&mut self.user(args)), &format!("user {args:?}"))
    }

    /// Runs `user`, which must fail with code 1, and returns its standard error.
    #[track_caller]
    pub fn user_error(&self, args: &[&str]) -> String {
        let output = finish(&mut self.user(args));
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "user {args:?}: {words}");
        words
    }

    /// Mines on the first node, and waits until the mempool has the blocks.
    pub async fn mine(&self, blocks: u64) -> Vec<BlockHash> {
        let node = &self.nodes[0];
        let hashes = client().mine(&node.address, TOKEN, &MineRequest { blocks, data: None }).await.unwrap().hashes;
        self.mempool.reaches(node.tip().await.index.0).await;
        hashes
    }
}

/// Standard output of a command that must have succeeded.
#[track_caller]
pub fn succeeded(output: &Output, what: &str) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{what} failed with {}:\n{errors}\n{printed}", output.status);
    printed.into_owned()
}
