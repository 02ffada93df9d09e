//! Sixteen nonces in the lanes of an AVX-512 register.

use super::Run;
use std::ops::Range;

#[cfg(not(target_arch = "x86_64"))]
pub(super) fn is_available() -> bool {
    false
}

/// `None` without AVX-512. See [`super::Kernel::candidate`].
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
        __m512i, _mm512_add_epi32, _mm512_cmple_epu32_mask, _mm512_loadu_si512, _mm512_ror_epi32, _mm512_set1_epi32,
        _mm512_srlv_epi32, _mm512_ternarylogic_epi32,
    };

    pub(in super::super) fn is_available() -> bool {
        is_x86_feature_detected!("avx512f")
    }

    /// `None` without AVX-512. See [`super::super::Kernel::candidate`].
    pub(in super::super) fn candidate(run: &Run, range: Range<u32>, limit: u32) -> Option<Option<u32>> {
        // SAFETY: the processor has AVX-512 F.
        is_available().then(|| unsafe { with_avx512(run, range, limit) })
    }

    #[target_feature(enable = "avx512f")]
    fn with_avx512(run: &Run, range: Range<u32>, limit: u32) -> Option<u32> {
        lanes::candidate::<Avx512>(run, range, limit)
    }

    #[derive(Clone, Copy)]
    struct Avx512(__m512i);

    // SAFETY, of each block: these methods are only reached by `with_avx512`, into which they are inlined.
    impl Lanes for Avx512 {
        const COUNT: u32 = 16;

        #[inline(always)]
        fn splat(word: u32) -> Self {
            Self(unsafe { _mm512_set1_epi32(word.cast_signed()) })
        }

        #[inline(always)]
        fn from_words(words: [u32; 16]) -> Self {
            Self(unsafe { _mm512_loadu_si512(words.as_ptr().cast()) })
        }

        #[inline(always)]
        fn add(self, other: Self) -> Self {
            Self(unsafe { _mm512_add_epi32(self.0, other.0) })
        }

        #[inline(always)]
        fn rotate_right<const BITS: i32, const REST: i32>(self) -> Self {
            Self(unsafe { _mm512_ror_epi32::<BITS>(self.0) })
        }

        #[inline(always)]
        fn shift_right(self, bits: u32) -> Self {
            Self(unsafe { _mm512_srlv_epi32(self.0, Self::splat(bits).0) })
        }

        #[inline(always)]
        fn xor3(self, b: Self, c: Self) -> Self {
            Self(unsafe { _mm512_ternarylogic_epi32::<0x96>(self.0, b.0, c.0) })
        }

        #[inline(always)]
        fn choose(self, f: Self, g: Self) -> Self {
            Self(unsafe { _mm512_ternarylogic_epi32::<0xca>(self.0, f.0, g.0) })
        }

        #[inline(always)]
        fn majority(self, b: Self, c: Self) -> Self {
            Self(unsafe { _mm512_ternarylogic_epi32::<0xe8>(self.0, b.0, c.0) })
        }

        #[inline(always)]
        fn at_most(self, limit: u32) -> u32 {
            u32::from(unsafe { _mm512_cmple_epu32_mask(self.0, _mm512_set1_epi32(limit.cast_signed())) })
        }
    }
}
