//! Calls to a mempool (docs/protocol.md §11).
//!
//! Returned transactions are well-formed, since their JSON is read strictly; ids and signatures are not checked here.

use super::transport::{Bounds, from_json, read_body, refusal_error, spawn_blocking, to_json};
use super::{Client, Error};
use http::header::{ETAG, HeaderMap, IF_NONE_MATCH, LINK};
use http::{HeaderName, StatusCode};
use reqwest::Method;
use serde::de::DeserializeOwned;
use shared::ledger::{Address, CoinName, Transaction, TransactionId};
use shared::wire::{AddressBalance, HistoryEntry, PUSH_BYTES, PoolOrder, Pushed, TransactionStatus, UNPROCESSED_BYTES};
use shared::wire::{CoinInfo, UnspentCoin};
use std::time::Duration;

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPage<T> {
    /// The entries of this page.
    pub entries: Vec<T>,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
}

/// The answer of `GET /unprocessed`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unprocessed {
    /// The pool has not changed since the ETag of the request.
    NotModified,
    /// Pending transactions.
    Pending {
        /// Names this state of the pool, for the next request.
        etag: Option<String>,
        /// In the order of the request.
        transactions: Vec<Transaction>,
    },
}

/// For `/pushtx`, which waits for its turn and for the disk.
const PUSH: Bounds = Bounds::SMALL.time(Duration::from_secs(30));
/// For `/unprocessed`: the server always sends one transaction, however long, and JSON adds separators.
const UNPROCESSED: Bounds = Bounds { time: Duration::from_secs(30), bytes: UNPROCESSED_BYTES + 2 * PUSH_BYTES };
/// For `/history`, whose entries contain transactions.
const HISTORY: Bounds = Bounds { time: Duration::from_secs(30), bytes: UNPROCESSED_BYTES + 2 * PUSH_BYTES };
/// For `/transaction`: one transaction and its status.
const TRANSACTION: Bounds = Bounds { time: Duration::from_secs(5), bytes: 2 * PUSH_BYTES };
/// Longest cursor or ETag that is used, in bytes.
const MAX_CURSOR_BYTES: usize = 200;

impl Client {
    /// `POST /pushtx`: once it returns, the transaction is on the mempool's disk.
    ///
    /// # Errors
    /// See [`Error`]; refused with 422 and the rule if the transaction breaks one, with 429 or 503 if there is no room.
    pub async fn push_transaction(&self, address: &str, transaction: &Transaction) -> Result<Pushed, Error> {
        self.post(address, "/pushtx", None, to_json(transaction)?, PUSH).await
    }

    /// `GET /unprocessed`: up to `limit` pending transactions, unless the pool has not changed since `etag`.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn unprocessed(
        &self,
        address: &str,
        order: PoolOrder,
        limit: usize,
        etag: Option<&str>,
    ) -> Result<Unprocessed, Error> {
        let path = format!("/unprocessed?order={}&limit={limit}", order.name());
        let mut request = self.request(Method::GET, address, &path)?.timeout(UNPROCESSED.time);
        if let Some(etag) = etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        let answer = request.send().await.map_err(|error| Error::of(&error))?;
        if answer.status() == StatusCode::NOT_MODIFIED {
            return Ok(Unprocessed::NotModified);
        }
        if !answer.status().is_success() {
            return Err(refusal_error(answer).await);
        }
        let etag = text(answer.headers(), &ETAG).map(str::to_owned);
        let body = read_body(answer, UNPROCESSED.bytes).await?;
        let transactions = spawn_blocking(move || from_json(&body)).await?;
        Ok(Unprocessed::Pending { etag, transactions })
    }

    /// `GET /balance/<address>` in grains, as of `confirmations` blocks; 0 includes pending transactions.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn balance(&self, address: &str, of: &Address, confirmations: u64) -> Result<u64, Error> {
        self.get(address, &format!("/balance/{of}?confirmations={confirmations}"), Bounds::SMALL).await
    }

    /// `GET /balances`: a page of the balances of addresses that begin with `prefix`, starting at the address `from`.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn balances(
        &self,
        address: &str,
        prefix: &str,
        from: Option<&str>,
        limit: usize,
    ) -> Result<ListPage<AddressBalance>, Error> {
        let query = query(&[("prefix", Some(prefix)), ("from", from), ("limit", Some(&limit.to_string()))]);
        self.page(address, &format!("/balances?{query}"), "from", Bounds::LIST).await
    }

    /// `GET /confirmations/<id>`: 0 while pending.
    ///
    /// # Errors
    /// See [`Error`]; refused with 404 if the mempool does not know it.
    pub async fn confirmations(&self, address: &str, id: &TransactionId) -> Result<u64, Error> {
        self.get(address, &format!("/confirmations/{id}"), Bounds::SMALL).await
    }

    /// `GET /transaction/<id>`.
    ///
    /// # Errors
    /// See [`Error`]; refused with 404 if the mempool does not know it.
    pub async fn transaction(&self, address: &str, id: &TransactionId) -> Result<TransactionStatus, Error> {
        self.get(address, &format!("/transaction/{id}"), TRANSACTION).await
    }

    /// `GET /history/<address>`: a page, newest first, that continues at `before`, the `next` of another page.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn history(
        &self,
        address: &str,
        of: &Address,
        before: Option<&str>,
        limit: usize,
    ) -> Result<ListPage<HistoryEntry>, Error> {
        let query = query(&[("before", before), ("limit", Some(&limit.to_string()))]);
        self.page(address, &format!("/history/{of}?{query}"), "before", HISTORY).await
    }

    /// `GET /unspent/<address>`: a page of the coins of `of`, the largest first, from `from` on, the `next` of another
    /// page.
    ///
    /// # Errors
    /// See [`Error`]; refused with 404 if the network has no coins.
    pub async fn unspent(
        &self,
        address: &str,
        of: &Address,
        from: Option<&str>,
        limit: usize,
    ) -> Result<ListPage<UnspentCoin>, Error> {
        let query = query(&[("from", from), ("limit", Some(&limit.to_string()))]);
        self.page(address, &format!("/unspent/{of}?{query}"), "from", HISTORY).await
    }

    /// `GET /unspent`: a page of all unspent coins, by name, from `from` on, the `next` of another page.
    ///
    /// # Errors
    /// See [`Error`]; refused with 404 if the network has no coins.
    pub async fn all_unspent(
        &self,
        address: &str,
        from: Option<&str>,
        limit: usize,
    ) -> Result<ListPage<UnspentCoin>, Error> {
        let query = query(&[("from", from), ("limit", Some(&limit.to_string()))]);
        self.page(address, &format!("/unspent?{query}"), "from", HISTORY).await
    }

    /// `GET /coin/<coin>`: what made a coin, and what spends it.
    ///
    /// # Errors
    /// See [`Error`]; refused with 404 if the chain never made it.
    pub async fn coin(&self, address: &str, coin: &CoinName) -> Result<CoinInfo, Error> {
        self.get(address, &format!("/coin/{coin}"), TRANSACTION).await
    }

    /// One page of a list; its header `Link` has the query parameter `cursor` of the next page.
    pub(super) async fn page<T: DeserializeOwned + Send + 'static>(
        &self,
        address: &str,
        path: &str,
        cursor: &str,
        bounds: Bounds,
    ) -> Result<ListPage<T>, Error> {
        let answer = self.send(self.request(Method::GET, address, path)?, bounds).await?;
        let next = text(answer.headers(), &LINK).and_then(|link| next_page(link, cursor));
        let body = read_body(answer, bounds.bytes).await?;
        let entries = spawn_blocking(move || from_json(&body)).await?;
        Ok(ListPage { entries, next })
    }
}

pub(super) fn query(pairs: &[(&str, Option<&str>)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    query.finish()
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().filter(|text| text.len() <= MAX_CURSOR_BYTES + 200)
}

/// The parameter `cursor` of the target of `<…>; rel="next"`.
fn next_page(link: &str, cursor: &str) -> Option<String> {
    let (target, rest) = link.strip_prefix('<')?.split_once('>')?;
    let (_, query) = target.split_once('?')?;
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let (_, value) = pairs.find(|(name, _)| name == cursor).filter(|_| rest.contains("rel=\"next\""))?;
    (value.len() <= MAX_CURSOR_BYTES).then(|| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_of_the_next_page_is_read_from_the_link() {
        for (link, expected) in [
            ("</history/lab1?before=7.2&limit=50>; rel=\"next\"", Some("7.2")),
            ("</balances?prefix=lab1&from=lab1%71>; rel=\"next\"", None),
            ("</history/lab1?before=7>; rel=\"prev\"", None),
            ("</history/lab1>; rel=\"next\"", None),
            ("before=7; rel=\"next\"", None),
        ] {
            assert_eq!(next_page(link, "before").as_deref(), expected, "{link}");
        }
        assert_eq!(next_page("</balances?from=lab1%71>; rel=\"next\"", "from").as_deref(), Some("lab1q"));
    }
}
