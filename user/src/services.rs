//! Finding who can answer: a mempool or a node, named by a flag or known to the tracker.
//!
//! It never guesses between networks: the configuration's goes first, the only one there is will do, and between
//! several others the person must choose, since money of one network is nothing on another.

use crate::Error;
use crate::console::Console;
use crate::error::role_name;
use runtime::client::{self, Client, HostPort};
use runtime::sanitize;
use shared::block::BlockHash;
use shared::chain::Tip;
use shared::config::Config;
use shared::params::Params;
use shared::wire::{Info, Member, Role};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Members that are tried before giving up: dead ones stay listed until their lease ends.
const MAX_TRIED: usize = 8;

/// What every command knows.
#[derive(Debug, Clone)]
pub struct Context {
    /// The configuration, flags included.
    pub config: Config,
    /// The mempool that `--mempool` named.
    pub mempool: Option<HostPort>,
}

/// A service that answered.
#[derive(Debug, Clone)]
pub struct RemoteService {
    /// `host:port`.
    pub address: String,
    /// The network's id.
    pub network_id: BlockHash,
    /// The network's parameters.
    pub params: Params,
    /// Its best block.
    pub tip: Option<Tip>,
    /// A client that speaks for this network.
    pub client: Client,
}

impl RemoteService {
    /// An error of asking this service; `action` goes on after "cannot".
    pub(crate) fn request_error(&self, action: impl Into<String>) -> impl FnOnce(client::Error) -> Error {
        let (action, at) = (action.into(), self.address.clone());
        move |source| Error::Request { action, at, source: Box::new(source) }
    }
}

impl Context {
    /// A mempool, and with it the network.
    ///
    /// # Errors
    /// There is none, or several networks have one, or the network has no money.
    pub async fn mempool(&self) -> Result<RemoteService, Error> {
        let service = match &self.mempool {
            Some(at) => self.identify(&at.to_string(), Role::Mempool).await?,
            None => match self.best_member(Role::Mempool, None).await {
                // Where there is no mempool because there is no money, that is what to say.
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

    /// Tells whose money is meant where it is not that of the configuration's network.
    pub(crate) fn note_foreign_network(&self, service: &RemoteService, console: &mut Console) {
        if service.network_id != self.config.network.network_id() {
            let (theirs, ours) = (&service.params.name, &self.config.network.name);
            let id = service.network_id.short();
            console
                .note(&format!("this is the network {theirs} ({id}), not {ours}, which the configuration describes"));
        }
    }

    /// A node: the one that a flag named, or one of the mempool's network, or one that the tracker knows.
    ///
    /// # Errors
    /// There is none, or several networks have one.
    pub async fn node(&self, named: Option<&HostPort>) -> Result<RemoteService, Error> {
        match (named, &self.mempool) {
            (Some(at), _) => self.identify(&at.to_string(), Role::Node).await,
            (None, Some(mempool)) => {
                let network = self.identify(&mempool.to_string(), Role::Mempool).await?.network_id;
                self.best_member(Role::Node, Some(network)).await
            }
            (None, None) => self.best_member(Role::Node, None).await,
        }
    }

    /// Everyone that the tracker lists.
    ///
    /// # Errors
    /// Nobody answers there.
    pub async fn members(&self) -> Result<Vec<Member>, Error> {
        let tracker = &self.config.user.tracker;
        let client = Client::new(None, None).map_err(Error::Client)?;
        let no_tracker = |source| Error::NoTracker { tracker: tracker.clone(), source: Box::new(source) };
        client.members(tracker).await.map_err(no_tracker)
    }

    /// The best live member of a role, of `network` if that is given.
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
        for member in chosen.into_iter().take(MAX_TRIED) {
            match self.identify(&member.address, role).await {
                Ok(service) if service.network_id == member.network_id => return Ok(service),
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

    /// Asks a service who it is.
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
        // Payments are signed for the id: it must be that of the rules which are shown.
        if params.network_id() != id {
            return Err(unusable(format!("its parameters make the id {}, and it says {id}", params.network_id())));
        }
        let client = Client::new(Some(id), None).map_err(Error::Client)?;
        Ok(RemoteService { address: at.to_owned(), network_id: id, params, tip, client })
    }
}

/// Why nobody can be chosen.
#[derive(Debug, PartialEq, Eq)]
enum NoSelection {
    NoMember,
    SeveralNetworks(String),
}

/// Members of a role, of one network, those with most work first.
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
