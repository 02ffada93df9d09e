//! What members do where money is coins (layer `utxo`): they pay and get change, split a large coin so that they can
//! pay several times a block, make one coin of many small ones, and now and then pay a higher fee for a payment that
//! waits.
//!
//! Pure, as the choice of payments, which it starts from. Half of the members are thrifty and spend their oldest coins
//! first; the others are hasty and spend the largest.

use super::payment_choice::{PaymentChoice, PaymentLimits, choose};
use shared::ledger::{Address, Amount, CoinName, Input, MAX_PARTS, Output, Spend, TransactionId};
use shared::random::Random;
use shared::wallet::{CoinStrategy, DUST, SpareCoin, select};
use shared::wire::{PoolEvent, UnspentCoin};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};

/// A member with fewer spare coins than this splits the largest one …
const FEW: usize = 3;
/// … into this many, if each is worth at least …
const PARTS: u64 = 8;
/// … this many price units.
const LEAST_PART: u64 = 100;
/// A member with more spare coins than this makes one of the smallest.
const MANY: usize = 24;
/// In each turn of this number, a payment that waits is replaced by one with a higher fee.
const REPLACE_EVERY: u64 = 9;
/// Grains above the least fee that a replacement must pay.
const GENEROSITY: u64 = 1000;
/// Most payments that wait and may be replaced.
const MAX_WAITING: usize = 64;
/// Most coins that are remembered as used.
const MAX_USED: usize = 20_000;
/// A mempool's reason for dropping a transaction whose coins another one spends.
const REPLACED: &str = "replaced";

/// A transaction to be signed and sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoinOrder {
    /// The member's number.
    pub payer: usize,
    pub inputs: Vec<Input>,
    pub outputs: Vec<Output>,
    pub msg: String,
}

/// The members' coins, as far as the mempool has reported them.
#[derive(Debug)]
pub struct MemberCoins {
    /// By the member's number; coins that nobody spends, and that may be spent now.
    reported: Vec<Vec<SpareCoin>>,
    /// The coins that a transaction of a member spends, and which. A report of coins may be older.
    used: BTreeMap<CoinName, TransactionId>,
    /// The same coins, the oldest first.
    used_in_order: VecDeque<CoinName>,
    /// Payments with change that wait for a block, and their payers.
    waiting: VecDeque<(usize, Spend)>,
    turn: u64,
    /// The mempool has refused to replace a payment.
    is_first_seen: bool,
}

impl MemberCoins {
    pub fn new(members: usize) -> Self {
        Self {
            reported: vec![Vec::new(); members],
            used: BTreeMap::new(),
            used_in_order: VecDeque::new(),
            waiting: VecDeque::new(),
            turn: 0,
            is_first_seen: false,
        }
    }

    /// Takes the coins of a member, as the mempool reports them.
    pub fn set_coins(&mut self, member: usize, coins: &[UnspentCoin]) {
        let is_spare = |coin: &&UnspentCoin| coin.spent_by.is_none() && coin.spendable_from.is_none();
        let spare = coins.iter().filter(is_spare).map(|coin| SpareCoin {
            input: Input { coin: coin.coin, address: coin.address, amount: coin.amount },
            made_in: coin.block,
        });
        self.reported[member] = spare.collect();
    }

    /// What is done next; `None` if no member has the coins for it.
    pub fn choose(&mut self, random: &mut Random, limits: &PaymentLimits, addresses: &[Address]) -> Option<CoinOrder> {
        self.turn += 1;
        if self.turn.is_multiple_of(REPLACE_EVERY)
            && !self.is_first_seen
            && let Some(order) = self.replacement()
        {
            return Some(order);
        }
        let spendable: Vec<u64> = (0..addresses.len()).map(|member| sum(&self.spare(member))).collect();
        let choice = choose(random, &spendable, limits)?;
        let spare = self.spare(choice.payer);
        let own = addresses[choice.payer];
        let other = split(&spare, &choice, own, limits).or_else(|| consolidation(&spare, &choice, own));
        other.or_else(|| payment(&spare, choice, own, addresses))
    }

    /// Remembers the coins of a transaction that is being sent.
    pub fn record_sent(&mut self, spend: &Spend) {
        for input in &spend.inputs {
            if let Entry::Vacant(unused) = self.used.entry(input.coin) {
                unused.insert(spend.id);
                self.used_in_order.push_back(input.coin);
            }
        }
        while self.used_in_order.len() > MAX_USED {
            self.used_in_order.pop_front().map(|oldest| self.used.remove(&oldest));
        }
    }

    /// Records that the mempool accepted a member's transaction.
    pub fn record_accepted(&mut self, payer: usize, spend: &Spend) {
        for input in &spend.inputs {
            // It may have replaced another one.
            self.used.insert(input.coin, spend.id);
        }
        let pays_another = spend.outputs.first().zip(spend.inputs.first());
        if pays_another.is_some_and(|(output, input)| output.address != input.address) && spend.outputs.len() == 2 {
            self.waiting.push_back((payer, spend.clone()));
            if self.waiting.len() > MAX_WAITING {
                self.waiting.pop_front();
            }
        }
    }

    /// Records that the mempool refused a transaction, or that no reply came; `is_conflict` if it keeps the first one.
    pub fn record_refused(&mut self, spend: &Spend, is_conflict: bool) {
        let is_replacement = |input: &Input| self.used.get(&input.coin).is_some_and(|by| *by != spend.id);
        self.is_first_seen |= is_conflict && spend.inputs.iter().any(is_replacement);
        self.release(spend.id);
    }

    pub fn apply_event(&mut self, event: &PoolEvent) {
        match event {
            PoolEvent::Confirmed(event) => self.waiting.retain(|(_, spend)| spend.id != event.id),
            PoolEvent::Evicted(event) => {
                self.waiting.retain(|(_, spend)| spend.id != event.id);
                // The coins of one that was replaced are being spent.
                if event.reason != REPLACED {
                    self.release(event.id);
                }
            }
            PoolEvent::Transaction(_) | PoolEvent::Returned(_) | PoolEvent::Conflict(_) => {}
        }
    }

    /// The coins of a member that no transaction spends.
    fn spare(&self, member: usize) -> Vec<SpareCoin> {
        self.reported[member].iter().filter(|coin| !self.used.contains_key(&coin.input.coin)).copied().collect()
    }

    fn release(&mut self, id: TransactionId) {
        self.used.retain(|_, by| *by != id);
        self.used_in_order.retain(|coin| self.used.contains_key(coin));
    }

    /// The payment that has waited longest, with a higher fee: its change is smaller.
    fn replacement(&mut self) -> Option<CoinOrder> {
        let (payer, spend) = self.waiting.pop_front()?;
        let bytes = serde_json::to_vec(&spend).ok()?.len() as u64;
        let Spend { inputs, mut outputs, msg, .. } = spend;
        let change = outputs.last_mut()?;
        change.amount = change.amount.checked_sub(Amount::new(bytes + GENEROSITY)?).filter(|left| *left >= DUST)?;
        Some(CoinOrder { payer, inputs, outputs, msg })
    }
}

/// How a member chooses coins.
const fn strategy(member: usize) -> CoinStrategy {
    if member.is_multiple_of(2) { CoinStrategy::Oldest } else { CoinStrategy::Largest }
}

fn sum(coins: &[SpareCoin]) -> u64 {
    coins.iter().map(|coin| coin.input.amount.grains()).fold(0, u64::saturating_add)
}

/// The largest coin in several parts, if there are few coins: a coin pays once a block.
fn split(spare: &[SpareCoin], choice: &PaymentChoice, own: Address, limits: &PaymentLimits) -> Option<CoinOrder> {
    let largest = spare.iter().max_by_key(|coin| coin.input.amount).filter(|_| spare.len() < FEW)?.input;
    let rest = largest.amount.checked_sub(choice.fee)?.grains();
    let (each, left) = (rest / PARTS, rest % PARTS);
    if each < LEAST_PART.saturating_mul(limits.unit) {
        return None;
    }
    let part =
        |number| Some(Output { address: own, amount: Amount::new(if number == 0 { each + left } else { each })? });
    let outputs = (0..PARTS).map(part).collect::<Option<_>>()?;
    Some(CoinOrder { payer: choice.payer, inputs: vec![largest], outputs, msg: String::new() })
}

/// One coin of the smallest ones, if there are many coins.
fn consolidation(spare: &[SpareCoin], choice: &PaymentChoice, own: Address) -> Option<CoinOrder> {
    if spare.len() <= MANY {
        return None;
    }
    let mut smallest = spare.to_vec();
    smallest.sort_by_key(|coin| (coin.input.amount, coin.input.coin));
    smallest.truncate((spare.len() - FEW).min(MAX_PARTS));
    let amount = Amount::new(sum(&smallest))?.checked_sub(choice.fee).filter(|amount| *amount >= DUST)?;
    let inputs = smallest.into_iter().map(|coin| coin.input).collect();
    let outputs = vec![Output { address: own, amount }];
    Some(CoinOrder { payer: choice.payer, inputs, outputs, msg: String::new() })
}

fn payment(spare: &[SpareCoin], choice: PaymentChoice, own: Address, addresses: &[Address]) -> Option<CoinOrder> {
    let PaymentChoice { payer, payee, amount, fee, msg } = choice;
    let selection = select(spare, amount.checked_add(fee)?, strategy(payer)).ok()?;
    let mut outputs = vec![Output { address: addresses[payee], amount }];
    if selection.change > Amount::ZERO {
        outputs.push(Output { address: own, amount: selection.change });
    }
    Some(CoinOrder { payer, inputs: selection.inputs, outputs, msg })
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::block::{BlockHash, Height};
    use shared::keys::KeyPair;
    use shared::ledger::{Transaction, UnsignedSpend};
    use shared::wire::EvictedEvent;

    const LIMITS: PaymentLimits = PaymentLimits { unit: 1_000_000, min_fee: 0, max_msg_bytes: 256 };
    const LAB: u64 = Amount::GRAINS_PER_LAB;

    fn addresses() -> Vec<Address> {
        ["ada", "ben"].map(|seed| KeyPair::from_seed(seed).address()).to_vec()
    }

    fn coin(number: u16, grains: u64) -> UnspentCoin {
        UnspentCoin {
            coin: CoinName { id: TransactionId::of("x"), place: number },
            address: addresses()[0],
            amount: Amount::new(grains).unwrap(),
            block: Height(u64::from(number) + 1),
            confirmations: 1,
            coinbase: false,
            spendable_from: None,
            spent_by: None,
        }
    }

    /// Ada has these coins, and Ben none.
    fn with_coins(grains: &[u64]) -> MemberCoins {
        let mut coins = MemberCoins::new(2);
        let all: Vec<_> = (0..).zip(grains).map(|(number, grains)| coin(number, *grains)).collect();
        coins.set_coins(0, &all);
        coins
    }

    fn next(coins: &mut MemberCoins) -> Option<CoinOrder> {
        coins.choose(&mut Random::new(5), &LIMITS, &addresses())
    }

    fn signed(CoinOrder { inputs, outputs, msg, .. }: CoinOrder) -> Spend {
        let unsigned = UnsignedSpend { inputs, outputs, msg };
        unsigned.sign(BlockHash::ZERO, |_, text| KeyPair::from_seed("ada").sign(text)).as_spend().unwrap().clone()
    }

    fn fee(spend: &Spend) -> u64 {
        Transaction::from(spend.clone()).fee().grains()
    }

    #[test]
    fn few_coins_are_split_and_many_become_one() {
        let order = next(&mut with_coins(&[80 * LAB])).unwrap();
        assert_eq!((order.inputs.len(), order.outputs.len()), (1, 8));
        assert!(order.outputs.iter().all(|output| output.address == addresses()[0]));
        let order = next(&mut with_coins(&[LAB; 30])).unwrap();
        assert_eq!((order.inputs.len(), order.outputs.len()), (27, 1));
        let order = next(&mut with_coins(&[LAB; 10])).unwrap();
        assert_eq!(order.outputs[0].address, addresses()[1], "neither few nor many: a payment");
    }

    #[test]
    fn a_coin_is_used_once_until_its_transaction_is_gone() {
        let mut coins = with_coins(&[LAB; 3]);
        let first = signed(next(&mut coins).unwrap());
        coins.record_sent(&first);
        assert!(!coins.spare(0).iter().any(|spare| first.inputs.contains(&spare.input)));
        coins.record_refused(&first, true);
        assert_eq!((coins.spare(0).len(), coins.is_first_seen), (3, false));
        coins.record_sent(&first);
        coins.record_accepted(0, &first);
        let evicted =
            |reason: &str| PoolEvent::Evicted(EvictedEvent { id: first.id, reason: reason.to_owned(), by: None });
        coins.apply_event(&evicted("replaced"));
        assert_eq!(coins.spare(0).len(), 3 - first.inputs.len());
        coins.apply_event(&evicted("expired"));
        assert_eq!(coins.spare(0).len(), 3);
    }

    #[test]
    fn a_replacement_spends_the_same_coins_for_a_higher_fee() {
        let mut coins = with_coins(&[LAB; 10]);
        let first = signed(next(&mut coins).unwrap());
        coins.record_sent(&first);
        coins.record_accepted(0, &first);
        let bytes = serde_json::to_vec(&first).unwrap().len() as u64;
        let second = signed(coins.replacement().unwrap());
        assert_eq!((&second.inputs, second.outputs[0]), (&first.inputs, first.outputs[0]));
        assert_eq!(fee(&second), fee(&first) + bytes + GENEROSITY);
        coins.record_sent(&second);
        coins.record_refused(&second, true);
        assert!(coins.is_first_seen && !coins.used.is_empty(), "the first one still spends its coins");
    }

    #[test]
    fn the_thrifty_spend_the_oldest_and_the_hasty_the_largest() {
        let spare: Vec<_> = [coin(0, LAB), coin(1, 9 * LAB)]
            .map(|coin| SpareCoin {
                input: Input { coin: coin.coin, address: coin.address, amount: coin.amount },
                made_in: coin.block,
            })
            .to_vec();
        let spent = [0, 1].map(|member| {
            let selection = select(&spare, Amount::new(LAB / 2).unwrap(), strategy(member)).unwrap();
            selection.inputs[0].amount.grains()
        });
        assert_eq!(spent, [LAB, 9 * LAB]);
    }

    #[test]
    fn without_coins_nothing_is_done() {
        assert_eq!(next(&mut with_coins(&[])), None);
    }
}
