//! The mining kernel: looks for a nonce that makes a seal's hash meet a target.
//!
//! A hashed text is 80 bytes: 64 of the seal, 16 of the nonce. SHA-256 takes 64 bytes at a time, so the first of its
//! two compressions is the same for every nonce and is done once (the midstate); each nonce costs one compression.
//!
//! ```text
//! second block:  nonce (16 hex digits) | 0x80 | 39 zeros | length in bits, 640, as 8 bytes big-endian
//! ```
//!
//! [`search`] is the only entry point, also for a kernel that hashes several nonces at once.

use super::Target;
use crate::block::{Nonce, Seal};
use sha2::block_api::compress256;

/// The initial state of SHA-256 (FIPS 180-4, section 5.3.3).
const INITIAL_STATE: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// Nonces that share all hex digits but the last two; each lane has its own two.
const LANES: u64 = 256;
/// Nonces that share all hex digits but the last four.
const ROUNDS: u64 = 256 * LANES;

/// The first nonce among `first`, `first + 1`, … (`count` of them, wrapping around) whose hash meets `target`.
pub fn search(seal: &Seal, target: &Target, first: Nonce, count: u64) -> Option<Nonce> {
    portable(seal, target, first, count)
}

/// The blocks of [`LANES`] nonces are written before the first of them is hashed: reading a block right after
/// writing it in parts would stall the processor. From one round to the next only two digits change.
fn portable(seal: &Seal, target: &Target, first: Nonce, count: u64) -> Option<Nonce> {
    let mut midstate = INITIAL_STATE;
    compress256(&mut midstate, &[seal.to_hex()]);
    let target = words(target);
    let mut blocks: [[u8; 64]; LANES as usize] = std::array::from_fn(|lane| second_block(Nonce(lane as u64)));
    let mut tried = 0;
    while tried < count {
        let nonce = first.0.wrapping_add(tried);
        let lane = nonce % LANES;
        let here = (LANES - lane).min(count - tried);
        let digits = Nonce(nonce).to_hex();
        let all_changed = tried == 0 || nonce % ROUNDS == 0;
        for block in &mut blocks {
            if all_changed {
                block[..12].copy_from_slice(&digits[..12]);
            }
            (block[12], block[13]) = (digits[12], digits[13]);
        }
        for (ahead, block) in (0..here).zip(&blocks[lane as usize..]) {
            let mut state = midstate;
            compress256(&mut state, std::slice::from_ref(block));
            // Arrays compare word by word from the most significant one, as the 256-bit integers would; the first word
            // alone settles nearly all cases.
            if state[0] <= target[0] && state <= target {
                return Some(Nonce(nonce.wrapping_add(ahead)));
            }
        }
        tried += here;
    }
    None
}

fn second_block(nonce: Nonce) -> [u8; 64] {
    let mut block = [0; 64];
    block[..16].copy_from_slice(&nonce.to_hex());
    block[16] = 0x80;
    block[56..].copy_from_slice(&640_u64.to_be_bytes());
    block
}

fn words(target: &Target) -> [u32; 8] {
    let mut words = [0; 8];
    for (word, bytes) in words.iter_mut().zip(target.as_bytes().chunks_exact(4)) {
        *word = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::work::Difficulty;

    #[test]
    fn finds_exactly_the_nonces_that_plain_sha256_finds() {
        let target = Difficulty::new(50).unwrap().target();
        for text in ["one", "two", "three"] {
            let seal = Seal::of(text);
            for first in [0, 250, 65_300, u64::from(u32::MAX) - 100, u64::MAX - 100] {
                let plain = (0..700)
                    .map(|n| Nonce(first.wrapping_add(n)))
                    .find(|&nonce| target.is_met_by(&seal.block_hash(nonce)));
                assert_eq!(search(&seal, &target, Nonce(first), 700), plain, "{text} from {first}");
            }
        }
    }

    #[test]
    fn nothing_is_found_in_an_empty_range_or_below_an_impossible_target() {
        let seal = Seal::of("seal");
        assert_eq!(search(&seal, &Difficulty::MIN.target(), Nonce(0), 0), None);
        assert_eq!(search(&seal, &Difficulty::MAX.target(), Nonce(0), 1000), None);
        assert_eq!(search(&seal, &Difficulty::MIN.target(), Nonce(7), 1), Some(Nonce(7)));
    }
}
