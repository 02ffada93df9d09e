//! The programs as processes: each with a port and a folder, killed and started again where it was.

use crate::http::client;
use crate::until::{DEADLINE, until_ok};
use shared::chain::Tip;
use shared::wire::Info;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// Lines of the log to show when a test fails.
const LOG_LINES: usize = 25;

/// Returns a port below the range from which systems pick ports by themselves; a new one at each call.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    loop {
        let spread = u16::try_from(std::process::id() % 100).unwrap() * 100;
        let port = 11_000 + (spread + NEXT.fetch_add(1, Ordering::Relaxed)) % 20_000;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Removes Chainlab's settings from the environment that the command inherits.
pub fn remove_settings(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CHAINLAB") || name == "RUST_LOG" {
            command.env_remove(name);
        }
    }
}

/// A program of the workspace that runs in `folder`. Its settings are `settings` (without the prefix `CHAINLAB__`), and
/// none from the test's own environment.
pub fn program(name: &str, folder: &Path, settings: &[(String, String)]) -> Command {
    let own = std::env::current_exe().unwrap();
    // The test is in deps/, and the programs are in the folder above it.
    let path = own.ancestors().nth(2).unwrap().join(name);
    assert!(path.exists(), "{} does not exist; run cargo build --workspace first", path.display());
    let mut command = Command::new(path);
    command.current_dir(folder).stdin(Stdio::null());
    remove_settings(&mut command);
    command.envs(settings.iter().map(|(key, value)| (format!("CHAINLAB__{key}"), value)));
    command
}

/// Runs a command until it ends, at most [`DEADLINE`]. Its output must fit into a pipe.
#[track_caller]
pub fn finish(command: &mut Command) -> Output {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let began = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if began.elapsed() > DEADLINE {
            child.kill().unwrap();
            panic!("{command:?} has not ended within {DEADLINE:?}: {:?}", child.wait_with_output().unwrap());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.wait_with_output().unwrap()
}

/// Sends a signal, such as `TERM`, to a process.
pub fn signal(child: &Child, name: &str) {
    // The shell's own kill needs no unsafe code and no crate.
    let sent = Command::new("sh").arg("-c").arg(format!("kill -{name} {}", child.id())).status();
    assert!(sent.unwrap().success());
}

/// A service on a port of its own, running or not; it is killed when it is dropped.
#[derive(Debug)]
pub struct Process {
    name: &'static str,
    /// `host:port`.
    pub address: String,
    command: Command,
    log: PathBuf,
    child: Option<Child>,
}

impl Process {
    /// A service on a free port; not started yet.
    pub fn new(name: &'static str, folder: &Path, settings: &[(String, String)], args: &[&str]) -> Self {
        Self::on_port(free_port(), name, folder, settings, args)
    }

    /// A service on the given port; not started yet.
    pub fn on_port(port: u16, name: &'static str, folder: &Path, settings: &[(String, String)], args: &[&str]) -> Self {
        let mut command = program(name, folder, settings);
        command.args(["--port", &port.to_string()]).args(args);
        let log = folder.join(format!("{name}-{port}.log"));
        Self { name, address: format!("127.0.0.1:{port}"), command, log, child: None }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.rsplit(':').next().unwrap().parse().unwrap()
    }

    /// Starts it, and waits until it answers.
    pub async fn start(&mut self) {
        let log = OpenOptions::new().create(true).append(true).open(&self.log).unwrap();
        self.child = Some(self.command.stdout(Stdio::null()).stderr(log).spawn().unwrap());
        until_ok(&format!("{} at {} answers", self.name, self.address), DEADLINE, async || {
            if let Some(status) = self.child.as_mut().and_then(|child| child.try_wait().unwrap()) {
                panic!("{} ended with {status}", self.name);
            }
            match client().info(&self.address).await {
                Ok(info) if info.service == self.name => Ok(()),
                Ok(info) => panic!("{} is a {}, not a {}", self.address, info.service, self.name),
                Err(error) => Err(error.to_string()),
            }
        })
        .await;
    }

    /// Kills it with SIGKILL, as a power failure would.
    pub fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Asks it to end with SIGTERM, and waits until it has ended with success.
    pub async fn terminate(&mut self) {
        let mut child = self.child.take().unwrap();
        signal(&child, "TERM");
        let status = until_ok(&format!("{} ends", self.name), DEADLINE, async || {
            child.try_wait().unwrap().ok_or_else(|| "it still runs".to_owned())
        })
        .await;
        assert!(status.success());
    }

    /// Its `/info`.
    pub async fn info(&self) -> Info {
        client().info(&self.address).await.unwrap()
    }

    /// The best block of a node, or the block that a mempool follows.
    pub async fn tip(&self) -> Tip {
        self.info().await.tip.unwrap()
    }

    /// Waits until its tip is at least at this height.
    pub async fn reaches(&self, height: u64) -> Tip {
        until_ok(&format!("{} at {} has block {height}", self.name, self.address), DEADLINE, async || {
            let tip = self.tip().await;
            if tip.index.0 >= height { Ok(tip) } else { Err(format!("it has {}", tip.index)) }
        })
        .await
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            let lines: Vec<_> = log.lines().collect();
            let last = &lines[lines.len().saturating_sub(LOG_LINES)..];
            eprintln!("-- the last lines of {}:\n{}", self.log.display(), last.join("\n"));
        }
    }
}
