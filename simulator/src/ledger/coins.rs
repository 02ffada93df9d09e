//! Replays the coins of a chain of layer `utxo` from the JSON of its blocks alone (docs/protocol.md §16): which
//! transaction makes and destroys which coin, with one plain map.
//!
//! Must not use `shared`, like the ledger of balances.

use super::{CheckedPayment, MAX_GRAINS, MoneyParams, Replayed, list};
use crate::checker::{CheckedBlock, Mismatch, check, check_link, number, parse, sha256, text};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// A transaction whose id was recomputed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CheckedSpend {
    id: String,
    /// The coins that it destroys: name, address, grains.
    inputs: Vec<(String, String, u64)>,
    /// The coins that it makes: address, grains.
    outputs: Vec<(String, u64)>,
    /// The inputs less the outputs, in grains.
    fee: u64,
}

/// A coin that no block has spent.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ReplayedCoin {
    address: String,
    grains: u64,
    /// For a miner's coin, the height of its block.
    mined_in: Option<u64>,
}

/// All coins after the blocks that were applied.
#[derive(Debug, Clone)]
pub(crate) struct CoinLedger {
    params: MoneyParams,
    coins: BTreeMap<String, ReplayedCoin>,
    ids: HashSet<String>,
    /// The hashes of its blocks.
    blocks: HashSet<String>,
    created: u128,
    tip: CheckedBlock,
}

impl CheckedSpend {
    /// Reads a transaction of the network, and recomputes its id, its sums and its fee.
    ///
    /// # Errors
    /// [`Mismatch::Malformed`], [`Mismatch::WrongPaymentId`] and [`Mismatch::Coins`].
    pub(super) fn of(transaction: &Value, network: &str) -> Result<Self, Mismatch> {
        let owned = |object: &Value, name: &str| text(object, name).map(str::to_owned);
        let inputs = list(transaction, "inputs")?.iter();
        let inputs = inputs.map(|one| Ok((owned(one, "coin")?, owned(one, "address")?, number(one, "amount")?)));
        let inputs = inputs.collect::<Result<Vec<_>, Mismatch>>()?;
        let outputs = list(transaction, "outputs")?.iter();
        let outputs = outputs.map(|one| Ok((owned(one, "address")?, number(one, "amount")?)));
        let outputs = outputs.collect::<Result<Vec<_>, Mismatch>>()?;

        let destroyed: Vec<_> = inputs.iter().map(|(coin, owner, grains)| format!("{coin}/{owner}/{grains}")).collect();
        let made: Vec<_> = outputs.iter().map(|(owner, grains)| format!("{owner}/{grains}")).collect();
        let (msg, claimed) = (text(transaction, "msg")?, text(transaction, "id")?);
        let (id, _) = sha256(&format!("{network}:{}:{}:{msg}", destroyed.join(","), made.join(",")));
        if id != claimed {
            return Err(Mismatch::WrongPaymentId { computed: id, claimed: claimed.to_owned() });
        }
        let broken = |reason: String| Mismatch::Coins { id: id.clone(), reason };
        let different: BTreeSet<&String> = inputs.iter().map(|(coin, ..)| coin).collect();
        if inputs.is_empty() || outputs.is_empty() || different.len() < inputs.len() {
            return Err(broken("has no inputs or no outputs, or spends a coin twice".to_owned()));
        }
        if inputs.iter().any(|(.., grains)| *grains == 0) || outputs.iter().any(|(_, grains)| *grains == 0) {
            return Err(broken("has a coin that is worth nothing".to_owned()));
        }
        let taken: u128 = inputs.iter().map(|(.., grains)| u128::from(*grains)).sum();
        let given: u128 = outputs.iter().map(|(_, grains)| u128::from(*grains)).sum();
        let fee = taken.checked_sub(given).filter(|_| taken <= u128::from(MAX_GRAINS));
        let Some(fee) = fee.and_then(|fee| u64::try_from(fee).ok()) else {
            return Err(broken(format!("takes {taken} grains and gives {given}")));
        };
        Ok(Self { id, inputs, outputs, fee })
    }

    /// The transaction in one line: the first payer, and the first address that does not pay. If all money goes back to
    /// the payers, it counts as a payment of all of it to the first of them.
    pub(super) fn payment(self) -> CheckedPayment {
        let Self { id, inputs, outputs, fee } = self;
        let is_payer = |address: &String| inputs.iter().any(|(_, payer, _)| payer == address);
        let to_others = outputs.iter().any(|(address, _)| !is_payer(address));
        let paid: Vec<_> = outputs.iter().filter(|(address, _)| !to_others || !is_payer(address)).collect();
        let first = |address: Option<&String>| address.cloned().unwrap_or_default();
        CheckedPayment {
            from: first(inputs.first().map(|(_, address, _)| address)),
            to: first(paid.first().map(|(address, _)| address)),
            // The sum of the inputs is at most the largest amount.
            amount: paid.iter().map(|(_, grains)| grains).sum(),
            id,
            fee,
        }
    }
}

impl CoinLedger {
    /// The ledger after the genesis block, which makes no coin.
    ///
    /// # Errors
    /// If the block is no genesis block.
    pub(crate) fn begin(genesis: &Value) -> Result<Self, Mismatch> {
        let (params, tip) = (MoneyParams::of(genesis)?, check(genesis)?);
        let blocks = HashSet::from([tip.hash.clone()]);
        Ok(Self { params, coins: BTreeMap::new(), ids: HashSet::new(), blocks, created: 0, tip })
    }

    /// Applies the next block.
    ///
    /// # Errors
    /// The first rule that the block breaks; the ledger is then half changed and must not be used any more.
    pub(crate) fn apply(&mut self, block: &Value) -> Result<(), Mismatch> {
        let checked = check(block)?;
        check_link(&self.tip, &checked)?;
        let data = parse(text(block, "data")?.as_bytes())?;
        let (miner, reward) = (text(&data, "miner_address")?, self.params.reward(checked.index));
        let mut earned = reward;
        for transaction in list(&data, "transactions")? {
            let spend = CheckedSpend::of(transaction, &self.params.network)?;
            earned = earned.saturating_add(spend.fee);
            self.spend(spend, checked.index)?;
        }
        if earned > 0 {
            let network = &self.params.network;
            let (name, _) = sha256(&format!("{network}:coinbase:{}:{miner}:{earned}", checked.index));
            self.make(format!("{name}.0"), miner.to_owned(), earned, Some(checked.index))?;
        }
        self.created += u128::from(reward);
        self.blocks.insert(checked.hash.clone());
        self.tip = checked;
        Ok(())
    }

    /// Destroys the coins of a transaction in the block at height `index`, and makes its own.
    fn spend(&mut self, spend: CheckedSpend, index: u64) -> Result<(), Mismatch> {
        let CheckedSpend { id, inputs, outputs, .. } = spend;
        for (name, address, grains) in inputs {
            let broken = |reason: String| Mismatch::Coins { id: id.clone(), reason };
            let Some(coin) = self.coins.remove(&name) else {
                return Err(broken(format!("spends the coin {name}, which is not there")));
            };
            if (&coin.address, coin.grains) != (&address, grains) {
                let ReplayedCoin { address: owner, grains: worth, .. } = coin;
                return Err(broken(format!(
                    "says {grains} grains of {address} of the coin {name}: {worth} of {owner}"
                )));
            }
            let maturity = self.params.coinbase_maturity.unwrap_or_default();
            if coin.mined_in.is_some_and(|mined_in| index < mined_in + maturity) {
                return Err(broken(format!("spends the miner's coin {name} too early")));
            }
        }
        for (place, (address, grains)) in outputs.into_iter().enumerate() {
            self.make(format!("{id}.{place}"), address, grains, None)?;
        }
        self.ids.insert(id);
        Ok(())
    }

    fn make(&mut self, name: String, address: String, grains: u64, mined_in: Option<u64>) -> Result<(), Mismatch> {
        match self.coins.insert(name.clone(), ReplayedCoin { address, grains, mined_in }) {
            None => Ok(()),
            Some(_) => Err(Mismatch::Coins { id: name, reason: "is the name of two coins".to_owned() }),
        }
    }

    /// What the blocks say. The balance of an address is the sum of its coins.
    pub(crate) fn finish(self) -> Replayed {
        let mut balances: BTreeMap<String, u64> = BTreeMap::new();
        for ReplayedCoin { address, grains, .. } in self.coins.values() {
            // A sum above the largest amount shows when the sum of all balances is compared with all rewards.
            let balance = balances.entry(address.clone()).or_default();
            *balance = balance.saturating_add(*grains);
        }
        let coins = self.coins.into_iter().map(|(name, coin)| (name, (coin.address, coin.grains))).collect();
        let (tip_hash, ids, blocks, created) = (self.tip.hash, self.ids, self.blocks, self.created);
        Replayed { tip_hash, balances, ids, blocks, created, coins, ..Replayed::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::block;
    use super::*;
    use serde_json::json;

    /// The ledger after genesis; rewards are 100 grains, and miners' coins wait for `maturity` blocks.
    fn ledger(maturity: u64) -> CoinLedger {
        let params =
            json!({"reward": 100, "halving_blocks": 1000, "new_address_balance": 0, "coinbase_maturity": maturity});
        CoinLedger::begin(&block(None, &params.to_string())).unwrap()
    }

    fn spend(ledger: &CoinLedger, inputs: &[(&str, &str, u64)], outputs: &[(&str, u64)]) -> Value {
        let taken: Vec<_> = inputs.iter().map(|(coin, address, grains)| format!("{coin}/{address}/{grains}")).collect();
        let made: Vec<_> = outputs.iter().map(|(address, grains)| format!("{address}/{grains}")).collect();
        let id = sha256(&format!("{}:{}:{}:hi", ledger.params.network, taken.join(","), made.join(","))).0;
        let input =
            |(coin, address, amount): &(&str, &str, u64)| json!({"coin": coin, "address": address, "amount": amount});
        let output = |(address, amount): &(&str, u64)| json!({"address": address, "amount": amount});
        json!({"id": id, "inputs": inputs.iter().map(input).collect::<Vec<_>>(),
               "outputs": outputs.iter().map(output).collect::<Vec<_>>(), "msg": "hi"})
    }

    fn apply(ledger: &mut CoinLedger, miner: &str, transactions: &[Value]) -> Result<(), Mismatch> {
        let data = json!({"msg": "", "miner_address": miner, "transactions": transactions}).to_string();
        let block = block(Some(&ledger.tip), &data);
        ledger.apply(&block)
    }

    /// The name of the miner's coin of a block.
    fn mined(ledger: &CoinLedger, index: u64, miner: &str, grains: u64) -> String {
        let text = format!("{}:coinbase:{index}:{miner}:{grains}", ledger.params.network);
        format!("{}.0", sha256(&text).0)
    }

    #[test]
    fn ninety_from_two_coins_of_a_hundred_in_one_block() {
        let mut ledger = ledger(1);
        apply(&mut ledger, "ada", &[]).unwrap();
        let coin = mined(&ledger, 1, "ada", 100);
        let first = spend(&ledger, &[(&coin, "ada", 100)], &[("ben", 90), ("ada", 5)]);
        let id = first["id"].as_str().unwrap().to_owned();
        // Ben spends what the transaction before his in the same block has made.
        let second = spend(&ledger, &[(&format!("{id}.0"), "ben", 90)], &[("cleo", 90)]);
        apply(&mut ledger, "ben", &[first.clone(), second]).unwrap();
        let found = ledger.clone().finish();
        assert_eq!((found.held(), found.created, found.payments()), (200, 200, 2));
        assert_eq!(["ada", "ben", "cleo"].map(|name| found.balance(name)), [5, 105, 90]);
        assert_eq!(found.coins[&format!("{id}.1")], ("ada".to_owned(), 5));
        assert_eq!(found.coins[&mined(&ledger, 2, "ben", 105)], ("ben".to_owned(), 105));
        let payment = CheckedSpend::of(&first, &ledger.params.network).unwrap().payment();
        assert_eq!((&*payment.from, &*payment.to, payment.amount, payment.fee), ("ada", "ben", 90, 5));
    }

    #[test]
    fn a_spend_that_breaks_a_rule_is_seen() {
        let mut rich = ledger(3);
        apply(&mut rich, "ada", &[]).unwrap();
        let coin = mined(&rich, 1, "ada", 100);
        let early = spend(&rich, &[(&coin, "ada", 100)], &[("ben", 100)]);
        let error = apply(&mut rich.clone(), "ada", std::slice::from_ref(&early)).unwrap_err().to_string();
        assert!(error.contains("too early"), "{error}");
        (0..2).for_each(|_| apply(&mut rich, "ada", &[]).unwrap());
        apply(&mut rich.clone(), "ada", std::slice::from_ref(&early)).unwrap();
        let mut changed = early.clone();
        changed["outputs"][0]["amount"] = json!(99);
        for (transactions, words) in [
            (vec![early.clone(), early], "not there"),
            (vec![changed], "hashes to"),
            (vec![spend(&rich, &[(&coin, "ada", 100), (&coin, "ada", 100)], &[("ben", 200)])], "twice"),
            (vec![spend(&rich, &[(&coin, "ada", 100)], &[("ben", 101)])], "takes 100 grains and gives 101"),
            (vec![spend(&rich, &[(&coin, "ada", 100)], &[("ben", 0)])], "worth nothing"),
            (vec![spend(&rich, &[(&coin, "ben", 100)], &[("ben", 100)])], "100 of ada"),
            (vec![spend(&rich, &[], &[("ben", 100)])], "no inputs"),
        ] {
            let error = apply(&mut rich.clone(), "ada", &transactions).unwrap_err().to_string();
            assert!(error.contains(words), "{words}: {error}");
        }
    }
}
