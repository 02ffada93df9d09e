//! `GET /events`: what happens in the pool, as it happens.

use crate::service::MempoolService;
use futures_util::{StreamExt, stream};
use runtime::server::{Request, Response, ServerEvent, reply};
use shared::wire::Problem;
use tokio::sync::broadcast::error::RecvError;

/// Server-sent events `transaction`, `confirmed`, `returned` and `evicted` with JSON data.
#[utoipa::path(get, path = "/events", responses((status = 200, body = String, content_type = "text/event-stream"), (status = 503, body = Problem, description = "Too many subscribers")))]
pub(crate) fn subscribe(mempool: &MempoolService, request: &Request) -> Result<Response, Problem> {
    let events = stream::unfold(mempool.desk.subscribe(), |mut events| async move {
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
