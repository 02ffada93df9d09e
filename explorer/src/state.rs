//! What all handlers of the explorer share: the monitored network, the caches, and who the explorer is.

use crate::block_sizes::BlockSizes;
use crate::header_cache::HeaderCache;
use crate::monitor::Monitor;
use crate::names::{Cast, MAX_SIGNED, NameBook};
use crate::network::NetworkState;
use crate::pending_cache::PendingCache;
use crate::stage::Fragments;
use crate::stage::film::Film;
use crate::stage::purse::PurseCache;
use crate::steering::{Splitter, Tokens};
use crate::thefts::Thefts;
use crate::upstream::Upstream;
use runtime::clock::Clock;
use runtime::own_address::OwnAddress;
use runtime::server::{Places, Service};
use shared::block::{BlockHash, Timestamp};
use shared::config::Config;
use shared::params::Params;
use shared::wire::Info;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use tokio::sync::{Notify, watch};

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
    /// `None` where nobody can be let steal.
    pub(crate) thefts: Option<Thefts>,
    /// Changed by `routes::names`, and by thieves who get a name.
    pub(crate) names: RwLock<Arc<NameBook>>,
    /// Places for signed names.
    pub(crate) name_places: Arc<Places>,
    pub(crate) clock: Clock,
    /// The parts of the first page, as they were rendered last.
    pub(crate) stage: watch::Sender<Arc<Fragments>>,
    /// Notified when someone begins to look at the first page.
    pub(crate) stage_wanted: Notify,
    pub(crate) purses: PurseCache,
    /// The first page at earlier moments.
    pub(crate) film: Mutex<Film>,
    /// [`ExplorerState::params`], for scenes.
    pub(crate) shown_params: Arc<Params>,
    address: String,
    started: Timestamp,
}

/// What an explorer is made of.
pub(crate) struct Parts {
    pub(crate) monitor: Monitor,
    pub(crate) upstream: Upstream,
    pub(crate) splitter: Arc<Splitter>,
    pub(crate) tokens: BTreeMap<String, String>,
    pub(crate) thefts: Option<Thefts>,
    pub(crate) names: NameBook,
    pub(crate) clock: Clock,
}

/// Percent of the signed names that one source may take.
const NAMES_PERCENT: usize = 10;

impl ExplorerState {
    pub(crate) fn new(config: &Config, own: OwnAddress, parts: Parts) -> Self {
        let Parts { monitor, upstream, splitter, tokens, thefts, names, clock } = parts;
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
            thefts,
            names: RwLock::new(Arc::new(names)),
            name_places: Places::new(MAX_SIGNED, NAMES_PERCENT),
            clock,
            stage: watch::channel(Arc::default()).0,
            stage_wanted: Notify::new(),
            purses: PurseCache::default(),
            film: Mutex::default(),
            shown_params: Arc::new(config.network.clone()),
            address: own.to_string(),
            started: clock.time(),
        }
    }

    /// The name book as it is now.
    pub(crate) fn name_book(&self) -> Arc<NameBook> {
        self.names.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The present names of people and nodes.
    pub(crate) fn cast(&self) -> Cast {
        Cast::new(self.name_book(), &self.network())
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
