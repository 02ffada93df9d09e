//! The SHA extensions of x86-64, several nonces interleaved.
//!
//! An instruction of two rounds takes longer than the processor needs to begin the next one, and the next one of the
//! same nonce needs its result. Rounds of other nonces fill the gap.

use super::Run;
use std::ops::Range;

#[cfg(not(target_arch = "x86_64"))]
pub(super) fn is_available() -> bool {
    false
}

/// `None` without the extensions. See [`super::Kernel::candidate`].
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn candidate(_: &Run, _: Range<u32>, _: u32) -> Option<Option<u32>> {
    None
}

#[cfg(target_arch = "x86_64")]
pub(super) use x86::{candidate, is_available};

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, reason = "the processor's instructions; each function that needs them is reached after detection")]
mod x86 {
    use super::super::lanes::scalar;
    use super::super::{END_OF_TEXT, LENGTH, ROUND_CONSTANTS, last_digits};
    use super::{Range, Run};
    use std::arch::x86_64::{
        __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_extract_epi32, _mm_insert_epi32, _mm_set_epi32,
        _mm_sha256msg1_epu32, _mm_sha256msg2_epu32, _mm_sha256rnds2_epu32, _mm_shuffle_epi32,
    };
    use std::array::from_fn;

    /// Nonces that are interleaved.
    const STREAMS: usize = 2;

    pub(in super::super) fn is_available() -> bool {
        is_x86_feature_detected!("sha") && is_x86_feature_detected!("sse4.1") && is_x86_feature_detected!("ssse3")
    }

    /// `None` without the extensions. See [`super::super::Kernel::candidate`].
    pub(in super::super) fn candidate(run: &Run, range: Range<u32>, limit: u32) -> Option<Option<u32>> {
        // SAFETY: the processor has the extensions.
        is_available().then(|| unsafe { with_sha(run, range, limit) })
    }

    #[target_feature(enable = "sha,sse2,ssse3,sse4.1")]
    fn with_sha(run: &Run, range: Range<u32>, limit: u32) -> Option<u32> {
        let shared = Shared::of(run);
        for start in range.clone().step_by(STREAMS) {
            // The last group may reach beyond the range; what it finds there is passed over.
            let firsts = shared.first_words::<STREAMS>(from_fn(|stream| last_digits(start + stream as u32)));
            for (low, first) in (start..range.end).zip(firsts) {
                if first <= limit {
                    return Some(low);
                }
            }
        }
        None
    }

    /// What the compressions of a run share. Registers hold words from the lowest lane on, states as the instructions
    /// want them: `f, e, b, a` and `h, g, d, c`.
    struct Shared {
        /// The first word of the midstate, to which the last round's result is added.
        midstate: u32,
        /// After rounds 0 and 1.
        feba: __m128i,
        hgdc: __m128i,
        /// Words 0 to 2, and a place for word 3.
        digits: __m128i,
        /// Word 2 plus its round's constant, and round 3's constant.
        round2: u32,
        /// What words 16 to 19 have besides words 0 to 3 and σ0 of them.
        part16: __m128i,
        /// Words 20 to 23 without σ1 of the words before.
        part20: __m128i,
        /// σ0 and the lower word for words 28 to 31.
        part28: __m128i,
    }

    #[target_feature(enable = "sha,sse2,ssse3,sse4.1")]
    fn lanes(words: [u32; 4]) -> __m128i {
        let [a, b, c, d] = words.map(u32::cast_signed);
        _mm_set_epi32(d, c, b, a)
    }

    /// The constants of the four rounds from `first` on.
    #[target_feature(enable = "sha,sse2,ssse3,sse4.1")]
    fn constants(first: usize) -> __m128i {
        lanes(from_fn(|i| ROUND_CONSTANTS[first + i]))
    }

    impl Shared {
        #[target_feature(enable = "sha,sse2,ssse3,sse4.1")]
        fn of(run: &Run) -> Self {
            let [w0, w1, w2] = run.digits;
            let mut state = run.midstate;
            for (word, constant) in [w0, w1].into_iter().zip(ROUND_CONSTANTS) {
                state = scalar::round(state, word.wrapping_add(constant));
            }
            let [a, b, c, d, e, f, g, h] = state;
            let w16 = scalar::sigma0(w1).wrapping_add(w0);
            let w17 = scalar::sigma1(LENGTH).wrapping_add(scalar::sigma0(w2)).wrapping_add(w1);
            Self {
                midstate: run.midstate[0],
                feba: lanes([f, e, b, a]),
                hgdc: lanes([h, g, d, c]),
                digits: lanes([w0, w1, w2, 0]),
                round2: w2.wrapping_add(ROUND_CONSTANTS[2]),
                part16: lanes([0, scalar::sigma1(LENGTH), scalar::sigma1(w16), scalar::sigma1(w17)]),
                part20: lanes([END_OF_TEXT, 0, LENGTH, w16]),
                part28: lanes([0, 0, scalar::sigma0(LENGTH), LENGTH.wrapping_add(scalar::sigma0(w16))]),
            }
        }

        /// The first word of each hash. `w3` has the last four hex digits of each nonce.
        #[target_feature(enable = "sha,sse2,ssse3,sse4.1")]
        fn first_words<const N: usize>(&self, w3: [u32; N]) -> [u32; N] {
            let mut state = [(self.feba, self.hgdc); N];
            let mut words = [[self.digits; 4]; N];
            for i in 0..N {
                let round3 = w3[i].wrapping_add(ROUND_CONSTANTS[3]);
                let input = lanes([self.round2, round3, 0, 0]);
                state[i] = (_mm_sha256rnds2_epu32(state[i].1, state[i].0, input), state[i].0);
            }
            let words4 = lanes([END_OF_TEXT, 0, 0, 0]);
            four_rounds(&mut state, [_mm_add_epi32(words4, constants(4)); N]);
            four_rounds(&mut state, [constants(8); N]);
            four_rounds(&mut state, [_mm_add_epi32(lanes([0, 0, 0, LENGTH]), constants(12)); N]);
            for i in 0..N {
                let w0 = _mm_insert_epi32::<3>(self.digits, w3[i].cast_signed());
                let w16 = _mm_add_epi32(_mm_sha256msg1_epu32(w0, words4), self.part16);
                let w20 = _mm_sha256msg2_epu32(self.part20, w16);
                let w24 = _mm_sha256msg2_epu32(_mm_alignr_epi8::<4>(w20, w16), w20);
                let w28 = _mm_add_epi32(self.part28, _mm_alignr_epi8::<4>(w24, w20));
                words[i] = [w16, w20, w24, _mm_sha256msg2_epu32(w28, w24)];
            }
            unrolled!(GROUP in 0 1 2 3 4 5 6 7 8 9 10 11 => {
                let constants = constants(16 + 4 * GROUP);
                four_rounds(&mut state, from_fn(|i| _mm_add_epi32(words[i][GROUP % 4], constants)));
                if GROUP < 8 {
                    for words in &mut words {
                        let [w0, w4, w8, w12] = [0, 1, 2, 3].map(|i| words[(GROUP + i) % 4]);
                        let sum = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w4), _mm_alignr_epi8::<4>(w12, w8));
                        words[GROUP % 4] = _mm_sha256msg2_epu32(sum, w12);
                    }
                }
            });
            from_fn(|i| _mm_extract_epi32::<3>(state[i].0).cast_unsigned().wrapping_add(self.midstate))
        }
    }

    /// Four rounds of each stream, whose inputs are the schedule's words plus the rounds' constants.
    #[target_feature(enable = "sha,sse2,ssse3,sse4.1")]
    #[inline]
    fn four_rounds<const N: usize>(state: &mut [(__m128i, __m128i); N], inputs: [__m128i; N]) {
        for (state, input) in state.iter_mut().zip(inputs) {
            let (feba, hgdc) = *state;
            let next = _mm_sha256rnds2_epu32(hgdc, feba, input);
            *state = (_mm_sha256rnds2_epu32(feba, next, _mm_shuffle_epi32::<0x0e>(input)), next);
        }
    }
}
