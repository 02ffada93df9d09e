//! Section `[node]`.

use super::Hashrate;
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::path::PathBuf;

/// Section `[node]`: settings of a node.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeConfig {
    /// Name or address that it listens on.
    pub host: String,
    /// The first port to try; the flag `--port` names the only one.
    pub port: u16,
    /// `host:port` of the tracker.
    pub tracker: String,
    /// Folder for the chains; relative to the working directory.
    pub data_dir: PathBuf,
    /// Hash rate of all its threads together.
    pub hashrate: Hashrate,
    /// Mining threads.
    pub threads: usize,
    /// Text in the blocks that it mines; the node's address if empty.
    pub message: String,
    /// Address that gets the rewards, on layers with money; the address of the node's key file if not given.
    #[serde(deserialize_with = "empty_is_none")]
    pub miner: Option<String>,
    /// `host:port` of the mempool that it takes transactions from; those that the tracker names if not given.
    #[serde(deserialize_with = "empty_is_none")]
    pub mempool: Option<String>,
    /// Whether it mines.
    pub mine: bool,
    /// `host:port` that others reach it at; where it listens if not given.
    #[serde(deserialize_with = "empty_is_none")]
    pub advertise: Option<String>,
    /// The token that steering requests must carry; generated at the first start if not given.
    #[serde(deserialize_with = "empty_is_none")]
    pub token: Option<Secret>,
    /// Most peers that it follows.
    pub max_peers: usize,
    /// Milliseconds between two looks at each peer's tip.
    pub poll_ms: u64,
}

impl Default for NodeConfig {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 8100,
            tracker: "127.0.0.1:8090".to_owned(),
            data_dir: PathBuf::from("chaindata"),
            hashrate: Hashrate::PerSecond(100_000),
            threads: 1,
            message: String::new(),
            miner: None,
            mempool: None,
            mine: true,
            advertise: None,
            token: None,
            max_peers: 32,
            poll_ms: 3000,
        }
    }
}

/// A text that must not appear in logs: its `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Reads the empty text as "not given": TOML has no null, and every value must be present to be documented.
pub(super) fn empty_is_none<'de, D: Deserializer<'de>, T: From<String>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let text = String::deserialize(deserializer)?;
    Ok((!text.is_empty()).then(|| T::from(text)))
}
