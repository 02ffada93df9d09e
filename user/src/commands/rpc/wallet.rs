//! The wallet's one endpoint: JSON-RPC that signs what its caller sends, and passes all else on.
//!
//! The HTTP kit refuses requests of web pages before they come here: a foreign `Host` or `Origin`, and bodies that are
//! not declared as JSON. So only programs on this machine can spend.

use crate::Error;
use crate::commands::programs::send::{sign_call, with_margin};
use crate::push::push;
use crate::services::RemoteService;
use runtime::client;
use runtime::server::{Identity, Request, Response, Router, Service, Shape, post, reply};
use serde_json::{Value, json};
use shared::keys::KeyPair;
use shared::layer::program::chain_id;
use shared::ledger::{Address, Amount};
use shared::program::{AccountId, Call, HexBytes, MAX_CALL_GAS};
use shared::wire::{Info, Problem, RpcRequest, RpcResponse};
use std::sync::Arc;

/// Longest body: init code in hex, and the rest.
const BODY_BYTES: usize = 256 << 10;
/// Most requests in a batch.
const MAX_BATCH: usize = 100;

/// The body is not JSON.
const PARSE: i32 = -32700;
/// The JSON is not a request.
const REQUEST: i32 = -32600;
/// A parameter is missing or malformed.
const PARAMS: i32 = -32602;
/// Any other reason.
const SERVER: i32 = -32000;

/// A key, and the mempool that it pushes to.
pub(super) struct Wallet {
    pair: KeyPair,
    address: Address,
    mempool: RemoteService,
    fee: Amount,
    identity: Identity,
}

impl Service for Wallet {
    fn info(&self) -> Info {
        self.identity.info()
    }
}

pub(super) fn router() -> Router<Wallet> {
    let serve = |wallet: Arc<Wallet>, request: Request| async move { wallet.serve(request).await };
    Router::new("Chainlab wallet", "Signs for Ethereum's clients on this machine (docs/protocol.md §15).").group(
        "rpc",
        "Ethereum's JSON-RPC",
        [post("/", "One request, or an array of at most 100", serve)
            .body::<RpcRequest>()
            .returns(Shape::of::<RpcResponse>())],
    )
}

/// Why a request is refused.
struct Refusal {
    code: i32,
    message: String,
    /// What a call that reverted returned.
    data: Option<Value>,
}

impl Refusal {
    fn new(code: i32, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: None }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::new(SERVER, error.to_string())
    }
}

/// What `eth_sendTransaction` asks for.
struct Wanted {
    program: Option<Address>,
    amount: Amount,
    gas: Option<u64>,
    input: Vec<u8>,
}

impl Wallet {
    pub(super) fn new(pair: KeyPair, mempool: RemoteService, fee: Amount, identity: Identity) -> Self {
        Self { address: pair.address(), pair, mempool, fee, identity }
    }

    async fn serve(&self, mut request: Request) -> Result<Response, Problem> {
        let body = request.bytes(BODY_BYTES).await?;
        let answer = match serde_json::from_slice(&body) {
            Ok(Value::Array(requests)) if (1..=MAX_BATCH).contains(&requests.len()) => {
                let mut answers = Vec::with_capacity(requests.len());
                for request in requests {
                    answers.push(self.answer(request).await);
                }
                Value::Array(answers)
            }
            Ok(Value::Array(_)) => {
                refused(Value::Null, Refusal::new(REQUEST, format!("a batch has 1 to {MAX_BATCH} requests")))
            }
            Ok(request) => self.answer(request).await,
            Err(_) => refused(Value::Null, Refusal::new(PARSE, "the body is not JSON")),
        };
        reply::json(&answer)
    }

    async fn answer(&self, request: Value) -> Value {
        let id = request["id"].clone();
        let result = match request["method"].as_str() {
            Some("eth_accounts" | "eth_requestAccounts") => Ok(json!([self.address.account()])),
            Some("eth_coinbase") => Ok(json!(self.address.account())),
            Some("eth_sendTransaction") => self.send(&request["params"][0]).await,
            // An estimate ages, and the fee is spent if the gas is not enough.
            Some("eth_estimateGas") => self.estimate(&request["params"]).await.map(|gas| json!(format!("{gas:#x}"))),
            // All else only reads; the mempool also says what is wrong with it.
            _ => match self.mempool.client.rpc(&self.mempool.address, &request).await {
                Ok(answer) => return answer,
                Err(error) => Err(self.unreachable(error)),
            },
        };
        match result {
            Ok(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
            Err(refusal) => refused(id, refusal),
        }
    }

    /// Signs a call or deployment, pushes it, and returns its id.
    async fn send(&self, fields: &Value) -> Result<Value, Refusal> {
        let Wanted { program, amount, gas, input } = self.wanted(fields)?;
        if let Some(program) = &program
            && !self.has_code(program).await?
        {
            let detail = format!(
                "there is no program at {}; to pay a key, use `user send`, which takes its address",
                program.account()
            );
            return Err(Refusal::new(SERVER, detail));
        }
        let gas = match gas {
            Some(gas) => gas.min(MAX_CALL_GAS),
            None => self.estimate(&json!([fields])).await?,
        };
        let call = Call { gas, input };
        let transaction = sign_call(&self.pair, &self.mempool, program, amount, self.fee, &call)?;
        push(&self.mempool, &transaction).await?;
        Ok(json!(format!("0x{}", transaction.id())))
    }

    /// Reads a transaction of Ethereum. Its nonce and the prices of gas mean nothing here.
    fn wanted(&self, fields: &Value) -> Result<Wanted, Refusal> {
        let wrong = |name: &str, expected: &str| Refusal::new(PARAMS, format!("{name}: expected {expected}"));
        if !fields.is_object() {
            return Err(wrong("transaction", "an object"));
        }
        let text = |name: &str| match &fields[name] {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text.to_ascii_lowercase())),
            _ => Err(wrong(name, "a text")),
        };
        let account = |name: &str| -> Result<Option<AccountId>, Refusal> {
            let read = text(name)?.map(|text| text.parse().map_err(|_| wrong(name, "0x and 40 hex digits")));
            read.transpose()
        };
        let number = |name: &str| match &fields[name] {
            Value::Number(number) => number.as_u64().map(Some).ok_or_else(|| wrong(name, "a whole number")),
            _ => {
                let read = |text: String| {
                    let digits = text.strip_prefix("0x").and_then(|digits| u64::from_str_radix(digits, 16).ok());
                    digits.ok_or_else(|| wrong(name, "a number below 2^64, as 0x and hex"))
                };
                text(name)?.map(read).transpose()
            }
        };
        let ours = self.address.account();
        if account("from")?.is_some_and(|from| from != ours) {
            return Err(Refusal::new(PARAMS, format!("from: this wallet has the key of {ours} only")));
        }
        let chain = chain_id(&self.mempool.params);
        if number("chainId")?.is_some_and(|wanted| wanted != chain) {
            return Err(Refusal::new(PARAMS, format!("chainId: this is the chain {chain}")));
        }
        let input = text("input")?.or(text("data")?).unwrap_or_else(|| "0x".to_owned());
        let input: HexBytes = input.parse().map_err(|_| wrong("data", "0x and hex, two digits a byte"))?;
        let amount =
            Amount::new(number("value")?.unwrap_or(0)).ok_or_else(|| wrong("value", "at most 2^53 - 1 wei"))?;
        let program = account("to")?.map(Address::of_program);
        Ok(Wanted { program, amount, gas: number("gas")?, input: input.0 })
    }

    async fn has_code(&self, program: &Address) -> Result<bool, Refusal> {
        let code = self.read("eth_getCode", json!([program.account(), "latest"])).await?;
        Ok(code != json!("0x"))
    }

    /// A quarter more gas than a call needs now.
    async fn estimate(&self, params: &Value) -> Result<u64, Refusal> {
        let estimate = self.read("eth_estimateGas", params.clone()).await?;
        let gas = estimate.as_str().and_then(|text| u64::from_str_radix(text.trim_start_matches("0x"), 16).ok());
        gas.map(with_margin).ok_or_else(|| Refusal::new(SERVER, "the mempool's estimate is no number"))
    }

    /// What a reading method returns.
    async fn read(&self, method: &str, params: Value) -> Result<Value, Refusal> {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let answer = self.mempool.client.rpc(&self.mempool.address, &request).await;
        let answer = answer.map_err(|error| self.unreachable(error))?;
        match &answer["error"] {
            Value::Null => Ok(answer["result"].clone()),
            error => Err(Refusal {
                code: error["code"].as_i64().and_then(|code| i32::try_from(code).ok()).unwrap_or(SERVER),
                message: error["message"].as_str().unwrap_or_default().to_owned(),
                data: error.get("data").cloned(),
            }),
        }
    }

    fn unreachable(&self, error: client::Error) -> Refusal {
        self.mempool.request_error("pass the request on")(error).into()
    }
}

fn refused(id: Value, Refusal { code, message, data }: Refusal) -> Value {
    let mut error = json!({"code": code, "message": message});
    if let Some(data) = data {
        error["data"] = data;
    }
    json!({"jsonrpc": "2.0", "id": id, "error": error})
}
