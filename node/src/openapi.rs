//! The node's endpoints as OpenAPI; the kit adds those that all services share. Each is described beside its handler.

use crate::routes::{chain, events, exchange, steering, work};
use shared::wire::{BlockEvent, MiningEvent, PeerEvent, Problem, ReorgEvent};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

/// The description of everything that only a node answers.
pub(crate) fn describe() -> utoipa::openapi::OpenApi {
    NodeApi::openapi()
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Chainlab node", description = "Follows the chain, serves it, and mines (docs/protocol.md §10)."),
    paths(
        chain::length,
        chain::block,
        chain::block_by_query,
        chain::blockchain,
        chain::headers,
        chain::tips,
        exchange::push,
        exchange::headers,
        exchange::blocks,
        steering::peers,
        steering::update_peers,
        steering::sync,
        steering::mine,
        events::subscribe,
        work::offer,
        work::solve,
    ),
    components(schemas(Problem, BlockEvent, ReorgEvent, PeerEvent, MiningEvent)),
    modifiers(&Token),
)]
struct NodeApi;

/// Declares the bearer token that steering needs.
struct Token;

impl Modify for Token {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("The node's token")).build();
        api.components.get_or_insert_default().add_security_scheme("token", SecurityScheme::Http(token));
    }
}
