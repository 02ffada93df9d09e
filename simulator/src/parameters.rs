//! The parameters of a run's network: those in the file of `--config`, those in the data folder, or new ones. They are
//! saved beside the chains, so that other nodes can join with them.

use anyhow::{Context, bail};
use runtime::clock::Clock;
use runtime::config::{Overrides, load_from};
use shared::config::{Config, Hashrate};
use shared::params::{PROGRAM_MSG_BYTES, Params, RetargetRule};
use shared::random::Random;
use shared::work::Difficulty;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// The file with the parameters in the data folder.
const FILE: &str = "network.toml";

/// With `lwma`, a fresh network starts at the difficulty that its hash rate gives, divided by this. The first averages
/// of the rule are over a few blocks, and so too high: from the full difficulty it goes to 2.2 times that on average,
/// 9.7 blocks come in the first minute instead of 12, and the longest wait is 24 s. From half of it, these are 1.9
/// times, 12.0 blocks and 21 s. The other rules do not move in the first minute, so they start at the difficulty
/// itself. `labs/first-minute.toml` measures it.
const LWMA_DIVISOR: u128 = 2;

/// Gives `config` a network of its own: a new name, the current time as its genesis time, a first difficulty that fits
/// the hash rate, a largest future that fits the interval, and on layer `program` room for code in messages. Changes
/// only values that are still the defaults.
pub fn make_fresh(config: &mut Config, random: &mut Random) {
    let defaults = Params::default();
    let network = &mut config.network;
    if network.name == defaults.name {
        network.name = format!("sim-{:06x}", random.next_u64() >> 40);
    }
    if network.genesis_time == defaults.genesis_time {
        network.genesis_time = Clock::new(0).time();
    }
    if network.max_future_ms == defaults.max_future_ms {
        network.max_future_ms = Params::sound_future_ms(network.block_interval_ms);
    }
    // Code and calls are longer than the words of a payment.
    if network.layer.has_programs() && network.max_msg_bytes == defaults.max_msg_bytes {
        network.max_msg_bytes = PROGRAM_MSG_BYTES;
    }
    if network.initial_difficulty == defaults.initial_difficulty
        && let Hashrate::PerSecond(each) = config.simulator.hashrate
    {
        let hashes_per_block =
            u128::from(each) * config.simulator.nodes as u128 * u128::from(network.block_interval_ms);
        let part = if network.retarget == RetargetRule::Lwma { LWMA_DIVISOR } else { 1 };
        network.initial_difficulty = Difficulty::clamped(hashes_per_block / 1000 / part);
    }
}

/// The parameters that an earlier run saved in `folder`.
///
/// # Errors
/// If the file exists but cannot be read.
pub fn saved(folder: &Path) -> anyhow::Result<Option<Params>> {
    let path = folder.join(FILE);
    if !path.exists() {
        return Ok(None);
    }
    Ok(Some(load_from(Some(&path), [], Overrides::new())?.network))
}

/// Checks a flag against the saved value.
///
/// # Errors
/// If they differ: names the flag and what to do.
pub fn check_flag<T: PartialEq + ToString>(
    flag: &str,
    wanted: Option<T>,
    saved: &T,
    folder: &Path,
) -> anyhow::Result<()> {
    if let Some(wanted) = wanted.filter(|wanted| wanted != saved) {
        bail!(
            "{flag} {}: the network in {} has {}; leave out {flag} to continue it, or choose another --data-dir",
            wanted.to_string(),
            folder.display(),
            saved.to_string()
        );
    }
    Ok(())
}

/// Saves the parameters in `folder` as a configuration file, and returns its path.
///
/// # Errors
/// If the file cannot be written.
pub fn save(params: &Params, folder: &Path) -> anyhow::Result<PathBuf> {
    let path = folder.join(FILE);
    let mut text =
        "# A network of the simulator; join it with: node --config <this file> --tracker <its tracker>\n[network]\n"
            .to_owned();
    let values = serde_json::to_value(params)?;
    for (name, value) in values.as_object().into_iter().flatten() {
        // JSON and TOML write integers, and texts without escapes, in the same way.
        writeln!(text, "{name} = {value}")?;
    }
    std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_network_aims_at_its_interval_from_the_first_block() {
        let mut config = Config::default();
        (config.simulator.nodes, config.simulator.hashrate) = (4, Hashrate::PerSecond(50_000));
        make_fresh(&mut config, &mut Random::new(1));
        let Params { name, genesis_time, initial_difficulty, .. } = &config.network;
        assert!(name.starts_with("sim-") && name.len() == 10, "{name}");
        assert!(*genesis_time > Params::default().genesis_time);
        assert_eq!(initial_difficulty.value(), 4 * 50_000 * 5 / 2);
        for rule in [RetargetRule::Fixed, RetargetRule::Epoch] {
            config = Config::default();
            (config.simulator.nodes, config.simulator.hashrate) = (4, Hashrate::PerSecond(50_000));
            config.network.retarget = rule;
            make_fresh(&mut config, &mut Random::new(1));
            assert_eq!(config.network.initial_difficulty.value(), 4 * 50_000 * 5, "{rule:?}");
        }
        config = Config::default();
        config.network.block_interval_ms = 500;
        make_fresh(&mut config, &mut Random::new(1));
        assert_eq!(config.network.max_future_ms, 1500);
        config.network.check().unwrap();
    }

    #[test]
    fn programs_have_room_for_their_code() {
        for (chosen, expected) in [(Params::default().max_msg_bytes, PROGRAM_MSG_BYTES), (5000, 5000)] {
            let network = Params { max_msg_bytes: chosen, ..Params::of_programs() };
            let mut config = Config { network, ..Config::default() };
            make_fresh(&mut config, &mut Random::new(1));
            assert_eq!(config.network.max_msg_bytes, expected);
        }
    }

    #[test]
    fn chosen_values_are_left_alone() {
        let mut config = Config::default();
        config.network.name = "mine".to_owned();
        config.network.initial_difficulty = Difficulty::clamped(7);
        make_fresh(&mut config, &mut Random::new(1));
        assert_eq!((config.network.name.as_str(), config.network.initial_difficulty.value()), ("mine", 7));
    }

    #[test]
    fn saved_parameters_are_read_back_as_they_were() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(saved(folder.path()).unwrap(), None);
        let mut config = Config::default();
        make_fresh(&mut config, &mut Random::new(2));
        save(&config.network, folder.path()).unwrap();
        assert_eq!(saved(folder.path()).unwrap(), Some(config.network));
    }
}
