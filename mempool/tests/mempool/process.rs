//! The program `mempool` as a process of its own, which can be stopped and killed.

use crate::lab::{Asked, NOBODY, until};
use shared::params::Params;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

/// What a mempool process is started with.
pub(crate) struct Program(Command);

impl Program {
    /// `mempool` in `folder`, of the network `params` as the lab makes them, without a tracker; the environment of the
    /// test is not passed on.
    pub(crate) fn new(params: &Params, folder: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mempool"));
        command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CHAINLAB") || name == "RUST_LOG" {
                command.env_remove(name);
            }
        }
        let network = serde_json::to_value(params).unwrap();
        for (name, value) in network.as_object().unwrap() {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            command.env(format!("CHAINLAB__NETWORK__{}", name.to_uppercase()), value);
        }
        command.env("CHAINLAB__MEMPOOL__TRACKER", NOBODY);
        Self(command)
    }

    pub(crate) fn args(mut self, args: &[&str]) -> Self {
        self.0.args(args);
        self
    }

    /// Starts it and waits until it listens.
    pub(crate) async fn start(mut self) -> Process {
        let child = self.0.spawn().unwrap();
        let mut process = Process { child, at: String::new(), log: Arc::default() };
        let stderr = process.child.stderr.take().unwrap();
        let log = process.log.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                log.lock().unwrap().push_str(&(line + "\n"));
            }
        });
        process.at = until("the process listens", async || {
            let log = process.log.lock().unwrap().clone();
            if let Some(status) = process.child.try_wait().unwrap() {
                panic!("the process ended with {status}: {log}");
            }
            let line = log.lines().find(|line| line.contains("mempool listens"))?;
            Some(line.split("address=").nth(1)?.split_whitespace().next()?.to_owned())
        })
        .await;
        until("the process answers", async || crate::lab::client().info(&process.at).await.ok()).await;
        process
    }
}

/// A running mempool process; it is killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) at: String,
    log: Arc<Mutex<String>>,
}

impl Process {
    pub(crate) fn port(&self) -> u16 {
        self.at.rsplit(':').next().unwrap().parse().unwrap()
    }

    /// As if the power went: nothing gets a chance to be put in order.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end and waits; tells how it ended and what it logged.
    pub(crate) async fn terminate(mut self) -> (ExitStatus, String) {
        // The shell's own kill, so that no unsafe code and no crate is needed.
        let sent = Command::new("sh").arg("-c").arg(format!("kill -TERM {}", self.child.id())).status();
        assert!(sent.unwrap().success());
        let status = until("the process ends", async || self.child.try_wait().unwrap()).await;
        (status, self.log.lock().unwrap().clone())
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
}
