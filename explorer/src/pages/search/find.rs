//! Finds what a search names, in the network's state, in caches, and by requests to nodes and mempools.

use super::term::{SearchTerm, Shortened};
use crate::state::ExplorerState;
use crate::upstream::UpstreamError;
use shared::block::{BlockHash, BlockId, Height};
use shared::ledger::{AccountId, Bundle, TransactionId};
use shared::wire::AddressBalance;
use std::collections::BTreeSet;

/// Most results that are listed.
const MAX_RESULTS: usize = 50;
/// How many of the last blocks are searched for the ids of transactions.
const LAST_BLOCKS: u64 = 20;

#[derive(Debug)]
pub(super) enum SearchResult {
    /// The path of a page.
    One(String),
    Hashes(HashMatches),
    Addresses {
        found: Vec<AddressBalance>,
        are_more: bool,
    },
}

/// Blocks and transactions whose hashes match.
#[derive(Debug, Default)]
pub(super) struct HashMatches {
    pub(super) blocks: Vec<BlockId>,
    pub(super) transactions: BTreeSet<TransactionId>,
}

/// `None` if nothing was found.
pub(super) async fn find(explorer: &ExplorerState, term: SearchTerm) -> Result<Option<SearchResult>, UpstreamError> {
    let one = |path: String| Ok(Some(SearchResult::One(path)));
    match term {
        SearchTerm::Height(height) if is_known_height(explorer, height) => one(format!("/block/{height}")),
        // Eight digits are also how hashes are shortened.
        SearchTerm::Height(height) => {
            short_hash(explorer, &Shortened { first: height.to_string(), last: String::new() }).await
        }
        SearchTerm::Hash(hash, id) => hash_or_id(explorer, hash, id).await,
        SearchTerm::ShortHash(shortened) => short_hash(explorer, &shortened).await,
        SearchTerm::Coin(coin) if explorer.params.layer.has_coins() => one(format!("/coin/{coin}")),
        SearchTerm::Coin(_) => Ok(None),
        SearchTerm::Address(address) => one(format!("/address/{address}")),
        SearchTerm::Account(account) => self::account(explorer, account).await,
        SearchTerm::ShortAddress(shortened) => addresses(explorer, shortened).await,
        SearchTerm::Service(address) => Ok(service(explorer, |known| known == address)),
        SearchTerm::Port(port) => {
            Ok(service(explorer, |known| known.rsplit_once(':').is_some_and(|(_, known)| known == port)))
        }
        SearchTerm::Page(path) => one(path.to_owned()),
        SearchTerm::Nothing => Ok(None),
    }
}

fn is_known_height(explorer: &ExplorerState, height: u64) -> bool {
    explorer.network().tip().is_some_and(|tip| Height(height) <= tip.index)
}

/// The page of a person or of a program. Without programs, 40 digits are the beginning of a hash.
async fn account(explorer: &ExplorerState, account: AccountId) -> Result<Option<SearchResult>, UpstreamError> {
    let owner = explorer.cast().account(&account).map(|(address, _)| address);
    let page = match owner {
        Some(owner) => format!("/address/{owner}"),
        None if explorer.params.layer.has_programs() => format!("/program/{account}"),
        None => {
            let first = account.to_string().split_off(2);
            return short_hash(explorer, &Shortened { first, last: String::new() }).await;
        }
    };
    Ok(Some(SearchResult::One(page)))
}

async fn hash_or_id(
    explorer: &ExplorerState,
    hash: BlockHash,
    id: TransactionId,
) -> Result<Option<SearchResult>, UpstreamError> {
    match explorer.upstream.block(hash).await {
        Ok(_) => return Ok(Some(SearchResult::One(format!("/block/{hash}")))),
        Err(error) if !error.is_not_found() && !matches!(error, UpstreamError::NoneKnown(_)) => return Err(error),
        Err(_) => {}
    }
    if !explorer.params.layer.has_money() {
        return Ok(None);
    }
    match explorer.upstream.transaction(id).await {
        Ok(_) => Ok(Some(SearchResult::One(format!("/transaction/{id}")))),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Searches the last blocks of all branches, the cached headers, the news, the pending transactions and those of the
/// last blocks. A service that does not answer only means fewer results.
async fn short_hash(explorer: &ExplorerState, shortened: &Shortened) -> Result<Option<SearchResult>, UpstreamError> {
    let mut found = HashMatches::default();
    let state = explorer.network();
    found.add_blocks(shortened, state.blocks.values().map(|block| BlockId { index: block.index, hash: block.hash }));
    found.add_transactions(shortened, state.news.iter().filter_map(|item| item.payment));
    if let Ok(headers) = explorer.header_cache.last(&explorer.upstream).await {
        let ids = headers.iter().rev().map(|header| BlockId { index: header.index, hash: header.hash() });
        found.add_blocks(shortened, ids);
    }
    if explorer.params.layer.has_money() {
        if let Ok(pending) = explorer.pending_cache.now(&explorer.upstream).await {
            found.add_transactions(shortened, pending.by_age.iter().map(|pending| pending.id()));
        }
        found.add_transactions(shortened, last_transactions(explorer).await);
    }
    Ok(found.into_result())
}

/// The ids of the transactions in the last blocks.
async fn last_transactions(explorer: &ExplorerState) -> Vec<TransactionId> {
    let Some(tip) = explorer.network().tip() else { return Vec::new() };
    let from = tip.index.0.saturating_add(1).saturating_sub(LAST_BLOCKS);
    let blocks = explorer.upstream.chain(from, LAST_BLOCKS).await.unwrap_or_default();
    let bundles = blocks.iter().filter_map(|block| Bundle::from_data(block.data()).ok());
    bundles.flat_map(|(bundle, _)| bundle.transactions.into_iter().map(|transaction| transaction.id())).collect()
}

impl HashMatches {
    fn add_blocks(&mut self, shortened: &Shortened, blocks: impl Iterator<Item = BlockId>) {
        for block in blocks.filter(|block| shortened.matches(&block.hash.to_string())) {
            if self.blocks.len() < MAX_RESULTS && !self.blocks.contains(&block) {
                self.blocks.push(block);
            }
        }
    }

    fn add_transactions(&mut self, shortened: &Shortened, ids: impl IntoIterator<Item = TransactionId>) {
        let matching = ids.into_iter().filter(|id| shortened.matches(&id.to_string()));
        self.transactions.extend(matching.take(MAX_RESULTS.saturating_sub(self.transactions.len())));
    }

    fn into_result(self) -> Option<SearchResult> {
        match (&*self.blocks, self.transactions.first()) {
            ([], None) => None,
            ([one], None) => Some(SearchResult::One(format!("/block/{}", one.hash))),
            ([], Some(id)) if self.transactions.len() == 1 => Some(SearchResult::One(format!("/transaction/{id}"))),
            _ => Some(SearchResult::Hashes(self)),
        }
    }
}

async fn addresses(explorer: &ExplorerState, shortened: Shortened) -> Result<Option<SearchResult>, UpstreamError> {
    if !explorer.params.layer.has_money() {
        return Ok(None);
    }
    let prefix = shortened.first.clone();
    let request = async move |client: &runtime::client::Client, mempool: &str| {
        client.balances(mempool, &prefix, None, MAX_RESULTS).await
    };
    let answer = explorer.upstream.mempool(request).await?;
    let are_more = answer.next.is_some();
    let matching = answer.entries.into_iter().filter(|each| shortened.matches(each.address.as_str()));
    let found: Vec<_> = matching.take(MAX_RESULTS).collect();
    Ok(match &*found {
        [] => None,
        [one] => Some(SearchResult::One(format!("/address/{}", one.address))),
        _ => Some(SearchResult::Addresses { found, are_more }),
    })
}

/// The page of a node, or the first page for a mempool.
fn service(explorer: &ExplorerState, is_it: impl Fn(&str) -> bool) -> Option<SearchResult> {
    let state = explorer.network();
    let node = state.nodes.keys().find(|known| is_it(known)).map(|known| format!("/node/{known}"));
    let mempool = || state.mempools.keys().any(|known| is_it(known)).then(|| "/#mempools".to_owned());
    node.or_else(mempool).map(SearchResult::One)
}
