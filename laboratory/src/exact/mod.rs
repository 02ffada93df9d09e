//! What is known exactly: closed forms of publications, and Markov chains solved by machine. Simulations are compared
//! with these.
//!
//! They use `libm`, which computes the same on every platform, and decide nothing inside a run.

mod markov;
mod revenue;
mod special;
mod theft;

pub use markov::{Revenue, policy_revenue};
pub use revenue::{selfish_revenue, selfish_threshold};
pub use special::{incomplete_beta, normal_quantile, student_quantile};
pub use theft::{confirmations_needed, nakamoto, safe_confirmations, theft, theft_bounded};
