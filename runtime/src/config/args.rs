//! The flags that all programs share (docs/protocol.md §12).

use super::{ConfigError, Overrides, load};
use crate::telemetry::LogFormat;
use clap::Args;
use shared::config::Config;
use std::path::PathBuf;

/// Flags that every program has; include them with `#[command(flatten)]`.
#[derive(Debug, Clone, Default, Args)]
pub struct CommonArgs {
    /// Configuration file [default: Config.toml in the working directory, if there is one]
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// How the data of blocks is read: data, transaction, utxo or program
    #[arg(long, global = true)]
    pub layer: Option<String>,
    /// Format of the log on standard error; CHAINLAB_LOG or RUST_LOG set its level
    #[arg(long, value_enum, default_value_t, global = true)]
    pub log_format: LogFormat,
}

impl CommonArgs {
    /// Loads the configuration, with the program's own flags over it.
    ///
    /// # Errors
    /// As [`load`].
    pub fn load(&self, overrides: Overrides) -> Result<Config, ConfigError> {
        load(self.config.as_deref(), overrides.set("network.layer", "--layer", self.layer.as_ref()))
    }
}
