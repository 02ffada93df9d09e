//! Calls to a tracker (docs/protocol.md §9).

use super::transport::Bounds;
use super::{Client, Error};
use bytes::Bytes;
use shared::wire::{Member, Registered, Role};
use std::time::Duration;

/// The value of `service` in the `/info` of a service with this role.
pub const fn role_name(role: Role) -> &'static str {
    match role {
        Role::Node => "node",
        Role::Mempool => "mempool",
    }
}

impl Client {
    /// Registers `url` as `role`: `host:port`, or `:port` for the address that the request comes from.
    ///
    /// # Errors
    /// See [`Error`]; refused with 403, 422, 429 or 503 and the reason if the tracker does not list it.
    pub async fn register(&self, tracker: &str, url: &str, role: Role) -> Result<Registered, Error> {
        let role = role_name(role);
        let query =
            form_urlencoded::Serializer::new(String::new()).append_pair("url", url).append_pair("role", role).finish();
        // The tracker calls the service back before it answers.
        let bounds = Bounds::LIST.time(Duration::from_secs(8));
        self.post(tracker, &format!("/register?{query}"), None, Bytes::new(), bounds).await
    }

    /// `host:port` of the live nodes of all networks.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn nodes(&self, tracker: &str) -> Result<Vec<String>, Error> {
        self.get(tracker, "/nodes", Bounds::LIST).await
    }

    /// All members of a tracker.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn members(&self, tracker: &str) -> Result<Vec<Member>, Error> {
        self.get(tracker, "/members", Bounds::LIST).await
    }
}
