//! One compression for several nonces, each in its lane of the registers (FIPS 180-4, section 6.2).

use super::{END_OF_TEXT, LENGTH, ROUND_CONSTANTS, Run, last_digits};
use std::array::from_fn;
use std::ops::Range;

/// A register of 32-bit lanes. Every method works on each lane by itself.
pub(super) trait Lanes: Copy {
    /// Lanes in a register; divides 16, so that the nonces of a register differ in their last hex digit only.
    const COUNT: u32;
    fn splat(word: u32) -> Self;
    fn from_words(words: [u32; 16]) -> Self;
    fn add(self, other: Self) -> Self;
    fn rotate_right<const BITS: i32, const REST: i32>(self) -> Self;
    fn shift_right(self, bits: u32) -> Self;
    fn xor3(self, b: Self, c: Self) -> Self;
    /// Bits of `f` where this one has a 1, of `g` where it has a 0.
    fn choose(self, f: Self, g: Self) -> Self;
    fn majority(self, b: Self, c: Self) -> Self;
    /// One bit for each lane, the first lane's the lowest: whether the lane is at most `limit`.
    fn at_most(self, limit: u32) -> u32;
}

/// See [`super::Kernel::candidate`]. Inlined into a function that has the instructions of `V` enabled.
#[inline(always)]
pub(super) fn candidate<V: Lanes>(run: &Run, range: Range<u32>, limit: u32) -> Option<u32> {
    let shared = Shared::of(run);
    let first = range.start - range.start % V::COUNT;
    for start in (first..range.end).step_by(V::COUNT as usize) {
        let digits = V::from_words(from_fn(|lane| last_digits(start + lane as u32 % V::COUNT)));
        let mut hits = shared.first_words(digits).at_most(limit);
        while hits != 0 {
            let low = start + hits.trailing_zeros();
            if range.contains(&low) {
                return Some(low);
            }
            hits &= hits - 1;
        }
    }
    None
}

/// What the compressions of a run share.
struct Shared {
    midstate: [u32; 8],
    /// After rounds 0 to 2.
    state: [u32; 8],
    /// Words 16 and 17 of the schedule.
    words: [u32; 2],
    /// Word 18 of the schedule without σ0 of word 3, word 19 without word 3.
    parts: [u32; 2],
}

impl Shared {
    fn of(run: &Run) -> Self {
        let [w0, w1, w2] = run.digits;
        let mut state = run.midstate;
        for (word, constant) in run.digits.into_iter().zip(ROUND_CONSTANTS) {
            state = scalar::round(state, word.wrapping_add(constant));
        }
        let w16 = scalar::sigma0(w1).wrapping_add(w0);
        let w17 = scalar::sigma1(LENGTH).wrapping_add(scalar::sigma0(w2)).wrapping_add(w1);
        let w18 = scalar::sigma1(w16).wrapping_add(w2);
        let w19 = scalar::sigma1(w17).wrapping_add(scalar::sigma0(END_OF_TEXT));
        Self { midstate: run.midstate, state, words: [w16, w17], parts: [w18, w19] }
    }

    /// The first word of each hash. `w3` has the last four hex digits of each nonce.
    #[inline(always)]
    fn first_words<V: Lanes>(&self, w3: V) -> V {
        let c = V::splat;
        let mut state = self.state.map(c);
        unrolled!(I in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 => match I {
            0..3 => {}
            3 => state = round(state, w3.add(c(ROUND_CONSTANTS[3]))),
            4 => state = round(state, c(END_OF_TEXT.wrapping_add(ROUND_CONSTANTS[4]))),
            15 => state = round(state, c(LENGTH.wrapping_add(ROUND_CONSTANTS[15]))),
            _ => state = round(state, c(ROUND_CONSTANTS[I])),
        });
        let [w16, w17] = self.words.map(c);
        let w18 = c(self.parts[0]).add(sigma0(w3));
        let w19 = c(self.parts[1]).add(w3);
        let w20 = sigma1(w18).add(c(END_OF_TEXT));
        let w21 = sigma1(w19);
        let w22 = sigma1(w20).add(c(LENGTH));
        let w23 = sigma1(w21).add(w16);
        let w24 = sigma1(w22).add(w17);
        let w25 = sigma1(w23).add(w18);
        let w26 = sigma1(w24).add(w19);
        let w27 = sigma1(w25).add(w20);
        let w28 = sigma1(w26).add(w21);
        let w29 = sigma1(w27).add(w22);
        let w30 = sigma1(w28).add(w23).add(c(scalar::sigma0(LENGTH)));
        let w31 = sigma1(w29).add(w24).add(c(scalar::sigma0(self.words[0]).wrapping_add(LENGTH)));
        let mut w = [w16, w17, w18, w19, w20, w21, w22, w23, w24, w25, w26, w27, w28, w29, w30, w31];
        unrolled!(I in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 => {
            state = round(state, w[I].add(c(ROUND_CONSTANTS[16 + I])));
        });
        state = sixteen_rounds::<V, 32>(state, &mut w);
        state = sixteen_rounds::<V, 48>(state, &mut w);
        state[0].add(c(self.midstate[0]))
    }
}

/// The rounds from `FIRST` on, whose words follow from the sixteen before.
#[inline(always)]
fn sixteen_rounds<V: Lanes, const FIRST: usize>(mut state: [V; 8], w: &mut [V; 16]) -> [V; 8] {
    unrolled!(I in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 => {
        w[I] = w[I].add(sigma0(w[(I + 1) % 16])).add(w[(I + 9) % 16]).add(sigma1(w[(I + 14) % 16]));
        state = round(state, w[I].add(V::splat(ROUND_CONSTANTS[FIRST + I])));
    });
    state
}

/// One round; `word` is the schedule's word plus the round's constant.
#[inline(always)]
fn round<V: Lanes>([a, b, c, d, e, f, g, h]: [V; 8], word: V) -> [V; 8] {
    let big_sigma1 = e.rotate_right::<6, 26>().xor3(e.rotate_right::<11, 21>(), e.rotate_right::<25, 7>());
    let big_sigma0 = a.rotate_right::<2, 30>().xor3(a.rotate_right::<13, 19>(), a.rotate_right::<22, 10>());
    let t1 = h.add(word).add(e.choose(f, g)).add(big_sigma1);
    let t2 = big_sigma0.add(a.majority(b, c));
    [t1.add(t2), a, b, c, d.add(t1), e, f, g]
}

#[inline(always)]
fn sigma0<V: Lanes>(x: V) -> V {
    x.rotate_right::<7, 25>().xor3(x.rotate_right::<18, 14>(), x.shift_right(3))
}

#[inline(always)]
fn sigma1<V: Lanes>(x: V) -> V {
    x.rotate_right::<17, 15>().xor3(x.rotate_right::<19, 13>(), x.shift_right(10))
}

/// The same functions of one word, for what is computed once a run.
pub(super) mod scalar {
    pub(in super::super) fn sigma0(x: u32) -> u32 {
        x.rotate_right(7) ^ x.rotate_right(18) ^ (x >> 3)
    }

    pub(in super::super) fn sigma1(x: u32) -> u32 {
        x.rotate_right(17) ^ x.rotate_right(19) ^ (x >> 10)
    }

    pub(in super::super) fn round([a, b, c, d, e, f, g, h]: [u32; 8], word: u32) -> [u32; 8] {
        let big_sigma1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let big_sigma0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let t1 = h.wrapping_add(word).wrapping_add((e & f) ^ (!e & g)).wrapping_add(big_sigma1);
        let t2 = big_sigma0.wrapping_add((a & b) ^ (a & c) ^ (b & c));
        [t1.wrapping_add(t2), a, b, c, d.wrapping_add(t1), e, f, g]
    }
}
