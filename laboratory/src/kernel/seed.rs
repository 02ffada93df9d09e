//! Seeds: one per run, from which every stream of the run follows.

use sha2::{Digest, Sha256};
use shared::random::Random;

/// What a stream of random numbers is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Which miner finds the next block.
    Miner = 1,
    /// When the next block is found.
    Time = 2,
    /// Which nodes are linked, where they are, and how much hash rate each has.
    Graph = 3,
    /// How long messages take.
    Latency = 4,
}

/// The seed of one run: a hash of the scenario's seed, the text of its point and the number of the replication.
///
/// Adding points, replications or shards changes no other run.
pub fn run_seed(scenario_seed: u64, point: &str, replication: u64) -> u64 {
    let digest = Sha256::digest(format!("{scenario_seed}\n{point}\n{replication}"));
    digest.iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte))
}

/// The stream for one purpose of the run with this seed.
pub fn stream(run_seed: u64, purpose: Stream) -> Random {
    Random::new(mixed(run_seed, &[purpose as u64]))
}

/// A number that depends on `seed` and on every key in order: randomness that is looked up instead of drawn.
pub fn mixed(seed: u64, keys: &[u64]) -> u64 {
    keys.iter().fold(seed, |state, key| Random::new(Random::new(state).next_u64() ^ key).next_u64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_has_the_same_seed_for_ever() {
        assert_eq!(run_seed(42, "miner.pool.share=0.3", 0), 1_663_672_952_273_255_097);
    }

    #[test]
    fn seed_point_and_replication_all_matter_and_zero_is_a_seed() {
        let seeds = [run_seed(0, "a=1", 0), run_seed(1, "a=1", 0), run_seed(0, "a=2", 0), run_seed(0, "a=1", 1)];
        for (number, seed) in seeds.iter().enumerate() {
            assert!(!seeds[..number].contains(seed));
        }
    }

    #[test]
    fn streams_of_a_run_differ() {
        let firsts = [Stream::Miner, Stream::Time, Stream::Graph, Stream::Latency].map(|s| stream(0, s).next_u64());
        for (number, first) in firsts.iter().enumerate() {
            assert!(!firsts[..number].contains(first));
        }
    }
}
