//! Eight nonces in the lanes of an AVX2 register.

use super::Run;
use std::ops::Range;

#[cfg(not(target_arch = "x86_64"))]
pub(super) fn is_available() -> bool {
    false
}

/// `None` without AVX2. See [`super::Kernel::candidate`].
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn candidate(_: &Run, _: Range<u32>, _: u32) -> Option<Option<u32>> {
    None
}

#[cfg(target_arch = "x86_64")]
pub(super) use x86::{candidate, is_available};

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, reason = "the processor's instructions; each function that needs them is reached after detection")]
mod x86 {
    use super::super::lanes::{self, Lanes};
    use super::{Range, Run};
    use std::arch::x86_64::{
        __m256i, _mm256_add_epi32, _mm256_and_si256, _mm256_castsi256_ps, _mm256_cmpeq_epi32, _mm256_loadu_si256,
        _mm256_min_epu32, _mm256_movemask_ps, _mm256_or_si256, _mm256_set1_epi32, _mm256_slli_epi32, _mm256_srli_epi32,
        _mm256_srlv_epi32, _mm256_xor_si256,
    };

    pub(in super::super) fn is_available() -> bool {
        is_x86_feature_detected!("avx2")
    }

    /// `None` without AVX2. See [`super::super::Kernel::candidate`].
    pub(in super::super) fn candidate(run: &Run, range: Range<u32>, limit: u32) -> Option<Option<u32>> {
        // SAFETY: the processor has AVX2.
        is_available().then(|| unsafe { with_avx2(run, range, limit) })
    }

    #[target_feature(enable = "avx2")]
    fn with_avx2(run: &Run, range: Range<u32>, limit: u32) -> Option<u32> {
        lanes::candidate::<Avx2>(run, range, limit)
    }

    #[derive(Clone, Copy)]
    struct Avx2(__m256i);

    // SAFETY, of each block: these methods are only reached by `with_avx2`, into which they are inlined.
    impl Lanes for Avx2 {
        const COUNT: u32 = 8;

        #[inline(always)]
        fn splat(word: u32) -> Self {
            Self(unsafe { _mm256_set1_epi32(word.cast_signed()) })
        }

        #[inline(always)]
        fn from_words(words: [u32; 16]) -> Self {
            Self(unsafe { _mm256_loadu_si256(words.as_ptr().cast()) })
        }

        #[inline(always)]
        fn add(self, other: Self) -> Self {
            Self(unsafe { _mm256_add_epi32(self.0, other.0) })
        }

        #[inline(always)]
        fn rotate_right<const BITS: i32, const REST: i32>(self) -> Self {
            Self(unsafe { _mm256_or_si256(_mm256_srli_epi32::<BITS>(self.0), _mm256_slli_epi32::<REST>(self.0)) })
        }

        #[inline(always)]
        fn shift_right(self, bits: u32) -> Self {
            Self(unsafe { _mm256_srlv_epi32(self.0, Self::splat(bits).0) })
        }

        #[inline(always)]
        fn xor3(self, b: Self, c: Self) -> Self {
            Self(unsafe { _mm256_xor_si256(_mm256_xor_si256(self.0, b.0), c.0) })
        }

        #[inline(always)]
        fn choose(self, f: Self, g: Self) -> Self {
            Self(unsafe { _mm256_xor_si256(g.0, _mm256_and_si256(self.0, _mm256_xor_si256(f.0, g.0))) })
        }

        #[inline(always)]
        fn majority(self, b: Self, c: Self) -> Self {
            Self(unsafe {
                _mm256_or_si256(_mm256_and_si256(self.0, b.0), _mm256_and_si256(c.0, _mm256_or_si256(self.0, b.0)))
            })
        }

        #[inline(always)]
        fn at_most(self, limit: u32) -> u32 {
            let least = unsafe { _mm256_min_epu32(self.0, _mm256_set1_epi32(limit.cast_signed())) };
            unsafe { _mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpeq_epi32(least, self.0))) }.cast_unsigned()
        }
    }
}
