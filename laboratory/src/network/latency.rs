//! How long a message takes: looked up by block, sender, receiver and kind, in a table of quantiles.
//!
//! Looked up instead of drawn in turn, so that leaving out a message that cannot matter changes no other one.

use super::Preset;
use crate::kernel::mixed;
use shared::random::Random;

/// Entries of a table: a power of two.
const QUANTILES: usize = 1024;

/// Tables of latencies in milliseconds, one a pair of regions.
#[derive(Debug, Clone)]
pub struct Latencies {
    regions: usize,
    tables: Vec<u16>,
    least: Vec<u16>,
}

impl Latencies {
    pub(super) fn new(preset: &Preset) -> Self {
        let means = preset.latencies_ms.iter().flatten();
        let tables: Vec<u16> = means
            .flat_map(|&mean| (0..QUANTILES).map(move |index| (index, mean)))
            .map(|(index, mean)| quantile((index as f64 + 0.5) / QUANTILES as f64, mean, preset.latency_varies))
            .collect();
        let least = tables.chunks(QUANTILES).map(|table| table.iter().copied().min().unwrap_or(0)).collect();
        Self { regions: preset.regions.len(), tables, least }
    }

    /// How many regions there are.
    pub const fn regions(&self) -> usize {
        self.regions
    }

    /// The key of one block's messages of one kind.
    pub fn key(seed: u64, block: u32, kind: u64) -> u64 {
        mixed(seed, &[u64::from(block), kind])
    }

    /// The latency of the message from one node to another between this pair of regions.
    #[inline]
    pub fn ms(&self, pair: usize, key: u64, from: u32, to: u32) -> u64 {
        let bits = Random::new(key ^ (u64::from(from) << 32 | u64::from(to))).next_u64();
        u64::from(self.tables[pair * QUANTILES + (bits >> 54) as usize])
    }

    /// No message between this pair of regions takes less.
    #[inline]
    pub fn least_ms(&self, pair: usize) -> u64 {
        u64::from(self.least[pair])
    }
}

/// SimBlock's Pareto distribution: shape a fifth of the mean, scale 5 ms below the mean.
fn quantile(probability: f64, mean: u64, varies: bool) -> u16 {
    let mean_ms = mean as f64;
    if !varies || mean <= 5 {
        return mean_ms as u16;
    }
    let exact = (mean_ms - 5.0) / libm::pow(1.0 - probability, 1.0 / (0.2 * mean_ms));
    libm::round(exact).min(f64::from(u16::MAX)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::PresetName;

    #[test]
    fn latencies_have_the_mean_of_the_preset_and_are_never_below_the_least() {
        let latencies = Latencies::new(&Preset::new(PresetName::Simblock2019, 0));
        let (europe, japan) = (1, 4);
        let pair = europe * latencies.regions() + japan;
        let key = Latencies::key(5, 9, 1);
        let all: Vec<u64> = (0..10_000).map(|to| latencies.ms(pair, key, 3, to)).collect();
        let mean = all.iter().sum::<u64>() as f64 / 1e4;
        // Scale 247, shape 50.4: the mean of the Pareto distribution is 252.
        assert!((mean - 252.0).abs() < 1.0, "{mean}");
        assert!(all.iter().all(|&ms| ms >= latencies.least_ms(pair)));
    }
}
