//! Why a request of JSON-RPC is refused: a number that its clients know, and words.

use serde::Serialize;
use shared::program::HexBytes;
use shared::store::StoreError;
use shared::wire::Problem;

/// The body is not JSON.
pub(super) const PARSE: i32 = -32700;
/// The JSON is not a request.
pub(super) const REQUEST: i32 = -32600;
/// There is no such method.
pub(super) const METHOD: i32 = -32601;
/// A parameter is missing or malformed.
pub(super) const PARAMS: i32 = -32602;
/// The request asks for too much.
pub(super) const LIMIT: i32 = -32005;
/// Any other reason.
pub(super) const SERVER: i32 = -32000;
/// A call reverted; `data` has what it returned.
pub(super) const REVERTED: i32 = 3;

/// A refusal as clients get it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct RpcError {
    code: i32,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<HexBytes>,
}

impl RpcError {
    pub(super) fn new(code: i32, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: None }
    }

    /// A call that ended without success.
    pub(super) fn failed(status: &str, reason: Option<&str>, output: Vec<u8>) -> Self {
        if status == "reverted" {
            let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
            return Self {
                code: REVERTED,
                message: format!("execution reverted{reason}"),
                data: Some(HexBytes(output)),
            };
        }
        Self::new(SERVER, format!("the call failed: {status}"))
    }
}

impl From<Problem> for RpcError {
    fn from(problem: Problem) -> Self {
        Self::new(SERVER, problem.detail)
    }
}

/// A refusal, or a failure of our store.
#[derive(Debug)]
pub(super) enum Failure {
    Refused(RpcError),
    Store(StoreError),
}

impl From<RpcError> for Failure {
    fn from(error: RpcError) -> Self {
        Self::Refused(error)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem.into())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
