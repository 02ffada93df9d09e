//! Page transaction.

use crate::service::Explorer;
use runtime::server::{self, Response};
use shared::wire::Problem;

pub(crate) async fn page(_explorer: &Explorer, _id: &str) -> Result<Response, Problem> {
    Err(server::not_found("to be written"))
}
