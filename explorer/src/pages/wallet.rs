//! Page wallet.

use crate::service::Explorer;
use runtime::server::{self, Response};
use shared::wire::Problem;

pub(crate) fn page(_explorer: &Explorer) -> Result<Response, Problem> {
    Err(server::not_found("to be written"))
}

pub(crate) fn qr(_file: &str) -> Result<Response, Problem> {
    Err(server::not_found("to be written"))
}
