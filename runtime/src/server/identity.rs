//! Who a service is: the fields of `/info` that all services have.

use shared::block::{BlockHash, Timestamp};
use shared::params::Params;
use shared::wire::Info;
use tokio::sync::watch;

/// The name, network, address and start of a service.
#[derive(Debug, Clone)]
pub struct Identity {
    service: &'static str,
    network_id: BlockHash,
    network: serde_json::Value,
    address: watch::Receiver<String>,
    started: Timestamp,
}

impl Identity {
    /// A service that started at `started`; its `address` may change as others learn it.
    pub fn new(service: &'static str, network: &Params, address: watch::Receiver<String>, started: Timestamp) -> Self {
        // Cannot fail: parameters are texts and integers.
        let parameters = serde_json::to_value(network).unwrap_or_default();
        Self { service, network_id: network.network_id(), network: parameters, address, started }
    }

    /// A service with an address that never changes.
    pub fn at(service: &'static str, network: &Params, address: impl ToString, started: Timestamp) -> Self {
        Self::new(service, network, watch::channel(address.to_string()).1, started)
    }

    /// `/info` without the fields that only some services have.
    pub fn info(&self) -> Info {
        Info {
            service: self.service.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            network_id: self.network_id,
            network: self.network.clone(),
            address: self.address.borrow().clone(),
            started: self.started,
            tip: None,
            peers: None,
            mining: None,
            pool: None,
            members: None,
            health: None,
        }
    }
}
