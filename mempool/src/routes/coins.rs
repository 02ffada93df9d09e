//! Coins: which are unspent, and the life of one. Only networks of layer `utxo` have any.

use super::{holder, link, page_limit};
use crate::pool_state::PoolState;
use crate::state::{MempoolState, not_ready, store_problem};
use runtime::server::{self, Number, Request, Response, reply};
use serde::Deserialize;
use shared::chain::ChainSnapshot;
use shared::layer::transaction::locate_transaction;
use shared::layer::utxo::{self, Coin, CoinRules};
use shared::ledger::{Amount, CoinName, Holding};
use shared::params::Params;
use shared::pool::Pool;
use shared::store::StoreError;
use shared::wire::{CoinInfo, CoinSpent, Problem, UnspentCoin};
use std::sync::Arc;
use utoipa::IntoParams;

/// Coins of one answer unless `limit` says otherwise.
const DEFAULT_LIMIT: usize = 100;
/// Most coins of one answer.
const MAX_LIMIT: usize = 1000;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnspentQuery {
    /// The first coin, as in `Link`: its amount and name.
    #[param(nullable = false, pattern = r"^[0-9]{1,16}\.[0-9a-f]{64}\.(0|[1-9][0-9]{0,2})$")]
    from: Option<String>,
    /// Most coins, 100 unless given, at most 1000.
    #[param(inline, nullable = false)]
    limit: Option<Number>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct AllUnspentQuery {
    /// The name of the first coin.
    #[param(nullable = false, pattern = r"^[0-9a-f]{64}\.(0|[1-9][0-9]{0,2})$")]
    from: Option<String>,
    /// Most coins, 100 unless given, at most 1000.
    #[param(inline, nullable = false)]
    limit: Option<Number>,
}

pub(crate) async fn unspent_of(mempool: Arc<MempoolState>, request: Request) -> Result<Response, Problem> {
    let UnspentQuery { from, limit } = request.query()?;
    has_coins(mempool.pool_state.params())?;
    let [of] = request.params()?;
    let of = holder(mempool.pool_state.params(), of)?;
    let from = from.map(|from| place(&from)).transpose()?;
    let limit = page_limit(limit, DEFAULT_LIMIT, MAX_LIMIT);
    let find = move |snapshot: &ChainSnapshot| utxo::coins_of(snapshot, &of, from, limit + 1);
    let (coins, next) = page(&mempool, limit, find).await?;
    let next = next.map(|(name, coin)| format!("/unspent/{of}?from={}.{name}&limit={limit}", coin.amount.grains()));
    Ok(link(reply::json(&coins)?, next))
}

pub(crate) async fn unspent(mempool: Arc<MempoolState>, request: Request) -> Result<Response, Problem> {
    let AllUnspentQuery { from, limit } = request.query()?;
    has_coins(mempool.pool_state.params())?;
    let from = from.map(|from| name(&from)).transpose()?;
    let limit = page_limit(limit, DEFAULT_LIMIT, MAX_LIMIT);
    let find = move |snapshot: &ChainSnapshot| utxo::unspent_coins(snapshot, from.as_ref(), limit + 1);
    let (coins, next) = page(&mempool, limit, find).await?;
    let next = next.map(|(name, _)| format!("/unspent?from={name}&limit={limit}"));
    Ok(link(reply::json(&coins)?, next))
}

pub(crate) async fn coin(mempool: Arc<MempoolState>, request: Request) -> Result<Response, Problem> {
    let [text] = request.params()?;
    let name = name(text)?;
    has_coins(mempool.pool_state.params())?;
    let found = mempool.spawn_blocking(move |pool_state| {
        let found = pool_state.pool_and_snapshot(|pool, snapshot| find(pool, snapshot, name));
        found.map_err(not_ready)?.map_err(|error| store_problem(pool_state, &error))
    });
    match found.await? {
        Some(coin) => reply::json(&coin),
        None => Err(server::not_found(format!("no coin {name} was ever made on this chain"))),
    }
}

/// Whether this network has coins: without them, these endpoints do not exist.
fn has_coins(params: &Params) -> Result<(), Problem> {
    if params.layer.has_coins() { Ok(()) } else { Err(server::not_found("this network has no coins")) }
}

/// Parses a coin's name in a path or query.
fn name(text: &str) -> Result<CoinName, Problem> {
    text.parse().map_err(|error| server::bad_request(format!("coin {text:?}: {error}")))
}

/// Parses an amount and a coin's name.
fn place(text: &str) -> Result<(Amount, CoinName), Problem> {
    let is_number = |text: &str| (1..=16).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_digit());
    let grains = |text: &str| text.parse().map_or(Amount::MAX, |grains| Amount::new(grains).unwrap_or(Amount::MAX));
    match text.split_once('.') {
        Some((amount, coin)) if is_number(amount) => Ok((grains(amount), name(coin)?)),
        _ => {
            Err(server::bad_request(format!("from {text:?}: expected an amount in grains, a point, and a coin's name")))
        }
    }
}

type NamedCoin = (CoinName, Coin);

/// At most `limit` of the coins that `find` finds, which is one more, and the first coin of the next page.
async fn page(
    mempool: &MempoolState,
    limit: usize,
    find: impl Fn(&ChainSnapshot) -> Result<Vec<NamedCoin>, StoreError> + Send + 'static,
) -> Result<(Vec<UnspentCoin>, Option<NamedCoin>), Problem> {
    mempool
        .spawn_blocking(move |pool_state| {
            let snapshot = pool_state.snapshot().map_err(not_ready)?;
            let mut found = find(&snapshot).map_err(|error| store_problem(pool_state, &error))?;
            let next = found.get(limit).filter(|_| limit > 0).copied();
            found.truncate(limit);
            Ok((described(pool_state, &snapshot, found), next))
        })
        .await
}

fn described(pool_state: &PoolState, snapshot: &ChainSnapshot, found: Vec<NamedCoin>) -> Vec<UnspentCoin> {
    let (rules, next) = (CoinRules::of(pool_state.params()), snapshot.tip().index.next());
    // The pool may stand on a newer block than the coins: then it may spend one no more.
    pool_state.pool(|pool| {
        let coin = |(name, coin): (CoinName, Coin)| UnspentCoin {
            coin: name,
            address: coin.address,
            amount: coin.amount,
            block: coin.made_in,
            confirmations: next.above(coin.made_in),
            coinbase: coin.is_miners,
            spendable_from: Some(rules.spendable_from(&coin)).filter(|from| *from > next),
            spent_by: pool.first_taker(&Holding::Coin(name)).map(|pending| pending.id()),
        };
        found.into_iter().map(coin).collect()
    })
}

fn find(pool: &Pool, snapshot: &ChainSnapshot, name: CoinName) -> Result<Option<CoinInfo>, StoreError> {
    let (coin, spent) = match (utxo::unspent(snapshot, &name)?, utxo::spent(snapshot, &name)?) {
        (Some(coin), _) => {
            let taker = pool.first_taker(&Holding::Coin(name));
            (coin, taker.map(|pending| CoinSpent { by: pending.id(), block: None }))
        }
        (None, Some((coin, by))) => {
            let block = locate_transaction(snapshot, &by)?.map(|place| place.index);
            (coin, Some(CoinSpent { by, block }))
        }
        (None, None) => return Ok(None),
    };
    let made_by = Some(name.id).filter(|_| !coin.is_miners);
    let Coin { address, amount, made_in: block, .. } = coin;
    Ok(Some(CoinInfo { coin: name, address, amount, made_by, block, spent }))
}
