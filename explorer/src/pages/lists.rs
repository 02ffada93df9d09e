//! Lists as CSV (RFC 4180), for spreadsheets and programs: blocks, the history of an address, waiting transactions.
//!
//! Messages are left out: strangers write them, and a spreadsheet may take one for a formula.

use super::blocks::BlocksQuery;
use super::charts::rows;
use crate::state::ExplorerState;
use crate::upstream::UpstreamError;
use http::StatusCode;
use runtime::client::{Client, ListPage};
use runtime::server::{self, Number, Request, Response, reply};
use shared::ledger::{Address, Amount, Bundle, Transaction, Transfer};
use shared::wire::{HistoryEntry, Problem};
use std::sync::Arc;

/// Most blocks of one answer.
const MAX_BLOCKS: u64 = 200;
/// Entries of a history that are asked for at a time, and how often.
const PAGE: usize = 100;
const MAX_PAGES: usize = 10;

fn csv(table: String) -> Response {
    reply::whole(StatusCode::OK, "text/csv; charset=utf-8", table.into())
}

/// Answers `GET /blocks.csv`: the last blocks, or those below a height, newest first.
pub(crate) async fn blocks(explorer: Arc<ExplorerState>, request: Request) -> Result<Response, Problem> {
    let BlocksQuery { before } = request.query()?;
    let tip = explorer.network().tip().ok_or(UpstreamError::NoneKnown("node"))?;
    let newest = tip.index.0.saturating_add(1);
    let end = before.map_or(newest, |Number(before)| before.min(newest));
    let from = end.saturating_sub(MAX_BLOCKS);
    let blocks = explorer.upstream.chain(from, end - from).await?;
    let lines = blocks.iter().rev().map(|block| {
        let header = block.header();
        let bundle = Bundle::from_data(block.data()).ok().map(|(bundle, _)| bundle);
        [
            header.index.to_string(),
            block.hash().to_string(),
            header.timestamp.to_string(),
            header.difficulty.to_string(),
            block.data().len().to_string(),
            bundle.as_ref().map_or(String::new(), |bundle| bundle.transactions.len().to_string()),
            bundle.map_or(String::new(), |bundle| bundle.miner_address.to_string()),
        ]
    });
    Ok(csv(rows("height,hash,timestamp,difficulty,bytes,transactions,miner", lines)))
}

/// Answers `GET /address/{address}/history.csv`: the newest entries, newest first.
pub(crate) async fn history(explorer: Arc<ExplorerState>, request: Request) -> Result<Response, Problem> {
    let [address] = request.params()?;
    if !explorer.params.layer.has_money() {
        return Err(server::not_found("this network has no money: its layer is data"));
    }
    let read = address.to_ascii_lowercase().parse::<Address>();
    let address = read.map_err(|error| server::bad_request(format!("address: {error}")))?;
    let (mut entries, mut before) = (Vec::new(), None::<String>);
    for _ in 0..MAX_PAGES {
        let cursor = before.clone();
        let page = async move |client: &Client, mempool: &str| {
            client.history(mempool, &address, cursor.as_deref(), PAGE).await
        };
        let ListPage { entries: more, next } = explorer.upstream.mempool(page).await?;
        entries.extend(more);
        before = next;
        if before.is_none() {
            break;
        }
    }
    let names = "height,block,transaction,from,to,amount_grains,fee_grains,reward_grains,balance_grains";
    Ok(csv(rows(names, entries.iter().map(entry))))
}

fn entry(entry: &HistoryEntry) -> [String; 9] {
    let grains = |amount: Amount| amount.grains().to_string();
    let paid = entry.transaction.as_ref();
    let moved = paid.map(Transaction::transfer);
    [
        entry.block.map_or(String::new(), |block| block.index.to_string()),
        entry.block.map_or(String::new(), |block| block.hash.to_string()),
        paid.map_or(String::new(), |paid| paid.id().to_string()),
        moved.map_or(String::new(), |moved| moved.from.to_string()),
        moved.map_or(String::new(), |moved| moved.to.to_string()),
        moved.map_or(String::new(), |moved| grains(moved.amount)),
        paid.map_or(String::new(), |paid| grains(paid.fee())),
        entry.reward.map_or(String::new(), grains),
        grains(entry.balance),
    ]
}

/// Answers `GET /transactions.csv`: those that wait, the highest fee per byte first.
pub(crate) async fn waiting(explorer: Arc<ExplorerState>, _: Request) -> Result<Response, Problem> {
    if !explorer.params.layer.has_money() {
        return Err(server::not_found("this network has no money: its layer is data"));
    }
    let lists = explorer.pending_cache.now(&explorer.upstream).await?;
    let lines = lists.by_fee.iter().map(|pending| {
        let paid = &pending.transaction;
        let Transfer { from, to, amount, .. } = paid.transfer();
        [
            paid.id().to_string(),
            from.to_string(),
            to.to_string(),
            amount.grains().to_string(),
            paid.fee().grains().to_string(),
            pending.bytes.to_string(),
        ]
    });
    Ok(csv(rows("transaction,from,to,amount_grains,fee_grains,bytes", lines)))
}
