//! Measures: estimates with their confidence intervals.

mod histogram;
mod interval;

pub use histogram::Histogram;
pub use interval::{Interval, mean, wilson};
