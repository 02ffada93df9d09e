//! What the simulator itself leaves to chance, from one seed: who is in which half, who pays whom,
//! the network's name.
//!
//! Mining is not among it: who finds the next block is real chance in every run.

/// A small generator (splitmix64): the same seed gives the same numbers.
#[derive(Debug, Clone)]
pub struct SeededRandom(u64);

impl SeededRandom {
    /// Begins with `seed`.
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

    /// Puts `items` into an order of chance.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.index(last + 1));
        }
    }

    /// A place in a list of `count` items; 0 where there are none.
    pub fn index(&mut self, count: usize) -> usize {
        usize::try_from(self.next_u64() % (count.max(1) as u64)).unwrap_or(0)
    }

    /// A number from `low` to `high`, both possible; `low` where it is the larger one.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next_u64() % high.saturating_sub(low).saturating_add(1)
    }
}
