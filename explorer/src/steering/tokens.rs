//! The tokens of nodes that the explorer was given.

use runtime::server;
use shared::wire::Problem;
use std::collections::BTreeMap;
use std::fmt;

/// Tokens by the node's `host:port`.
pub(crate) struct Tokens(BTreeMap<String, String>);

impl Tokens {
    pub(crate) const fn new(tokens: BTreeMap<String, String>) -> Self {
        Self(tokens)
    }

    pub(crate) fn contains(&self, node: &str) -> bool {
        self.0.contains_key(node)
    }

    /// # Errors
    /// 403 if the explorer was not given the token of this node.
    pub(crate) fn get(&self, node: &str) -> Result<&str, Problem> {
        self.0.get(node).map(String::as_str).ok_or_else(|| {
            server::forbidden(format!("the explorer was not given the token of {node}, so it cannot steer it"))
        })
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Tokens are secrets.
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}
