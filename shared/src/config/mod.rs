//! The typed configuration; `Config.toml` at the root of the repository documents each value.
//!
//! Only types: finding and layering file, environment and flags is `runtime::config`'s. Every value must be present
//! (the loader lays them over the embedded defaults), unknown ones are refused, and a number with a
//! unit has the unit in its name.

mod bounds;
mod explorer;
mod hashrate;
mod mempool;
mod node;
mod services;

pub use bounds::{BadSetting, MIN_TOKEN};
pub use explorer::{BadToken, ExplorerConfig};
pub use hashrate::{BadHashrate, Hashrate};
pub use mempool::MempoolConfig;
pub use node::{NodeConfig, Secret};
pub use services::{HttpConfig, SimulatorConfig, TrackerConfig, UserConfig};

use crate::params::Params;
use serde::Deserialize;

/// The content of `Config.toml`.
///
/// # Invariants
/// `network` has passed [`Params::check`], and the rest [`Config::check`], when the value comes from `runtime::config`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The consensus parameters (docs/protocol.md §2).
    pub network: Params,
    /// The tracker.
    pub tracker: TrackerConfig,
    /// A node.
    pub node: NodeConfig,
    /// A mempool.
    pub mempool: MempoolConfig,
    /// The command line of users.
    pub user: UserConfig,
    /// An explorer.
    pub explorer: ExplorerConfig,
    /// HTTP, of every service.
    pub http: HttpConfig,
    /// The simulator.
    pub simulator: SimulatorConfig,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn tracker() -> serde_json::Value {
        json!({
            "host": "127.0.0.1", "port": 8090, "lease_seconds": 60, "allow_foreign": false, "max_members": 1000,
            "max_members_per_source": 64,
        })
    }

    #[test]
    fn a_section_is_read_from_its_values() {
        assert_eq!(serde_json::from_value::<TrackerConfig>(tracker()).unwrap(), TrackerConfig::default());
    }

    #[test]
    fn unknown_missing_and_impossible_values_are_refused_by_name() {
        let mut unknown = tracker();
        unknown["prot"] = json!(1);
        let mut missing = tracker();
        missing.as_object_mut().unwrap().remove("max_members");
        let mut impossible = tracker();
        impossible["port"] = json!(65_536);
        for (section, reason) in [(unknown, "`prot`"), (missing, "`max_members`"), (impossible, "65536")] {
            let error = serde_json::from_value::<TrackerConfig>(section).unwrap_err().to_string();
            assert!(error.contains(reason), "{error} does not name {reason}");
        }
    }

    #[test]
    fn a_secret_does_not_show_in_debug_output() {
        let secret: Secret = serde_json::from_value(json!("hunter2")).unwrap();
        assert_eq!(secret.expose(), "hunter2");
        assert!(!format!("{secret:?}").contains("hunter2"));
    }
}
