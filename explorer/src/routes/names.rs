//! The name book for scripts and programs: everyone by name, and names that owners of wallets sign.

use crate::names::{Refused, SignedClaim};
use crate::network::Change;
use crate::state::ExplorerState;
use runtime::server::{self, BODY_LIMIT, Request, Response, reply};
use serde::Serialize;
use shared::keys::PlainVerifier;
use shared::ledger::Address;
use shared::wire::Problem;
use std::sync::{Arc, PoisonError};
use tokio::sync::mpsc;

/// An address and its name.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct NamedPerson {
    address: Address,
    name: String,
    /// The letter of the node that mines to the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<String>,
}

/// What a claim has led to.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Claimed {
    address: Address,
    /// The name that the address has now.
    name: Option<String>,
}

/// Everyone who has a name. The book is bounded, so the list is too.
pub(crate) async fn list(explorer: Arc<ExplorerState>, _: Request) -> Result<Response, Problem> {
    let cast = explorer.cast();
    let named = cast.people().map(|(address, name)| NamedPerson {
        address: *address,
        name: name.to_string(),
        node: cast.miner_letter(address).map(str::to_owned),
    });
    reply::json(&named.collect::<Vec<_>>())
}

pub(crate) async fn sign(explorer: Arc<ExplorerState>, mut request: Request) -> Result<Response, Problem> {
    let claim: SignedClaim = request.json(BODY_LIMIT).await?;
    let claim = claim.check(explorer.network_id, explorer.clock.time(), &PlainVerifier);
    let claim = claim.map_err(|invalid| server::unprocessable(invalid.rule(), invalid.to_string()))?;
    let address = claim.address;
    {
        let mut book = explorer.names.write().unwrap_or_else(PoisonError::into_inner);
        let place = || explorer.name_places.try_take(request.source, 1);
        Arc::make_mut(&mut book).sign(claim, place).map_err(|refused| match refused {
            Refused::Full(_) => server::unavailable(refused.to_string()),
            _ => server::conflict(refused.to_string()),
        })?;
    }
    // Earlier moments show the old name, which its owner may have taken back.
    super::film::forget(&explorer);
    explorer.monitor.mark_changed(Change::Nodes);
    let name = explorer.name_book().name(&address).map(ToString::to_string);
    reply::json(&Claimed { address, name })
}

/// Writes the names of thieves into the book, until nobody sends any more.
pub(crate) async fn name_thieves(explorer: Arc<ExplorerState>, mut thieves: mpsc::Receiver<(Address, String)>) {
    while let Some((address, name)) = thieves.recv().await {
        let is_added = {
            let mut book = explorer.names.write().unwrap_or_else(PoisonError::into_inner);
            Arc::make_mut(&mut book).add_person(address, name)
        };
        // A name that is taken, or none, leaves the address as it is.
        if is_added == Ok(true) {
            explorer.monitor.mark_changed(Change::Nodes);
        }
    }
}
