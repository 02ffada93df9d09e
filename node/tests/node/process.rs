//! The program `node` as a process.

use crate::lab::{Asked, TOKEN, UNUSED_ADDRESS};
use std::path::Path;
use std::process::Command;
use testkit::{LoggedProcess, finish, remove_settings};

/// The command that starts a node.
pub(crate) struct Program {
    command: Command,
}

impl Program {
    /// `node` in `folder`, on an easy network of its own, without a tracker and without settings from the test's
    /// environment.
    pub(crate) fn new(network: &str, folder: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_node"));
        command.current_dir(folder);
        remove_settings(&mut command);
        Self { command }
            .set("NETWORK__NAME", network)
            .set("NETWORK__LAYER", "data")
            .set("NETWORK__BLOCK_INTERVAL_MS", "300")
            .set("NETWORK__INITIAL_DIFFICULTY", "1000")
            .set("NETWORK__RETARGET", "fixed")
            .set("NODE__TRACKER", UNUSED_ADDRESS)
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

    /// Starts it and waits until it answers.
    pub(crate) async fn start(mut self) -> LoggedProcess {
        LoggedProcess::start(&mut self.command, "node").await
    }

    /// Runs it until it ends, as it must; returns the exit code and its standard error.
    pub(crate) fn fail(mut self) -> (Option<i32>, String) {
        let output = finish(&mut self.command);
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }
}

impl Asked for LoggedProcess {
    fn at(&self) -> &str {
        &self.address
    }

    fn token(&self) -> String {
        TOKEN.to_owned()
    }
}
