//! Pseudo-random numbers from a seed: the only generator of this project (SplitMix64).
//!
//! A seed means the same numbers on every machine and in every release, because simulations, tests and experiments are
//! named by their seeds and replayed years later. Neither the algorithm nor how a method uses its output may ever
//! change; the tests pin both. A crate's generator may change with its version, so none is used.
//!
//! Not for secrets: a few outputs reveal all that follow. Keys and tokens come from the operating system.

/// A SplitMix64 generator (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// A generator whose numbers follow from `seed` alone.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub const fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number in `0 .. end`, or 0 if `end` is 0. The bias of a number is at most `end` in 2^53.
    pub const fn below(&mut self, end: u64) -> u64 {
        let bits = self.next_u64() >> 11;
        if end == 0 { 0 } else { bits % end }
    }

    /// An index of a list of `length` items, or 0 if it is empty.
    pub const fn index(&mut self, length: usize) -> usize {
        self.below(length as u64) as usize
    }

    /// An exponentially distributed number with mean 1, in units of 2^-64.
    ///
    /// Exact, and made of integer comparisons alone (von Neumann, "Various techniques used in connection with random
    /// digits", 1951): a logarithm would differ between platforms.
    pub const fn exponential(&mut self) -> u128 {
        let mut whole = 0;
        loop {
            let first = self.next_u64();
            // How long the numbers fall: odd with probability e^-x where the first is x.
            let (mut last, mut length_is_odd) = (first, true);
            loop {
                let next = self.next_u64();
                if next >= last {
                    break;
                }
                last = next;
                length_is_odd = !length_is_odd;
            }
            if length_is_odd {
                return whole << 64 | first as u128;
            }
            whole += 1;
        }
    }

    /// Puts `items` in random order (Fisher and Yates, from the last item down).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.index(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_splitmix64() {
        // The sequence that other implementations publish for this seed.
        let mut random = Random::new(1_234_567);
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!([random.next_u64(), random.next_u64(), random.next_u64()], expected);
    }

    #[test]
    fn a_seed_means_the_same_choices_for_ever() {
        let mut random = Random::new(7);
        let mut order = [0, 1, 2, 3, 4, 5, 6, 7];
        random.shuffle(&mut order);
        assert_eq!((order, random.below(1000), random.index(5)), ([2, 4, 5, 6, 3, 7, 0, 1], 279, 2));
        assert_eq!((random.below(0), random.index(0)), (0, 0));
        assert_eq!(
            [random.exponential(), random.exponential()],
            [17_706_551_433_532_105_516, 6_020_303_405_324_641_991]
        );
    }

    #[test]
    fn exponential_numbers_have_mean_and_variance_one() {
        let mut random = Random::new(11);
        let numbers: Vec<f64> = (0..100_000).map(|_| random.exponential() as f64 / 2_f64.powi(64)).collect();
        let mean = numbers.iter().sum::<f64>() / 1e5;
        let variance = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 1e5;
        // Standard errors: 0.0032 and 0.0089.
        assert!((mean - 1.0).abs() < 0.013 && (variance - 1.0).abs() < 0.036, "{mean} {variance}");
    }
}
