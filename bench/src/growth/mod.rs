//! How operations grow with the chain, the addresses and the pool: each at three sizes, ten times apart, and the
//! exponent between the smallest and the largest. 0 is a cost that does not grow, 1 one that grows with the size.

mod accounts;
mod chain;
mod coins;
mod pending;

use anyhow::Result;
use std::path::Path;
use std::time::Instant;

/// How many sizes are measured.
const SIZES: usize = 3;
/// Each measurement is repeated, and the best counts: other load only makes it slower.
const ROUNDS: usize = 3;

pub(crate) async fn measure(dir: &Path, largest: u64) -> Result<()> {
    let sizes = [largest / 100, largest / 10, largest];
    println!("{}", Series::head(sizes));
    for series in chain::measure(dir, sizes).await? {
        println!("{series}");
    }
    for series in accounts::measure(dir, sizes)? {
        println!("{series}");
    }
    for series in coins::measure(dir, sizes)? {
        println!("{series}");
    }
    // A pool of a million is more than a mempool keeps.
    let sizes = sizes.map(|size| size / 10);
    println!("{}", Series::head(sizes));
    for series in pending::measure(sizes)? {
        println!("{series}");
    }
    Ok(())
}

/// One operation at each size.
struct Series {
    what: &'static str,
    unit: &'static str,
    sizes: [u64; SIZES],
    figures: [f64; SIZES],
}

impl Series {
    fn head(sizes: [u64; SIZES]) -> String {
        let [small, middle, large] = sizes;
        format!("{:<48} {small:>12} {middle:>12} {large:>12}  {:<6} exponent", "how it grows", "unit")
    }

    /// The power of the size that the figures grow by.
    fn exponent(&self) -> f64 {
        let [(small, first), .., (large, last)] = [0, 1, 2].map(|i| (self.sizes[i] as f64, self.figures[i]));
        (last / first).ln() / (large / small).ln()
    }
}

impl std::fmt::Display for Series {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [small, middle, large] = self.figures;
        let (what, unit, exponent) = (self.what, self.unit, self.exponent());
        write!(f, "{what:<48} {small:>12.2} {middle:>12.2} {large:>12.2}  {unit:<6} {exponent:>8.2}")
    }
}

/// Collects the figures of several operations, one size after another.
struct Table {
    sizes: [u64; SIZES],
    series: Vec<Series>,
}

impl Table {
    fn new(sizes: [u64; SIZES]) -> Self {
        Self { sizes, series: Vec::new() }
    }

    /// Records the figure of an operation at the size with this number, 0 to 2.
    fn record(&mut self, size: usize, what: &'static str, unit: &'static str, figure: f64) {
        let known = self.series.iter().position(|series| series.what == what);
        let place = known.unwrap_or_else(|| {
            self.series.push(Series { what, unit, sizes: self.sizes, figures: [f64::NAN; SIZES] });
            self.series.len() - 1
        });
        self.series[place].figures[size] = figure;
    }
}

/// Microseconds that one of `count` operations takes: the best of some rounds.
fn micros<T>(count: u64, mut operation: impl FnMut(u64) -> Result<T>) -> Result<f64> {
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for number in 0..count {
            std::hint::black_box(operation(number)?);
        }
        best = best.min(start.elapsed().as_secs_f64() * 1e6 / count as f64);
    }
    Ok(best)
}

/// A number below `bound` that depends on `number` only, spread evenly.
fn spread(number: u64, bound: u64) -> u64 {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % bound
}
