//! `--attacker STRATEGY:SHARE`: what an attacker does, and with how much hash rate.

use laboratory::exact::{safe_confirmations, theft_bounded};
use laboratory::scenario::attacker;
use laboratory::strategy::StrategySetting;
use std::str::FromStr;

/// The attacker's name in the narration.
pub const NAME: &str = "Mallory";

/// A strategy of the laboratory, and its share of all hash rate.
#[derive(Debug, Clone)]
pub struct AttackerOptions {
    pub strategy: StrategySetting,
    /// Of all hash rate, the attacker's included.
    pub share: f64,
    /// As it was given.
    pub text: String,
}

impl FromStr for AttackerOptions {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (strategy, share) = attacker(text).map_err(|error| error.to_string())?;
        Ok(Self { strategy, share, text: text.to_owned() })
    }
}

impl AttackerOptions {
    /// Hashes per second of the attacker, beside nodes that have `honest` together.
    pub fn hashrate(&self, honest: u64) -> u64 {
        ((honest as f64 * self.share / (1.0 - self.share)) as u64).max(1)
    }

    /// Whether it steals, and how many confirmations its victim waits for.
    pub const fn confirmations(&self) -> Option<u32> {
        match self.strategy {
            StrategySetting::DoubleSpend { confirmations, .. } => Some(confirmations),
            _ => None,
        }
    }

    /// The exact chance that a theft succeeds.
    pub fn chance(&self) -> Option<f64> {
        match self.strategy {
            StrategySetting::DoubleSpend { confirmations, give_up } => {
                Some(theft_bounded(self.share, confirmations, 0, give_up))
            }
            _ => None,
        }
    }

    /// The confirmations that make the chance of a theft less than 1 %; `None` where no number does.
    pub fn enough_confirmations(&self) -> Option<u32> {
        safe_confirmations(self.share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_of_all_hash_rate_and_the_exact_table_gives_the_chance() {
        let thief: AttackerOptions = "double-spend:0.3,confirmations=6,give_up=60".parse().unwrap();
        assert_eq!((thief.hashrate(70_000), thief.confirmations()), (30_000, Some(6)));
        assert!((thief.chance().unwrap() - 0.0899).abs() < 0.001, "{:?}", thief.chance());
        let needed = thief.enough_confirmations().unwrap();
        assert!(theft_bounded(0.3, needed, 0, u32::MAX) < 0.01 && theft_bounded(0.3, needed - 1, 0, u32::MAX) >= 0.01);
        let majority: AttackerOptions = "double-spend:0.6".parse().unwrap();
        assert_eq!(majority.enough_confirmations(), None);
        assert!("slefish:0.3".parse::<AttackerOptions>().unwrap_err().contains("Did you mean `selfish`?"));
    }
}
