//! Lists as CSV (RFC 4180), for spreadsheets and programs: blocks and what is in one, the history of an address,
//! waiting and confirmed transactions, people.
//!
//! Messages are left out: strangers write them, and a spreadsheet may take one for a formula. Names are the only text
//! of other people, and [`text`] makes sure that they stay text.

use super::block;
use super::blocks::BlocksQuery;
use super::charts::rows;
use crate::names::Name;
use crate::stage::scene::Scene;
use crate::state::ExplorerState;
use crate::upstream::UpstreamError;
use http::StatusCode;
use runtime::client::{Client, ListPage};
use runtime::server::{self, Number, Request, Response, reply};
use shared::block::Block;
use shared::ledger::{Address, Amount, Bundle, Span, Transaction, Transfer};
use shared::wire::{HistoryEntry, Problem};
use std::sync::Arc;

/// Most blocks of one answer.
const MAX_BLOCKS: u64 = 200;
/// Entries of a history that are asked for at a time, and how often.
const PAGE: usize = 100;
const MAX_PAGES: usize = 10;
/// Most confirmed transactions of one answer, the newest.
const MAX_CONFIRMED: usize = 5000;

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
    needs_money(&explorer)?;
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
    needs_money(&explorer)?;
    let lists = explorer.pending_cache.now(&explorer.upstream).await?;
    let lines = lists.by_fee.iter().map(|pending| payment(&pending.transaction, pending.bytes));
    Ok(csv(rows(PAYMENT, lines)))
}

/// The columns of a transaction.
const PAYMENT: &str = "transaction,from,to,amount_grains,fee_grains,bytes";

fn payment(paid: &Transaction, bytes: usize) -> [String; 6] {
    let Transfer { from, to, amount, .. } = paid.transfer();
    [
        paid.id().to_string(),
        from.to_string(),
        to.to_string(),
        amount.grains().to_string(),
        paid.fee().grains().to_string(),
        bytes.to_string(),
    ]
}

/// Answers `GET /block/{name}/transactions.csv`: what is in a block, in its order.
pub(crate) async fn contents(explorer: Arc<ExplorerState>, request: Request) -> Result<Response, Problem> {
    let [name] = request.params()?;
    needs_money(&explorer)?;
    let Some(found) = block::find(&explorer, name).await else {
        return Err(server::not_found("a block is named by its height, such as 5, or by its hash of 64 digits"));
    };
    let block = found.map_err(|error| match error {
        error if error.is_not_found() => server::not_found("no node of this network has this block"),
        error => error.into(),
    })?;
    Ok(csv(rows(PAYMENT, payments(&block).into_iter().map(|(paid, bytes)| payment(&paid, bytes)))))
}

/// The transactions of a block with the lengths of their JSON; none in genesis.
fn payments(block: &Block) -> Vec<(Transaction, usize)> {
    let Ok((bundle, spans)) = Bundle::from_data(block.data()) else { return Vec::new() };
    let bytes = |span: &Span| usize::try_from(span.length).unwrap_or(usize::MAX);
    bundle.transactions.into_iter().zip(spans.iter().map(bytes)).collect()
}

/// Answers `GET /transactions/confirmed.csv`: the transactions of the last blocks, newest first.
pub(crate) async fn confirmed(explorer: Arc<ExplorerState>, _: Request) -> Result<Response, Problem> {
    needs_money(&explorer)?;
    let tip = explorer.network().tip().ok_or(UpstreamError::NoneKnown("node"))?;
    let from = tip.index.0.saturating_add(1).saturating_sub(MAX_BLOCKS);
    let blocks = explorer.upstream.chain(from, MAX_BLOCKS).await?;
    let lines = confirmed_lines(&blocks);
    Ok(csv(rows(&format!("height,timestamp,{PAYMENT}"), lines)))
}

fn confirmed_lines(blocks: &[Block]) -> impl Iterator<Item = [String; 8]> {
    let of_block = |block: &Block| {
        let (height, time) = (block.index().to_string(), block.header().timestamp.to_string());
        payments(block).into_iter().rev().map(move |(paid, bytes)| {
            let [id, from, to, amount, fee, bytes] = payment(&paid, bytes);
            [height.clone(), time.clone(), id, from, to, amount, fee, bytes]
        })
    };
    blocks.iter().rev().flat_map(of_block).take(MAX_CONFIRMED)
}

/// Answers `GET /people.csv`: those on the first page, with what they have, the richest first.
pub(crate) async fn people(explorer: Arc<ExplorerState>, _: Request) -> Result<Response, Problem> {
    needs_money(&explorer)?;
    let (cast, state) = (explorer.cast(), explorer.network());
    let purses = explorer.purses.now(&cast, &state, &explorer.upstream).await;
    if purses.is_none() && cast.people().next().is_some() {
        return Err(UpstreamError::NoneKnown("mempool").into());
    }
    let lines = Scene::people_of(purses.as_deref(), &state, None).into_iter().map(|person| {
        let name = cast.name(&person.address).map_or("", Name::as_str);
        let node = cast.miner_letter(&person.address).unwrap_or_default();
        [text(name), person.address.to_string(), text(node), person.grains.to_string()]
    });
    Ok(csv(rows("name,address,node,balance_grains", lines)))
}

/// A text of another person as a cell: quoted where it must be, and never a formula. Spreadsheets take a text for one
/// that begins with one of these characters, quoted or not.
fn text(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '|', '%']);
    let text = if is_formula { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

fn needs_money(explorer: &ExplorerState) -> Result<(), Problem> {
    if explorer.params.layer.has_money() {
        Ok(())
    } else {
        Err(server::not_found("this network has no money: its layer is data"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn a_text_stays_text_in_a_spreadsheet() {
        for (written, cell) in [
            ("Ada", "Ada"),
            ("Jörg", "Jörg"),
            ("", ""),
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("Ada, B.", "\"Ada, B.\""),
            ("=\"a\"", "\"'=\"\"a\"\"\""),
        ] {
            assert_eq!(text(written), cell);
        }
    }

    #[test]
    fn confirmed_transactions_are_newest_first_and_bounded() {
        let [genesis, block] = samples::blocks("for lunch");
        let paid = samples::payment(1, "for lunch");
        let bytes = shared::ledger::json_of(&paid).len();
        let lines: Vec<_> = confirmed_lines(&[genesis.clone(), block.clone()]).collect();
        assert_eq!((lines.len(), payments(&genesis).len()), (1, 0));
        let [height, time, id, .., fee, length] = &lines[0];
        assert_eq!((&**height, &**time, &**fee), ("1", &*block.header().timestamp.to_string(), "1000"));
        assert_eq!((id, length), (&paid.id().to_string(), &bytes.to_string()));
        let many = vec![block; MAX_CONFIRMED + 5];
        assert_eq!(confirmed_lines(&many).count(), MAX_CONFIRMED);
    }
}
