//! What can be wrong with a configuration.

use std::path::PathBuf;

/// Why the configuration could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not TOML, or its sections are not tables.
    #[error("{origin} is not a configuration: {reason}")]
    Toml {
        /// The file.
        origin: String,
        /// Where it ends to be TOML.
        reason: String,
    },
    /// A section or key that does not exist.
    #[error("{origin}: there is no {key}; {known}")]
    UnknownKey {
        /// The file, variable or flag.
        origin: String,
        /// `section.key`.
        key: String,
        /// What there is instead.
        known: String,
    },
    /// A value that its field does not take.
    #[error("{origin}: {key}: {reason}")]
    Value {
        /// The file, variable or flag.
        origin: String,
        /// `section.key`.
        key: String,
        /// What was found and what was expected.
        reason: String,
    },
    /// A variable that is not UTF-8.
    #[error("the environment variable {variable} is not UTF-8 text")]
    NotText {
        /// Its name.
        variable: String,
    },
    /// Values that are right alone and wrong together.
    #[error("the configuration does not fit together: {reason}")]
    Whole {
        /// What was found and what was expected.
        reason: String,
    },
    /// The layers could not be put together.
    #[error("the configuration cannot be put together: {0}")]
    Layers(#[from] config::ConfigError),
}
