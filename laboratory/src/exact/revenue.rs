//! What selfish mining earns (Eyal and Sirer, "Majority is not enough: Bitcoin mining is vulnerable", 2014).

/// The share of the main chain of a selfish miner with a share `alpha` of the hash rate, when a share `gamma` of the
/// others mines on its branch in a tie (equation 8).
pub fn selfish_revenue(alpha: f64, gamma: f64) -> f64 {
    let a = alpha;
    let honest = 1.0 - a;
    (a * honest * honest * (4.0 * a + gamma * (1.0 - 2.0 * a)) - a * a * a) / (1.0 - a * (1.0 + (2.0 - a) * a))
}

/// The share of the hash rate from which on selfish mining earns more than its share (observation 1).
pub fn selfish_threshold(gamma: f64) -> f64 {
    (1.0 - gamma) / (3.0 - 2.0 * gamma)
}
