//! Calls to a mempool about programs (docs/protocol.md §15).

use super::mempool::{ListPage, query};
use super::transport::{Bounds, to_json};
use super::{Client, Error};
use serde::Serialize;
use serde::de::DeserializeOwned;
use shared::block::BlockHash;
use shared::ledger::{Address, TransactionId};
use shared::program::{HexBytes, Word};
use shared::wire::{
    CallRequest, CallResult, CallSummary, Estimate, PlacedLogEntry, ProgramInfo, ReceiptStatus, RunRequest,
    StorageSlot, Trace,
};
use std::time::Duration;

/// For answers that a machine has to compute first, and that may have output, logs and steps.
const RUN: Bounds = Bounds { time: Duration::from_secs(30), bytes: 16 << 20 };

impl Client {
    /// `POST /call`: runs a call on the newest block, and keeps nothing.
    ///
    /// # Errors
    /// See [`Error`], here and below; refused with 422 if the call cannot begin.
    pub async fn call_program(&self, address: &str, call: &CallRequest) -> Result<CallResult, Error> {
        self.run_post(address, "/call", call).await
    }

    /// `POST /estimate`: gas with which a call succeeds.
    ///
    /// # Errors
    /// Refused with 422 if it fails with any gas.
    pub async fn estimate_gas(&self, address: &str, call: &CallRequest) -> Result<Estimate, Error> {
        self.run_post(address, "/estimate", call).await
    }

    /// `POST /run`: runs code that no program has.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn run_code(&self, address: &str, run: &RunRequest) -> Result<Trace, Error> {
        self.run_post(address, "/run", run).await
    }

    /// `GET /receipt/<id>`.
    ///
    /// # Errors
    /// Refused with 404 if the transaction is not in the chain, or called no program.
    pub async fn receipt(&self, address: &str, id: &TransactionId) -> Result<ReceiptStatus, Error> {
        self.get(address, &format!("/receipt/{id}"), RUN).await
    }

    /// `GET /receipts/<block>`: the calls of a block, in short.
    ///
    /// # Errors
    /// Refused with 404 if the block is not on the best chain.
    pub async fn block_calls(&self, address: &str, block: &BlockHash) -> Result<Vec<CallSummary>, Error> {
        self.get(address, &format!("/receipts/{block}"), RUN).await
    }

    /// `GET /calls/<address>`: a page of the transactions to a program, newest first.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn calls(
        &self,
        address: &str,
        program: &Address,
        before: Option<&str>,
        limit: usize,
    ) -> Result<ListPage<CallSummary>, Error> {
        let query = query(&[("before", before), ("limit", Some(&limit.to_string()))]);
        self.page(address, &format!("/calls/{program}?{query}"), "before", RUN).await
    }

    /// `GET /program/<address>`.
    ///
    /// # Errors
    /// Refused with 404 if there is no program.
    pub async fn program(&self, address: &str, program: &Address) -> Result<ProgramInfo, Error> {
        self.get(address, &format!("/program/{program}"), Bounds::SMALL).await
    }

    /// `GET /code/<address>`.
    ///
    /// # Errors
    /// Refused with 404 if there is no program.
    pub async fn code(&self, address: &str, program: &Address) -> Result<HexBytes, Error> {
        self.get(address, &format!("/code/{program}"), Bounds::SMALL).await
    }

    /// `GET /programs`: a page, newest first, that continues at `before`, the `next` of another page.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn programs(
        &self,
        address: &str,
        before: Option<&str>,
        limit: usize,
    ) -> Result<ListPage<ProgramInfo>, Error> {
        let query = query(&[("before", before), ("limit", Some(&limit.to_string()))]);
        self.page(address, &format!("/programs?{query}"), "before", Bounds::LIST).await
    }

    /// `GET /storage/<address>`: a page of the slots that are not 0.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn storage(
        &self,
        address: &str,
        program: &Address,
        from: Option<&str>,
        limit: usize,
    ) -> Result<ListPage<StorageSlot>, Error> {
        let query = query(&[("from", from), ("limit", Some(&limit.to_string()))]);
        self.page(address, &format!("/storage/{program}?{query}"), "from", Bounds::LIST).await
    }

    /// `GET /logs`: a page of what a program logged, newest first.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn logs(
        &self,
        address: &str,
        program: &Address,
        topic: Option<&Word>,
        before: Option<&str>,
        limit: usize,
    ) -> Result<ListPage<PlacedLogEntry>, Error> {
        let topic = topic.map(ToString::to_string);
        let pairs = [
            ("address", Some(program.as_str())),
            ("topic0", topic.as_deref()),
            ("before", before),
            ("limit", Some(&limit.to_string())),
        ];
        self.page(address, &format!("/logs?{}", query(&pairs)), "before", RUN).await
    }

    /// `GET /trace/<id>`: at most `limit` steps of a call in the chain, from step `from` on.
    ///
    /// # Errors
    /// Refused with 404 if the transaction is not in the chain, or called no program; with 422 if it is too deep.
    pub async fn trace(&self, address: &str, id: &TransactionId, from: u64, limit: usize) -> Result<Trace, Error> {
        self.get(address, &format!("/trace/{id}?from={from}&limit={limit}"), RUN).await
    }

    /// `POST /rpc`: one request of Ethereum's JSON-RPC, or a batch; a refusal of it is in the answer.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn rpc(&self, address: &str, request: &serde_json::Value) -> Result<serde_json::Value, Error> {
        self.run_post(address, "/rpc", request).await
    }

    async fn run_post<T: DeserializeOwned>(
        &self,
        address: &str,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Error> {
        self.post(address, path, None, to_json(body)?, RUN).await
    }
}
