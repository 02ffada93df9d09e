//! Replays a chain from the JSON of its blocks alone: recomputes every transaction's id, and every balance (this file,
//! docs/protocol.md §7) or every coin (`coins`, §16) with plain maps. The hashes of the blocks are recomputed by
//! [`crate::checker`]. Signatures are not verified.
//!
//! Must not use `shared`: it is here to find mistakes in the ledger of `shared`.

pub(crate) mod coins;
#[cfg(test)]
mod sample;

use crate::checker::{CheckedBlock, Mismatch, check, check_link, number, parse, sha256, text};
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};

/// Largest balance, 2^53 - 1.
const MAX_GRAINS: u64 = (1 << 53) - 1;

/// The parameters of a network that concern money, from its genesis block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoneyParams {
    network: String,
    reward: u64,
    halving_blocks: u64,
    new_address_balance: u64,
    /// Only where money is coins.
    coinbase_maturity: Option<u64>,
}

/// The payments in one block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockPayments {
    /// The address that gets the reward and the fees.
    pub miner: String,
    /// In the order in which they take effect.
    pub payments: Vec<CheckedPayment>,
}

/// A transaction whose id was recomputed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedPayment {
    pub id: String,
    pub from: String,
    pub to: String,
    /// In grains.
    pub amount: u64,
    /// In grains.
    pub fee: u64,
}

impl MoneyParams {
    /// Reads the parameters, which are the data of the genesis block.
    ///
    /// # Errors
    /// If the block is no genesis block, or a parameter is missing.
    pub fn of(genesis: &Value) -> Result<Self, Mismatch> {
        let network = check(genesis)?.hash;
        let params = parse(text(genesis, "data")?.as_bytes())?;
        let number = |name| number(&params, name);
        Ok(Self {
            network,
            reward: number("reward")?,
            halving_blocks: number("halving_blocks")?,
            new_address_balance: number("new_address_balance")?,
            coinbase_maturity: params.get("coinbase_maturity").and_then(Value::as_u64),
        })
    }

    /// Whether money is coins.
    pub const fn has_coins(&self) -> bool {
        self.coinbase_maturity.is_some()
    }

    /// The grains that the block at height `index` creates.
    pub fn reward(&self, index: u64) -> u64 {
        let halvings = index.saturating_sub(1).checked_div(self.halving_blocks).unwrap_or(0);
        u32::try_from(halvings).ok().and_then(|halvings| self.reward.checked_shr(halvings)).unwrap_or(0)
    }

    /// The payments of a block, each with its id recomputed.
    ///
    /// # Errors
    /// [`Mismatch::Malformed`] and [`Mismatch::WrongPaymentId`].
    pub fn payments(&self, block: &Value) -> Result<BlockPayments, Mismatch> {
        let data = parse(text(block, "data")?.as_bytes())?;
        let payments = list(&data, "transactions")?.iter().map(|payment| self.payment(payment));
        let payments = payments.collect::<Result<_, _>>()?;
        Ok(BlockPayments { miner: text(&data, "miner_address")?.to_owned(), payments })
    }

    fn payment(&self, payment: &Value) -> Result<CheckedPayment, Mismatch> {
        if self.has_coins() {
            return Ok(coins::CheckedSpend::of(payment, &self.network)?.payment());
        }
        let text = |name| text(payment, name);
        let (uuid, from, to, msg, claimed) = (text("uuid")?, text("from")?, text("to")?, text("msg")?, text("id")?);
        let (amount, fee) = (number(payment, "amount")?, number(payment, "fee")?);
        let (computed, _) = sha256(&format!("{}:{uuid}:{from}:{to}:{amount}:{fee}:{msg}", self.network));
        if computed != claimed {
            return Err(Mismatch::WrongPaymentId { computed, claimed: claimed.to_owned() });
        }
        Ok(CheckedPayment { id: computed, from: from.to_owned(), to: to.to_owned(), amount, fee })
    }
}

fn list<'a>(object: &'a Value, name: &str) -> Result<&'a Vec<Value>, Mismatch> {
    let list = object.get(name).and_then(Value::as_array);
    list.ok_or_else(|| Mismatch::Malformed(format!("no list {name:?}")))
}

/// All balances after the blocks that were applied.
#[derive(Debug, Clone)]
pub struct ReplayedLedger {
    params: MoneyParams,
    /// Of the addresses that have paid or been paid, in grains.
    balances: BTreeMap<String, u64>,
    ids: HashSet<String>,
    /// The hashes of its blocks.
    blocks: HashSet<String>,
    created: u128,
    tip: CheckedBlock,
}

impl ReplayedLedger {
    /// The ledger after the genesis block, which pays no address.
    ///
    /// # Errors
    /// If the block is no genesis block.
    pub fn begin(genesis: &Value) -> Result<Self, Mismatch> {
        let (params, tip) = (MoneyParams::of(genesis)?, check(genesis)?);
        let blocks = HashSet::from([tip.hash.clone()]);
        Ok(Self { params, balances: BTreeMap::new(), ids: HashSet::new(), blocks, created: 0, tip })
    }

    /// Applies the next block.
    ///
    /// # Errors
    /// The first rule that the block breaks; the ledger is then half changed and must not be used any more.
    pub fn apply(&mut self, block: &Value) -> Result<(), Mismatch> {
        let checked = check(block)?;
        check_link(&self.tip, &checked)?;
        let BlockPayments { miner, payments } = self.params.payments(block)?;
        let reward = self.params.reward(checked.index);
        let mut earned = reward;
        for CheckedPayment { id, from, to, amount, fee } in payments {
            let (balance, cost) = (self.balance(&from), amount.saturating_add(fee));
            let Some(left) = balance.checked_sub(cost) else {
                return Err(Mismatch::Overdrawn { id, from, cost, balance });
            };
            self.balances.insert(from, left);
            self.credit(to, amount)?;
            earned = earned.saturating_add(fee);
            if let Some(id) = self.ids.replace(id) {
                return Err(Mismatch::DuplicatePayment(id));
            }
        }
        self.credit(miner, earned)?;
        self.created += u128::from(reward);
        self.blocks.insert(checked.hash.clone());
        self.tip = checked;
        Ok(())
    }

    fn credit(&mut self, to: String, grains: u64) -> Result<(), Mismatch> {
        let balance = self.balance(&to).saturating_add(grains);
        if balance > MAX_GRAINS {
            return Err(Mismatch::BalanceTooLarge(to));
        }
        self.balances.insert(to, balance);
        Ok(())
    }

    /// The balance of an address, in grains.
    pub fn balance(&self, address: &str) -> u64 {
        self.balances.get(address).copied().unwrap_or(self.params.new_address_balance)
    }

    /// The last block.
    pub const fn tip(&self) -> &CheckedBlock {
        &self.tip
    }

    /// What the blocks say.
    pub fn finish(self) -> Replayed {
        let new_address_balance = self.params.new_address_balance;
        Replayed {
            tip_hash: self.tip.hash,
            given: u128::from(new_address_balance) * self.balances.len() as u128,
            balances: self.balances,
            new_address_balance,
            ids: self.ids,
            blocks: self.blocks,
            created: self.created,
            ..Replayed::default()
        }
    }
}

/// What a replay of all blocks found.
#[derive(Debug, Clone, Default)]
pub struct Replayed {
    /// The hash of the last block.
    pub tip_hash: String,
    /// Of the addresses that have paid or been paid, in grains.
    pub balances: BTreeMap<String, u64>,
    /// Of every other address.
    pub new_address_balance: u64,
    /// The payments in the chain.
    pub ids: HashSet<String>,
    /// The hashes of its blocks.
    pub blocks: HashSet<String>,
    /// The sum of all rewards.
    pub created: u128,
    /// The sum of what addresses got because they were new.
    pub given: u128,
    /// The unspent coins, by name, each with its address and its grains.
    pub coins: BTreeMap<String, (String, u64)>,
    /// What programs store: their slots by their addresses, as text.
    pub storage: BTreeMap<String, BTreeMap<String, String>>,
}

impl Replayed {
    /// The balance of an address, in grains.
    pub fn balance(&self, address: &str) -> u64 {
        self.balances.get(address).copied().unwrap_or(self.new_address_balance)
    }

    /// The sum of all balances.
    pub fn held(&self) -> u128 {
        self.balances.values().copied().map(u128::from).sum()
    }

    /// Whether a payment is in the chain.
    pub fn has(&self, id: &str) -> bool {
        self.ids.contains(id)
    }

    /// Whether a block is on the chain.
    pub fn has_block(&self, hash: &str) -> bool {
        self.blocks.contains(hash)
    }

    /// How many payments the chain has.
    pub fn payments(&self) -> u64 {
        self.ids.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::sample::block;
    use super::*;
    use serde_json::json;

    fn ledger(faucet: u64) -> ReplayedLedger {
        let params = json!({"reward": 100, "halving_blocks": 2, "new_address_balance": faucet});
        ReplayedLedger::begin(&block(None, &params.to_string())).unwrap()
    }

    fn payment(ledger: &ReplayedLedger, number: u64, (from, to): (&str, &str), amount: u64, fee: u64) -> Value {
        let id = sha256(&format!("{}:{number}:{from}:{to}:{amount}:{fee}:hi", ledger.params.network)).0;
        json!({"id": id, "uuid": number.to_string(), "from": from, "to": to, "amount": amount, "fee": fee, "msg": "hi"})
    }

    fn apply(ledger: &mut ReplayedLedger, miner: &str, payments: &[Value]) -> Result<(), Mismatch> {
        let data = json!({"msg": "", "miner_address": miner, "transactions": payments}).to_string();
        let block = block(Some(&ledger.tip), &data);
        ledger.apply(&block)
    }

    #[test]
    fn what_is_held_is_what_was_created() {
        let mut ledger = ledger(0);
        apply(&mut ledger, "ada", &[]).unwrap();
        let payments = [payment(&ledger, 1, ("ada", "ben"), 30, 5), payment(&ledger, 2, ("ben", "cleo"), 30, 0)];
        apply(&mut ledger, "ben", &payments).unwrap();
        apply(&mut ledger, "ada", &[]).unwrap();
        let expected = [("ada", 65 + 50), ("ben", 105), ("cleo", 30)].map(|(name, grains)| (name.to_owned(), grains));
        assert_eq!(ledger.tip().index, 3);
        let found = ledger.finish();
        assert_eq!(found.balances, BTreeMap::from(expected));
        assert_eq!((found.held(), found.created, found.given, found.payments()), (250, 250, 0, 2));
        assert!(found.has(payments[0]["id"].as_str().unwrap()) && !found.has("another"));
        assert!(found.has_block(&found.tip_hash) && !found.has_block("another"));
        assert_eq!(found.balance("nobody"), 0);
    }

    #[test]
    fn what_new_addresses_are_given_is_counted_apart() {
        let mut ledger = ledger(1000);
        let payments = [payment(&ledger, 1, ("ada", "ben"), 30, 5), payment(&ledger, 2, ("dan", "dan"), 7, 1)];
        apply(&mut ledger, "cleo", &payments).unwrap();
        assert_eq!([("ada"), ("ben"), ("cleo"), ("dan")].map(|name| ledger.balance(name)), [965, 1030, 1106, 999]);
        let found = ledger.finish();
        assert_eq!((found.held(), found.created + found.given), (4100, 4100));
    }

    #[test]
    fn a_payment_that_breaks_a_rule_is_seen() {
        let mut rich = ledger(0);
        apply(&mut rich, "ada", &[]).unwrap();
        let good = payment(&rich, 1, ("ada", "ben"), 30, 5);
        let mut tampered = good.clone();
        tampered["amount"] = json!(31);
        type Expected = fn(&Mismatch) -> bool;
        let cases: [(&[Value], Expected); 4] = [
            (&[tampered], |mismatch| matches!(mismatch, Mismatch::WrongPaymentId { .. })),
            (&[payment(&rich, 2, ("ada", "ben"), 100, 1)], |mismatch| matches!(mismatch, Mismatch::Overdrawn { .. })),
            (&[good.clone(), good], |mismatch| matches!(mismatch, Mismatch::DuplicatePayment(_))),
            (&[json!({"id": 1})], |mismatch| matches!(mismatch, Mismatch::Malformed(_))),
        ];
        for (payments, expected) in cases {
            let mismatch = apply(&mut rich.clone(), "ada", payments).unwrap_err();
            assert!(expected(&mismatch), "{payments:?}: {mismatch}");
        }
    }

    #[test]
    fn a_block_that_does_not_join_is_seen() {
        let mut ledger = ledger(0);
        let strange = block(None, "{}");
        assert!(matches!(ledger.apply(&strange), Err(Mismatch::BrokenLink(_))));
        assert!(matches!(ReplayedLedger::begin(&strange), Err(Mismatch::Malformed(_))));
    }

    #[test]
    fn rewards_halve_and_end() {
        let mut params = ledger(0).params;
        assert_eq!([1, 2, 3, 4, 5, 15, 1000].map(|index| params.reward(index)), [100, 100, 50, 50, 25, 0, 0]);
        params.halving_blocks = 0;
        assert_eq!(params.reward(u64::MAX), 100);
    }
}
