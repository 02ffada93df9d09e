//! The bytes of the state on layer `utxo`; the only file that knows them. All integers are big-endian.
//!
//! ```text
//! 'u' | coin                               →  amount (8) | height (8) | kind (1) | key (33)              unspent coins
//!
//! only where the history is kept, which no rule reads:
//! 'a' | key (33) | !amount (8) | coin      →  height (8) | kind (1)            an address's coins, the largest first
//! 'o' | coin                               →  what 'u' had | spender's id (32)                             spent coins
//!
//! coin = id (32) | place (2)      kind = 'c' a miner's, 't' a transaction's      height: of the block that made it
//! ```
//!
//! The history has the rows `'b'`, `'t'` and `'h'` of layer `transaction`, too: balances, places of transactions, and
//! histories of addresses. They have the same bytes, so that the same queries read them.

use super::Coin;
use crate::block::Height;
use crate::ledger::{Address, Amount, CoinName, TransactionId};
use crate::store::StoreError;

const UNSPENT: u8 = b'u';
const OF_ADDRESS: u8 = b'a';
const SPENT: u8 = b'o';
/// The first byte of each coin that is unspent.
pub(super) const ALL_UNSPENT: &[u8] = &[UNSPENT];

/// The length of a coin's name.
const NAME: usize = 34;
/// The length of a coin.
const COIN: usize = 50;

pub(super) fn unspent_key(name: &CoinName) -> [u8; 1 + NAME] {
    named(UNSPENT, name)
}

pub(super) fn spent_key(name: &CoinName) -> [u8; 1 + NAME] {
    named(SPENT, name)
}

fn named(table: u8, name: &CoinName) -> [u8; 1 + NAME] {
    let mut key = [table; 1 + NAME];
    key[1..].copy_from_slice(&name_bytes(name));
    key
}

/// The name at the end of a key.
pub(super) fn parse_name(key: &[u8]) -> Result<CoinName, StoreError> {
    let parse = || {
        let (_, name) = key.split_last_chunk::<NAME>()?;
        let (id, place) = name.split_first_chunk::<32>()?;
        Some(CoinName { id: TransactionId::from_bytes(*id), place: u16::from_be_bytes(place.try_into().ok()?) })
    };
    parse().ok_or_else(|| damaged("the name of a coin"))
}

fn name_bytes(name: &CoinName) -> [u8; NAME] {
    let mut bytes = [0; NAME];
    bytes[..32].copy_from_slice(name.id.as_bytes());
    bytes[32..].copy_from_slice(&name.place.to_be_bytes());
    bytes
}

/// The value of a coin's row.
pub(super) fn coin_row(coin: &Coin) -> [u8; COIN] {
    let mut row = [0; COIN];
    row[..8].copy_from_slice(&coin.amount.grains().to_be_bytes());
    row[8..17].copy_from_slice(&age_row(coin));
    row[17..].copy_from_slice(&coin.address.public_key());
    row
}

pub(super) fn parse_coin(row: &[u8]) -> Result<Coin, StoreError> {
    let parse = || {
        let (amount, rest) = row.split_first_chunk::<8>()?;
        let (age, key) = rest.split_first_chunk::<9>()?;
        let (made_in, is_miners) = parse_age_bytes(age)?;
        let address = Address::of_public_key(key.try_into().ok()?).ok()?;
        Some(Coin { address, amount: Amount::new(u64::from_be_bytes(*amount))?, made_in, is_miners })
    };
    parse().ok_or_else(|| damaged("a coin"))
}

/// The value of a spent coin's row.
pub(super) fn spent_row(coin: &Coin, spender: &TransactionId) -> [u8; COIN + 32] {
    let mut row = [0; COIN + 32];
    row[..COIN].copy_from_slice(&coin_row(coin));
    row[COIN..].copy_from_slice(spender.as_bytes());
    row
}

pub(super) fn parse_spent(row: &[u8]) -> Result<(Coin, TransactionId), StoreError> {
    let (coin, spender) = row.split_last_chunk::<32>().ok_or_else(|| damaged("a spent coin"))?;
    Ok((parse_coin(coin)?, TransactionId::from_bytes(*spender)))
}

/// The beginning of the keys of an address's coins.
pub(super) fn address_prefix(address: &Address) -> [u8; 34] {
    let mut key = [OF_ADDRESS; 34];
    key[1..].copy_from_slice(&address.public_key());
    key
}

pub(super) fn address_key(address: &Address, amount: Amount, name: &CoinName) -> [u8; 42 + NAME] {
    let mut key = [0; 42 + NAME];
    key[..34].copy_from_slice(&address_prefix(address));
    key[34..42].copy_from_slice(&(!amount.grains()).to_be_bytes());
    key[42..].copy_from_slice(&name_bytes(name));
    key
}

/// The coin of an address's row.
pub(super) fn parse_address_row(address: &Address, key: &[u8], row: &[u8]) -> Result<(CoinName, Coin), StoreError> {
    let parse = || {
        let amount = key.get(34..42)?.try_into().ok()?;
        let (made_in, is_miners) = parse_age_bytes(row)?;
        Some(Coin { address: *address, amount: Amount::new(!u64::from_be_bytes(amount))?, made_in, is_miners })
    };
    Ok((parse_name(key)?, parse().ok_or_else(|| damaged("a coin of an address"))?))
}

/// Height and kind.
pub(super) fn age_row(coin: &Coin) -> [u8; 9] {
    let mut row = [if coin.is_miners { b'c' } else { b't' }; 9];
    row[..8].copy_from_slice(&coin.made_in.0.to_be_bytes());
    row
}

fn parse_age_bytes(row: &[u8]) -> Option<(Height, bool)> {
    let (height, kind) = row.split_first_chunk::<8>()?;
    let height = Height(u64::from_be_bytes(*height));
    match kind {
        [b'c'] => Some((height, true)),
        [b't'] => Some((height, false)),
        _ => None,
    }
}

fn damaged(what: &str) -> StoreError {
    StoreError::Damaged(format!("{what} cannot be read"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coin_is_read_as_it_was_written() {
        let mut key = [7; 33];
        key[0] = 3;
        let address = Address::of_public_key(&key).expect("a key");
        let name = CoinName { id: TransactionId::of("x"), place: 513 };
        for (is_miners, grains) in [(true, 1), (false, Amount::MAX.grains())] {
            let amount = Amount::new(grains).expect("an amount");
            let coin = Coin { address, amount, made_in: Height(258), is_miners };
            assert_eq!(parse_coin(&coin_row(&coin)), Ok(coin));
            assert_eq!(parse_spent(&spent_row(&coin, &name.id)), Ok((coin, name.id)));
            let of_address = address_key(&address, amount, &name);
            assert!(of_address.starts_with(&address_prefix(&address)));
            assert_eq!(parse_address_row(&address, &of_address, &age_row(&coin)), Ok((name, coin)));
        }
        assert_eq!(parse_name(&unspent_key(&name)), Ok(name));
        assert!(unspent_key(&name).starts_with(ALL_UNSPENT));
        for row in [&[][..], &[0; 49], &[0; 51], &[b'x'; 50]] {
            assert!(parse_coin(row).is_err(), "{row:?}");
        }
        assert!(parse_name(&[0; 10]).is_err() && parse_spent(&[0; 31]).is_err());
    }
}
