//! What happens to the staged pool of `pool_staged_model`, at random.

use proptest::prelude::*;
use proptest::sample::Index;
use shared::ledger::Amount;
use shared::pool::{CoinPolicy, PoolLimits};

/// Persons who pay one another.
pub(crate) const PEOPLE: u8 = 4;

#[derive(Debug, Clone)]
pub(crate) enum Step {
    Pay { from: u8, to: u8, amount: u64, fee: u64 },
    PushAgain(Index),
    BeginCommit,
    EndCommit { succeeds: bool, chain_is_readable: bool },
    Mine { taken: usize, foreign: Option<(u8, u8, u64)>, reads_blocks: bool },
    Reorganise { depth: usize, kept: Vec<bool>, reads_blocks: bool },
    Expire { at_most: usize },
    Crash { batch_was_written: bool },
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let pay = (0..PEOPLE, 0..PEOPLE, 1..20_u64, 0..6_u64);
    let end = (any::<bool>(), prop::bool::weighted(0.9));
    let foreign = prop::option::of((0..PEOPLE, 0..PEOPLE, 1..40_u64));
    let kept = prop::collection::vec(any::<bool>(), 8);
    prop_oneof![
        12 => pay.prop_map(|(from, to, amount, fee)| Step::Pay { from, to, amount, fee }),
        4 => any::<Index>().prop_map(Step::PushAgain),
        5 => Just(Step::BeginCommit),
        5 => end.prop_map(|(succeeds, chain_is_readable)| Step::EndCommit { succeeds, chain_is_readable }),
        3 => (0..4_usize, foreign, any::<bool>())
            .prop_map(|(taken, foreign, reads_blocks)| Step::Mine { taken, foreign, reads_blocks }),
        2 => (1..4_usize, kept, any::<bool>())
            .prop_map(|(depth, kept, reads_blocks)| Step::Reorganise { depth, kept, reads_blocks }),
        1 => (0..4_usize).prop_map(|at_most| Step::Expire { at_most }),
        1 => any::<bool>().prop_map(|batch_was_written| Step::Crash { batch_was_written }),
    ]
}

/// Without room, payments are outbid and returning ones find no place; with room, none may be lost.
pub(crate) fn limits() -> impl Strategy<Value = PoolLimits> {
    (prop_oneof![2..7_usize, Just(1000)], 2..9_usize, 20..300_u64).prop_map(
        |(max_count, max_per_sender, max_age_ms)| PoolLimits {
            max_count,
            max_bytes: 1 << 20,
            max_per_sender,
            max_transaction_bytes: 5000,
            max_age_ms,
            min_fee: Amount::ZERO,
            coins: CoinPolicy::FIRST_SEEN,
        },
    )
}
