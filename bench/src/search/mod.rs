//! Nonce search, each kernel of this processor compared with a bare loop of the instructions that it uses.

mod bare;

use crate::report::Row;
use shared::block::{Nonce, Seal};
use shared::work::{Difficulty, Kernel};
use std::hint::black_box;
use std::time::Instant;

const NONCES: u64 = 20_000_000;

pub(crate) fn measure() {
    for (place, kernel) in Kernel::available().enumerate() {
        let chosen = if place == 0 { ", the one that is used" } else { "" };
        let goal = if place == 0 { ">= 0.85" } else { "" };
        print_row(format!("nonce search, {kernel:?}{chosen}, one thread"), kernel, 1, goal);
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    if let Some(kernel) = Kernel::available().next() {
        print_row(format!("nonce search, {kernel:?}, {threads} threads"), kernel, threads, ">= 0.85, linear");
    }
}

/// Nonces a second of one thread, with the kernel that is used.
pub(crate) fn best_rate() -> f64 {
    Kernel::available().next().map_or(0.0, |kernel| rate(|| searched(kernel)))
}

fn print_row(what: String, kernel: Kernel, threads: usize, goal: &str) {
    // Alternating, so that a change of the machine's load affects both.
    let (mut limit, mut ours) = (0.0_f64, 0.0_f64);
    for _ in 0..3 {
        limit = limit.max(on_threads(threads, move || rate(|| bare::compressions(kernel, NONCES))));
        ours = ours.max(on_threads(threads, move || rate(|| searched(kernel))));
    }
    println!("{}", Row { what, ours, limit, unit: "hashes/s", goal: goal.into() });
}

fn on_threads(threads: usize, rate: impl Fn() -> f64 + Copy + Send + 'static) -> f64 {
    let running: Vec<_> = (0..threads).map(|_| std::thread::spawn(rate)).collect();
    running.into_iter().filter_map(|thread| thread.join().ok()).sum()
}

/// Hashes a second.
fn rate(work: impl Fn()) -> f64 {
    let start = Instant::now();
    work();
    NONCES as f64 / start.elapsed().as_secs_f64()
}

fn searched(kernel: Kernel) {
    black_box(kernel.search(&Seal::of("bench"), &Difficulty::MAX.target(), Nonce(0), NONCES));
}
