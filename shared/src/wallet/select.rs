//! Selection of coins: which of them pay an amount, and what comes back as change.
//!
//! All in integers and without a clock, so that equal coins give equal payments.

use crate::block::Height;
use crate::ledger::{Amount, Input, MAX_PARTS};
use crate::pool::DUST;
use std::cmp::Reverse;

/// Most steps of the search for coins that need no change.
const MAX_STEPS: usize = 100_000;

/// A coin that may be spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpareCoin {
    /// The coin.
    pub input: Input,
    /// The height of the block that made it.
    pub made_in: Height,
}

/// Which coins to spend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CoinStrategy {
    /// The largest first: few inputs, but the most change.
    Largest,
    /// The oldest first: gets rid of small coins, or leaves them behind, as they come.
    Oldest,
    /// Coins that need no change, if there are such; else as [`CoinStrategy::Largest`].
    Exact,
}

/// The coins of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// The coins, at least one.
    pub inputs: Vec<Input>,
    /// What comes back; [`Amount::ZERO`] or at least [`DUST`].
    pub change: Amount,
    /// What is left to the miner because it is too little for change.
    pub left_over: Amount,
}

/// Why no coins can be selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CannotSelect {
    /// All coins together are too little.
    #[error("all coins together are {has} LAB, and {needed} LAB are needed")]
    NotEnough {
        /// The sum of the coins.
        has: Amount,
        /// The amount and the fee.
        needed: Amount,
    },
    /// It would take more coins than a transaction may have.
    #[error(
        "{MAX_PARTS} coins, as many as a transaction may spend, are together only {has} LAB, and {needed} LAB are \
         needed: consolidate small coins first"
    )]
    TooMany {
        /// The sum of the coins that a transaction may spend.
        has: Amount,
        /// The amount and the fee.
        needed: Amount,
    },
}

/// Selects coins that are worth at least `needed`: the amount and the fee.
///
/// # Errors
/// See [`CannotSelect`].
pub fn select(coins: &[SpareCoin], needed: Amount, strategy: CoinStrategy) -> Result<Selection, CannotSelect> {
    let mut ordered = coins.to_vec();
    match strategy {
        CoinStrategy::Oldest => ordered.sort_by_key(|coin| (coin.made_in, coin.input.coin)),
        CoinStrategy::Largest | CoinStrategy::Exact => {
            ordered.sort_by_key(|coin| (Reverse(coin.input.amount), coin.input.coin));
        }
    }
    if strategy == CoinStrategy::Exact
        && let Some(inputs) = without_change(&ordered, needed)
    {
        return Ok(selection(inputs, needed));
    }
    let (mut inputs, mut sum) = (Vec::new(), 0_u128);
    for coin in ordered.iter().take(MAX_PARTS) {
        if sum >= u128::from(needed.grains()) && !inputs.is_empty() {
            break;
        }
        sum += u128::from(coin.input.amount.grains());
        inputs.push(coin.input);
    }
    let has = u64::try_from(sum).ok().and_then(Amount::new).unwrap_or(Amount::MAX);
    if has >= needed && !inputs.is_empty() {
        Ok(selection(inputs, needed))
    } else if ordered.len() > MAX_PARTS {
        Err(CannotSelect::TooMany { has, needed })
    } else {
        Err(CannotSelect::NotEnough { has, needed })
    }
}

/// The selection of all these coins, which a person has named.
///
/// # Errors
/// They are not worth `needed`, or more than a transaction may have.
pub fn take_all(coins: &[SpareCoin], needed: Amount) -> Result<Selection, CannotSelect> {
    let sum: u128 = coins.iter().map(|coin| u128::from(coin.input.amount.grains())).sum();
    let has = u64::try_from(sum).ok().and_then(Amount::new).unwrap_or(Amount::MAX);
    if coins.len() > MAX_PARTS {
        Err(CannotSelect::TooMany { has, needed })
    } else if has < needed || coins.is_empty() {
        Err(CannotSelect::NotEnough { has, needed })
    } else {
        Ok(selection(coins.iter().map(|coin| coin.input).collect(), needed))
    }
}

/// The selection of these coins, which are worth at least `needed`.
fn selection(inputs: Vec<Input>, needed: Amount) -> Selection {
    let sum: u128 = inputs.iter().map(|input| u128::from(input.amount.grains())).sum();
    let rest = sum.saturating_sub(u128::from(needed.grains()));
    let rest = u64::try_from(rest).ok().and_then(Amount::new).unwrap_or(Amount::MAX);
    let (change, left_over) = if rest < DUST { (Amount::ZERO, rest) } else { (rest, Amount::ZERO) };
    Selection { inputs, change, left_over }
}

/// Branch and bound: of the sets of coins that exceed `needed` by less than dust, one that exceeds it least. `coins`
/// are the largest first; each is first taken, then left out.
fn without_change(coins: &[SpareCoin], needed: Amount) -> Option<Vec<Input>> {
    let amounts: Vec<u128> = coins.iter().map(|coin| u128::from(coin.input.amount.grains())).collect();
    // What the coins from each place on are worth together.
    let mut rest = vec![0; amounts.len() + 1];
    for place in (0..amounts.len()).rev() {
        rest[place] = rest[place + 1] + amounts[place];
    }
    let (least, most) = (u128::from(needed.grains()), u128::from(needed.grains()) + u128::from(DUST.grains()));
    let (mut taken, mut sum, mut place) = (Vec::<usize>::new(), 0, 0);
    let mut best: Option<(u128, Vec<usize>)> = None;
    for _ in 0..MAX_STEPS {
        let is_better = best.as_ref().is_none_or(|(found, _)| sum < *found);
        if sum >= least && sum < most && is_better && !taken.is_empty() {
            best = Some((sum, taken.clone()));
            if sum == least {
                break;
            }
        }
        let goes_on = place < amounts.len() && sum < least && sum + rest[place] >= least && taken.len() < MAX_PARTS;
        if goes_on {
            sum += amounts[place];
            taken.push(place);
            place += 1;
            continue;
        }
        // Leaves out the coin that was taken last, and others of the same amount, which lead to the same sums.
        let Some(last) = taken.pop() else { break };
        sum -= amounts[last];
        place = last + 1;
        while place < amounts.len() && amounts[place] == amounts[last] {
            place += 1;
        }
    }
    best.map(|(_, places)| places.into_iter().map(|place| coins[place].input).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Address, CoinName, TransactionId};
    use crate::random::Random;

    fn coins(amounts: &[u64]) -> Vec<SpareCoin> {
        let coin = |(number, grains): (u64, &u64)| SpareCoin {
            input: Input {
                coin: CoinName { id: TransactionId::of(number.to_be_bytes()), place: 0 },
                address: Address::nobody(),
                amount: Amount::new(*grains).expect("an amount"),
            },
            made_in: Height(1000 - number),
        };
        (0..).zip(amounts).map(coin).collect()
    }

    fn amount(grains: u64) -> Amount {
        Amount::new(grains).expect("an amount")
    }

    fn chosen(amounts: &[u64], needed: u64, strategy: CoinStrategy) -> Option<(Vec<u64>, u64, u64)> {
        let selection = select(&coins(amounts), amount(needed), strategy).ok()?;
        let inputs = selection.inputs.iter().map(|input| input.amount.grains()).collect();
        Some((inputs, selection.change.grains(), selection.left_over.grains()))
    }

    #[test]
    fn ninety_from_two_coins_of_fifty() {
        let fifty = 5_000_000_000;
        let expected = Some((vec![fifty; 2], 999_999_000, 0));
        for strategy in [CoinStrategy::Largest, CoinStrategy::Oldest, CoinStrategy::Exact] {
            assert_eq!(chosen(&[fifty; 3], 9_000_001_000, strategy), expected);
        }
    }

    #[test]
    fn the_order_is_by_amount_or_by_age() {
        let amounts = [5000, 90_000, 20_000];
        assert_eq!(chosen(&amounts, 10_000, CoinStrategy::Largest), Some((vec![90_000], 80_000, 0)));
        assert_eq!(chosen(&amounts, 10_000, CoinStrategy::Oldest), Some((vec![20_000], 10_000, 0)));
        assert_eq!(chosen(&amounts, 25_000, CoinStrategy::Exact), Some((vec![20_000, 5000], 0, 0)));
        assert_eq!(chosen(&amounts, 19_990, CoinStrategy::Exact), Some((vec![20_000], 0, 10)));
        assert_eq!(chosen(&amounts, 30_000, CoinStrategy::Exact), Some((vec![90_000], 60_000, 0)), "as the largest");
    }

    #[test]
    fn change_below_dust_is_left_to_the_miner() {
        let dust = DUST.grains();
        assert_eq!(chosen(&[10_000], 10_000 - dust, CoinStrategy::Largest), Some((vec![10_000], dust, 0)));
        assert_eq!(chosen(&[10_000], 10_001 - dust, CoinStrategy::Largest), Some((vec![10_000], 0, dust - 1)));
    }

    #[test]
    fn too_little_and_too_many_are_told_apart() {
        let needed = amount(10_000);
        let not_enough = select(&coins(&[1000; 9]), needed, CoinStrategy::Largest);
        assert_eq!(not_enough, Err(CannotSelect::NotEnough { has: amount(9000), needed }));
        assert_eq!(
            select(&[], Amount::ZERO, CoinStrategy::Exact),
            Err(CannotSelect::NotEnough { has: Amount::ZERO, needed: Amount::ZERO })
        );
        let too_many = select(&coins(&[50; 300]), needed, CoinStrategy::Exact);
        assert_eq!(too_many, Err(CannotSelect::TooMany { has: amount(50 * 128), needed }));
    }

    /// The targets of Bitcoin Core's `coinselector_tests.cpp` (coins of 1 to 4, then 5 more), in units of 10,000
    /// grains.
    #[test]
    fn published_targets_are_met_exactly() {
        const UNIT: u64 = 10_000;
        let small = [1, 2, 3, 4].map(|count| count * UNIT);
        for (target, expected) in [
            (1, &[1][..]),
            (2, &[2]),
            (3, &[3]),
            (4, &[4]),
            (5, &[4, 1]),
            (6, &[4, 2]),
            (7, &[4, 3]),
            (10, &[4, 3, 2, 1]),
        ] {
            let expected = expected.iter().map(|count| count * UNIT).collect();
            assert_eq!(chosen(&small, target * UNIT, CoinStrategy::Exact), Some((expected, 0, 0)), "{target}");
        }
        assert_eq!(chosen(&small, 11 * UNIT, CoinStrategy::Exact), None);
        let more = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(|count| count * UNIT);
        for target in 1..=55 {
            let (inputs, change, left) = chosen(&more, target * UNIT, CoinStrategy::Exact).expect("coins");
            assert_eq!((inputs.iter().sum::<u64>(), change, left), (target * UNIT, 0, 0), "{target}");
        }
        // Core's search that never ends: pairs of nearly equal coins, none of which fit. Ours stops, and falls back.
        let hard: Vec<u64> = (0..17_u32)
            .flat_map(|n| [(1_u64 << (17 + n)) * 1000, ((1 << (17 + n)) + (1 << (16 - n))) * 1000])
            .collect();
        let target = (0..17_u32).map(|n| ((1_u64 << (17 + n)) + (1 << (16 - n))) * 1000).sum::<u64>() - 1000 * 3 + 7;
        let (inputs, change, _) = chosen(&hard, target, CoinStrategy::Exact).expect("coins");
        assert_eq!(inputs.iter().sum::<u64>() - change, target);
    }

    #[test]
    fn the_search_is_as_good_as_trying_all_sets() {
        let mut random = Random::new(7);
        for _ in 0..300 {
            let count = 1 + random.below(12) as usize;
            let amounts: Vec<u64> = (0..count).map(|_| 1 + random.below(3000)).collect();
            let needed = 1 + random.below(amounts.iter().sum::<u64>());
            let sums = (1..1_u32 << count).map(|set| {
                let places = (0..count).filter(|place| set >> place & 1 == 1);
                places.map(|place| amounts[place]).sum::<u64>()
            });
            let least = sums.filter(|sum| (needed..needed + DUST.grains()).contains(sum)).min();
            let (inputs, change, left) = chosen(&amounts, needed, CoinStrategy::Exact).expect("enough");
            let sum = inputs.iter().sum::<u64>();
            assert_eq!(sum, needed + change + left, "{amounts:?} {needed}");
            match least {
                Some(least) => assert_eq!((sum, change), (least, 0), "{amounts:?} {needed}"),
                None => assert!(change >= DUST.grains(), "{amounts:?} {needed}"),
            }
        }
    }
}
