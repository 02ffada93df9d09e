//! The mining kernel: looks for a nonce that makes a seal's hash meet a target.
//!
//! A hashed text is 80 bytes: 64 of the seal, 16 of the nonce. SHA-256 takes 64 bytes at a time, so the first of its
//! two compressions is the same for every nonce and is done once (the midstate); each nonce costs one compression.
//!
//! ```text
//! second block:  nonce (16 hex digits) | 0x80 | 39 zeros | length in bits, 640, as 8 bytes big-endian
//! word               0 to 3              4      5 to 14    15
//! ```
//!
//! 65,536 nonces in a row, a [`Run`], differ in word 3 only. Everything that follows from the other words is computed
//! once a run. [`Kernel`]s differ in the instructions that they use for the rest, never in what they find.

/// Writes a statement once for each value of `$i`: left to itself the compiler keeps some of these loops, and then the
/// words do not stay in registers.
macro_rules! unrolled {
    ($i:ident in $($n:literal)* => $body:expr) => { $({ const $i: usize = $n; $body; })* };
}

mod avx2;
mod avx512;
mod lanes;
mod portable;
mod sha_ni;
#[cfg(test)]
mod tests;

use super::Target;
use crate::block::{Nonce, Seal};
use sha2::block_api::compress256;
use std::ops::Range;

/// The initial state of SHA-256 (FIPS 180-4, section 5.3.3).
const INITIAL_STATE: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// The constants of SHA-256's rounds (FIPS 180-4, section 4.2.2).
const ROUND_CONSTANTS: [u32; 64] = [
    0x428a_2f98,
    0x7137_4491,
    0xb5c0_fbcf,
    0xe9b5_dba5,
    0x3956_c25b,
    0x59f1_11f1,
    0x923f_82a4,
    0xab1c_5ed5,
    0xd807_aa98,
    0x1283_5b01,
    0x2431_85be,
    0x550c_7dc3,
    0x72be_5d74,
    0x80de_b1fe,
    0x9bdc_06a7,
    0xc19b_f174,
    0xe49b_69c1,
    0xefbe_4786,
    0x0fc1_9dc6,
    0x240c_a1cc,
    0x2de9_2c6f,
    0x4a74_84aa,
    0x5cb0_a9dc,
    0x76f9_88da,
    0x983e_5152,
    0xa831_c66d,
    0xb003_27c8,
    0xbf59_7fc7,
    0xc6e0_0bf3,
    0xd5a7_9147,
    0x06ca_6351,
    0x1429_2967,
    0x27b7_0a85,
    0x2e1b_2138,
    0x4d2c_6dfc,
    0x5338_0d13,
    0x650a_7354,
    0x766a_0abb,
    0x81c2_c92e,
    0x9272_2c85,
    0xa2bf_e8a1,
    0xa81a_664b,
    0xc24b_8b70,
    0xc76c_51a3,
    0xd192_e819,
    0xd699_0624,
    0xf40e_3585,
    0x106a_a070,
    0x19a4_c116,
    0x1e37_6c08,
    0x2748_774c,
    0x34b0_bcb5,
    0x391c_0cb3,
    0x4ed8_aa4a,
    0x5b9c_ca4f,
    0x682e_6ff3,
    0x748f_82ee,
    0x78a5_636f,
    0x84c8_7814,
    0x8cc7_0208,
    0x90be_fffa,
    0xa450_6ceb,
    0xbef9_a3f7,
    0xc671_78f2,
];

/// Word 4 of the second block: the bit that ends the text.
const END_OF_TEXT: u32 = 0x8000_0000;
/// Word 15 of the second block: the length of the text in bits.
const LENGTH: u32 = 640;

/// Nonces that share all hex digits but the last four, and so all words of the second block but word 3.
const RUN: u64 = 1 << 16;

/// The first nonce among `first`, `first + 1`, … (`count` of them, wrapping around) whose hash meets `target`.
///
/// Uses the fastest kernel of this processor; every kernel returns the same nonce.
pub fn search(seal: &Seal, target: &Target, first: Nonce, count: u64) -> Option<Nonce> {
    Kernel::fastest().search(seal, target, first, count)
}

/// The instructions that a search uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernel {
    /// x86-64 with SHA extensions: several nonces interleaved, because each instruction waits for the last.
    ShaNi,
    /// x86-64 with AVX-512: sixteen nonces in the lanes of each register.
    Avx512,
    /// x86-64 with AVX2: eight nonces in the lanes of each register.
    Avx2,
    /// `sha2`'s compression, a nonce at a time. It uses the SHA-2 instructions of ARMv8 where they exist.
    Portable,
}

impl Kernel {
    /// All kernels, the fastest first.
    const ALL: [Self; 4] = [Self::Avx512, Self::ShaNi, Self::Avx2, Self::Portable];

    /// The kernels that this processor can run, the fastest first; never empty.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|kernel| kernel.is_available())
    }

    fn fastest() -> Self {
        Self::available().next().unwrap_or(Self::Portable)
    }

    fn is_available(self) -> bool {
        match self {
            Self::ShaNi => sha_ni::is_available(),
            Self::Avx512 => avx512::is_available(),
            Self::Avx2 => avx2::is_available(),
            Self::Portable => true,
        }
    }

    /// As [`search`], with this kernel, or with the portable one where this one is not available.
    pub fn search(self, seal: &Seal, target: &Target, first: Nonce, count: u64) -> Option<Nonce> {
        let mut midstate = INITIAL_STATE;
        compress256(&mut midstate, &[seal.to_hex()]);
        let limit = first_word(target);
        let mut tried = 0;
        while tried < count {
            let nonce = first.0.wrapping_add(tried);
            let start = nonce % RUN;
            let tries = (RUN - start).min(count - tried);
            let run = Run::new(midstate, nonce - start);
            let mut left = start as u32..(start + tries) as u32;
            while let Some(candidate) = self.candidate(&run, left.clone(), limit) {
                let nonce = Nonce(nonce - start + u64::from(candidate));
                if target.is_met_by(&seal.block_hash(nonce)) {
                    return Some(nonce);
                }
                left.start = candidate + 1;
            }
            tried += tries;
        }
        None
    }

    /// The first of the run's nonces in `range` whose hash begins with a word of at most `limit`. That settles nearly
    /// all nonces; the caller compares the whole hash of the rest.
    fn candidate(self, run: &Run, range: Range<u32>, limit: u32) -> Option<u32> {
        let found = match self {
            Self::ShaNi => sha_ni::candidate(run, range.clone(), limit),
            Self::Avx512 => avx512::candidate(run, range.clone(), limit),
            Self::Avx2 => avx2::candidate(run, range.clone(), limit),
            Self::Portable => None,
        };
        found.unwrap_or_else(|| portable::candidate(run, range, limit))
    }
}

/// [`RUN`] nonces that differ in their last four hex digits.
struct Run {
    midstate: [u32; 8],
    /// Words 0 to 2 of the second block: the first twelve hex digits.
    digits: [u32; 3],
}

impl Run {
    /// The run of a nonce whose last four hex digits are 0.
    fn new(midstate: [u32; 8], first: u64) -> Self {
        let digits = words(&Nonce(first).to_hex());
        Self { midstate, digits: [digits[0], digits[1], digits[2]] }
    }
}

/// Word 3 of the second block: the last four hex digits of a nonce as ASCII.
fn last_digits(low: u32) -> u32 {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    (0..4).fold(0, |word, digit| word << 8 | u32::from(DIGITS[(low >> (12 - 4 * digit)) as usize & 15]))
}

fn words<const N: usize>(bytes: &[u8; N]) -> [u32; 4] {
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(4)) {
        *word = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    }
    words
}

fn first_word(target: &Target) -> u32 {
    let bytes = target.as_bytes();
    u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}
