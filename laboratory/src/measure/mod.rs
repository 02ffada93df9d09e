//! Measures: estimates with their confidence intervals.

mod histogram;
mod interval;

pub use histogram::Histogram;
pub use interval::{Interval, batch_interval, mean, standard_error, wilson};
