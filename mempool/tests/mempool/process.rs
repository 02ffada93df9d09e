//! The program `mempool` as a process.

use crate::lab::{Asked, UNUSED_ADDRESS};
use shared::params::Params;
use std::path::Path;
use std::process::Command;
use testkit::{LoggedProcess, remove_settings};

/// What a mempool process is started with.
pub(crate) struct Program(Command);

impl Program {
    /// `mempool` in `folder`, of the network `params` as the lab makes them, without a tracker; the environment of the
    /// test is not passed on.
    pub(crate) fn new(params: &Params, folder: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mempool"));
        command.current_dir(folder);
        remove_settings(&mut command);
        let network = serde_json::to_value(params).unwrap();
        for (name, value) in network.as_object().unwrap() {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            command.env(format!("CHAINLAB__NETWORK__{}", name.to_uppercase()), value);
        }
        command.env("CHAINLAB__MEMPOOL__TRACKER", UNUSED_ADDRESS);
        Self(command)
    }

    pub(crate) fn args(mut self, args: &[&str]) -> Self {
        self.0.args(args);
        self
    }

    /// Starts it and waits until it answers.
    pub(crate) async fn start(mut self) -> LoggedProcess {
        LoggedProcess::start(&mut self.0, "mempool").await
    }
}

impl Asked for LoggedProcess {
    fn at(&self) -> &str {
        &self.address
    }
}
