//! What is sent, and how long that takes.

use crate::network::Network;
use serde::{Deserialize, Serialize};
use shared::random::Random;

/// How nodes pass blocks on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RelayMode {
    /// Announce, request, send a compact block; where that lacks transactions, request and send them.
    #[default]
    Compact,
    /// Announce, request, send the whole block.
    Inv,
    /// Send the whole block to every neighbour at once, as Chainlab's nodes do.
    Push,
}

/// How long sending a block keeps a node's upload busy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Upload {
    /// Until its last byte is sent.
    #[default]
    Transfer,
    /// Until it has arrived, as in SimBlock.
    Simblock,
}

/// Size of a compact block.
const COMPACT_BYTES: u64 = 18_000;
/// What a node takes to prepare a block for sending.
pub(super) const PROCESSING_MS: u64 = 2;

/// How often compact blocks lack transactions, in thousandths.
const FAILS_WHERE_CHURNING: u64 = 270;
const FAILS_ELSEWHERE: u64 = 130;

/// How much of the block is missing then, in hundredths, and how often, for nodes that join and leave (SimBlock's
/// distribution; the others lack one hundredth). From 49 on, each occurs once up to 96.
const MISSING: [(u64, u64); 13] = [
    (1, 546),
    (2, 66),
    (3, 39),
    (4, 27),
    (5, 21),
    (6, 17),
    (7, 14),
    (8, 12),
    (9, 11),
    (10, 9),
    (11, 9),
    (12, 8),
    (13, 7),
];
/// The same from 14 on: how often each hundredth occurs.
const MISSING_FROM_14: [u64; 35] =
    [7, 6, 6, 5, 5, 5, 4, 4, 4, 4, 4, 3, 3, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2];
const MOST_MISSING: u64 = 96;

/// Milliseconds from the start of sending to its end.
pub(super) fn sending_ms(network: &Network, pair: usize, bytes: u64) -> u64 {
    bytes * 8 / network.bits_per_ms[pair].max(1) + PROCESSING_MS
}

/// Whether both ends use compact blocks.
pub(super) fn both_compact(network: &Network, from: u32, to: u32) -> bool {
    network.compact[from as usize] && network.compact[to as usize]
}

/// Size of what is sent first.
pub(super) fn first_bytes(mode: RelayMode, block_bytes: u64, both_compact: bool) -> u64 {
    if mode == RelayMode::Compact && both_compact { COMPACT_BYTES.min(block_bytes) } else { block_bytes }
}

/// Bytes that `to` lacks after a compact block; `None` where it lacks none. `key` names the block's randomness.
pub(super) fn missing_bytes(network: &Network, block_bytes: u64, key: u64, to: u32) -> Option<u64> {
    let churns = network.churns[to as usize];
    let mut random = Random::new(key ^ u64::from(to));
    let fails = if churns { FAILS_WHERE_CHURNING } else { FAILS_ELSEWHERE };
    if random.below(1000) >= fails {
        return None;
    }
    let hundredths = if churns { missing_hundredths(&mut random) } else { 1 };
    Some(block_bytes * hundredths / 100)
}

fn missing_hundredths(random: &mut Random) -> u64 {
    let from_14 = (14..).zip(MISSING_FROM_14);
    let singles = (14 + MISSING_FROM_14.len() as u64..=MOST_MISSING).map(|hundredths| (hundredths, 1));
    let counts = || MISSING.into_iter().chain(from_14.clone()).chain(singles.clone());
    let mut point = random.below(counts().map(|(_, count)| count).sum());
    for (hundredths, count) in counts() {
        if point < count {
            return hundredths;
        }
        point -= count;
    }
    MOST_MISSING
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_parts_are_spread_as_in_simblock() {
        let mut random = Random::new(1);
        let drawn: Vec<u64> = (0..20_000).map(|_| missing_hundredths(&mut random)).collect();
        let one = drawn.iter().filter(|hundredths| **hundredths == 1).count() as f64 / 20_000.0;
        assert!((one - 546.0 / 946.0).abs() < 0.02, "{one}");
        assert_eq!((drawn.iter().min(), drawn.iter().max()), (Some(&1), Some(&96)));
    }
}
