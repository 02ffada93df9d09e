//! Special functions: the incomplete beta function, and quantiles of the normal and of Student's distribution.

use libm::{erfc, exp, fabs, lgamma, log, sqrt};

/// The regularised incomplete beta function `I_x(a, b)` for positive `a` and `b`, and `x` from 0 to 1.
pub fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(1.0 - x));
    // The continued fraction converges fast on this side of the mean; the other side follows by symmetry.
    if x < (a + 1.0) / (a + b + 2.0) {
        front * beta_fraction(x, a, b) / a
    } else {
        1.0 - front * beta_fraction(1.0 - x, b, a) / b
    }
}

/// Lentz's method for the continued fraction of the incomplete beta function (DLMF 8.17.22).
fn beta_fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    const STEPS: u32 = 10_000;
    let away_from_zero = |value: f64| if fabs(value) < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for step in 1..STEPS {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for term in [even, odd] {
            d = 1.0 / away_from_zero(1.0 + term * d);
            c = away_from_zero(1.0 + term / c);
            change *= d * c;
        }
        fraction *= change;
        if fabs(change - 1.0) < 1e-15 {
            break;
        }
    }
    fraction
}

/// The number that a standard normal variable stays below with this probability.
pub fn normal_quantile(probability: f64) -> f64 {
    bisect(probability, |z| erfc(-z / sqrt(2.0)) / 2.0)
}

/// The same for Student's t with this many degrees of freedom.
pub fn student_quantile(probability: f64, freedom: f64) -> f64 {
    bisect(probability, |t| {
        let tail = incomplete_beta(freedom / (freedom + t * t), freedom / 2.0, 0.5) / 2.0;
        if t > 0.0 { 1.0 - tail } else { tail }
    })
}

fn bisect(probability: f64, distribution: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (-1e6, 1e6);
    while high - low > 1e-10 {
        let middle = (low + high) / 2.0;
        if middle <= low || middle >= high {
            break;
        }
        if distribution(middle) < probability { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_printed_tables() {
        for (probability, expected) in [(0.5, 0.0), (0.975, 1.959_964), (0.995, 2.575_829), (0.9995, 3.290_527)] {
            assert!((normal_quantile(probability) - expected).abs() < 1e-6, "{probability}");
        }
        for (probability, freedom, expected) in [(0.975, 1.0, 12.706), (0.975, 10.0, 2.228), (0.9995, 19.0, 3.883)] {
            assert!((student_quantile(probability, freedom) - expected).abs() < 6e-4, "{probability} {freedom}");
        }
    }

    #[test]
    fn the_incomplete_beta_function_has_its_simple_values() {
        assert!((incomplete_beta(0.3, 1.0, 1.0) - 0.3).abs() < 1e-14);
        assert!((incomplete_beta(0.3, 2.0, 1.0) - 0.09).abs() < 1e-14);
        assert!((incomplete_beta(0.9, 2.5, 2.5) + incomplete_beta(0.1, 2.5, 2.5) - 1.0).abs() < 1e-14);
    }
}
