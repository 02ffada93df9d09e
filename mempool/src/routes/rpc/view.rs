//! Blocks, transactions, receipts and logs as clients of Ethereum know them.
//!
//! What they know and this chain has not: `nonce`s of transactions, prices of gas, and bloom filters are 0, but for a
//! filter over logs, which is all ones: it matches whatever a client looks for, so that it looks.

use runtime::server;
use serde_json::{Map, Value, json};
use shared::block::BlockId;
use shared::chain::{ChainEntry, ChainSnapshot};
use shared::layer::program::{self, LogEntry, Receipt, block_gas, chain_id};
use shared::ledger::{Bundle, CallKind, Payment, Transaction};
use shared::params::Params;
use shared::program::{AccountId, HexBytes, Word};
use shared::store::StoreError;
use std::fmt::Display;

/// The hash of no uncles, by which clients see that a block has none.
const NO_UNCLES: &str = "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347";
const BLOOM_BYTES: usize = 256;

/// A block of the best chain with all that its calls led to.
pub(super) struct BlockView {
    pub(super) entry: ChainEntry,
    data_bytes: usize,
    /// `None` for genesis.
    bundle: Option<Bundle>,
    /// One for each transaction; `None` for payments.
    receipts: Vec<Option<Receipt>>,
}

impl BlockView {
    pub(super) fn read(snapshot: &ChainSnapshot, id: BlockId) -> Result<Self, StoreError> {
        let (entry, data) = (snapshot.chain().entry(id)?, snapshot.chain().data(id)?);
        let damaged =
            |error: serde_json::Error| StoreError::Damaged(format!("the data of block {}: {error}", id.index));
        let bundle = (id.index.0 > 0).then(|| serde_json::from_str::<Bundle>(&data).map_err(damaged)).transpose()?;
        let transactions = bundle.iter().flat_map(|bundle| &bundle.transactions);
        let receipts = transactions.map(|one| match one.call_kind() {
            Some(_) => program::receipt(snapshot, &one.id()),
            None => Ok(None),
        });
        let receipts = receipts.collect::<Result<_, _>>()?;
        Ok(Self { entry, data_bytes: data.len(), bundle, receipts })
    }

    pub(super) fn data_bytes(&self) -> usize {
        self.data_bytes
    }

    pub(super) fn transactions(&self) -> &[Transaction] {
        self.bundle.as_ref().map_or(&[], |bundle| &bundle.transactions)
    }

    pub(super) fn gas_used(&self) -> u64 {
        self.receipts.iter().flatten().map(|receipt| receipt.gas_used).sum()
    }

    /// The block, with whole transactions or with their hashes.
    pub(super) fn block(&self, params: &Params, is_full: bool) -> Value {
        let (header, bundle) = (&self.entry.header, self.bundle.as_ref());
        let outcome = bundle.and_then(|bundle| bundle.outcome).map_or(word(Word::ZERO), hash);
        let transactions =
            self.transactions().iter().enumerate().map(|(place, transaction)| {
                if is_full { self.transaction(params, place) } else { hash(transaction.id()) }
            });
        let has_logs = self.receipts.iter().flatten().any(|receipt| !receipt.logs.is_empty());
        json!({
            "number": quantity(header.index.0),
            "hash": hash(header.hash()),
            "parentHash": hash(header.prev_hash),
            "nonce": format!("0x{:016x}", header.nonce().0),
            "sha3Uncles": NO_UNCLES,
            "logsBloom": bloom(has_logs),
            "transactionsRoot": hash(header.data_hash),
            "stateRoot": outcome,
            "receiptsRoot": outcome,
            "miner": bundle.map_or(AccountId::default(), |bundle| bundle.miner_address.account()),
            "difficulty": quantity(header.difficulty.value()),
            "totalDifficulty": format!("{:#x}", self.entry.work.0),
            "extraData": "0x",
            "mixHash": hash(header.prev_hash),
            "size": quantity(self.data_bytes as u64),
            "gasLimit": quantity(block_gas(params)),
            "gasUsed": quantity(self.gas_used()),
            "baseFeePerGas": quantity(0),
            "timestamp": quantity(header.timestamp.as_ms() / 1000),
            "transactions": transactions.collect::<Vec<_>>(),
            "uncles": [],
        })
    }

    /// The transaction at a place of the block.
    pub(super) fn transaction(&self, params: &Params, place: usize) -> Value {
        match self.transactions().get(place) {
            Some(transaction) => transaction_json(params, transaction, Some((self.entry.id(), place))),
            None => Value::Null,
        }
    }

    /// The receipt of the transaction at a place of the block.
    pub(super) fn receipt(&self, place: usize) -> Value {
        let Some(transaction) = self.transactions().get(place).and_then(Transaction::as_payment) else {
            return Value::Null;
        };
        let receipt = self.receipts.get(place).and_then(Option::as_ref);
        let has_succeeded = receipt.is_none_or(|receipt| receipt.status == "succeeded");
        let before = self.receipts[..place].iter().flatten().map(|receipt| receipt.gas_used).sum::<u64>();
        let gas_used = receipt.map_or(0, |receipt| receipt.gas_used);
        let is_deployment = transaction.call_kind() == Some(CallKind::Deploy);
        let made = receipt.filter(|_| is_deployment && has_succeeded).map(|receipt| receipt.program.account());
        let logs = self.logs_of(place);
        json!({
            "transactionHash": hash(transaction.id),
            "transactionIndex": quantity(place as u64),
            "blockHash": hash(self.entry.hash()),
            "blockNumber": quantity(self.entry.index.0),
            "from": transaction.from.account(),
            "to": receiver(transaction),
            "contractAddress": made,
            "status": quantity(u64::from(has_succeeded)),
            "gasUsed": quantity(gas_used),
            "cumulativeGasUsed": quantity(before + gas_used),
            "effectiveGasPrice": quantity(0),
            "logsBloom": bloom(!logs.is_empty()),
            "logs": logs,
            "type": quantity(0),
        })
    }

    /// All logs of the block that `wanted` accepts, in order.
    pub(super) fn logs(&self, wanted: impl Fn(&LogEntry) -> bool) -> Vec<Value> {
        let all = (0..self.receipts.len()).flat_map(|place| self.placed_logs(place));
        all.filter(|(log, _)| wanted(log)).map(|(_, json)| json).collect()
    }

    fn logs_of(&self, place: usize) -> Vec<Value> {
        self.placed_logs(place).map(|(_, json)| json).collect()
    }

    fn placed_logs(&self, place: usize) -> impl Iterator<Item = (&LogEntry, Value)> {
        let first: usize = self.receipts[..place].iter().flatten().map(|receipt| receipt.logs.len()).sum();
        let receipt = self.receipts[place].as_ref();
        let logs = receipt.into_iter().flat_map(|receipt| receipt.logs.iter().map(move |log| (receipt.id, log)));
        logs.zip(first..).map(move |((id, log), number)| {
            let json = json!({
                "address": log.address.account(),
                "topics": log.topics,
                "data": log.data,
                "blockNumber": quantity(self.entry.index.0),
                "blockHash": hash(self.entry.hash()),
                "transactionHash": hash(id),
                "transactionIndex": quantity(place as u64),
                "logIndex": quantity(number as u64),
                "removed": false,
            });
            (log, json)
        })
    }
}

/// A transaction, in a block or pending.
pub(super) fn transaction_json(params: &Params, transaction: &Transaction, place: Option<(BlockId, usize)>) -> Value {
    let Some(transaction) = transaction.as_payment() else { return Value::Null };
    let Payment { id, from, amount, msg, signature, .. } = transaction;
    // The msg of a payment is for people.
    let input = match transaction.call() {
        Ok(Some(call)) => call.input,
        _ => msg.clone().into_bytes(),
    };
    let (r, s) = signature.as_bytes().split_at(32);
    let mut fields = Map::new();
    let known = [
        ("hash", hash(id)),
        ("from", json!(from.account())),
        ("to", json!(receiver(transaction))),
        ("value", quantity(amount.grains())),
        ("gas", quantity(transaction.declared_gas())),
        ("gasPrice", quantity(0)),
        ("input", json!(HexBytes(input))),
        ("nonce", quantity(0)),
        ("type", quantity(0)),
        ("chainId", quantity(chain_id(params))),
        ("v", quantity(0)),
        ("r", json!(HexBytes(r.to_vec()))),
        ("s", json!(HexBytes(s.to_vec()))),
        ("blockHash", place.map_or(Value::Null, |(block, _)| hash(block.hash))),
        ("blockNumber", place.map_or(Value::Null, |(block, _)| quantity(block.index.0))),
        ("transactionIndex", place.map_or(Value::Null, |(_, place)| quantity(place as u64))),
    ];
    fields.extend(known.map(|(name, value)| (name.to_owned(), value)));
    Value::Object(fields)
}

/// `None` for a deployment.
fn receiver(transaction: &Payment) -> Option<AccountId> {
    (transaction.call_kind() != Some(CallKind::Deploy)).then(|| transaction.to.account())
}

fn bloom(has_logs: bool) -> HexBytes {
    HexBytes(vec![if has_logs { 0xff } else { 0 }; BLOOM_BYTES])
}

/// A number as clients expect it: `0x` and hex without leading zeros.
pub(super) fn quantity(number: u64) -> Value {
    json!(format!("{number:#x}"))
}

/// The same for a number of 256 bits.
pub(super) fn large_quantity(number: &Word) -> Value {
    let digits = number.to_string();
    let digits = digits.trim_start_matches("0x").trim_start_matches('0');
    json!(format!("0x{}", if digits.is_empty() { "0" } else { digits }))
}

pub(super) fn word(word: Word) -> Value {
    json!(word)
}

/// A hash of ours, which is written without `0x` elsewhere.
pub(super) fn hash(hash: impl Display) -> Value {
    json!(format!("0x{hash}"))
}

/// The refusal of a block that is not in the best chain.
pub(super) fn unknown_block() -> super::failure::RpcError {
    server::not_found("the best chain has no such block").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_no_leading_zeros() {
        assert_eq!((quantity(0), quantity(255)), (json!("0x0"), json!("0xff")));
        assert_eq!((large_quantity(&Word::ZERO), large_quantity(&Word::from(16))), (json!("0x0"), json!("0x10")));
    }
}
