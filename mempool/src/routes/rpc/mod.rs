//! `POST /rpc`: Ethereum's JSON-RPC, so that its clients can read this chain (docs/protocol.md §15). Nothing here signs
//! or pays: `user rpc` does, with a key of its own.
//!
//! `params` reads what callers send, `view` has the blocks and transactions as these clients know them, the other
//! modules one group of methods each. Bounds: bytes of the body and of the answer, requests in a batch, blocks and logs
//! of a query; calls wait for a turn and have a deadline, as those of `/call` have.

mod blocks;
mod calls;
mod failure;
mod logs;
mod params;
mod state;
mod trace;
mod view;

use super::programs::has_programs;
use crate::pool_state::PoolState;
use crate::state::{MempoolState, not_ready, store_problem};
use failure::{Failure, RpcError};
use params::Params;
use runtime::server::{Request, Response, reply};
use serde_json::{Value, json};
use shared::chain::ChainSnapshot;
use shared::layer::program::chain_id;
use shared::program::Engine;
use shared::wire::Problem;
use std::sync::Arc;
use view::quantity;

/// Longest body: init code in hex, and the rest.
const BODY_BYTES: usize = 256 << 10;
/// Most requests in a batch.
const MAX_BATCH: usize = 100;
/// Longest answer to a batch, in bytes; the first request is always answered.
const MAX_ANSWER: usize = 8 << 20;

/// What the methods read.
struct Reader<'a> {
    pool_state: &'a PoolState,
    snapshot: &'a ChainSnapshot,
    engine: &'a Arc<dyn Engine>,
}

/// A request: the name of a method and its parameters.
struct Call {
    id: Value,
    method: String,
    params: Params,
}

pub(crate) async fn rpc(mempool: Arc<MempoolState>, mut request: Request) -> Result<Response, Problem> {
    has_programs(mempool.pool_state.params())?;
    let body = request.bytes(BODY_BYTES).await?;
    let answer = match serde_json::from_slice(&body) {
        Ok(Value::Array(requests)) => batch(&mempool, requests).await,
        Ok(request) => answer(&mempool, request).await,
        Err(_) => refusal(Value::Null, &RpcError::new(failure::PARSE, "the body is not JSON")),
    };
    reply::json(&answer)
}

async fn batch(mempool: &MempoolState, requests: Vec<Value>) -> Value {
    if requests.is_empty() || requests.len() > MAX_BATCH {
        let detail = format!("a batch has 1 to {MAX_BATCH} requests, this one {}", requests.len());
        return refusal(Value::Null, &RpcError::new(failure::REQUEST, detail));
    }
    let (mut answers, mut bytes) = (Vec::with_capacity(requests.len()), 0);
    for request in requests {
        if bytes > MAX_ANSWER {
            let error = RpcError::new(failure::LIMIT, "the answers before this one are too long; use several batches");
            answers.push(refusal(request["id"].clone(), &error));
            continue;
        }
        let one = answer(mempool, request).await;
        bytes += one.to_string().len();
        answers.push(one);
    }
    Value::Array(answers)
}

async fn answer(mempool: &MempoolState, request: Value) -> Value {
    let call = match Call::read(request) {
        Ok(call) => call,
        Err((id, error)) => return refusal(id, &error),
    };
    let id = call.id.clone();
    match run(mempool, call).await {
        Ok(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
        Err(error) => refusal(id, &error),
    }
}

fn refusal(id: Value, error: &RpcError) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "error": error})
}

impl Call {
    /// Reads a request, or says under which id it is refused.
    fn read(request: Value) -> Result<Self, (Value, RpcError)> {
        let Value::Object(mut fields) = request else {
            return Err((Value::Null, RpcError::new(failure::REQUEST, "a request is a JSON object")));
        };
        let refuse = |id: &Value, detail: &str| Err((id.clone(), RpcError::new(failure::REQUEST, detail)));
        let id = match fields.remove("id") {
            Some(id @ (Value::String(_) | Value::Number(_))) => id,
            _ => return refuse(&Value::Null, "a request needs an id, a text or a number: nothing is done without one"),
        };
        if fields.get("jsonrpc").is_some_and(|version| version != "2.0") {
            return refuse(&id, "jsonrpc must be \"2.0\"");
        }
        let Some(Value::String(method)) = fields.remove("method") else {
            return refuse(&id, "the method is missing, or is no text");
        };
        match fields.remove("params") {
            None | Some(Value::Null) => Ok(Self { id, method, params: Params::default() }),
            Some(Value::Array(values)) => Ok(Self { id, method, params: Params::new(values) }),
            Some(_) => Err((id, RpcError::new(failure::PARAMS, "params must be an array"))),
        }
    }
}

/// Carries out one request, on a thread that may take long.
async fn run(mempool: &MempoolState, call: Call) -> Result<Value, RpcError> {
    let turn = match call.method.as_str() {
        "eth_call" | "eth_estimateGas" | "debug_traceTransaction" => Some(mempool.machine.turn().await?),
        _ => None,
    };
    let engine = mempool.machine.engine.clone();
    let done = mempool.spawn_blocking(move |pool_state| {
        let _turn = turn;
        let snapshot = pool_state.snapshot().map_err(not_ready)?;
        let reader = Reader { pool_state, snapshot: &snapshot, engine: &engine };
        match reader.result(&call.method, &call.params) {
            Err(Failure::Store(error)) => Err(store_problem(pool_state, &error)),
            Err(Failure::Refused(error)) => Ok(Err(error)),
            Ok(result) => Ok(Ok(result)),
        }
    });
    done.await?
}

impl Reader<'_> {
    fn result(&self, method: &str, params: &Params) -> Result<Value, Failure> {
        let chain_id = chain_id(self.pool_state.params());
        match method {
            "web3_clientVersion" => Ok(json!(concat!("Chainlab/", env!("CARGO_PKG_VERSION")))),
            "net_version" => Ok(json!(chain_id.to_string())),
            "net_listening" => Ok(json!(true)),
            "eth_chainId" => Ok(quantity(chain_id)),
            // A mempool without a chain refuses before it comes here.
            "eth_syncing" => Ok(json!(false)),
            "eth_accounts" => Ok(json!([])),
            "eth_gasPrice" | "eth_maxPriorityFeePerGas" => Ok(quantity(0)),
            "eth_blockNumber" => Ok(quantity(self.snapshot.tip().index.0)),
            "eth_getBlockByNumber" => self.block_by_number(params),
            "eth_getBlockByHash" => self.block_by_hash(params),
            "eth_feeHistory" => self.fee_history(params),
            "eth_getTransactionByHash" => self.transaction(params),
            "eth_getTransactionReceipt" => self.receipt(params),
            "eth_getBalance" => self.balance(params),
            "eth_getTransactionCount" => self.nonce(params),
            "eth_getCode" => self.code(params),
            "eth_getStorageAt" => self.slot(params),
            "eth_call" => self.call(params),
            "eth_estimateGas" => self.estimate(params),
            "eth_getLogs" => self.logs(params),
            "debug_traceTransaction" => self.trace(params),
            other => Err(not_offered(other).into()),
        }
    }
}

/// Why a method is not here.
fn not_offered(method: &str) -> RpcError {
    let reason = match method {
        "eth_sendRawTransaction" => {
            "transactions here are signed with the curve P-256, so one that an Ethereum wallet has signed is worth \
             nothing; `user rpc` signs for such clients"
        }
        "eth_sendTransaction" | "eth_sign" | "eth_signTransaction" | "eth_signTypedData" | "personal_sign" => {
            "a mempool has no keys; run `user rpc` beside your client, which has one"
        }
        "eth_newFilter" | "eth_newBlockFilter" | "eth_newPendingTransactionFilter" | "eth_getFilterChanges" => {
            "a mempool keeps nothing for its callers; ask with eth_getLogs"
        }
        _ => "this method is not offered; docs/protocol.md lists those that are",
    };
    let method: String = method.chars().take(60).collect();
    RpcError::new(failure::METHOD, format!("{method:?}: {reason}"))
}
