//! Single attempts at a double spend: as many as one wants, without a tree.

use crate::kernel::{Probability, Stream, stream};
use crate::strategy::Thefts;

/// How an attempt goes.
#[derive(Debug, Clone, Copy)]
pub struct TheftRace {
    /// The thief's share of the hash rate.
    pub share: f64,
    /// Confirmations that the victim waits for.
    pub confirmations: u32,
    /// Blocks that the thief has found before the payment; 1 is the usual count.
    pub head_start: u32,
    /// How many blocks behind the thief gives up.
    pub give_up: u32,
}

/// Runs `attempts` attempts; the thief needs more blocks than the others, its head start included.
pub fn steal(race: &TheftRace, attempts: u64, seed: u64) -> Thefts {
    let share = Probability::new(race.share);
    let mut random = stream(seed, Stream::Miner);
    let give_up = -i64::from(race.give_up);
    let mut managed = 0;
    for _ in 0..attempts {
        let mut lead = i64::from(race.head_start);
        let mut confirmations = 0;
        while confirmations < race.confirmations {
            if share.happens(&mut random) {
                lead += 1;
            } else {
                lead -= 1;
                confirmations += 1;
            }
        }
        while lead <= 0 && lead > give_up + i64::from(race.head_start) {
            lead += if share.happens(&mut random) { 1 } else { -1 };
        }
        managed += u64::from(lead > 0);
    }
    Thefts { tried: attempts, managed }
}
