//! Programs: who made them, their code, storage and logs, and the receipts of calls (docs/protocol.md §15).

use super::{address, id, link, page_limit};
use crate::pool_state::PoolState;
use crate::state::MempoolState;
use runtime::server::{self, Number, Request, Response, reply};
use serde::Deserialize;
use shared::block::Height;
use shared::chain::ChainSnapshot;
use shared::layer::program::{self, LogQuery, Moment, ProgramOrigin};
use shared::layer::transaction::locate_transaction;
use shared::ledger::Amount;
use shared::params::Params;
use shared::program::{Account, AccountId, HexBytes, Word, read_account, read_code, revert_reason};
use shared::store::StoreError;
use shared::wire::{PlacedLogEntry, Problem, ProgramInfo, ReceiptStatus, StorageSlot};
use std::sync::Arc;
use utoipa::IntoParams;

/// Entries of one page unless `limit` says otherwise.
const DEFAULT_LIMIT: usize = 50;
/// Most entries of one page.
const MAX_LIMIT: usize = 200;

/// Refuses requests about programs on networks that have none.
pub(super) fn has_programs(params: &Params) -> Result<(), Problem> {
    if params.layer.has_programs() {
        return Ok(());
    }
    Err(server::not_found("this network has no programs: they need layer program"))
}

/// Parses an account: an address, or 0x and 40 digits as the machine writes it.
pub(super) fn account(text: &str) -> Result<AccountId, Problem> {
    match text.to_ascii_lowercase().parse() {
        Ok(account) => Ok(account),
        Err(_) => address(text).map(|address| address.account()),
    }
}

pub(crate) async fn receipt(mempool: Arc<MempoolState>, request: Request) -> Result<Response, Problem> {
    has_programs(mempool.pool_state.params())?;
    let [text] = request.params()?;
    let id = id(text)?;
    let found = mempool
        .read(move |_, snapshot| {
            let Some(receipt) = program::receipt(snapshot, &id)? else { return Ok(None) };
            let Some(place) = locate_transaction(snapshot, &id)? else { return Ok(None) };
            let Some(block) = snapshot.chain().best_at(place.index)? else { return Ok(None) };
            let reason = if receipt.status == "reverted" { revert_reason(&receipt.output.0) } else { None };
            let confirmations = snapshot.tip().index.next().above(place.index);
            Ok(Some(ReceiptStatus { receipt, reason, block, confirmations }))
        })
        .await?;
    reply::json(&found.ok_or_else(|| super::no_call(&mempool.pool_state, &id))?)
}

pub(crate) async fn program(mempool: Arc<MempoolState>, request: Request) -> Result<Response, Problem> {
    let (text, found) = find(&mempool, &request, |snapshot, account| {
        let origin = program::program_origin(snapshot, account)?;
        origin.map(|origin| info(snapshot, origin)).transpose()
    })
    .await?;
    reply::json(&found.ok_or_else(|| no_program(&text))?)
}

pub(crate) async fn code(mempool: Arc<MempoolState>, request: Request) -> Result<Response, Problem> {
    let (text, found) = find(&mempool, &request, |snapshot, account| {
        let hash = read_account(snapshot, account)?.and_then(|account| account.code_hash);
        hash.map(|hash| Ok(HexBytes(read_code(snapshot, &hash)?.to_vec()))).transpose()
    })
    .await?;
    reply::json(&found.ok_or_else(|| no_program(&text))?)
}

/// What `read` finds at the account in the path, and that account as the request spells it.
async fn find<T: Send + 'static>(
    mempool: &MempoolState,
    request: &Request,
    read: impl FnOnce(&ChainSnapshot, &AccountId) -> Result<Option<T>, StoreError> + Send + 'static,
) -> Result<(String, Option<T>), Problem> {
    has_programs(mempool.pool_state.params())?;
    let [text] = request.params()?;
    let account = account(text)?;
    Ok((text.to_owned(), mempool.read(move |_, snapshot| read(snapshot, &account)).await?))
}

fn no_program(text: &str) -> Problem {
    server::not_found(format!("there is no program at {text}"))
}

fn info(snapshot: &ChainSnapshot, origin: ProgramOrigin) -> Result<ProgramInfo, StoreError> {
    let ProgramOrigin { address, maker, transaction, index } = origin;
    let id = address.account();
    let Account { balance, code_hash, .. } = read_account(snapshot, &id)?.unwrap_or_default();
    let code_hash = code_hash.unwrap_or_default();
    let code_bytes = if code_hash == Word::ZERO { 0 } else { read_code(snapshot, &code_hash)?.len() as u64 };
    let balance = balance.to_u64().and_then(Amount::new).unwrap_or(Amount::MAX);
    Ok(ProgramInfo { address, account: id, balance, code_bytes, code_hash, maker, transaction, index })
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProgramsQuery {
    /// Only programs made before this moment, `<index>.<position>.<number>`.
    #[param(nullable = false, pattern = r"^[0-9]{1,15}\.[0-9]{1,9}\.[0-9]{1,9}$")]
    before: Option<String>,
    /// Most programs, 50 unless given, at most 200.
    #[param(inline, nullable = false)]
    limit: Option<Number>,
}

pub(crate) async fn programs(mempool: Arc<MempoolState>, request: Request) -> Result<Response, Problem> {
    has_programs(mempool.pool_state.params())?;
    let ProgramsQuery { before, limit } = request.query()?;
    let before = before.map(|text| moment(&text)).transpose()?;
    let limit = page_limit(limit, DEFAULT_LIMIT, MAX_LIMIT);
    let read = move |_: &PoolState, snapshot: &ChainSnapshot| {
        let found = program::programs(snapshot, before, limit)?;
        let last = found.last().filter(|_| found.len() == limit).map(|one| one.moment);
        let entries = found.into_iter().map(|one| info(snapshot, one.origin)).collect::<Result<Vec<_>, _>>()?;
        Ok((entries, last))
    };
    let (entries, last) = mempool.read(read).await?;
    Ok(link(reply::json(&entries)?, last.map(|last| format!("/programs?before={}&limit={limit}", spell(last)))))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogsQuery {
    /// The program that logged.
    address: String,
    /// The first topic: 0x and 64 hex digits.
    #[param(nullable = false, pattern = "^0x[0-9a-fA-F]{64}$")]
    topic0: Option<String>,
    /// Only logs before this moment, `<index>.<position>.<number>`.
    #[param(nullable = false, pattern = r"^[0-9]{1,15}\.[0-9]{1,9}\.[0-9]{1,9}$")]
    before: Option<String>,
    /// Most logs, 50 unless given, at most 200.
    #[param(inline, nullable = false)]
    limit: Option<Number>,
}

pub(crate) async fn logs(mempool: Arc<MempoolState>, request: Request) -> Result<Response, Problem> {
    has_programs(mempool.pool_state.params())?;
    let LogsQuery { address: of, topic0, before, limit } = request.query()?;
    let account = account(&of)?;
    let topic = topic0.as_deref().map(|text| word("topic0", text)).transpose()?;
    let before = before.map(|text| moment(&text)).transpose()?;
    let limit = page_limit(limit, DEFAULT_LIMIT, MAX_LIMIT);
    let query = LogQuery { account, topic, before, limit };
    let found = mempool.read(move |_, snapshot| program::logs(snapshot, &query)).await?;
    let last = found.last().filter(|_| found.len() == limit).map(|one| one.moment);
    let entries = found.into_iter().map(|one| PlacedLogEntry {
        log: one.log,
        transaction: one.transaction,
        index: one.moment.index,
    });
    let entries: Vec<_> = entries.collect();
    let topic = topic.map(|topic| format!("&topic0={topic}")).unwrap_or_default();
    let next = last.map(|last| format!("/logs?address={account}{topic}&before={}&limit={limit}", spell(last)));
    Ok(link(reply::json(&entries)?, next))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct StorageQuery {
    /// The first slot: 0x and 64 hex digits.
    #[param(nullable = false, pattern = "^0x[0-9a-fA-F]{64}$")]
    from: Option<String>,
    /// Most slots, 50 unless given, at most 200.
    #[param(inline, nullable = false)]
    limit: Option<Number>,
}

pub(crate) async fn storage(mempool: Arc<MempoolState>, request: Request) -> Result<Response, Problem> {
    has_programs(mempool.pool_state.params())?;
    let StorageQuery { from, limit } = request.query()?;
    let [of] = request.params()?;
    let account = account(of)?;
    let from = from.as_deref().map_or(Ok(Word::ZERO), |text| word("from", text))?;
    let limit = page_limit(limit, DEFAULT_LIMIT, MAX_LIMIT);
    // One more than is shown: the next page begins with it.
    let mut found = mempool.read(move |_, snapshot| slots_of(snapshot, &account, &from, limit + 1)).await?;
    let next = found.get(limit).filter(|_| limit > 0).map(|next| next.slot);
    found.truncate(limit);
    let next = next.map(|next| format!("/storage/{account}?from={next}&limit={limit}"));
    Ok(link(reply::json(&found)?, next))
}

fn slots_of(
    snapshot: &ChainSnapshot,
    account: &AccountId,
    from: &Word,
    limit: usize,
) -> Result<Vec<StorageSlot>, StoreError> {
    let found = program::slots(snapshot, account, from, limit)?;
    Ok(found.into_iter().map(|(slot, value)| StorageSlot { slot, value }).collect())
}

fn word(name: &str, text: &str) -> Result<Word, Problem> {
    let read = text.to_ascii_lowercase().parse();
    read.map_err(|error| server::bad_request(format!("{name} {text:?}: {error}")))
}

pub(super) fn moment(text: &str) -> Result<Moment, Problem> {
    let wrong = || server::bad_request(format!("before {text:?}: expected <index>.<position>.<number>"));
    let [index, place, number_in] = text.split('.').collect::<Vec<_>>()[..] else { return Err(wrong()) };
    let number = |text: &str| text.parse().map(|Number(number)| number).map_err(|_| wrong());
    let small = |text| number(text).and_then(|number| u32::try_from(number).map_err(|_| wrong()));
    Ok(Moment { index: Height(number(index)?), place: small(place)?, number: small(number_in)? })
}

pub(super) fn spell(Moment { index, place, number }: Moment) -> String {
    format!("{index}.{place}.{number}")
}
