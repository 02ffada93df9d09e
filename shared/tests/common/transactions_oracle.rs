//! A ledger that shares nothing with the one under test: maps, replayed block by block from genesis.
//!
//! It reads bundles as plain JSON and knows no overlays, journals or rows. It must not use `ledger` or `layer`.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests: this is how they fail

use serde_json::Value;
use shared::block::Block;
use shared::params::Params;
use std::collections::{BTreeMap, BTreeSet};

/// The largest balance.
const MAX: u128 = (1 << 53) - 1;

/// Rows of the state.
pub(crate) type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// One change of a balance: height, place in the block, balance after it, and what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) height: u64,
    pub(crate) place: u32,
    pub(crate) balance: u64,
    pub(crate) what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// A payment in either direction, by its id.
    Payment(String),
    /// Reward and fees.
    Reward(u64),
}

/// Balances, and what they come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Oracle {
    pub(crate) balances: BTreeMap<String, u64>,
    /// The position of each transaction: height, and its bytes in the data.
    pub(crate) ids: BTreeMap<String, (u64, u32, u32)>,
    pub(crate) history: BTreeMap<String, Vec<Line>>,
    pub(crate) created: u128,
}

impl Oracle {
    /// The ledger after these blocks, which begin with genesis; or the rule that one breaks, and its place.
    pub(crate) fn replay<'a>(params: &Params, blocks: impl IntoIterator<Item = &'a Block>) -> Result<Self, String> {
        let mut oracle = Self::default();
        for block in blocks.into_iter().skip(1) {
            oracle.apply(params, block.index().0, block.data())?;
        }
        Ok(oracle)
    }

    pub(crate) fn balance(&self, params: &Params, address: &str) -> u64 {
        self.balances.get(address).copied().unwrap_or(params.new_address_balance)
    }

    /// The balance of the address after the block at `height`.
    pub(crate) fn balance_at(&self, params: &Params, address: &str, height: u64) -> u64 {
        let lines = self.history.get(address).into_iter().flatten();
        lines.take_while(|line| line.height <= height).last().map_or(params.new_address_balance, |line| line.balance)
    }

    /// The sum of all balances is what blocks created, and once the faucet for every address that ever held something.
    pub(crate) fn conserves(&self, params: &Params) -> bool {
        let sum: u128 = self.balances.values().map(|grains| u128::from(*grains)).sum();
        sum == self.created + self.balances.len() as u128 * u128::from(params.new_address_balance)
    }

    /// Applies a block with this data at this height; after an error the oracle must not be used.
    pub(crate) fn apply(&mut self, params: &Params, height: u64, data: &str) -> Result<(), String> {
        let bundle: Value = serde_json::from_str(data).unwrap();
        let mut fees = 0_u128;
        let transactions = bundle["transactions"].as_array().unwrap();
        for (place, transaction) in transactions.iter().enumerate() {
            let text = |name: &str| transaction[name].as_str().unwrap().to_owned();
            let grains = |name: &str| transaction[name].as_u64().unwrap();
            let (id, from, to) = (text("id"), text("from"), text("to"));
            let (amount, fee) = (grains("amount"), grains("fee"));
            if self.ids.insert(id.clone(), span(height, data, &id)).is_some() {
                return Err(format!("known-id {place}"));
            }
            let left = self.balance(params, &from).checked_sub(amount + fee);
            self.balances.insert(from.clone(), left.ok_or_else(|| format!("balance {place}"))?);
            self.credit(params, &to, u128::from(amount)).map_err(|rule| format!("{rule} {place}"))?;
            for address in BTreeSet::from([from, to]) {
                self.write(&address, height, place as u32, What::Payment(id.clone()));
            }
            fees += u128::from(fee);
        }
        let (miner, reward) = (bundle["miner_address"].as_str().unwrap(), reward(params, height));
        let earned = u128::from(reward) + fees;
        self.created += u128::from(reward);
        if earned > 0 {
            self.credit(params, miner, earned).map_err(str::to_owned)?;
            self.write(miner, height, transactions.len() as u32, What::Reward(earned as u64));
        }
        Ok(())
    }

    /// The rows that this ledger should have, written apart from `layer::transaction::rows`.
    pub(crate) fn rows(&self, with_history: bool) -> Rows {
        let mut rows = Rows::new();
        for (address, balance) in &self.balances {
            rows.insert([b"b", address.as_bytes()].concat(), balance.to_be_bytes().to_vec());
        }
        for (id, (height, offset, length)) in &self.ids {
            let row = [&height.to_be_bytes()[..], &offset.to_be_bytes(), &length.to_be_bytes()].concat();
            rows.insert([b"t", &bytes(id)[..]].concat(), row);
        }
        for (address, lines) in self.history.iter().filter(|_| with_history) {
            for line in lines {
                let (newest_first, place) =
                    ((u64::MAX - line.height).to_be_bytes(), (u32::MAX - line.place).to_be_bytes());
                let key = [b"h", address.as_bytes(), &newest_first, &place].concat();
                let what = match &line.what {
                    What::Reward(amount) => [b"r", &amount.to_be_bytes()[..]].concat(),
                    What::Payment(id) => {
                        let (_, offset, length) = self.ids[id];
                        [b"p", &offset.to_be_bytes()[..], &length.to_be_bytes()].concat()
                    }
                };
                rows.insert(key, [&line.balance.to_be_bytes()[..], &what].concat());
            }
        }
        rows
    }

    fn credit(&mut self, params: &Params, address: &str, grains: u128) -> Result<(), &'static str> {
        let sum = u128::from(self.balance(params, address)) + grains;
        if sum > MAX {
            return Err("max-balance");
        }
        self.balances.insert(address.to_owned(), sum as u64);
        Ok(())
    }

    fn write(&mut self, address: &str, height: u64, place: u32, what: What) {
        let balance = self.balances[address];
        self.history.entry(address.to_owned()).or_default().push(Line { height, place, balance, what });
    }
}

/// The reward of the block at `height`, halved step by step.
pub(crate) fn reward(params: &Params, height: u64) -> u64 {
    let halvings = (height - 1).checked_div(params.halving_blocks).unwrap_or(0);
    (0..halvings.min(64)).fold(params.reward, |reward, _| reward / 2)
}

/// A transaction begins with its id and ends with its signature of 128 digits; quotes inside texts are escaped.
fn span(height: u64, data: &str, id: &str) -> (u64, u32, u32) {
    let begin = data.find(&format!("{{\"id\":\"{id}\"")).unwrap();
    let signature = "\"signature\":\"";
    let end = begin + data[begin..].find(signature).unwrap() + signature.len() + 128 + "\"}".len();
    (height, begin as u32, (end - begin) as u32)
}

fn bytes(id: &str) -> Vec<u8> {
    (0..64).step_by(2).map(|at| u8::from_str_radix(&id[at..at + 2], 16).unwrap()).collect()
}
