//! Loads the configuration: embedded defaults < file < environment < flags.
//!
//! Each value of each layer is checked by itself before the layers are merged, so that an error can name its file,
//! variable or flag. The values and their meaning are `shared::config`'s; this module knows none of them.

mod args;
mod error;
mod sources;

pub use args::CommonArgs;
pub use error::ConfigError;

use crate::plain_words;
use serde::Deserialize;
use serde_json::Value;
use shared::config::Config;
use shared::params::PROGRAM_MSG_BYTES;
use sources::Setting;
use std::ffi::OsString;
use std::path::Path;

/// The defaults that are built into every program.
pub const DEFAULTS: &str = include_str!("../../../Config.toml");

/// The file that is read if none is named.
pub const FILE_NAME: &str = "Config.toml";

/// Values from flags, the uppermost layer.
#[derive(Debug, Clone, Default)]
pub struct Overrides(Vec<Setting>);

impl Overrides {
    /// No values.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `key` (`section.key`) if the flag was given and is not empty; errors name it by `flag`.
    #[must_use]
    pub fn set(mut self, key: &str, flag: &str, value: Option<impl ToString>) -> Self {
        let text = value.map(|value| value.to_string()).filter(|text| !text.trim().is_empty());
        self.0.extend(text.map(|text| Setting::text(flag.to_owned(), key.to_owned(), text)));
        self
    }
}

/// Loads the configuration of this process.
///
/// `file` is the value of `--config`; without it, [`FILE_NAME`] in the working directory is read if it exists.
///
/// # Errors
/// The first value that is unknown, malformed or out of bounds, with its source and what was expected.
pub fn load(file: Option<&Path>, overrides: Overrides) -> Result<Config, ConfigError> {
    let found = Path::new(FILE_NAME);
    let file = file.or_else(|| found.exists().then_some(found));
    load_from(file, std::env::vars_os(), overrides)
}

/// [`load`] with the environment as an argument, and without searching for a file.
///
/// # Errors
/// As [`load`].
pub fn load_from(
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    overrides: Overrides,
) -> Result<Config, ConfigError> {
    let defaults = sources::toml(DEFAULTS, "the built-in defaults")?;
    let known = sources::tree(&defaults);
    let mut settings = match file {
        Some(path) => sources::file(path)?,
        None => Vec::new(),
    };
    settings.extend(sources::environment(environment, &known)?);
    settings.extend(overrides.0);

    let mut builder = config::Config::builder();
    let mut defaults = defaults;
    adapt_to_layer(&mut defaults, &settings);
    for setting in defaults {
        builder = builder.set_default(&setting.key, sources::to_config(setting.value))?;
    }
    for setting in settings {
        let key = setting.key.clone();
        let value = check_setting(&known, setting)?;
        // The settings come in the order of the layers, so later ones replace earlier ones.
        builder = builder.set_override(&key, sources::to_config(value))?;
    }
    let whole = read(builder.build()?.try_deserialize()?);
    whole.map_err(|reason| ConfigError::Whole { reason: plain_words::explain(&reason, None, false) })
}

/// The value of a setting with the type of its field, if the field accepts it.
fn check_setting(known: &Value, setting: Setting) -> Result<Value, ConfigError> {
    let Setting { origin, key, value } = setting;
    let place = format!("/{}", key.replacen('.', "/", 1));
    let mut tree = known.clone();
    let Some(leaf) = tree.pointer_mut(&place).filter(|leaf| !leaf.is_object()) else {
        return Err(ConfigError::UnknownKey { origin, known: sources::siblings(known, &key), key });
    };
    let default = leaf.clone();
    let mut refused = None;
    // A variable or flag is always text, so the field decides: a name may be "123", for a port that is a number. The
    // text itself comes first, so that a text field takes it unchanged.
    for candidate in sources::candidates(&value, &default) {
        if let Some(leaf) = tree.pointer_mut(&place) {
            leaf.clone_from(&candidate);
        }
        match read(tree.clone()) {
            Ok(config) => {
                return match config.http.hosts.iter().find(|host| !is_host(host)) {
                    Some(host) if key == "http.hosts" => Err(not_a_host(origin, key, host)),
                    _ => Ok(candidate),
                };
            }
            Err(reason) => refused = Some(reason),
        }
    }
    let reason = plain_words::explain(&refused.unwrap_or_default(), Some(&value), key.ends_with("token"));
    Err(ConfigError::Value { origin, key, reason })
}

/// Whether a text can be the `Host` of a request: a name or address, perhaps with a port.
fn is_host(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || "/?#@".contains(c))
}

fn not_a_host(origin: String, key: String, host: &str) -> ConfigError {
    let bare = host.split_once("://").map_or(host, |(_, rest)| rest);
    let bare = bare.rsplit('@').next().and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default().trim();
    let advice = if is_host(bare) { format!("; write {bare:?}") } else { String::new() };
    let reason = format!("expected names of hosts as in \"lab.example\" or \"lab.example:8080\", got {host:?}{advice}");
    ConfigError::Value { origin, key, reason }
}

/// Changes the defaults that are others on the layer that `settings` choose.
fn adapt_to_layer(defaults: &mut [Setting], settings: &[Setting]) {
    let layer = settings.iter().rev().find(|setting| setting.key == "network.layer");
    if layer.is_some_and(|setting| setting.value == "program") {
        for setting in defaults.iter_mut().filter(|setting| setting.key == "network.max_msg_bytes") {
            setting.value = PROGRAM_MSG_BYTES.into();
        }
    }
}

/// The typed configuration in `tree`, with its bounds checked.
fn read(tree: Value) -> Result<Config, String> {
    let mut config = Config::deserialize(tree).map_err(|error| error.to_string())?;
    config.network = config.network.of_their_layer();
    config.network.check().map_err(|error| error.to_string())?;
    config.check().map_err(|error| error.to_string())?;
    Ok(config)
}

#[cfg(test)]
mod tests;
