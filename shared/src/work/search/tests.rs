//! All kernels against plain SHA-256.

use super::*;
use crate::work::Difficulty;
use proptest::prelude::*;

/// What FIPS 180-4 says, by hashing each text whole.
fn plain(seal: &Seal, target: &Target, first: Nonce, count: u64) -> Option<Nonce> {
    (0..count).map(|n| Nonce(first.0.wrapping_add(n))).find(|&nonce| target.is_met_by(&seal.block_hash(nonce)))
}

#[test]
fn finds_exactly_the_nonces_that_plain_sha256_finds() {
    let target = Difficulty::new(50).unwrap().target();
    for text in ["one", "two", "three"] {
        let seal = Seal::of(text);
        for first in [0, 250, 65_300, u64::from(u32::MAX) - 100, u64::MAX - 100] {
            let expected = plain(&seal, &target, Nonce(first), 700);
            for kernel in Kernel::available() {
                let found = kernel.search(&seal, &target, Nonce(first), 700);
                assert_eq!(found, expected, "{kernel:?}, {text} from {first}");
            }
        }
    }
}

#[test]
fn nothing_is_found_in_an_empty_range_or_below_an_impossible_target() {
    let seal = Seal::of("seal");
    for kernel in Kernel::available() {
        assert_eq!(kernel.search(&seal, &Difficulty::MIN.target(), Nonce(0), 0), None);
        assert_eq!(kernel.search(&seal, &Difficulty::MAX.target(), Nonce(0), 1000), None);
        assert_eq!(kernel.search(&seal, &Difficulty::MIN.target(), Nonce(7), 1), Some(Nonce(7)));
    }
}

/// A kernel that is not detected would be tested by nothing.
#[test]
fn the_portable_kernel_is_always_there_and_comes_last() {
    let kernels: Vec<_> = Kernel::available().collect();
    assert_eq!(kernels.last(), Some(&Kernel::Portable));
    println!("kernels of this processor: {kernels:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Starts next to the edges of lanes, runs and 64 bits, and counts that end within a register.
    #[test]
    fn all_kernels_find_the_same(
        text in "[a-z]{0,8}",
        edge in prop_oneof![Just(0), Just(1 << 16), Just(1 << 32), Just(u64::MAX), any::<u64>()],
        offset in 0..100_u64,
        count in 0..2_000_u64,
        difficulty in prop_oneof![1..20_u64, 100..3_000_u64],
    ) {
        let (seal, target) = (Seal::of(&text), Difficulty::new(difficulty).unwrap().target());
        let first = Nonce(edge.wrapping_sub(offset));
        let expected = plain(&seal, &target, first, count);
        for kernel in Kernel::available() {
            prop_assert_eq!(kernel.search(&seal, &target, first, count), expected, "{:?}", kernel);
        }
    }
}
