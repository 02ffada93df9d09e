//! The explorer as an HTTP service: which page answers which path.

use crate::headers::Headers;
use crate::loads::Loads;
use crate::network::Watch;
use crate::pool::Pool;
use crate::sources::Sources;
use crate::steering::split::Splitter;
use crate::{api, assets, openapi, pages, steering};
use http::Method;
use runtime::clock::Clock;
use runtime::own_address::OwnAddress;
use runtime::server::{Request, Response, Router, Service};
use shared::block::{BlockHash, Timestamp};
use shared::config::Config;
use shared::params::Params;
use shared::wire::{Info, Problem};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) struct Explorer {
    /// The parameters of the network that is shown.
    pub(crate) params: Params,
    pub(crate) network_id: BlockHash,
    /// What is known of the network.
    pub(crate) watch: Watch,
    /// Whom to ask for the rest.
    pub(crate) sources: Sources,
    /// For charts.
    pub(crate) headers: Headers,
    pub(crate) loads: Loads,
    /// For what waits.
    pub(crate) pool: Pool,
    /// Keeps the network in two halves.
    pub(crate) splitter: Arc<Splitter>,
    /// By the node's `host:port`; never shown.
    tokens: BTreeMap<String, String>,
    address: String,
    started: Timestamp,
}

impl Explorer {
    pub(crate) fn new(
        config: &Config,
        own: OwnAddress,
        watch: Watch,
        sources: Sources,
        splitter: Arc<Splitter>,
        tokens: BTreeMap<String, String>,
        clock: Clock,
    ) -> Self {
        Self {
            network_id: config.network.network_id(),
            params: config.network.clone(),
            watch,
            sources,
            headers: Headers::default(),
            loads: Loads::default(),
            pool: Pool::default(),
            splitter,
            tokens,
            address: own.to_string(),
            started: clock.time(),
        }
    }

    /// What steering a node needs, if we have it.
    pub(crate) fn token(&self, node: &str) -> Option<&str> {
        self.tokens.get(node).map(String::as_str)
    }
}

impl Service for Explorer {
    fn info(&self) -> Info {
        Info {
            service: "explorer".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            network_id: self.network_id,
            network: serde_json::to_value(&self.params).unwrap_or_default(),
            address: self.address.clone(),
            started: self.started,
            tip: self.watch.picture().tip(),
            peers: None,
            mining: None,
            pool: None,
            members: None,
            health: None,
        }
    }
}

/// The explorer's routes, as its description lists them; all go through [`handle`].
pub(crate) fn router() -> Router<Explorer> {
    let steers = |path: &str| path.starts_with("/api/node/") || matches!(path, "/api/split" | "/api/heal");
    let deadline = move |path: &str| steers(path).then_some(steering::DEADLINE);
    Router::from_openapi(
        openapi::describe(),
        deadline,
        |explorer, request| async move { handle(&explorer, request).await },
    )
}

async fn handle(explorer: &Explorer, request: Request) -> Result<Response, Problem> {
    let path = request.path();
    let segments = path.segments();
    if request.method == Method::POST {
        return match &*segments {
            ["api", "pushtx"] => api::push(explorer, request).await,
            ["api", "work"] => api::solve(explorer, request).await,
            ["api", "node", node, action] => api::steer(explorer, node, action, request).await,
            ["api", action @ ("split" | "heal")] => steering::whole(explorer, action, request).await,
            _ => Err(request.no_route()),
        };
    }
    if request.method != Method::GET {
        return Err(request.no_route());
    }
    match &*segments {
        [] => pages::network::page(explorer),
        ["blocks"] => pages::blocks::page(explorer, &request).await,
        ["block", name] => pages::block::page(explorer, name).await,
        ["transactions"] => pages::pending::page(explorer).await,
        ["transaction", id] => pages::transaction::page(explorer, id).await,
        ["address", address] => pages::address::page(explorer, address, &request).await,
        ["charts"] => pages::charts::page(explorer, &request).await,
        ["charts", file] => pages::charts::csv(explorer, file, &request).await,
        ["learn"] => pages::learn::page(explorer),
        ["wallet"] => pages::wallet::page(explorer),
        ["node", node] => pages::node::page(explorer, node).await,
        ["search"] => pages::search::page(explorer, &request).await,
        ["qr", file] => pages::wallet::qr(file),
        ["live"] => explorer.watch.live(&request),
        ["api", "balance", address] => api::balance(explorer, address).await,
        ["api", "history", address] => api::history(explorer, address).await,
        ["api", "transaction", id] => api::transaction(explorer, id).await,
        ["api", "work"] => api::work(explorer, &request).await,
        ["assets", name] => assets::get(name, &request),
        ["api", ..] => Err(request.no_route()),
        _ => pages::missing::page(explorer, request.path().as_str()),
    }
}
