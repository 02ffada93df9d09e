//! Section `[explorer]`.

use serde::Deserialize;
use std::collections::BTreeMap;

/// Section `[explorer]`: settings of an explorer.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExplorerConfig {
    /// Name or address that it listens on.
    pub host: String,
    /// The first port to try; the flag `--port` names the only one.
    pub port: u16,
    /// `host:port` of the tracker.
    pub tracker: String,
    /// `host:port=token` of each node that its pages may steer.
    pub tokens: Vec<String>,
}

/// An entry that does not name a node and its token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("explorer.tokens: expected host:port=token, one for each node")]
pub struct BadToken;

impl ExplorerConfig {
    /// `host:port` for links to it; `None` if it listens on every address of its machine, or on any free port.
    pub fn address(&self) -> Option<String> {
        let is_every = matches!(self.host.trim_matches(['[', ']']), "0.0.0.0" | "::" | "");
        let host = if self.host.contains(':') && !self.host.starts_with('[') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        (!is_every && self.port != 0).then(|| format!("{host}:{}", self.port))
    }

    /// The tokens by the nodes that they steer.
    ///
    /// # Errors
    /// An entry is not `host:port=token`; the error does not repeat it, since tokens are secrets.
    pub fn tokens(&self) -> Result<BTreeMap<String, String>, BadToken> {
        let pair = |text: &String| match text.split_once('=') {
            Some((node, token)) if node.contains(':') && !token.is_empty() => Ok((node.to_owned(), token.to_owned())),
            _ => Err(BadToken),
        };
        self.tokens.iter().map(pair).collect()
    }
}

impl Default for ExplorerConfig {
    fn default() -> Self {
        Self { host: "127.0.0.1".to_owned(), port: 8080, tracker: "127.0.0.1:8090".to_owned(), tokens: Vec::new() }
    }
}

impl std::fmt::Debug for ExplorerConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Tokens are secrets.
        let Self { host, port, tracker, .. } = self;
        f.debug_struct("Explorer")
            .field("host", host)
            .field("port", port)
            .field("tracker", tracker)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_an_address_that_exists() {
        let at =
            |host: &str, port| ExplorerConfig { host: host.to_owned(), port, ..ExplorerConfig::default() }.address();
        assert_eq!(at("lab.example", 8080).as_deref(), Some("lab.example:8080"));
        assert_eq!(at("::1", 8080).as_deref(), Some("[::1]:8080"));
        assert_eq!([at("0.0.0.0", 8080), at("::", 8080), at("127.0.0.1", 0)], [None, None, None]);
    }

    #[test]
    fn a_token_belongs_to_a_node() {
        let with = |tokens: &[&str]| ExplorerConfig {
            tokens: tokens.iter().map(ToString::to_string).collect(),
            ..ExplorerConfig::default()
        };
        let tokens = with(&["a:8100=x=y", "b:8100=z"]).tokens().unwrap();
        assert_eq!((tokens["a:8100"].as_str(), tokens["b:8100"].as_str()), ("x=y", "z"));
        for bad in ["secret", "a=secret", "a:8100="] {
            assert!(!with(&[bad]).tokens().unwrap_err().to_string().contains("secret"));
        }
        assert!(!format!("{:?}", with(&["a:8100=secret"])).contains("secret"));
    }
}
