//! A nonce at a time, by `sha2`'s compression.

use super::{LENGTH, Run, last_digits};
use sha2::block_api::compress256;
use std::ops::Range;

/// Blocks that are written before the first of them is hashed: reading a block right after writing it in parts would
/// stall the processor.
const AHEAD: usize = 64;

/// See [`super::Kernel::candidate`].
pub(super) fn candidate(run: &Run, range: Range<u32>, limit: u32) -> Option<u32> {
    let mut block = [0; 64];
    for (bytes, word) in block.chunks_exact_mut(4).zip(run.digits) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    block[16] = 0x80;
    block[60..].copy_from_slice(&LENGTH.to_be_bytes());
    let mut blocks = [block; AHEAD];
    for start in range.clone().step_by(AHEAD) {
        let nonces = start..range.end.min(start + AHEAD as u32);
        for (block, low) in blocks.iter_mut().zip(nonces.clone()) {
            block[12..16].copy_from_slice(&last_digits(low).to_be_bytes());
        }
        for (block, low) in blocks.iter().zip(nonces) {
            let mut state = run.midstate;
            compress256(&mut state, std::slice::from_ref(block));
            if state[0] <= limit {
                return Some(low);
            }
        }
    }
    None
}
