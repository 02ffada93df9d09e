//! What a mempool reports beside balances: the coins, and what programs store.

use runtime::client::{Client, Error};
use std::collections::BTreeMap;

/// Most coins, and most slots of a program, that are compared.
const MAX_ROWS: usize = 1_000_000;
/// Most programs whose slots are compared.
const MAX_PROGRAMS: usize = 1000;
/// Programs and slots in one reply.
const PAGE_ROWS: usize = 200;
/// Coins in one reply.
const PAGE_COINS: usize = 1000;

/// The unspent coins by name, each with its address and its grains.
pub(super) type CoinRows = BTreeMap<String, (String, u64)>;
/// What programs store: their slots by their addresses, as text.
pub(super) type Storage = BTreeMap<String, BTreeMap<String, String>>;

/// All unspent coins.
pub(super) async fn coins(client: &Client, mempool: &str) -> Result<CoinRows, Error> {
    let mut coins = CoinRows::new();
    let mut from: Option<String> = None;
    while coins.len() < MAX_ROWS {
        let page = client.all_unspent(mempool, from.as_deref(), PAGE_COINS).await?;
        let rows = page.entries.into_iter();
        coins.extend(rows.map(|coin| (coin.coin.to_string(), (coin.address.to_string(), coin.amount.grains()))));
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    Ok(coins)
}

/// What every program stores.
pub(super) async fn storage(client: &Client, mempool: &str) -> Result<Storage, Error> {
    let mut storage = Storage::new();
    let mut before: Option<String> = None;
    while storage.len() < MAX_PROGRAMS {
        let page = client.programs(mempool, before.as_deref(), PAGE_ROWS).await?;
        for program in page.entries {
            let (mut slots, mut from) = (BTreeMap::new(), None::<String>);
            while slots.len() < MAX_ROWS {
                let page = client.storage(mempool, &program.address, from.as_deref(), PAGE_ROWS).await?;
                slots.extend(page.entries.iter().map(|slot| (slot.slot.to_string(), slot.value.to_string())));
                from = page.next;
                if from.is_none() {
                    break;
                }
            }
            storage.insert(program.address.to_string(), slots);
        }
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    Ok(storage)
}
