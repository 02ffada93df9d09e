//! A ledger of coins that shares nothing with the one under test: maps, replayed block by block from genesis.
//!
//! It reads bundles as plain JSON and knows no overlays, journals or rows. It must not use `ledger` or `layer`.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests: this is how they fail

use crate::transactions_oracle::{Rows, reward};
use serde_json::Value;
use sha2::{Digest, Sha256};
use shared::block::Block;
use shared::params::Params;
use std::collections::BTreeMap;

/// What one coin is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OracleCoin {
    pub(crate) address: String,
    pub(crate) amount: u64,
    pub(crate) height: u64,
    pub(crate) is_miners: bool,
}

/// One change of a balance: height, place, balance after it, and the payment's id or the reward.
type Line = (u64, u32, u64, Result<String, u64>);

/// The coins of a chain, and what they come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CoinOracle {
    pub(crate) unspent: BTreeMap<String, OracleCoin>,
    /// With the spender.
    pub(crate) spent: BTreeMap<String, (OracleCoin, String)>,
    pub(crate) balances: BTreeMap<String, u64>,
    /// The position of each transaction: height, and its bytes in the data.
    ids: BTreeMap<String, (u64, u32, u32)>,
    history: BTreeMap<String, Vec<Line>>,
    created: u128,
}

impl CoinOracle {
    /// The coins after these blocks, which begin with genesis; or the rule that one breaks, and its place.
    pub(crate) fn replay<'a>(params: &Params, blocks: impl IntoIterator<Item = &'a Block>) -> Result<Self, String> {
        let mut oracle = Self::default();
        for block in blocks.into_iter().skip(1) {
            oracle.apply(params, block.index().0, block.data())?;
        }
        Ok(oracle)
    }

    /// The sum of all coins is what blocks created, and every balance is the sum of its coins.
    pub(crate) fn conserves(&self) -> bool {
        let mut sums: BTreeMap<&str, u64> = self.balances.keys().map(|address| (address.as_str(), 0)).collect();
        for coin in self.unspent.values() {
            *sums.get_mut(coin.address.as_str()).unwrap() += coin.amount;
        }
        let sum: u128 = sums.values().map(|grains| u128::from(*grains)).sum();
        sum == self.created && self.balances.iter().all(|(address, balance)| sums[address.as_str()] == *balance)
    }

    /// Applies a block with this data at this height; after an error the oracle must not be used.
    pub(crate) fn apply(&mut self, params: &Params, height: u64, data: &str) -> Result<(), String> {
        let bundle: Value = serde_json::from_str(data).unwrap();
        let transactions = bundle["transactions"].as_array().unwrap();
        let mut fees = 0;
        for (place, transaction) in transactions.iter().enumerate() {
            let id = transaction["id"].as_str().unwrap().to_owned();
            let mut net: BTreeMap<String, i128> = BTreeMap::new();
            for input in transaction["inputs"].as_array().unwrap() {
                let (address, amount) = owned(input);
                let name = input["coin"].as_str().unwrap();
                let coin = self.unspent.remove(name).ok_or_else(|| format!("coin {place}"))?;
                if (&coin.address, coin.amount) != (&address, amount) {
                    return Err(format!("coin {place}"));
                }
                if coin.is_miners && height < coin.height + params.coinbase_maturity.unwrap() {
                    return Err(format!("maturity {place}"));
                }
                self.spent.insert(name.to_owned(), (coin, id.clone()));
                *net.entry(address).or_default() -= i128::from(amount);
                fees += amount;
            }
            for (number, output) in transaction["outputs"].as_array().unwrap().iter().enumerate() {
                let (address, amount) = owned(output);
                *net.entry(address.clone()).or_default() += i128::from(amount);
                let coin = OracleCoin { address, amount, height, is_miners: false };
                self.unspent.insert(format!("{id}.{number}"), coin);
                fees -= amount;
            }
            self.ids.insert(id.clone(), span(height, data, &id));
            for (address, grains) in net {
                self.change(&address, grains, (height, place as u32), Ok(id.clone()));
            }
        }
        let (miner, reward) = (bundle["miner_address"].as_str().unwrap(), reward(params, height));
        self.created += u128::from(reward);
        let amount = reward + fees;
        if amount > 0 {
            let name = miners_coin(params, height, miner, amount);
            let coin = OracleCoin { address: miner.to_owned(), amount, height, is_miners: true };
            self.unspent.insert(name, coin);
            self.change(miner, i128::from(amount), (height, transactions.len() as u32), Err(amount));
        }
        Ok(())
    }

    fn change(&mut self, address: &str, grains: i128, (height, place): (u64, u32), what: Result<String, u64>) {
        let balance = self.balances.entry(address.to_owned()).or_default();
        *balance = (i128::from(*balance) + grains).try_into().unwrap();
        self.history.entry(address.to_owned()).or_default().push((height, place, *balance, what));
    }

    /// The rows that this ledger should have, written apart from `layer::utxo::rows`.
    pub(crate) fn rows(&self, with_history: bool) -> Rows {
        let mut rows = Rows::new();
        for (name, coin) in &self.unspent {
            rows.insert([b"u", &name_bytes(name)[..]].concat(), coin_bytes(coin));
        }
        if !with_history {
            return rows;
        }
        for (name, coin) in &self.unspent {
            let amount = (u64::MAX - coin.amount).to_be_bytes();
            let key = [b"a", &key_of(&coin.address)[..], &amount, &name_bytes(name)].concat();
            rows.insert(key, coin_bytes(coin)[8..17].to_vec());
        }
        for (name, (coin, by)) in &self.spent {
            rows.insert([b"o", &name_bytes(name)[..]].concat(), [coin_bytes(coin), bytes(by)].concat());
        }
        for (address, balance) in &self.balances {
            rows.insert([b"b", address.as_bytes()].concat(), balance.to_be_bytes().to_vec());
        }
        for (id, (height, offset, length)) in &self.ids {
            let row = [&height.to_be_bytes()[..], &offset.to_be_bytes(), &length.to_be_bytes()].concat();
            rows.insert([b"t", &bytes(id)[..]].concat(), row);
        }
        for (address, lines) in &self.history {
            for (height, place, balance, what) in lines {
                let (height, place) = ((u64::MAX - height).to_be_bytes(), (u32::MAX - place).to_be_bytes());
                let key = [b"h", address.as_bytes(), &height, &place].concat();
                let what = match what {
                    Err(reward) => [b"r", &reward.to_be_bytes()[..]].concat(),
                    Ok(id) => {
                        let (_, offset, length) = self.ids[id];
                        [b"p", &offset.to_be_bytes()[..], &length.to_be_bytes()].concat()
                    }
                };
                rows.insert(key, [&balance.to_be_bytes()[..], &what].concat());
            }
        }
        rows
    }
}

/// The name of the coin that a block makes for its miner.
pub(crate) fn miners_coin(params: &Params, height: u64, miner: &str, amount: u64) -> String {
    let text = format!("{}:coinbase:{height}:{miner}:{amount}", params.network_id());
    let digits: String = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
    digits + ".0"
}

fn owned(part: &Value) -> (String, u64) {
    (part["address"].as_str().unwrap().to_owned(), part["amount"].as_u64().unwrap())
}

/// A transaction begins with its id and ends with its signatures; quotes inside texts are escaped.
fn span(height: u64, data: &str, id: &str) -> (u64, u32, u32) {
    let begin = data.find(&format!("{{\"id\":\"{id}\"")).unwrap();
    let signatures = begin + data[begin..].find("\"signatures\":[").unwrap();
    let end = signatures + data[signatures..].find("]}").unwrap() + 2;
    (height, begin as u32, (end - begin) as u32)
}

fn coin_bytes(coin: &OracleCoin) -> Vec<u8> {
    let kind = if coin.is_miners { b"c" } else { b"t" };
    [&coin.amount.to_be_bytes()[..], &coin.height.to_be_bytes(), kind, &key_of(&coin.address)].concat()
}

fn name_bytes(name: &str) -> Vec<u8> {
    let (id, place) = name.split_once('.').unwrap();
    [&bytes(id)[..], &place.parse::<u16>().unwrap().to_be_bytes()].concat()
}

/// The 33 bytes that an address spells: five bits a character.
fn key_of(address: &str) -> Vec<u8> {
    let (mut key, mut bits, mut length) = (Vec::new(), 0_u32, 0);
    for character in address[4..57].bytes() {
        let digit = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l".iter().position(|one| *one == character).unwrap();
        (bits, length) = (bits << 5 | digit as u32, length + 5);
        if length >= 8 {
            length -= 8;
            key.push((bits >> length & 255) as u8);
        }
    }
    key
}

fn bytes(id: &str) -> Vec<u8> {
    (0..64).step_by(2).map(|at| u8::from_str_radix(&id[at..at + 2], 16).unwrap()).collect()
}
