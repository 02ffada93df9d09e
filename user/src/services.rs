//! Finds a mempool or a node: the one that a flag names, or one that the tracker lists.
//!
//! It never guesses between networks, because money of one network is worthless on another: it takes the network of the
//! configuration, or else the only network that the tracker lists; among several others the person must choose.

use crate::Error;
use crate::console::Console;
use crate::error::role_name;
use runtime::client::{self, Client, OldestPosition};
use runtime::sanitize;
use shared::block::BlockHash;
use shared::chain::Tip;
use shared::config::Config;
use shared::params::Params;
use shared::sync::PeerAddress;
use shared::wire::{Info, Member, Role};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Members of a list to use at most: a dead one stays listed until its lease ends.
const MAX_TRIED: usize = 8;

/// What every command gets.
#[derive(Debug, Clone)]
pub struct Context {
    /// The configuration, with flags applied.
    pub config: Config,
    /// The value of `--mempool`.
    pub mempool: Option<PeerAddress>,
}

/// A service that has answered `/info`, and the network that it is on.
#[derive(Debug, Clone)]
pub struct RemoteService {
    pub address: String,
    /// Others of its role and network that the tracker lists, at most 8; none if a flag named this one.
    pub others: Vec<String>,
    pub network_id: BlockHash,
    pub params: Params,
    pub tip: Option<Tip>,
    /// A client that accepts answers of this network only.
    pub client: Client,
    /// The block that the answers to `client` stand on, if they tell.
    pub position: OldestPosition,
}

impl RemoteService {
    /// Makes an error of a failed request to this service; `action` completes the sentence "cannot …".
    pub(crate) fn request_error(&self, action: impl Into<String>) -> impl FnOnce(client::Error) -> Error {
        let (action, at) = (action.into(), self.address.clone());
        move |source| Error::Request { action, at, source: Box::new(source) }
    }
}

impl Context {
    /// Finds a mempool, and with it the network.
    ///
    /// # Errors
    /// Fails if there is no mempool, if several networks have one, or if the network has no money.
    pub async fn mempool(&self) -> Result<RemoteService, Error> {
        let service = match &self.mempool {
            Some(at) => self.identify(&at.to_string(), Role::Mempool).await?,
            None => match self.best_member(Role::Mempool, None).await {
                // A network without money has no mempool: then the error says so.
                Err(error @ Error::NoMember { .. }) => {
                    let node = self.best_member(Role::Node, None).await.map_err(|_| error)?;
                    return Err(if node.params.layer.has_money() {
                        self.no_member(Role::Mempool, Some(node.network_id))
                    } else {
                        Error::NoMoney(node.params.name)
                    });
                }
                listed => listed?,
            },
        };
        if service.params.layer.has_money() { Ok(service) } else { Err(Error::NoMoney(service.params.name)) }
    }

    /// Prints a note if the network is not that of the configuration.
    pub(crate) fn note_foreign_network(&self, service: &RemoteService, console: &mut Console) {
        if service.network_id != self.config.network.network_id() {
            let (theirs, ours) = (&service.params.name, &self.config.network.name);
            let id = service.network_id.short();
            console
                .note(&format!("this is the network {theirs} ({id}), not {ours}, which the configuration describes"));
        }
    }

    /// Finds a node: the one that a flag names, or one of the mempool's network, or one that the tracker lists.
    ///
    /// # Errors
    /// Fails if there is no node, or if several networks have one.
    pub async fn node(&self, named: Option<&PeerAddress>) -> Result<RemoteService, Error> {
        match (named, &self.mempool) {
            (Some(at), _) => self.identify(&at.to_string(), Role::Node).await,
            (None, Some(mempool)) => {
                let network = self.identify(&mempool.to_string(), Role::Mempool).await?.network_id;
                self.best_member(Role::Node, Some(network)).await
            }
            (None, None) => self.best_member(Role::Node, None).await,
        }
    }

    /// All members that the tracker lists.
    ///
    /// # Errors
    /// Fails if the tracker does not answer.
    pub async fn members(&self) -> Result<Vec<Member>, Error> {
        let tracker = &self.config.user.tracker;
        let client = Client::new(None, None).map_err(Error::Client)?;
        client.members(tracker).await.map_err(|error| {
            let (tracker, source) = (tracker.clone(), Box::new(error));
            match *source {
                client::Error::Refused(_) => Error::TrackerRefuses { tracker, source },
                _ => Error::NoTracker { tracker, source },
            }
        })
    }

    /// The live member of a role with the most work; only of `network`, if given.
    async fn best_member(&self, role: Role, network: Option<BlockHash>) -> Result<RemoteService, Error> {
        let members = self.members().await?;
        let ours = network.unwrap_or_else(|| self.config.network.network_id());
        let chosen = select_members(&members, role, ours, network.is_some()).map_err(|failure| match failure {
            NoSelection::NoMember => self.no_member(role, network),
            NoSelection::SeveralNetworks(listed) => {
                Error::SeveralNetworks { tracker: self.config.user.tracker.clone(), role, listed }
            }
        })?;
        let mut last = self.no_member(role, network);
        for member in chosen.iter().take(MAX_TRIED) {
            match self.identify(&member.address, role).await {
                Ok(service) if service.network_id == member.network_id => {
                    let others = chosen.iter().filter(|other| other.address != member.address);
                    let others = others.take(MAX_TRIED).map(|other| other.address.clone()).collect();
                    return Ok(RemoteService { others, ..service });
                }
                Ok(_) => {}
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn no_member(&self, role: Role, network: Option<BlockHash>) -> Error {
        let network = network.map_or(String::new(), |id| format!(" of the network {}", id.short()));
        Error::NoMember { tracker: self.config.user.tracker.clone(), role, network }
    }

    /// Asks a service for `/info` and checks its role and its network.
    async fn identify(&self, at: &str, role: Role) -> Result<RemoteService, Error> {
        let failed = |source| {
            let action = format!("use the {}", role_name(role));
            Error::Request { action, at: at.to_owned(), source: Box::new(source) }
        };
        let client = Client::new(None, None).map_err(Error::Client)?;
        let Info { service, network_id: id, network, tip, .. } = client.info(at).await.map_err(failed)?;
        if service != role_name(role) {
            return Err(Error::WrongService { at: at.to_owned(), got: service, expected: role_name(role) });
        }
        let unusable = |reason: String| Error::UnusableNetwork { at: at.to_owned(), reason };
        let params: Params = serde_json::from_value(network).map_err(|error| unusable(error.to_string()))?;
        params.check().map_err(|error| unusable(error.to_string()))?;
        // Payments are signed for the network id, so it must belong to the parameters that the person sees.
        if params.network_id() != id {
            return Err(unusable(format!(
                "its parameters make the network id {}, but it reports {id}",
                params.network_id()
            )));
        }
        let position = OldestPosition::default();
        let client = Client::new(Some(id), None).map_err(Error::Client)?.observed_by(&position);
        Ok(RemoteService { address: at.to_owned(), others: Vec::new(), network_id: id, params, tip, client, position })
    }
}

/// Why no member is selected.
#[derive(Debug, PartialEq, Eq)]
enum NoSelection {
    NoMember,
    SeveralNetworks(String),
}

/// The members of a role on one network, most work first.
fn select_members(
    members: &[Member],
    role: Role,
    ours: BlockHash,
    only_ours: bool,
) -> Result<Vec<&Member>, NoSelection> {
    let mut networks: BTreeMap<BlockHash, Vec<&Member>> = BTreeMap::new();
    for member in members.iter().filter(|member| member.role == role) {
        networks.entry(member.network_id).or_default().push(member);
    }
    let mut chosen = match networks.remove(&ours) {
        Some(chosen) => chosen,
        None if only_ours => return Err(NoSelection::NoMember),
        None => match networks.pop_first() {
            None => return Err(NoSelection::NoMember),
            Some((_, only)) if networks.is_empty() => only,
            Some(first) => {
                networks.insert(first.0, first.1);
                return Err(NoSelection::SeveralNetworks(
                    networks.iter().map(|(id, of)| network_line(*id, of)).collect::<Vec<_>>().join("\n"),
                ));
            }
        },
    };
    chosen.sort_by_key(|member| (Reverse(member.tip.map(|tip| tip.work)), member.address.clone()));
    Ok(chosen)
}

fn network_line(id: BlockHash, members: &[&Member]) -> String {
    let addresses: Vec<_> = members.iter().map(|member| sanitize::line(&member.address)).collect();
    format!("  {}…: {}", id.short(), addresses.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::block::{Height, Timestamp};
    use shared::work::Work;

    const OURS: BlockHash = BlockHash::from_bytes([1; 32]);
    const THEIRS: BlockHash = BlockHash::from_bytes([2; 32]);
    const OTHERS: BlockHash = BlockHash::from_bytes([3; 32]);

    fn member(address: &str, role: Role, network_id: BlockHash, work: u128) -> Member {
        let tip = Tip { index: Height(1), hash: BlockHash::ZERO, timestamp: Timestamp::EPOCH, work: Work(work) };
        Member { address: address.to_owned(), role, network_id, tip: Some(tip), last_seen: Timestamp::EPOCH }
    }

    fn chosen(members: &[Member]) -> Result<Vec<&str>, NoSelection> {
        let chosen = select_members(members, Role::Mempool, OURS, false)?;
        Ok(chosen.into_iter().map(|member| member.address.as_str()).collect())
    }

    #[test]
    fn the_network_of_the_configuration_goes_first_and_most_work_in_it() {
        let members = [
            member("a:1", Role::Mempool, THEIRS, 9),
            member("b:1", Role::Mempool, OURS, 1),
            member("c:1", Role::Mempool, OURS, 2),
            member("d:1", Role::Node, OURS, 3),
        ];
        assert_eq!(chosen(&members), Ok(vec!["c:1", "b:1"]));
    }

    #[test]
    fn the_only_network_will_do() {
        let members = [member("a:1", Role::Mempool, THEIRS, 9), member("b:1", Role::Node, OTHERS, 1)];
        assert_eq!(chosen(&members), Ok(vec!["a:1"]));
        assert_eq!(select_members(&members, Role::Mempool, OURS, true).unwrap_err(), NoSelection::NoMember);
    }

    #[test]
    fn between_several_foreign_networks_the_person_chooses() {
        let members = [
            member("a:1", Role::Mempool, THEIRS, 9),
            member("b:1", Role::Mempool, OTHERS, 1),
            member("c:1", Role::Mempool, OTHERS, 1),
        ];
        let Err(NoSelection::SeveralNetworks(listed)) = chosen(&members) else { panic!("{:?}", chosen(&members)) };
        assert_eq!(listed, "  02020202…: a:1\n  03030303…: b:1, c:1");
        assert_eq!(chosen(&[]), Err(NoSelection::NoMember));
    }
}
