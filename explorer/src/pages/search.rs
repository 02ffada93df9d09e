//! Page search.

use crate::service::Explorer;
use runtime::server::{self, Request, Response};
use shared::wire::Problem;

pub(crate) async fn page(_explorer: &Explorer, _request: &Request) -> Result<Response, Problem> {
    Err(server::not_found("to be written"))
}
