//! `GET /events`: what happens, as it happens.

use crate::service::NodeService;
use futures_util::{StreamExt, stream};
use runtime::server::{Request, Response, ServerEvent, reply};
use shared::wire::Problem;
use tokio::sync::broadcast::error::RecvError;

/// Server-sent events `block`, `reorg`, `peer` and `mining` with JSON data.
#[utoipa::path(get, path = "/events", responses((status = 200, body = String, content_type = "text/event-stream"), (status = 503, body = Problem, description = "Too many subscribers")))]
pub(crate) fn subscribe(node: &NodeService, request: &Request) -> Result<Response, Problem> {
    let events = stream::unfold(node.follower.subscribe(), |mut events| async move {
        loop {
            match events.recv().await {
                Ok(event) => return Some((event, events)),
                // A subscriber that falls behind misses events rather than holding up the others.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    });
    reply::events(request, events.filter_map(|event| async move { ServerEvent::try_from(event.as_ref()).ok() }))
}
