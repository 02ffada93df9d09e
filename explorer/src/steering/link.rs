//! How two nodes are to treat each other, as a request to a node and as a sentence.

use shared::wire::PeersUpdate;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    Connect,
    Cut,
    Allow,
}

impl Link {
    /// The request that changes the links of a node to `peers`.
    pub(crate) fn update(self, peers: Vec<String>) -> PeersUpdate {
        match self {
            // Two nodes that are to be connected must not stay cut off.
            Self::Connect | Self::Allow => PeersUpdate { add: peers.clone(), unblock: peers, ..PeersUpdate::default() },
            Self::Cut => PeersUpdate { block: peers, ..PeersUpdate::default() },
        }
    }

    pub(crate) fn sentence(self, node: &str, peers: &str) -> String {
        match self {
            Self::Connect => format!("{node} is connected to {peers}."),
            Self::Cut => {
                format!("{node} is cut off from {peers}. Blocks still arrive through nodes that talk to both.")
            }
            Self::Allow => format!("{node} may talk to {peers} again."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connecting_two_nodes_also_allows_them_to_talk() {
        let peers = || vec!["a:1".to_owned()];
        let update = Link::Connect.update(peers());
        assert_eq!((update.add, update.unblock, update.block), (peers(), peers(), vec![]));
        let update = Link::Cut.update(peers());
        assert_eq!((update.add, update.unblock, update.block), (vec![], vec![], peers()));
    }
}
