//! The history of an address: what it paid, received and mined, newest first.
//!
//! Pending transactions come first, as if they were in the next block in the order of their arrival. So one kind of
//! place, `<index>.<position>`, serves as the cursor of the next page for both.

use super::{holder, link, page_limit};
use crate::pool_state::PoolState;
use crate::state::{MempoolState, not_ready, store_problem};
use runtime::server::{self, Number, Request, Response, reply};
use serde::Deserialize;
use shared::block::{BlockId, Height};
use shared::chain::ChainSnapshot;
use shared::layer::transaction::{
    BalanceChange, ChangeCause, HistoryPosition, account_balance, balance_history, history_owner, new_address_balance,
};
use shared::ledger::{Address, Amount, Transaction};
use shared::params::Params;
use shared::pool::Pool;
use shared::store::StoreError;
use shared::wire::{HistoryEntry, Problem, TransactionState};
use std::sync::Arc;
use utoipa::IntoParams;

/// Entries of one page unless `limit` says otherwise.
const DEFAULT_LIMIT: usize = 50;
/// Most entries of one page; each may read a block.
const MAX_LIMIT: usize = 200;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct HistoryQuery {
    /// Only entries older than this block, `<index>`, or than this place in it, `<index>.<position>`.
    #[param(nullable = false, pattern = r"^[0-9]{1,16}(\.[0-9]{1,9})?$")]
    before: Option<String>,
    /// Most entries, 50 unless given, at most 200.
    #[param(inline, nullable = false)]
    limit: Option<Number>,
}

/// Most bytes of messages, inputs and outputs in one page, but for the first entry's.
const MAX_MSG_BYTES: usize = 4 << 20;

/// The most that an input with its signature adds to a transaction's JSON.
const PART_BYTES: usize = 320;

/// A pending payment with its place among those of the address, and the balances before and after it.
type PendingPayment = (u32, Arc<Transaction>, [Amount; 2]);

pub(crate) async fn history(mempool: Arc<MempoolState>, request: Request) -> Result<Response, Problem> {
    let HistoryQuery { before, limit } = request.query()?;
    let [of] = request.params()?;
    let of = holder(mempool.pool_state.params(), of)?;
    let before = before.map(|text| moment(&text)).transpose()?;
    let limit = page_limit(limit, DEFAULT_LIMIT, MAX_LIMIT);
    let (entries, next) = mempool.spawn_blocking(move |pool_state| page(pool_state, &of, before, limit)).await?;
    let next =
        next.map(|HistoryPosition { index, place }| format!("/history/{of}?before={index}.{place}&limit={limit}"));
    Ok(link(reply::json(&entries)?, next))
}

fn moment(text: &str) -> Result<HistoryPosition, Problem> {
    let (index, place) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |text: &str| text.bytes().all(|c| c.is_ascii_digit());
    let is_place = matches!((index.len(), place.len()), (1..=16, 1..=9)) && is_number(index) && is_number(place);
    match (index.parse(), place.parse()) {
        (Ok(index), Ok(place)) if is_place => Ok(HistoryPosition { index: Height(index), place }),
        _ => Err(server::bad_request(format!(
            "before {text:?}: expected a height of at most 16 digits, or a height and a \
             position of at most 9, as in 7.2"
        ))),
    }
}

fn page(
    pool_state: &PoolState,
    of: &Address,
    before: Option<HistoryPosition>,
    limit: usize,
) -> Result<(Vec<HistoryEntry>, Option<HistoryPosition>), Problem> {
    let (snapshot, pending) = pool_state
        .pool_and_snapshot(|pool, snapshot| {
            let upcoming = snapshot.tip().index.next();
            let below = before.map_or(Some(u32::MAX), |before| match before.index.cmp(&upcoming) {
                std::cmp::Ordering::Less => None,
                std::cmp::Ordering::Equal => Some(before.place),
                std::cmp::Ordering::Greater => Some(u32::MAX),
            });
            let confirmed = account_balance(snapshot.as_ref(), pool_state.params(), of)?;
            let pending = below.map(|below| newest_pending(pool, of, confirmed, below, limit)).unwrap_or_default();
            Ok((snapshot.clone(), pending))
        })
        .map_err(not_ready)?
        .map_err(|error: StoreError| store_problem(pool_state, &error))?;
    fill(&snapshot, pool_state.params(), of, before, pending, limit).map_err(|error| store_problem(pool_state, &error))
}

/// The newest pending payments of an address whose place is below `below`, newest first; one more than `limit` means
/// that there are others.
fn newest_pending(pool: &Pool, of: &Address, confirmed: Amount, below: u32, limit: usize) -> Vec<PendingPayment> {
    let mut balance = i128::from(pool.balance_with_pending(of, confirmed).grains());
    let shown = |balance| u64::try_from(balance).ok().and_then(Amount::new).unwrap_or(Amount::MAX);
    let mut newest = Vec::new();
    // Balances are computed backwards from the final one, so that the newest page costs no more than its length.
    for (place, pending) in (0..pool.count_of(of)).rev().zip(pool.of(of).rev()) {
        let place = u32::try_from(place).unwrap_or(u32::MAX);
        let after = balance;
        balance -= pending.transaction.net(of);
        if place < below {
            newest.push((place, pending.transaction.clone(), [balance, after].map(shown)));
        }
        if newest.len() > limit {
            break;
        }
    }
    newest
}

fn fill(
    snapshot: &ChainSnapshot,
    params: &Params,
    of: &Address,
    before: Option<HistoryPosition>,
    mut pending: Vec<PendingPayment>,
    limit: usize,
) -> Result<(Vec<HistoryEntry>, Option<HistoryPosition>), StoreError> {
    let upcoming = snapshot.tip().index.next();
    let are_more_pending = pending.len() > limit;
    pending.truncate(limit);
    let mut places: Vec<HistoryPosition> =
        pending.iter().map(|(place, ..)| HistoryPosition { index: upcoming, place: *place }).collect();
    let mut entries: Vec<HistoryEntry> = pending.into_iter().map(pending_entry).collect();
    // One more than is shown, to know whether there is another page.
    let owner = history_owner(params, of);
    let mut confirmed = balance_history(snapshot, &owner, before, limit + 1 - entries.len().min(limit))?;
    let is_last = !are_more_pending && entries.len() + confirmed.len() <= limit;
    let balances: Vec<_> = confirmed.iter().map(|event| event.balance).collect();
    confirmed.truncate(limit - entries.len().min(limit));
    for (event, next) in confirmed.into_iter().zip(1..) {
        places.push(event.position);
        let block = snapshot.chain().best_at(event.position.index)?;
        let before = balances.get(next).copied().unwrap_or_else(|| new_address_balance(params));
        entries.push(confirmed_entry(event, before, block, upcoming));
    }
    // A msg may be the code of a program, and a transaction may spend many coins.
    let mut bytes = 0;
    let mut fits = |entry: &HistoryEntry| {
        bytes += entry.transaction.as_ref().map_or(0, |sent| sent.msg().len() + PART_BYTES * parts(sent));
        bytes <= MAX_MSG_BYTES
    };
    let count = entries.iter().take_while(|entry| fits(entry)).count().max(1);
    let is_last = is_last && count >= entries.len();
    entries.truncate(count);
    places.truncate(count);
    let next = if is_last { None } else { places.last().copied() };
    Ok((entries, next))
}

fn parts(transaction: &Transaction) -> usize {
    transaction.takes().len() + transaction.gives().len()
}

fn pending_entry((_, transaction, [before, balance]): PendingPayment) -> HistoryEntry {
    HistoryEntry {
        transaction: Some((*transaction).clone()),
        reward: None,
        status: TransactionState::Pending,
        block: None,
        confirmations: 0,
        before,
        balance,
    }
}

fn confirmed_entry(event: BalanceChange, before: Amount, block: Option<BlockId>, upcoming: Height) -> HistoryEntry {
    let (transaction, reward) = match event.cause {
        ChangeCause::Payment(transaction) => (Some(transaction), None),
        ChangeCause::Reward(amount) => (None, Some(amount)),
    };
    let (status, confirmations) = (TransactionState::Confirmed, upcoming.above(event.position.index));
    HistoryEntry { transaction, reward, status, block, confirmations, before, balance: event.balance }
}
