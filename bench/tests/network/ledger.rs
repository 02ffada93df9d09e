//! Balances worked out from a chain's JSON and docs/protocol.md §7 alone, without the core.
//!
//! It trusts that blocks are linked and mined, and finds money that was created, lost or spent twice.

use serde_json::Value;
use std::collections::BTreeMap;
use testkit::client;

/// Blocks to ask for at a time.
const PAGE: u64 = 25;
const PAGE_BYTES: usize = 64 << 20;

pub(crate) struct DownloadedChain {
    blocks: Vec<Value>,
}

pub(crate) struct Ledger {
    /// Balance of each address in the chain, in grains.
    pub(crate) balances: BTreeMap<String, u64>,
    /// Height of each transaction's block.
    pub(crate) places: BTreeMap<String, u64>,
    /// Most transactions in one block.
    pub(crate) largest: usize,
}

impl DownloadedChain {
    /// Blocks 0 to `height` of the node's best chain.
    pub(crate) async fn from(node: &str, height: u64) -> Self {
        let mut blocks = Vec::new();
        while blocks.len() as u64 <= height {
            let from = blocks.len() as u64;
            let limit = PAGE.min(height + 1 - from);
            let page = client().chain_json(node, from, limit, PAGE_BYTES).await.unwrap();
            let page: Vec<Value> = serde_json::from_slice(&page).unwrap();
            assert_eq!(page.len() as u64, limit, "{node} has no block {height}");
            blocks.extend(page);
        }
        Self { blocks }
    }

    /// The hash of its last block.
    pub(crate) fn tip(&self) -> &str {
        self.blocks.last().unwrap()["hash"].as_str().unwrap()
    }

    /// Replays all payments; panics if one occurs twice or is not covered.
    pub(crate) fn ledger(&self, reward: u64, new_address_balance: u64) -> Ledger {
        let mut ledger = Ledger { balances: BTreeMap::new(), places: BTreeMap::new(), largest: 0 };
        for (index, block) in self.blocks.iter().enumerate().skip(1) {
            assert_eq!(block["prev_hash"], self.blocks[index - 1]["hash"], "the pages of the chain do not join");
            let bundle: Value = serde_json::from_str(block["data"].as_str().unwrap()).unwrap();
            let transactions = bundle["transactions"].as_array().unwrap();
            ledger.largest = ledger.largest.max(transactions.len());
            let mut earned = reward;
            for transaction in transactions {
                let id = transaction["id"].as_str().unwrap().to_owned();
                let earlier = ledger.places.insert(id.clone(), index as u64);
                assert_eq!(earlier, None, "{id} is in block {index} and in an earlier one, or twice in it");
                let grains = |field: &str| transaction[field].as_u64().unwrap();
                let payer = ledger.balance(&transaction["from"], new_address_balance);
                let left = payer.checked_sub(grains("amount") + grains("fee"));
                *payer = left.unwrap_or_else(|| panic!("{id} in block {index} is not covered"));
                *ledger.balance(&transaction["to"], new_address_balance) += grains("amount");
                earned += grains("fee");
            }
            *ledger.balance(&bundle["miner_address"], new_address_balance) += earned;
        }
        ledger
    }
}

impl Ledger {
    fn balance(&mut self, address: &Value, new_address_balance: u64) -> &mut u64 {
        self.balances.entry(address.as_str().unwrap().to_owned()).or_insert(new_address_balance)
    }
}
