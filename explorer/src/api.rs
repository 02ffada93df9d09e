//! What scripts of the pages ask for and send: JSON, passed on to a mempool or node. Only our own pages may send
//! (the kit checks where a request comes from).

use crate::service::Explorer;
use runtime::server::{self, Request, Response};
use shared::wire::Problem;

macro_rules! to_be_written { () => { Err(server::not_found("to be written")) } }

pub(crate) async fn push(_explorer: &Explorer, _request: Request) -> Result<Response, Problem> {
    to_be_written!()
}

pub(crate) async fn steer(_explorer: &Explorer, _node: &str, _action: &str, _request: Request) -> Result<Response, Problem> {
    to_be_written!()
}

pub(crate) async fn balance(_explorer: &Explorer, _address: &str) -> Result<Response, Problem> {
    to_be_written!()
}

pub(crate) async fn history(_explorer: &Explorer, _address: &str) -> Result<Response, Problem> {
    to_be_written!()
}

pub(crate) async fn transaction(_explorer: &Explorer, _id: &str) -> Result<Response, Problem> {
    to_be_written!()
}
