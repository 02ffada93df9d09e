//! Calls to an explorer.

use super::transport::Bounds;
use super::{Client, Error};
use serde::Deserialize;
use shared::ledger::Address;

/// A person in an explorer's name book.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct NamedPerson {
    /// The owner's address.
    pub address: Address,
    /// The name, as the explorer has it: text of a stranger.
    pub name: String,
}

impl Client {
    /// Everyone who has a name in the book of an explorer.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn names(&self, explorer: &str) -> Result<Vec<NamedPerson>, Error> {
        self.get(explorer, "/api/names", Bounds::LIST).await
    }
}
