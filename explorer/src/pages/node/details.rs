//! What the page of a node shows. If the node does not answer, parts are missing, but it is no error.

use crate::network::{NetworkState, ServiceState};
use crate::state::ExplorerState;
use crate::view::chart::grouped;
use runtime::client::Error;
use serde_json::Value;
use shared::block::Timestamp;
use shared::chain::{BranchTip, Tip};
use shared::ledger::{Address, Amount};
use shared::params::Params;
use shared::wire::{MiningInfo, PeerInfo};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::timeout;

/// Most blocks that are listed.
pub(super) const BLOCKS: usize = 12;
/// Most peers and branches that are listed.
const MAX_LISTED: usize = 100;
/// The parameters that are amounts in grains.
const AMOUNTS: [&str; 2] = ["reward", "new_address_balance"];
/// How long the node may take for each answer.
const REQUEST_TIME: Duration = Duration::from_secs(3);

pub(super) struct NodeDetails {
    pub(super) address: String,
    pub(super) service: ServiceState,
    pub(super) tips: Result<Vec<BranchTip>, String>,
    pub(super) others: Vec<OtherNode>,
    /// The balance of the address that it mines for.
    pub(super) balance: Option<Amount>,
    /// The names and values of the network's parameters.
    pub(super) params: Vec<(String, String)>,
    pub(super) has_money: bool,
    /// Whether the explorer has its token.
    pub(super) can_steer: bool,
}

/// Another node, as the shown one sees it.
pub(super) struct OtherNode {
    pub(super) address: String,
    pub(super) link: LinkState,
    pub(super) tip: Option<Tip>,
    pub(super) last_seen: Option<Timestamp>,
    /// Whether the explorer knows it.
    pub(super) is_known: bool,
}

/// The state of the link between two nodes.
pub(super) enum LinkState {
    Connected,
    /// Cut off by an operator.
    Blocked,
    /// The error of the last contact.
    Failed(String),
    /// The shown node does not list the other one.
    NotConnected,
}

impl NodeDetails {
    /// `None` if the node is not known.
    pub(super) async fn of(explorer: &ExplorerState, state: &NetworkState, node: &str) -> Option<Self> {
        let service = state.nodes.get(node)?.clone();
        let client = &explorer.upstream.client;
        let (tips, peers, balance) = tokio::join!(
            request(client.tips(node)),
            request(client.node_peers(node)),
            request(balance(explorer, service.info.as_ref().and_then(|info| info.mining.as_ref()))),
        );
        Some(Self {
            others: others(state, node, peers.unwrap_or_default()),
            address: node.to_owned(),
            service,
            tips: tips.map(|tips| tips.into_iter().take(MAX_LISTED).collect()),
            balance: balance.ok(),
            params: rules(&explorer.params),
            has_money: explorer.params.layer.has_money(),
            can_steer: explorer.tokens.contains(node),
        })
    }

    pub(super) fn mining(&self) -> Option<&MiningInfo> {
        self.service.info.as_ref()?.mining.as_ref()
    }
}

async fn request<T, E: ToString>(answer: impl Future<Output = Result<T, E>>) -> Result<T, String> {
    let answer = timeout(REQUEST_TIME, answer).await.map_err(|_| Error::Slow.to_string())?;
    answer.map_err(|error| error.to_string())
}

async fn balance(explorer: &ExplorerState, mining: Option<&MiningInfo>) -> Result<Amount, String> {
    let address = mining.and_then(|mining| mining.address.as_ref()).ok_or("it mines for no address")?;
    let address: Address = address.parse().map_err(|error| format!("{error}"))?;
    let balance =
        explorer.upstream.mempool(async move |client, mempool| client.balance(mempool, &address, 1).await).await;
    let balance = balance.map_err(|error| error.to_string())?;
    Amount::new(balance).ok_or_else(|| "the balance is out of range".to_owned())
}

/// The names and values of the parameters, with units.
fn rules(params: &Params) -> Vec<(String, String)> {
    let values = serde_json::to_value(params).unwrap_or_default();
    let rule = |(name, value): (&String, &Value)| (name.replace('_', " "), text(name, value));
    values.as_object().into_iter().flatten().map(rule).collect()
}

fn text(name: &str, value: &Value) -> String {
    let amount = value.as_u64().filter(|_| AMOUNTS.contains(&name)).and_then(Amount::new);
    match (amount, value) {
        (Some(amount), _) => format!("{amount} LAB"),
        (None, Value::Number(number)) => grouped(&number.to_string()),
        (None, Value::String(text)) => text.clone(),
        (None, other) => other.to_string(),
    }
}

/// All nodes that the explorer or the node knows, by address.
pub(super) fn others(state: &NetworkState, node: &str, peers: Vec<PeerInfo>) -> Vec<OtherNode> {
    let not_connected = |(address, service): (&String, &ServiceState)| OtherNode {
        address: address.clone(),
        link: LinkState::NotConnected,
        tip: service.tip(),
        last_seen: service.last_seen,
        is_known: true,
    };
    let mut others: BTreeMap<String, OtherNode> =
        state.nodes.iter().map(|known| (known.0.clone(), not_connected(known))).collect();
    for PeerInfo { address, tip, last_seen, error } in peers.into_iter().take(MAX_LISTED) {
        let link = match error {
            None => LinkState::Connected,
            Some(reason) if reason == "blocked" => LinkState::Blocked,
            Some(reason) => LinkState::Failed(reason),
        };
        // Mempools are peers too, but no nodes.
        if !state.mempools.contains_key(&address) {
            let known = others.get(&address);
            let (tip, last_seen) =
                (tip.or(known.and_then(|known| known.tip)), last_seen.or(known.and_then(|known| known.last_seen)));
            let is_known = known.is_some();
            others.insert(address.clone(), OtherNode { address, link, tip, last_seen, is_known });
        }
    }
    others.remove(node);
    others.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_have_their_units() {
        let rules = rules(&Params { max_data_bytes: 1_234_567, ..Params::default() });
        let value = |name: &str| rules.iter().find(|rule| rule.0 == name).map(|rule| rule.1.as_str());
        assert_eq!(value("reward"), Some("50 LAB"));
        assert_eq!(value("max data bytes"), Some("1,234,567"));
        assert_eq!(value("layer"), Some("transaction"));
    }
}
