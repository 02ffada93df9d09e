//! What all handlers of the explorer share: the monitored network, the caches, and who the explorer is.

use crate::block_sizes::BlockSizes;
use crate::header_cache::HeaderCache;
use crate::monitor::Monitor;
use crate::network::NetworkState;
use crate::pending_cache::PendingCache;
use crate::steering::{Splitter, Tokens};
use crate::upstream::Upstream;
use runtime::clock::Clock;
use runtime::own_address::OwnAddress;
use runtime::server::Service;
use shared::block::{BlockHash, Timestamp};
use shared::config::Config;
use shared::params::Params;
use shared::wire::Info;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) struct ExplorerState {
    /// The parameters of the network that is shown.
    pub(crate) params: Params,
    pub(crate) network_id: BlockHash,
    pub(crate) monitor: Monitor,
    pub(crate) upstream: Upstream,
    pub(crate) header_cache: HeaderCache,
    pub(crate) block_sizes: BlockSizes,
    pub(crate) pending_cache: PendingCache,
    pub(crate) splitter: Arc<Splitter>,
    /// Secret: no page and no answer may contain one of them.
    pub(crate) tokens: Tokens,
    address: String,
    started: Timestamp,
}

impl ExplorerState {
    pub(crate) fn new(
        config: &Config,
        own: OwnAddress,
        monitor: Monitor,
        upstream: Upstream,
        splitter: Arc<Splitter>,
        tokens: BTreeMap<String, String>,
        clock: Clock,
    ) -> Self {
        Self {
            network_id: config.network.network_id(),
            params: config.network.clone(),
            monitor,
            upstream,
            header_cache: HeaderCache::default(),
            block_sizes: BlockSizes::default(),
            pending_cache: PendingCache::default(),
            splitter,
            tokens: Tokens::new(tokens),
            address: own.to_string(),
            started: clock.time(),
        }
    }

    /// The network as it is known now.
    pub(crate) fn network(&self) -> Arc<NetworkState> {
        self.monitor.state()
    }
}

impl Service for ExplorerState {
    fn info(&self) -> Info {
        Info {
            service: "explorer".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            network_id: self.network_id,
            network: serde_json::to_value(&self.params).unwrap_or_default(),
            address: self.address.clone(),
            started: self.started,
            tip: self.network().tip(),
            peers: None,
            mining: None,
            pool: None,
            members: None,
            health: None,
        }
    }
}
