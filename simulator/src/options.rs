//! The options of a run, from wherever they come, and their bounds.

use crate::attacker_options::AttackerOptions;
use anyhow::bail;
use shared::config::{Config, SimulatorConfig};
use shared::params::LayerName;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

const MAX_MEMBERS: usize = 100;
const MAX_RATE: u32 = 1000;

#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// With the parameters of the run's network.
    pub config: Config,
    /// The folder for the chains; a temporary one if `None`.
    pub data_dir: Option<PathBuf>,
    /// The first port to try for the tracker; 0 for any free port.
    pub port: Option<u16>,
    pub no_explorer: bool,
    /// Leaves payments and receptions out of the narration.
    pub quiet: bool,
    /// Time after which the run stops.
    pub seconds: Option<Duration>,
    /// Growth of the chain after which the run stops.
    pub blocks: Option<u64>,
    pub seed: u64,
    /// In order; each begins after the one before it has ended.
    pub partitions: Vec<Partition>,
    /// Mines against the nodes.
    pub attacker: Option<AttackerOptions>,
}

/// A cut of the network and its healing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partition {
    /// Time from the start of the run to the cut.
    pub after: Duration,
    pub lasts: Duration,
}

impl Partition {
    /// Time from the start of the run to the healing.
    pub fn end(&self) -> Duration {
        self.after + self.lasts
    }
}

impl FromStr for Partition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || "expected <after>:<for> in seconds, as in 10:20".to_owned();
        let (after, lasts) = text.split_once(':').ok_or_else(bad)?;
        let (after, lasts) = (seconds(after).map_err(|_| bad())?, seconds(lasts).map_err(|_| bad())?);
        if lasts.is_zero() { Err(bad()) } else { Ok(Self { after, lasts }) }
    }
}

/// Parses a decimal number of seconds.
///
/// # Errors
/// What was expected instead.
pub fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: Option<f64> = text.parse().ok().filter(|seconds| (0.0..=1e9).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "expected a number of seconds, as in 60 or 2.5".to_owned())
}

/// Refuses more members and payments than the simulator can handle.
pub(crate) fn check_members(config: &Config) -> anyhow::Result<()> {
    let SimulatorConfig { members, rate, .. } = config.simulator;
    if members > MAX_MEMBERS {
        bail!("{members} members: expected 0 to {MAX_MEMBERS}");
    }
    if rate > MAX_RATE {
        bail!("{rate} payments per second: expected 0 to {MAX_RATE}");
    }
    Ok(())
}

/// Refuses programs in a build without the machine that runs them.
pub(crate) fn check_layer(layer: LayerName, has_machine: bool) -> anyhow::Result<()> {
    if layer.has_programs() && !has_machine {
        bail!(
            "layer program: this simulator was built without the machine that runs programs, so that others need not \
             compile it; run `cargo run --release --features programs -- --layer program`"
        );
    }
    Ok(())
}

/// Refuses a thief where there is no money or nobody to steal from.
pub(crate) fn check_attacker(
    attacker: Option<&AttackerOptions>,
    layer: LayerName,
    members: usize,
) -> anyhow::Result<()> {
    if attacker.is_some_and(|attacker| attacker.confirmations().is_some()) {
        if !layer.has_money() {
            bail!("--attacker double-spend needs layer transaction: there is no money on layer data");
        }
        if layer.has_coins() {
            bail!("--attacker double-spend needs layer transaction: the thief pays from an account, not with coins");
        }
        if members == 0 {
            bail!("--attacker double-spend needs a member to steal from: --members 1");
        }
    }
    Ok(())
}

/// Returns the given seed, or a random one.
pub(crate) fn fresh_seed(given: Option<u64>) -> anyhow::Result<u64> {
    match given {
        Some(seed) => Ok(seed),
        None => Ok(u64::from(getrandom::u32()?)),
    }
}

/// A layer's name, as in `Config.toml`.
pub fn layer_text(layer: LayerName) -> String {
    serde_json::to_value(layer).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_need_a_build_with_the_machine() {
        let refused = check_layer(LayerName::Program, false).unwrap_err().to_string();
        assert!(refused.contains("cargo run --release --features programs -- --layer program"), "{refused}");
        assert!(check_layer(LayerName::Program, true).is_ok() && check_layer(LayerName::Data, false).is_ok());
    }

    #[test]
    fn a_partition_is_two_numbers_of_seconds() {
        let ms = |after, lasts| Partition { after: Duration::from_millis(after), lasts: Duration::from_millis(lasts) };
        for (text, expected) in [
            ("10:20", Some(ms(10_000, 20_000))),
            ("0:0.5", Some(ms(0, 500))),
            ("10", None),
            ("10:", None),
            ("10:0", None),
            ("-1:5", None),
            ("1:NaN", None),
            ("1:1e300", None),
            ("a:b", None),
        ] {
            assert_eq!(text.parse::<Partition>().ok(), expected, "{text}");
        }
    }
}
