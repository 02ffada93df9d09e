//! The program `node` as a process of its own, which can be stopped, continued and killed.

use crate::lab::{Asked, SOON, TOKEN, until};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Ports below those that systems hand out by themselves, each given to one test once.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    loop {
        let spread = u16::try_from(std::process::id() % 100).unwrap() * 100;
        let port = 11_000 + (spread + NEXT.fetch_add(1, Ordering::Relaxed)) % 20_000;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// What a node process is started with.
pub(crate) struct Program {
    command: Command,
}

impl Program {
    /// `node` in `folder`, quiet, of an easy network of its own, without a tracker; the environment of the test is
    /// not passed on.
    pub(crate) fn new(network: &str, folder: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_node"));
        command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CHAINLAB") || name == "RUST_LOG" {
                command.env_remove(name);
            }
        }
        Self { command }
            .set("NETWORK__NAME", network)
            .set("NETWORK__LAYER", "data")
            .set("NETWORK__BLOCK_INTERVAL_MS", "300")
            .set("NETWORK__INITIAL_DIFFICULTY", "1000")
            .set("NETWORK__RETARGET", "fixed")
            .set("NODE__TRACKER", crate::lab::NOBODY)
            .set("NODE__TOKEN", TOKEN)
            .set("NODE__POLL_MS", "100")
            .set("NODE__HASHRATE", "5000")
    }

    pub(crate) fn set(mut self, key: &str, value: &str) -> Self {
        self.command.env(format!("CHAINLAB__{key}"), value);
        self
    }

    pub(crate) fn args(mut self, args: &[&str]) -> Self {
        self.command.args(args);
        self
    }

    /// Starts it and waits until it listens.
    pub(crate) async fn start(mut self) -> Process {
        let child = self.command.spawn().unwrap();
        let mut process = Process { child, at: String::new(), log: Arc::default() };
        let stderr = process.child.stderr.take().unwrap();
        let log = process.log.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                log.lock().unwrap().push_str(&(line + "\n"));
            }
        });
        process.at = until("the process listens", async || {
            if let Some(status) = process.child.try_wait().unwrap() {
                panic!("the process ended with {status}: {}", process.log());
            }
            let log = process.log();
            let line = log.lines().find(|line| line.contains("node listens"))?;
            Some(line.split("address=").nth(1)?.split_whitespace().next()?.to_owned())
        })
        .await;
        until("the process answers", async || process.try_get("/running").await).await;
        process
    }

    /// Runs it to its end, which must come soon; tells the exit code and what it wrote to standard error.
    pub(crate) fn fail(mut self) -> (Option<i32>, String) {
        let mut child = self.command.spawn().unwrap();
        let began = Instant::now();
        while child.try_wait().unwrap().is_none() {
            if began.elapsed() > SOON {
                child.kill().unwrap();
                panic!("a node that should refuse to start runs");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let output = child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }
}

/// A running node process; it is killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) at: String,
    log: Arc<Mutex<String>>,
}

impl Process {
    /// What it has written to standard error so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Sends a signal, by name.
    pub(crate) fn signal(&self, name: &str) {
        // The shell's own kill, so that no unsafe code and no crate is needed.
        let sent = Command::new("sh").arg("-c").arg(format!("kill -{name} {}", self.child.id())).status();
        assert!(sent.unwrap().success());
    }

    /// As if the power went: nothing gets a chance to be put in order.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end and waits; tells how it ended and how long that took.
    pub(crate) async fn terminate(mut self) -> (ExitStatus, Duration) {
        let began = Instant::now();
        self.signal("TERM");
        let status = until("the process ends", async || self.child.try_wait().unwrap()).await;
        (status, began.elapsed())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Asked for Process {
    fn at(&self) -> &str {
        &self.at
    }

    fn token(&self) -> String {
        TOKEN.to_owned()
    }
}
