//! The last headers of the best chain, for charts, which look back further than the network's state.
//!
//! Headers are fetched when a reader wants them, and then only those that are new: after a reorganisation, those above
//! the fork. It is checked that each header follows the one before, but not that the headers keep the rules of the
//! chain.

use crate::upstream::{Upstream, UpstreamError};
use runtime::client::{Client, Error};
use shared::block::{BlockHash, Header, Height};
use shared::wire::HeadersRequest;
use std::sync::Arc;
use tokio::sync::Mutex;

/// Most headers that are kept.
pub(crate) const MAX_HEADERS: usize = 2000;
/// How many hashes of a locator are of consecutive blocks; below them the gaps double.
const LOCATOR_DENSE: usize = 12;

/// Headers without genesis, oldest first.
#[derive(Debug, Default)]
pub(crate) struct HeaderCache(Mutex<Arc<Vec<Header>>>);

impl HeaderCache {
    /// The last headers up to the best known tip, at most [`MAX_HEADERS`].
    ///
    /// # Errors
    /// If no node answers.
    pub(crate) async fn last(&self, upstream: &Upstream) -> Result<Arc<Vec<Header>>, UpstreamError> {
        let tip = upstream.state().tip();
        // Locked during the request, so that concurrent readers cause one.
        let mut cached = self.0.lock().await;
        if cached.last().zip(tip).is_some_and(|(last, tip)| last.hash() == tip.hash) {
            return Ok(cached.clone());
        }
        let request = HeaderRequest {
            known: cached.clone(),
            genesis: upstream.network,
            max_block_bytes: upstream.max_block_bytes,
        };
        let fetched = upstream.node(async move |client, node| request.fetch(client, node).await).await?;
        *cached = Arc::new(fetched);
        Ok(cached.clone())
    }
}

/// What a node is asked for.
struct HeaderRequest {
    known: Arc<Vec<Header>>,
    genesis: BlockHash,
    max_block_bytes: usize,
}

impl HeaderRequest {
    async fn fetch(&self, client: &Client, node: &str) -> Result<Vec<Header>, Error> {
        let (known, genesis) = (&self.known, self.genesis);
        let highest = client.chain_length(node).await?.saturating_sub(1);
        let first = highest.saturating_sub(MAX_HEADERS as u64);
        if known.last().is_some_and(|last| last.index.0 >= first)
            && let Some(joined) = join(known, headers(client, node, locator(known, genesis)).await?, genesis)
        {
            return Ok(joined);
        }
        let anchor = match first {
            0 => genesis,
            _ => client.block(node, first, self.max_block_bytes).await?.hash(),
        };
        let fetched = headers(client, node, vec![anchor, genesis]).await?;
        match fetched.first() {
            Some(header) if header.prev_hash != anchor => {
                Err(Error::Malformed(format!("headers that do not follow block {first}")))
            }
            _ => Ok(fetched),
        }
    }
}

/// Fetches the headers after the first hash of `locator` that the node knows, and checks that they follow one another.
async fn headers(client: &Client, node: &str, locator: Vec<BlockHash>) -> Result<Vec<Header>, Error> {
    let mut headers = client.headers(node, &HeadersRequest { locator, limit: MAX_HEADERS as u64 }).await?;
    headers.truncate(MAX_HEADERS);
    if headers.windows(2).all(|two| follows(&two[0], &two[1])) {
        Ok(headers)
    } else {
        Err(Error::Malformed("headers that do not follow one another".to_owned()))
    }
}

fn follows(parent: &Header, child: &Header) -> bool {
    child.prev_hash == parent.hash() && child.index == parent.index.next()
}

/// Hashes of the known chain, newest first, with gaps that double, and genesis.
fn locator(known: &[Header], genesis: BlockHash) -> Vec<BlockHash> {
    let steps = (0..LOCATOR_DENSE).chain((0..).map(|power| LOCATOR_DENSE + (1 << power)));
    let back = steps.take_while(|back| *back < known.len());
    back.map(|back| known[known.len() - 1 - back].hash()).chain([genesis]).collect()
}

/// The known headers with the new ones on top, which replace those after a fork. `None` if the new ones do not follow a
/// known one.
fn join(known: &[Header], new: Vec<Header>, genesis: BlockHash) -> Option<Vec<Header>> {
    let Some(first) = new.first() else { return Some(known.to_vec()) };
    let cached = if first.prev_hash == genesis && first.index == Height::GENESIS.next() {
        0
    } else {
        1 + known.iter().rposition(|header| follows(header, first))?
    };
    let mut joined = [&known[..cached], &new].concat();
    joined.drain(..joined.len().saturating_sub(MAX_HEADERS));
    Some(joined)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use shared::block::{DataHash, HeaderFields, Nonce, Timestamp};
    use shared::work::Difficulty;

    /// A chain on top of `parent` with blocks at these times; the same times make the same blocks.
    pub(crate) fn chain(parent: Option<&Header>, times_ms: &[u64]) -> Vec<Header> {
        let mut headers: Vec<Header> = Vec::new();
        for time in times_ms {
            let parent = headers.last().or(parent);
            let fields = HeaderFields {
                index: parent.map_or(Height(1), |parent| parent.index.next()),
                prev_hash: parent.map_or(BlockHash::ZERO, Header::hash),
                timestamp: Timestamp::from_ms(*time),
                difficulty: Difficulty::clamped(1000),
                data_hash: DataHash::of(""),
            };
            headers.push(Header::new(fields, Nonce(0)));
        }
        headers
    }

    fn long(blocks: u64) -> Vec<Header> {
        chain(None, &(1..=blocks).collect::<Vec<_>>())
    }

    #[test]
    fn a_locator_is_newest_first_bounded_and_ends_with_genesis() {
        let known = long(MAX_HEADERS as u64);
        let found = locator(&known, BlockHash::ZERO);
        assert_eq!((found[0], found[1]), (known[MAX_HEADERS - 1].hash(), known[MAX_HEADERS - 2].hash()));
        assert_eq!(found.last(), Some(&BlockHash::ZERO));
        assert!(found.len() <= 64, "{}", found.len());
        assert_eq!(locator(&[], BlockHash::ZERO), [BlockHash::ZERO]);
    }

    #[test]
    fn new_headers_go_on_top_and_replace_what_was_undone() {
        let known = long(10);
        let more = chain(known.last(), &[11, 12]);
        assert_eq!(join(&known, more.clone(), BlockHash::ZERO).unwrap(), [known.clone(), more].concat());
        let other = chain(known.get(6), &[100, 101, 102, 103]);
        assert_eq!(join(&known, other.clone(), BlockHash::ZERO).unwrap(), [&known[..7], &other].concat());
        let all = chain(None, &[50, 51]);
        assert_eq!(join(&known, all.clone(), BlockHash::ZERO).unwrap(), all);
        assert_eq!(join(&known, Vec::new(), BlockHash::ZERO).unwrap(), known);
        assert_eq!(join(&known[5..], chain(known.get(2), &[70]), BlockHash::ZERO), None);
    }

    #[test]
    fn the_number_of_headers_is_bounded() {
        let known = long(MAX_HEADERS as u64);
        let joined = join(&known, chain(known.last(), &[9000]), BlockHash::ZERO).unwrap();
        assert_eq!((joined.len(), joined[0].index), (MAX_HEADERS, Height(2)));
    }
}
