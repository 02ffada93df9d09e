//! The limits of the nonce search: whole compressions of one block, without any nonce, schedule of its own, or target.

use sha2::block_api::compress256;
use shared::work::Kernel;
use std::hint::black_box;

/// Compresses `count` blocks, or slightly more, with the instructions of `kernel`.
pub(super) fn compressions(kernel: Kernel, count: u64) {
    #[cfg(target_arch = "x86_64")]
    match kernel {
        Kernel::Avx512 if is_x86_feature_detected!("avx512f") => return x86::avx512(count),
        Kernel::ShaNi if is_x86_feature_detected!("sha") && is_x86_feature_detected!("sse4.1") => {
            return x86::sha_ni(count);
        }
        _ => {}
    }
    let _ = kernel;
    let midstate = black_box([7_u32; 8]);
    let block = black_box([7_u8; 64]);
    for _ in 0..count {
        let mut state = midstate;
        compress256(&mut state, std::slice::from_ref(&block));
        black_box(&state);
    }
}

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, reason = "the same instructions as in the kernels; the caller has detected them")]
mod x86 {
    use std::arch::x86_64::*;
    use std::hint::black_box;

    /// Sixteen blocks in the lanes of each register, every step as FIPS 180-4 writes it.
    pub(super) fn avx512(count: u64) {
        // SAFETY: the caller has detected AVX-512 F.
        unsafe { with_avx512(count) }
    }

    #[target_feature(enable = "avx512f")]
    fn with_avx512(count: u64) {
        let input = black_box([_mm512_set1_epi32(7); 24]);
        for _ in 0..count.div_ceil(16) {
            let mut w: [__m512i; 16] = std::array::from_fn(|i| input[i]);
            let mut state: [__m512i; 8] = std::array::from_fn(|i| input[16 + i]);
            for _ in 0..4 {
                state = sixteen_rounds(state, &mut w);
            }
            black_box(&state);
        }
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn sixteen_rounds(mut state: [__m512i; 8], w: &mut [__m512i; 16]) -> [__m512i; 8] {
        macro_rules! rounds {
            ($($i:literal)*) => { $(
                let [a, b, c, d, e, f, g, h] = state;
                let big1 = xor3(_mm512_ror_epi32::<6>(e), _mm512_ror_epi32::<11>(e), _mm512_ror_epi32::<25>(e));
                let big0 = xor3(_mm512_ror_epi32::<2>(a), _mm512_ror_epi32::<13>(a), _mm512_ror_epi32::<22>(a));
                let choose = _mm512_ternarylogic_epi32::<0xca>(e, f, g);
                let majority = _mm512_ternarylogic_epi32::<0xe8>(a, b, c);
                let word = add(w[$i], _mm512_set1_epi32(0x5a82_7999 + $i));
                let t1 = add(add(h, word), add(choose, big1));
                state = [add(t1, add(big0, majority)), a, b, c, add(d, t1), e, f, g];
                let (x, y) = (w[($i + 1) % 16], w[($i + 14) % 16]);
                let small0 = xor3(_mm512_ror_epi32::<7>(x), _mm512_ror_epi32::<18>(x), _mm512_srli_epi32::<3>(x));
                let small1 = xor3(_mm512_ror_epi32::<17>(y), _mm512_ror_epi32::<19>(y), _mm512_srli_epi32::<10>(y));
                w[$i] = add(add(w[$i], small0), add(w[($i + 9) % 16], small1));
            )* };
        }
        rounds!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
        state
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn add(a: __m512i, b: __m512i) -> __m512i {
        _mm512_add_epi32(a, b)
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn xor3(a: __m512i, b: __m512i, c: __m512i) -> __m512i {
        _mm512_ternarylogic_epi32::<0x96>(a, b, c)
    }

    /// Two blocks interleaved: 32 instructions of rounds each, and the schedule's.
    pub(super) fn sha_ni(count: u64) {
        // SAFETY: the caller has detected the extensions.
        unsafe { with_sha(count) }
    }

    #[target_feature(enable = "sha,sse2,ssse3,sse4.1")]
    fn with_sha(count: u64) {
        // Two inputs, or the compiler would see that both results are the same.
        let inputs = black_box([[_mm_set1_epi32(7); 6]; 2]);
        for _ in 0..count.div_ceil(2) {
            let mut states = inputs.map(|input| (input[4], input[5]));
            let mut words = inputs.map(|input| [input[0], input[1], input[2], input[3]]);
            for _ in 0..4 {
                for (state, w) in states.iter_mut().zip(&mut words) {
                    *state = sixteen_rounds_by_sha(*state, w);
                }
            }
            black_box(&states);
        }
    }

    #[target_feature(enable = "sha,sse2,ssse3,sse4.1")]
    #[inline]
    fn sixteen_rounds_by_sha(mut state: (__m128i, __m128i), w: &mut [__m128i; 4]) -> (__m128i, __m128i) {
        macro_rules! rounds {
            ($($i:literal)*) => { $(
                let input = _mm_add_epi32(w[$i], _mm_set1_epi32(0x5a82_7999 + $i));
                let next = _mm_sha256rnds2_epu32(state.1, state.0, input);
                state = (_mm_sha256rnds2_epu32(state.0, next, _mm_shuffle_epi32::<0x0e>(input)), next);
                let sum = _mm_sha256msg1_epu32(w[$i], w[($i + 1) % 4]);
                let sum = _mm_add_epi32(sum, _mm_alignr_epi8::<4>(w[($i + 3) % 4], w[($i + 2) % 4]));
                w[$i] = _mm_sha256msg2_epu32(sum, w[($i + 3) % 4]);
            )* };
        }
        rounds!(0 1 2 3);
        state
    }
}
