//! Nonce search, compared with a bare loop of sha2's one-block compression.

use crate::report::Row;
use sha2::block_api::compress256;
use shared::block::{Nonce, Seal};
use shared::work::{Difficulty, search};
use std::hint::black_box;
use std::time::Instant;

const NONCES: u64 = 20_000_000;

pub(crate) fn measure() {
    // Alternating, so that a change of the machine's load affects both.
    let (mut bare, mut ours) = (0.0_f64, 0.0_f64);
    for _ in 0..3 {
        bare = bare.max(bare_rate());
        ours = ours.max(our_rate());
    }
    println!(
        "{}",
        Row { what: "nonce search, one thread".into(), ours, limit: bare, unit: "hashes/s", goal: ">= 0.95".into() }
    );

    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let parallel = parallel_rate(threads, our_rate);
    let limit = parallel_rate(threads, bare_rate);
    let what = format!("nonce search, {threads} threads");
    println!("{}", Row { what, ours: parallel, limit, unit: "hashes/s", goal: ">= 0.95, linear".into() });
}

fn parallel_rate(threads: usize, rate: fn() -> f64) -> f64 {
    let running: Vec<_> = (0..threads).map(|_| std::thread::spawn(rate)).collect();
    running.into_iter().filter_map(|thread| thread.join().ok()).sum()
}

/// The hash rate of a miner without any cost of its own: each compression starts from the same state and depends on no
/// other.
fn bare_rate() -> f64 {
    let midstate = black_box([7_u32; 8]);
    let block = black_box([7_u8; 64]);
    let start = Instant::now();
    for _ in 0..NONCES {
        let mut state = midstate;
        compress256(&mut state, std::slice::from_ref(&block));
        black_box(&state);
    }
    NONCES as f64 / start.elapsed().as_secs_f64()
}

fn our_rate() -> f64 {
    let seal = Seal::of("bench");
    let target = Difficulty::MAX.target();
    let start = Instant::now();
    let hit = search(&seal, &target, Nonce(0), NONCES);
    black_box(hit);
    NONCES as f64 / start.elapsed().as_secs_f64()
}
