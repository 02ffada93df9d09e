//! Calls in short: those of a block, and those of a program (docs/protocol.md §15).

use super::programs::{account, has_programs, moment, spell};
use super::{link, page_limit};
use crate::state::MempoolState;
use runtime::server::{self, Number, Request, Response, reply};
use serde::Deserialize;
use shared::block::{BlockHash, Height};
use shared::chain::ChainSnapshot;
use shared::layer::program;
use shared::layer::transaction::{locate_transaction, transaction_at};
use shared::ledger::{Address, Bundle, Payment, Transaction};
use shared::program::revert_reason;
use shared::store::StoreError;
use shared::wire::{CallSummary, Problem};
use std::sync::Arc;
use utoipa::IntoParams;

/// Entries of one page unless `limit` says otherwise.
const DEFAULT_LIMIT: usize = 50;
/// Most entries of one page; each reads a block.
const MAX_LIMIT: usize = 200;

/// A block has at most as many calls as its gas pays for.
pub(crate) async fn of_block(mempool: Arc<MempoolState>, request: Request) -> Result<Response, Problem> {
    has_programs(mempool.pool_state.params())?;
    let [text] = request.params()?;
    let hash: BlockHash =
        text.to_ascii_lowercase().parse().map_err(|error| server::bad_request(format!("block {text:?}: {error}")))?;
    let found = mempool.read(move |_, snapshot| summaries_of(snapshot, hash)).await?;
    reply::json(&found.ok_or_else(|| server::not_found(format!("block {hash} is not on the best chain")))?)
}

fn summaries_of(snapshot: &ChainSnapshot, hash: BlockHash) -> Result<Option<Vec<CallSummary>>, StoreError> {
    let Some(block) = snapshot.chain().find(&hash)? else { return Ok(None) };
    if !snapshot.chain().is_best(block)? {
        return Ok(None);
    }
    // The data of genesis is no bundle.
    let Ok(bundle) = serde_json::from_str::<Bundle>(&snapshot.chain().data(block)?) else {
        return Ok(Some(Vec::new()));
    };
    let calls = bundle.transactions.iter().filter(|transaction| transaction.call_kind().is_some());
    let summaries = calls.filter_map(|call| summary(snapshot, call, block.index).transpose());
    summaries.collect::<Result<_, _>>().map(Some)
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallsQuery {
    /// Only calls before this moment, `<index>.<position>.<number>`.
    #[param(nullable = false, pattern = r"^[0-9]{1,15}\.[0-9]{1,9}\.[0-9]{1,9}$")]
    before: Option<String>,
    /// Most calls, 50 unless given, at most 200.
    #[param(inline, nullable = false)]
    limit: Option<Number>,
}

pub(crate) async fn of_program(mempool: Arc<MempoolState>, request: Request) -> Result<Response, Problem> {
    has_programs(mempool.pool_state.params())?;
    let CallsQuery { before, limit } = request.query()?;
    let [of] = request.params()?;
    let account = account(of)?;
    let before = before.map(|text| moment(&text)).transpose()?;
    let limit = page_limit(limit, DEFAULT_LIMIT, MAX_LIMIT);
    let read = mempool.read(move |_, snapshot| {
        let found = program::calls(snapshot, &account, before, limit)?;
        let last = found.last().filter(|_| found.len() == limit).map(|(moment, _)| *moment);
        let mut summaries = Vec::with_capacity(found.len());
        for (_, id) in found {
            let Some(place) = locate_transaction(snapshot, &id)? else { continue };
            let (transaction, block) = transaction_at(snapshot, place)?;
            summaries.extend(summary(snapshot, &transaction, block.index)?);
        }
        Ok((summaries, last))
    });
    let (summaries, last) = read.await?;
    let next = last.map(|last| format!("/calls/{account}?before={}&limit={limit}", spell(last)));
    Ok(link(reply::json(&summaries)?, next))
}

/// `None` for a transaction that has no receipt.
fn summary(
    snapshot: &ChainSnapshot,
    transaction: &Transaction,
    index: Height,
) -> Result<Option<CallSummary>, StoreError> {
    let Some(Payment { id, from, to, amount, .. }) = transaction.as_payment() else { return Ok(None) };
    let Some(receipt) = program::receipt(snapshot, id)? else { return Ok(None) };
    let reason = if receipt.status == "reverted" { revert_reason(&receipt.output.0) } else { None };
    Ok(Some(CallSummary {
        id: *id,
        from: *from,
        program: receipt.program,
        is_deployment: *to == Address::nobody(),
        amount: *amount,
        status: receipt.status,
        reason,
        gas: receipt.gas,
        gas_used: receipt.gas_used,
        logs: receipt.logs.len() as u64,
        index,
    }))
}
