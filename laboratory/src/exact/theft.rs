//! The probability that a payment with `z` confirmations is undone, for a thief with a share `q` of the hash rate.
//!
//! Three formulas are in use. Nakamoto counts the thief's blocks by a Poisson distribution, which is an approximation.
//! Rosenfeld, and Grunspan and Pérez-Marco, count them exactly (a negative binomial distribution) and agree with one
//! another: a thief who starts one block ahead, or wins ties. Without that head start, and when ties do not count, the
//! thief has to find one block more; see [`theft`].

use super::incomplete_beta;
use libm::{exp, log};

/// Nakamoto, "Bitcoin: a peer-to-peer electronic cash system" (2008), section 11.
pub fn nakamoto(q: f64, z: u32) -> f64 {
    let p = 1.0 - q;
    if q >= p {
        return 1.0;
    }
    let lambda = f64::from(z) * q / p;
    let (mut poisson, mut sum) = (exp(-lambda), 1.0);
    for k in 0..=z {
        sum -= poisson * (1.0 - power(q / p, z - k));
        poisson *= lambda / f64::from(k + 1);
    }
    sum
}

/// The exact probability that a thief who never gives up gets ahead of a payment with `z` confirmations.
///
/// `head_start` = 1 is the usual count (Rosenfeld; Grunspan and Pérez-Marco: `I_4pq(z, 1/2)`): one block was mined
/// before the payment, or ties are won. `head_start` = 0: the thief must have strictly more blocks.
pub fn theft(q: f64, z: u32, head_start: u32) -> f64 {
    let p = 1.0 - q;
    if q >= p {
        return 1.0;
    }
    if head_start == 1 {
        return if z == 0 { 1.0 } else { incomplete_beta(4.0 * p * q, f64::from(z), 0.5) };
    }
    theft_bounded(q, z, head_start, u32::MAX)
}

/// As [`theft`], for a thief who gives up once the payment is confirmed and the branch is `give_up` or more blocks
/// behind.
pub fn theft_bounded(q: f64, z: u32, head_start: u32, give_up: u32) -> f64 {
    let p = 1.0 - q;
    // P(the thief has k blocks when the z-th confirmation arrives) = C(k + z - 1, k) p^z q^k.
    let mut probability = power(p, z);
    let mut success = 0.0;
    let mut counted = 0.0;
    let most = (u64::from(z) + 1).saturating_sub(u64::from(head_start));
    for k in 0..most {
        let behind = u64::from(z) - k;
        success += probability * overtakes(q, behind + 1 - u64::from(head_start), behind, give_up);
        counted += probability;
        probability *= q * (f64::from(z) + k as f64) / (k as f64 + 1.0);
        if z == 0 {
            break;
        }
    }
    // More blocks than needed: won at once.
    success + (1.0 - counted)
}

/// The probability to gain `needed` blocks before falling to `give_up` behind, now `behind`: the ruin of a gambler.
fn overtakes(q: f64, needed: u64, behind: u64, give_up: u32) -> f64 {
    let ratio = q / (1.0 - q);
    if behind >= u64::from(give_up) {
        return 0.0;
    }
    let needed_power = power(ratio, needed.min(u64::from(u32::MAX)) as u32);
    if give_up == u32::MAX {
        return if ratio >= 1.0 { 1.0 } else { needed_power };
    }
    let margin = u64::from(give_up) - behind;
    if (ratio - 1.0).abs() < 1e-12 {
        return margin as f64 / (margin + needed) as f64;
    }
    let margin_power = power(ratio, margin as u32);
    needed_power * (1.0 - margin_power) / (1.0 - margin_power * needed_power)
}

/// The fewest confirmations for which `probability` falls below `risk`; at most 100,000.
pub fn confirmations_needed(risk: f64, probability: impl Fn(u32) -> f64) -> Option<u32> {
    (0..100_000).find(|&z| probability(z) < risk)
}

/// The fewest confirmations that make the chance of a theft less than 1 %, for a thief who never gives up and must have
/// strictly more blocks; `None` for half of the hash rate or more, or where 1,000 are too few.
pub fn safe_confirmations(q: f64) -> Option<u32> {
    const RISK: f64 = 0.01;
    const MOST: u32 = 1000;
    if q >= 0.5 {
        return None;
    }
    (0..=MOST).find(|&z| theft(q, z, 0) < RISK)
}

fn power(base: f64, exponent: u32) -> f64 {
    if base == 0.0 {
        return if exponent == 0 { 1.0 } else { 0.0 };
    }
    exp(f64::from(exponent) * log(base))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_sums_and_the_incomplete_beta_function_agree() {
        for q in [0.02, 0.1, 0.3, 0.45] {
            for z in 1..40 {
                let (sum, closed) = (theft_bounded(q, z, 1, u32::MAX), theft(q, z, 1));
                assert!((sum - closed).abs() < 1e-10, "q = {q}, z = {z}: {sum} against {closed}");
            }
        }
    }

    #[test]
    fn giving_up_late_is_like_never_and_a_head_start_helps() {
        for z in [0, 1, 6] {
            assert!((theft_bounded(0.3, z, 0, 500) - theft(0.3, z, 0)).abs() < 1e-12);
            assert!(theft(0.3, z, 0) < theft(0.3, z, 1));
            assert!(theft_bounded(0.3, z, 0, 8) < theft(0.3, z, 0));
        }
        assert!((theft(0.25, 0, 0) - 1.0 / 3.0).abs() < 1e-12, "one block to catch up: q / p");
        assert_eq!((theft(0.5, 6, 1), theft(0.6, 6, 0), nakamoto(0.5, 6)), (1.0, 1.0, 1.0));
    }

    #[test]
    fn safe_confirmations_are_the_fewest_that_are_enough() {
        let enough = safe_confirmations(0.3).unwrap();
        assert!(theft(0.3, enough, 0) < 0.01 && theft(0.3, enough - 1, 0) >= 0.01, "{enough}");
        assert_eq!([safe_confirmations(0.5), safe_confirmations(0.6), safe_confirmations(0.499)], [None; 3]);
    }
}
