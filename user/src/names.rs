//! The names of people, from the name book of an explorer. A name is the word of that explorer: it never chooses who is
//! paid.

use crate::Error;
use crate::console::Console;
use crate::services::RemoteService;
use runtime::sanitize;
use shared::ledger::Address;
use shared::sync::{BadPeerAddress, PeerAddress};
use std::collections::BTreeMap;
use std::str::FromStr;

/// The answer of a service to a request for another network.
const CONFLICT: u16 = 409;
/// Longer names are cut, in characters. An honest explorer has none.
const MAX_CHARS: usize = 20;

/// Where an explorer is: `host:port`, or the address in a browser, `http://host:port/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExplorerArg(PeerAddress);

/// Why a text names no explorer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadExplorerArg {
    /// The explorer itself has no TLS.
    #[error("only http:// is possible; name the explorer itself, such as http://127.0.0.1:8080")]
    NotHttp,
    /// It is no address.
    #[error(transparent)]
    Address(#[from] BadPeerAddress),
}

impl FromStr for ExplorerArg {
    type Err = BadExplorerArg;

    fn from_str(text: &str) -> Result<Self, BadExplorerArg> {
        let at = match text.split_once("://") {
            Some((scheme, at)) if scheme.eq_ignore_ascii_case("http") => at.strip_suffix('/').unwrap_or(at),
            Some(_) => return Err(BadExplorerArg::NotHttp),
            None => text,
        };
        Ok(Self(at.parse()?))
    }
}

/// The names of people.
#[derive(Debug, Default)]
pub(crate) struct Names(BTreeMap<Address, String>);

impl Names {
    /// Asks the explorer. Without one, or without its answer, nobody has a name.
    ///
    /// # Errors
    /// Fails if the explorer is one of another network: it refuses the request, which names the network.
    pub(crate) async fn of(
        explorer: Option<&ExplorerArg>,
        service: &RemoteService,
        console: &mut Console,
    ) -> Result<Self, Error> {
        let Some(ExplorerArg(at)) = explorer else { return Ok(Self::default()) };
        match service.client.names(at.as_str()).await {
            Ok(people) => Ok(Self(people.into_iter().map(|person| (person.address, shown(&person.name))).collect())),
            Err(error) if error.status() == Some(CONFLICT) => {
                let action = "use the names of this explorer".to_owned();
                Err(Error::Request { action, at: at.to_string(), source: Box::new(error) })
            }
            Err(error) => {
                console.note(&format!("no names: the explorer at {at} did not send them: {error}"));
                Ok(Self::default())
            }
        }
    }

    pub(crate) fn get(&self, address: &Address) -> Option<&String> {
        self.0.get(address)
    }
}

/// The text of another service, on one line and not too long.
fn shown(name: &str) -> String {
    sanitize::line(name).chars().take(MAX_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_explorer_is_named_as_in_a_browser_or_by_its_address() {
        for text in ["127.0.0.1:8080", "http://127.0.0.1:8080", "HTTP://127.0.0.1:8080/"] {
            assert_eq!(text.parse::<ExplorerArg>().unwrap().0.as_str(), "127.0.0.1:8080");
        }
        for text in ["", "http://", "https://127.0.0.1:8080", "http://a:80/lab", "http://a:80//", "file:///etc", "a"] {
            assert!(text.parse::<ExplorerArg>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_name_of_a_stranger_is_short_and_on_one_line() {
        assert_eq!(shown("Ada"), "Ada");
        assert_eq!(shown(&"x\n".repeat(50)).chars().count(), MAX_CHARS);
        assert!(!shown("a\u{1b}[2J\nb\u{202e}").contains(['\u{1b}', '\n', '\u{202e}']));
    }
}
