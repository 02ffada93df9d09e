//! A program on a host: started, killed, started again in the same place, and asked over the network.

use crate::TOKEN;
use crate::lan::Lan;
use shared::chain::Tip;
use shared::wire::Info;
use std::fs::OpenOptions;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use testkit::{DEADLINE, client, program, until_ok};

/// Lines of the log to show when a test fails.
const LOG_LINES: usize = 15;
/// Hashes a second of each node, and hashes per block: with five nodes, a block every 400 ms.
const HASHRATE: u64 = 4000;
const DIFFICULTY: u64 = 8000;

/// The settings of all programs of a test: a network of its own with easy blocks, and `more` settings of the test.
pub(crate) fn settings(name: &str, more: &[(&str, &str)]) -> Vec<(String, String)> {
    let (hashrate, difficulty) = (HASHRATE.to_string(), DIFFICULTY.to_string());
    let all = [
        ("NETWORK__NAME", name),
        ("NETWORK__BLOCK_INTERVAL_MS", "400"),
        ("NETWORK__INITIAL_DIFFICULTY", &difficulty),
        ("NETWORK__RETARGET", "fixed"),
        ("NODE__HASHRATE", &hashrate),
        ("NODE__TOKEN", TOKEN),
        ("NODE__POLL_MS", "1000"),
        ("MEMPOOL__POLL_MS", "300"),
        ("TRACKER__LEASE_SECONDS", "6"),
    ];
    let all = all.iter().chain(more);
    all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A shell that runs `script`, in which "$@" is the command.
pub(crate) fn shell(script: &str, command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "sh"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
}

/// The same command, with a disk in memory of this size at `chaindata`. Only the command's namespace has the disk, and
/// it is gone when the command ends.
pub(crate) fn with_small_disk(size: &str, command: &Command) -> Command {
    let script = format!("mkdir -p chaindata && mount -t tmpfs -o size={size} tmpfs chaindata && exec \"$@\"");
    shell(&script, command)
}

/// A program on a host, running or not; it is killed when it is dropped.
pub(crate) struct HostProcess {
    what: String,
    /// `host:port` by address.
    pub(crate) address: String,
    command: Command,
    log: PathBuf,
    child: Option<Child>,
}

impl HostProcess {
    /// A program of the workspace on `host` that listens on `port` of all addresses.
    pub(crate) fn new(
        lan: &Lan,
        host: usize,
        (name, port): (&str, u16),
        settings: &[(String, String)],
        args: &[&str],
    ) -> Self {
        let mut command = program(name, &lan.folder(host), settings);
        command.args(["-H", "0.0.0.0", "-p", &port.to_string()]).args(args);
        Self::from_command(lan, host, port, &command, name)
    }

    /// Any command that starts a service on `port` of `host`.
    pub(crate) fn from_command(lan: &Lan, host: usize, port: u16, command: &Command, name: &str) -> Self {
        let log = lan.folder(host).join(format!("{name}-{port}.log"));
        Self {
            what: format!("{name} of host {host}"),
            address: format!("{}:{port}", lan.address(host)),
            command: lan.on(host, command),
            log,
            child: None,
        }
    }

    /// Starts it, and waits until it answers.
    pub(crate) async fn start(&mut self) {
        let log = OpenOptions::new().create(true).append(true).open(&self.log).unwrap();
        self.child = Some(self.command.stdout(Stdio::null()).stderr(log).spawn().unwrap());
        until_ok(&format!("the {} answers", self.what), DEADLINE, async || {
            if let Some(status) = self.child.as_mut().and_then(|child| child.try_wait().unwrap()) {
                panic!("the {} ended with {status}", self.what);
            }
            client().info(&self.address).await.map_err(|error| error.to_string())
        })
        .await;
    }

    /// Kills it with SIGKILL, as a power failure would.
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Its process id.
    pub(crate) fn process(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Its log so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub(crate) async fn info(&self) -> Result<Info, String> {
        client().info(&self.address).await.map_err(|error| format!("the {} does not answer: {error}", self.what))
    }

    /// The best block of a node, or the block that a mempool follows.
    pub(crate) async fn tip(&self) -> Result<Tip, String> {
        self.info().await?.tip.ok_or_else(|| format!("the {} has no tip", self.what))
    }

    /// Waits until its tip is at least at this height.
    pub(crate) async fn reaches(&self, height: u64) -> Tip {
        until_ok(&format!("the {} has block {height}", self.what), DEADLINE * 2, async || {
            let tip = self.tip().await?;
            if tip.index.0 >= height { Ok(tip) } else { Err(format!("it has {}", tip.index)) }
        })
        .await
    }
}

impl Drop for HostProcess {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<_> = log.lines().collect();
            let last = &lines[lines.len().saturating_sub(LOG_LINES)..];
            eprintln!("-- the last lines of the {}:\n{}", self.what, last.join("\n"));
        }
    }
}
