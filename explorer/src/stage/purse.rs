//! Who has how much: the balances that a mempool reports, and what they are at the tip of another branch.

use crate::names::Cast;
use crate::network::NetworkState;
use crate::upstream::Upstream;
use futures_util::future::join_all;
use runtime::client::{Client, Error};
use shared::block::BlockHash;
use shared::ledger::Address;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// Most people whose balances are asked for.
const MAX_PEOPLE: usize = 36;
/// Most addresses that are compared where nobody has a name: one answer of a mempool.
const MAX_LISTED: usize = 1000;
/// How often the balances are asked for at most.
const LEAST_AGE: Duration = Duration::from_millis(800);
/// How often a mempool is asked whose chain grows meanwhile.
const TRIES: usize = 2;

/// Balances in grains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Purses {
    /// The newest block that they count.
    pub(crate) at: BlockHash,
    pub(crate) grains: BTreeMap<Address, u64>,
}

/// The balances of everyone who has a name, or else of the richest addresses, asked for once for all readers.
#[derive(Debug, Default)]
pub(crate) struct PurseCache(Mutex<Option<(Instant, Arc<Purses>)>>);

impl Purses {
    /// The balances at another block; `None` if a block between is not known.
    pub(crate) fn at(&self, state: &NetworkState, tip: BlockHash) -> Option<BTreeMap<Address, i128>> {
        let mut grains: BTreeMap<Address, i128> =
            self.grains.iter().map(|(address, grains)| (*address, (*grains).into())).collect();
        if tip == self.at {
            return Some(grains);
        }
        let ours: BTreeSet<BlockHash> = state.chain(self.at).map(|block| block.hash).collect();
        let above = |tip, is_common: &dyn Fn(&BlockHash) -> bool| -> Option<Vec<BlockHash>> {
            let mut blocks = Vec::new();
            for block in state.chain(tip) {
                if is_common(&block.hash) {
                    return Some(blocks);
                }
                blocks.push(block.hash);
            }
            None
        };
        let forward = above(tip, &|block| ours.contains(block))?;
        let theirs: BTreeSet<BlockHash> = state.chain(tip).map(|block| block.hash).collect();
        let back = above(self.at, &|block| theirs.contains(block))?;
        for (blocks, sign) in [(back, -1), (forward, 1)] {
            for block in blocks {
                for (address, change) in state.contents.get(&block)?.changes()? {
                    if let Some(grains) = grains.get_mut(&address) {
                        *grains += sign * change;
                    }
                }
            }
        }
        Some(grains)
    }
}

impl PurseCache {
    /// The newest balances; `None` if no mempool answers.
    pub(crate) async fn now(&self, cast: &Cast, state: &NetworkState, upstream: &Upstream) -> Option<Arc<Purses>> {
        // Locked during the requests, so that concurrent readers cause them once.
        let mut cached = self.0.lock().await;
        let (miners, others): (Vec<Address>, Vec<Address>) =
            cast.people().map(|(address, _)| *address).partition(|address| cast.miner_letter(address).is_some());
        let people: Vec<Address> = miners.into_iter().chain(others).take(MAX_PEOPLE).collect();
        if let Some((at, purses)) = &*cached {
            let newest = state.mempools.values().filter_map(|mempool| mempool.tip()).any(|tip| tip.hash == purses.at);
            let are_as_many = people.is_empty() || people.len() == purses.grains.len();
            let are_all = are_as_many && people.iter().all(|address| purses.grains.contains_key(address));
            if at.elapsed() < LEAST_AGE || (newest && are_all) {
                return Some(purses.clone());
            }
        }
        let request = async move |client: &Client, mempool: &str| {
            let mut last = None;
            for _ in 0..TRIES {
                let before = client.info(mempool).await?.tip;
                let grains = match &*people {
                    [] => richest(client, mempool).await?,
                    people => balances(client, mempool, people).await?,
                };
                let after = client.info(mempool).await?.tip;
                if let Some(tip) = after {
                    last = Some(Purses { at: tip.hash, grains });
                    if before == after {
                        break;
                    }
                }
            }
            Ok(last)
        };
        let fetched = upstream.mempool(request).await.ok().flatten();
        if let Some(purses) = fetched {
            *cached = Some((Instant::now(), Arc::new(purses)));
        }
        cached.as_ref().map(|(_, purses)| purses.clone())
    }
}

async fn balances(client: &Client, mempool: &str, people: &[Address]) -> Result<BTreeMap<Address, u64>, Error> {
    let balances = join_all(people.iter().map(|address| client.balance(mempool, address, 1))).await;
    people.iter().copied().zip(balances).map(|(address, grains)| Ok((address, grains?))).collect()
}

/// The addresses that have the most, among the first [`MAX_LISTED`].
async fn richest(client: &Client, mempool: &str) -> Result<BTreeMap<Address, u64>, Error> {
    let mut all = client.balances(mempool, "", None, MAX_LISTED).await?.entries;
    all.sort_by_key(|each| (Reverse(each.balance), each.address));
    Ok(all.into_iter().take(MAX_PEOPLE).map(|each| (each.address, each.balance.grains())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::samples::{contents, hash, summary};
    use shared::keys::KeyPair;

    fn address(seed: &str) -> Address {
        KeyPair::from_seed(seed).address()
    }

    // 1 ─ 2 ─ 3     ada finds 2 and 3, cleo 2'; eve pays max in 2 and in 2'
    // └── 2'
    #[test]
    fn balances_are_carried_to_another_branch() {
        let mut state = NetworkState::default();
        for (index, name, parent) in [(1, "1", "0"), (2, "2", "1"), (3, "3", "2"), (2, "2'", "1")] {
            state.blocks.insert(hash(name), summary(index, name, parent));
        }
        contents(&mut state, "2", "ada", &[("eve", 1)]);
        contents(&mut state, "3", "ada", &[]);
        contents(&mut state, "2'", "cleo", &[("eve", 1), ("eve", 2)]);
        let people = [("ada", 10_000_001_000), ("cleo", 0), ("eve", 899_999_000), ("max", 100_000_000)];
        let grains = people.map(|(seed, grains)| (address(seed), grains)).into();
        let purses = Purses { at: hash("3"), grains };
        let there = purses.at(&state, hash("2'")).expect("all is known");
        assert_eq!(there[&address("ada")], 0);
        assert_eq!(there[&address("cleo")], 5_000_002_000);
        assert_eq!(there[&address("eve")], 799_998_000);
        assert_eq!(there[&address("max")], 200_000_000);
        assert_eq!(
            there.values().sum::<i128>(),
            people.iter().map(|(_, grains)| i128::from(*grains)).sum::<i128>() - 5_000_000_000
        );
        assert_eq!(purses.at(&state, hash("3")).map(|grains| grains.len()), Some(4));
        assert_eq!(purses.at(&state, hash("unknown")), None);
        state.contents.remove(&hash("2"));
        assert_eq!(purses.at(&state, hash("2'")), None);
    }
}
