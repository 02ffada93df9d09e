//! The blocks and the signature that the exercises begin with, made by the rules of the chain.
//!
//! They are the same for all readers, so their nonces were searched once; a test finds them again.

use shared::block::{Block, BlockHash, DataHash, HeaderFields, Height, Nonce, Timestamp};
use shared::keys::{KeyPair, Signature};
use shared::work::Difficulty;

/// Four leading zeros: a browser needs a fraction of a second.
const EASY: u128 = 16_u128.pow(4);
/// Five leading zeros, so that readers can watch the search.
const HARDER: u128 = 16_u128.pow(5);

/// The data, the difficulty and the nonce of each block.
const MINED: [(&str, u128, Nonce); 6] = [
    ("The first block", 1, Nonce(0)),
    ("Alice pays Bob 5", EASY, Nonce(10_071)),
    ("Bob pays Carol 2", EASY, Nonce(441)),
    ("Carol pays Dan 1", EASY, Nonce(28_234)),
    ("Dan pays Alice 1", EASY, Nonce(71_317)),
    ("Hello! I am a block.", HARDER, Nonce(462_620)),
];

/// 2026-01-01T00:00:00.000Z, the time of the first block. The others follow at intervals of five seconds.
const BEGINNING: Timestamp = Timestamp::from_ms(1_767_225_600_000);
const INTERVAL_MS: u64 = 5000;

/// A chain of five blocks, and a sixth one that is sixteen times as hard.
pub(super) fn blocks() -> ([Block; 5], Block) {
    let mut parent = BlockHash::ZERO;
    let mut height = Height::GENESIS;
    let [b0, b1, b2, b3, b4, next] = MINED.map(|(data, difficulty, nonce)| {
        let fields = HeaderFields {
            index: height,
            prev_hash: parent,
            timestamp: BEGINNING.plus_ms(height.0 * INTERVAL_MS),
            difficulty: Difficulty::clamped(difficulty),
            data_hash: DataHash::of(data),
        };
        let block = Block::new(fields, nonce, data.to_owned());
        (parent, height) = (block.hash(), height.next());
        block
    });
    ([b0, b1, b2, b3, b4], next)
}

pub(super) struct Signed {
    pub(super) public_key: [u8; 33],
    pub(super) message: &'static str,
    pub(super) signature: Signature,
}

/// The example that is shown until the browser has made a key pair.
pub(super) fn signed() -> Signed {
    let pair = KeyPair::from_seed("alice");
    let message = "I owe Bob 5 LAB. Alice";
    Signed { public_key: pair.public_key(), message, signature: pair.sign(message) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::work::search;

    #[test]
    fn every_nonce_is_the_first_that_meets_its_difficulty() {
        let (chain, next) = blocks();
        for block in chain.iter().chain([&next]) {
            let header = block.header();
            let found = search(&header.seal(), &header.difficulty.target(), Nonce(0), 1 << 24);
            assert_eq!(found, Some(header.nonce()), "block {}", header.index);
        }
    }

    #[test]
    fn every_block_names_the_one_before_it() {
        let (chain, next) = blocks();
        for (parent, block) in chain.iter().zip(chain[1..].iter().chain([&next])) {
            assert_eq!(block.header().prev_hash, parent.hash());
            assert!(block.header().timestamp > parent.header().timestamp);
        }
    }
}
