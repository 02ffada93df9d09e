//! The block intervals under each retarget rule: with a steady hash rate, after a tenfold change, and after a night
//! without miners.
//!
//! Miners are simulated: the time to a block is `difficulty / hash rate` times an exponentially distributed number,
//! drawn from a seed. Run with `--nocapture` to see how many blocks recovering takes.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests: this is how they fail

use shared::block::{Height, Timestamp};
use shared::params::{Params, RetargetRule};
use shared::random::Random;
use shared::work::Difficulty;
use shared::work::retarget::{Ancestor, Retarget};

const INTERVAL_MS: u64 = 5000;
const SEEDS: u64 = 40;
/// A night without miners.
const NIGHT_MS: u64 = 10 * 60 * 60 * 1000;

struct Network {
    rule: Box<dyn Retarget>,
    ancestors: Vec<Ancestor>,
    /// Hashes per millisecond.
    hashrate: f64,
    random: Random,
}

impl Network {
    /// A network that starts with the right difficulty for its hash rate.
    fn new(rule: RetargetRule, window: u64, seed: u64) -> Self {
        let initial_difficulty = Difficulty::new(65_536).unwrap();
        let params = Params { retarget: rule, retarget_window: window, initial_difficulty, ..Params::default() };
        assert_eq!(params.block_interval_ms, INTERVAL_MS);
        let genesis = params.genesis();
        let header = genesis.header();
        Self {
            rule: RetargetRule::build(&params),
            ancestors: vec![Ancestor { timestamp: header.timestamp, difficulty: header.difficulty }],
            hashrate: initial_difficulty.value() as f64 / INTERVAL_MS as f64,
            random: Random::new(seed),
        }
    }

    /// A random number between 0 and 1.
    fn random(&mut self) -> f64 {
        (self.random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn next_difficulty(&self) -> Difficulty {
        let first = self.ancestors.len().saturating_sub(self.rule.reach());
        self.rule.next(Height(self.ancestors.len() as u64), &self.ancestors[first..])
    }

    /// The expected milliseconds until the next block.
    fn expected_ms(&self) -> f64 {
        self.next_difficulty().value() as f64 / self.hashrate
    }

    fn now(&self) -> Timestamp {
        self.ancestors[self.ancestors.len() - 1].timestamp
    }

    fn mine(&mut self, pause_ms: u64) {
        let luck = -(1.0 - self.random()).ln();
        let difficulty = self.next_difficulty();
        let solve_ms = (difficulty.value() as f64 / self.hashrate * luck) as u64;
        let timestamp = self.now().plus_ms(pause_ms + solve_ms.max(1));
        self.ancestors.push(Ancestor { timestamp, difficulty });
    }

    /// Mines blocks and returns their mean solve time, in target intervals.
    fn mine_many(&mut self, blocks: u64) -> f64 {
        let start = self.now();
        for _ in 0..blocks {
            self.mine(0);
        }
        self.now().ms_since(start) as f64 / (blocks * INTERVAL_MS) as f64
    }

    /// The number of blocks until the expected interval is within a factor of 1.5 of the target.
    fn blocks_until_recovered(&mut self) -> u64 {
        (0..2000)
            .find(|_| {
                let ratio = self.expected_ms() / INTERVAL_MS as f64;
                let recovered = (1.0 / 1.5..=1.5).contains(&ratio);
                if !recovered {
                    self.mine(0);
                }
                recovered
            })
            .unwrap_or_else(|| panic!("not recovered after 2000 blocks"))
    }

    /// The number of blocks within this time, after a pause without miners.
    fn blocks_within(&mut self, pause_ms: u64, ms: u64) -> u64 {
        let end = self.now().plus_ms(pause_ms + ms);
        self.mine(pause_ms);
        let mut blocks = 1;
        while self.now() < end {
            self.mine(0);
            blocks += 1;
        }
        blocks
    }
}

/// The rules that retarget, with usual windows.
const CASES: [(RetargetRule, u64); 5] = [
    (RetargetRule::Epoch, 10),
    (RetargetRule::Epoch, 30),
    (RetargetRule::Lwma, 10),
    (RetargetRule::Lwma, 30),
    (RetargetRule::Lwma, 60),
];

fn networks(rule: RetargetRule, window: u64) -> impl Iterator<Item = Network> {
    (0..SEEDS).map(move |seed| {
        let mut network = Network::new(rule, window, seed);
        network.mine_many(4 * window);
        network
    })
}

fn median_and_most(mut numbers: Vec<u64>) -> (u64, u64) {
    numbers.sort_unstable();
    (numbers[numbers.len() / 2], numbers[numbers.len() - 1])
}

#[test]
fn with_a_steady_hash_rate_blocks_come_at_the_interval() {
    for (rule, window) in CASES {
        let paces: Vec<_> = networks(rule, window).map(|mut network| network.mine_many(600)).collect();
        let mean = paces.iter().sum::<f64>() / paces.len() as f64;
        println!("{rule:?} {window}: {mean:.3} intervals a block");
        assert!((0.8..1.25).contains(&mean), "{rule:?} {window}: {mean:.3} intervals a block");
        assert!(paces.iter().all(|pace| (0.6..1.6).contains(pace)), "{rule:?} {window}: {paces:?}");
    }
}

#[test]
fn after_a_tenfold_change_of_the_hash_rate_the_interval_recovers() {
    for (rule, window) in CASES {
        for (what, factor) in [("up", 10.0), ("down", 0.1)] {
            let blocks = networks(rule, window).map(|mut network| {
                network.hashrate *= factor;
                network.blocks_until_recovered()
            });
            let (median, most) = median_and_most(blocks.collect());
            println!("{rule:?} {window}, hash rate tenfold {what}: {median} blocks, {most} at most of {SEEDS} seeds");
            // An epoch moves by a factor of four at its end, so two steps make up for ten; with few blocks in it, it
            // also overshoots by chance.
            let bound = if rule == RetargetRule::Epoch { 8 * window } else { 2 * window + 20 };
            assert!(most <= bound, "{rule:?} {window} {what}: {most} blocks, at most {bound} were expected");
        }
    }
}

#[test]
fn after_a_nights_pause_the_interval_recovers() {
    let hour = 60 * 60 * 1000;
    let expected = hour / INTERVAL_MS;
    for (rule, window) in CASES {
        for mut network in networks(rule, window) {
            let blocks = network.blocks_within(NIGHT_MS, hour);
            let missed = NIGHT_MS / INTERVAL_MS;
            assert!(
                blocks > expected * 7 / 10 && blocks < expected * 13 / 10,
                "{rule:?} {window}: {blocks} blocks in the hour after the night, not {expected}; {missed} were missed"
            );
        }
    }
}

#[test]
fn after_a_nights_pause_the_next_difficulty_falls_no_further_than_a_step() {
    for (rule, window, factor) in [(RetargetRule::Epoch, 30, 4), (RetargetRule::Lwma, 30, 2)] {
        for mut network in networks(rule, window) {
            let before = network.next_difficulty().value();
            network.mine(NIGHT_MS);
            let after = network.next_difficulty().value();
            assert!(after >= before / factor, "{rule:?} {window}: from {before} to {after}");
        }
    }
}
