//! Who pays whom, how much and what for: chosen at random among the payments that members can afford.
//!
//! Pure. The same seed gives the same payers and payees in the same order; how much they pay depends on their money,
//! too.

use shared::ledger::Amount;
use shared::random::Random;

/// Grains in a hundredth of a LAB: the unit of prices where rewards have their usual size.
const CENT: u64 = Amount::GRAINS_PER_LAB / 100;
/// Price units in the reward of a block: where rewards are smaller, so are prices.
const UNITS_IN_REWARD: u64 = 5000;
/// A payment takes at most a third of what the payer can spend.
const SHARE: u64 = 3;
/// A fee takes at most a hundredth of what the payer can spend, apart from the mempool's least fee.
const FEE_SHARE: u64 = 100;
/// Least and largest fee in grains, on top of the mempool's least fee.
const FEES: (u64, u64) = (1_000, 10_000);

/// Most members who are passed over at once because they have no money.
const MAX_PASSED_OVER: usize = 10_000;

/// What members pay for, with the least and the largest price in units of [`PaymentLimits::unit`].
const PURPOSES: [(&str, u64, u64); 12] = [
    ("for coffee", 120, 350),
    ("for the bus", 150, 400),
    ("for ice cream", 100, 500),
    ("for lunch", 600, 1_500),
    ("for a book", 900, 2_500),
    ("for flowers", 500, 2_000),
    ("for the cinema", 800, 1_400),
    ("for a haircut", 1_500, 4_000),
    ("for a concert ticket", 2_500, 6_000),
    ("for shoes", 4_000, 9_000),
    ("for the rent", 20_000, 60_000),
    ("for a bicycle", 25_000, 90_000),
];
/// The same for a member who cannot afford the cheapest of these.
const LITTLE: (&str, u64, u64) = ("for a sweet", 1, 99);

/// Bounds on payments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaymentLimits {
    /// Every amount is a multiple of this many grains.
    pub unit: u64,
    /// The least fee that the mempool accepts, in grains.
    pub min_fee: u64,
    pub max_msg_bytes: u64,
}

impl PaymentLimits {
    /// `grains` is what a member gets at once: the reward of a block, or the balance of a new address.
    pub fn new(grains: u64, min_fee: u64, max_msg_bytes: u64) -> Self {
        Self { unit: (grains / UNITS_IN_REWARD).clamp(1, CENT), min_fee, max_msg_bytes }
    }

    /// What a member needs for the smallest payment and its fee, in grains.
    const fn least(&self) -> u64 {
        SHARE * self.unit + 2 * self.min_fee
    }
}

/// A payment to be made; members are given by their numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentChoice {
    pub payer: usize,
    /// Never the payer.
    pub payee: usize,
    pub amount: Amount,
    pub fee: Amount,
    pub msg: String,
}

/// A payment that a member would like to make. It follows from the seed alone, not from anybody's balance.
struct Wish {
    payer: usize,
    payee: usize,
    /// Decide the purpose, the price and the fee within what the payer can afford.
    purpose: u64,
    price: u64,
    fee: u64,
}

impl Wish {
    fn next(random: &mut Random, members: usize) -> Self {
        let payer = random.index(members);
        let payee = (payer + 1 + random.index(members - 1)) % members;
        Self { payer, payee, purpose: random.next_u64(), price: random.next_u64(), fee: random.next_u64() }
    }

    /// Returns the payment, or `None` if the payer cannot spend even the smallest amount.
    fn within(&self, spendable: u64, limits: &PaymentLimits) -> Option<PaymentChoice> {
        if spendable < limits.least() {
            return None;
        }
        let most = spendable / SHARE / limits.unit;
        let affordable: Vec<_> = PURPOSES.into_iter().filter(|(_, low, _)| *low <= most).collect();
        let purpose = usize::try_from(self.purpose % affordable.len().max(1) as u64).ok()?;
        let (msg, low, high) = affordable.get(purpose).copied().unwrap_or(LITTLE);
        let amount = between(self.price, low, high.min(most)) * limits.unit;
        let fee = limits.min_fee + between(self.fee, FEES.0, FEES.1).min(spendable / FEE_SHARE);
        let msg = if msg.len() as u64 <= limits.max_msg_bytes { msg } else { "" };
        let (amount, fee) = (Amount::new(amount)?, Amount::new(fee)?);
        Some(PaymentChoice { payer: self.payer, payee: self.payee, amount, fee, msg: msg.to_owned() })
    }
}

/// A number from `low` to `high`, both included; `low` if that is the larger one.
const fn between(bits: u64, low: u64, high: u64) -> u64 {
    low + bits % high.saturating_sub(low).saturating_add(1)
}

/// The next payment among members who can spend this many grains each. `None` if no member has enough, or there is only
/// one.
///
/// The seed fixes the order in which members want to pay, and whom. A member who has no money yet is passed over.
pub fn choose(random: &mut Random, spendable: &[u64], limits: &PaymentLimits) -> Option<PaymentChoice> {
    if spendable.len() < 2 || spendable.iter().all(|grains| *grains < limits.least()) {
        return None;
    }
    let wishes = std::iter::repeat_with(|| Wish::next(random, spendable.len())).take(MAX_PASSED_OVER);
    wishes.into_iter().find_map(|wish| wish.within(spendable[wish.payer], limits))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: PaymentLimits = PaymentLimits { unit: CENT, min_fee: 0, max_msg_bytes: 256 };

    /// The choices of `seed`, out of 500, while balances stay the same.
    fn choices(seed: u64, spendable: &[u64], limits: &PaymentLimits) -> Vec<PaymentChoice> {
        let mut random = Random::new(seed);
        (0..500).filter_map(|_| choose(&mut random, spendable, limits)).collect()
    }

    #[test]
    fn the_seed_decides() {
        let spendable = [5_000_000_000, 70_000_000, 0, 900_000_000_000];
        assert_eq!(choices(7, &spendable, &LIMITS), choices(7, &spendable, &LIMITS));
        assert_ne!(choices(7, &spendable, &LIMITS), choices(8, &spendable, &LIMITS));
    }

    #[test]
    fn the_seed_decides_who_pays_whom_whatever_they_have() {
        let pairs = |spendable: &[u64]| -> Vec<(usize, usize)> {
            choices(7, spendable, &LIMITS).iter().map(|choice| (choice.payer, choice.payee)).collect()
        };
        let all = pairs(&[5_000_000_000; 5]);
        assert_eq!(all, pairs(&[400_000_000, 3_000_000_000, 90_000_000_000, 500_000_000, 7_000_000_000]));
        // A member without money is passed over; the others pay in the same order.
        let without_second = pairs(&[5_000_000_000, 0, 5_000_000_000, 5_000_000_000, 5_000_000_000]);
        let expected: Vec<_> = all.into_iter().filter(|(payer, _)| *payer != 1).collect();
        assert_eq!(without_second[..expected.len()], expected);
    }

    #[test]
    fn members_pay_others_and_no_more_than_a_share_of_what_they_have() {
        for min_fee in [0, 1_000, 5_000_000] {
            let limits = PaymentLimits { unit: 1, min_fee, ..LIMITS };
            let spendable = [3, 2_003, 10_000_003, 5_000_000_000, 4_000_000_000_000, 0];
            let choices = choices(1, &spendable, &limits);
            assert_eq!(choices.len(), 500);
            for PaymentChoice { payer, payee, amount, fee, .. } in choices {
                assert!(payer != payee && payee < spendable.len());
                assert!((1..=spendable[payer] / SHARE).contains(&amount.grains()), "{payer} {amount}");
                assert!(amount.grains() + fee.grains() <= spendable[payer] && fee.grains() >= min_fee);
            }
        }
    }

    #[test]
    fn all_members_pay_and_are_paid_and_prices_are_round() {
        let choices = choices(3, &[5_000_000_000; 4], &LIMITS);
        for member in 0..4 {
            assert!(choices.iter().any(|choice| choice.payer == member));
            assert!(choices.iter().any(|choice| choice.payee == member));
        }
        assert!(choices.iter().all(|choice| choice.amount.grains() % CENT == 0 && !choice.msg.is_empty()));
    }

    #[test]
    fn without_money_or_a_second_member_nothing_is_paid() {
        for spendable in [&[][..], &[0, 0], &[3 * CENT - 1, 2], &[5_000_000_000]] {
            assert_eq!(choices(1, spendable, &LIMITS), [], "{spendable:?}");
        }
        let little = choices(1, &[3 * CENT, 0], &LIMITS);
        assert!(little.iter().all(|choice| choice.msg == LITTLE.0 && choice.amount.grains() == CENT));
    }

    #[test]
    fn prices_are_as_small_as_rewards() {
        let units =
            [0, 100, 50_000, 5_000_000_000, Amount::MAX.grains()].map(|grains| PaymentLimits::new(grains, 0, 0).unit);
        assert_eq!(units, [1, 1, 10, CENT, CENT]);
    }

    #[test]
    fn a_network_without_room_for_words_gets_none() {
        let limits = PaymentLimits { max_msg_bytes: 3, ..LIMITS };
        assert!(choices(1, &[5_000_000_000; 4], &limits).iter().all(|choice| choice.msg.is_empty()));
    }
}
