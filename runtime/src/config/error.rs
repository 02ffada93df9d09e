//! What can be wrong with a configuration.

use std::path::PathBuf;

/// Why the configuration could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The file is not TOML, or its sections are not tables.
    #[error("{origin} is not a configuration: {reason}")]
    Toml {
        /// The file.
        origin: String,
        /// The error of the parser, with its place.
        reason: String,
    },
    /// A section or key that does not exist.
    #[error("{origin}: there is no {key}; {known}")]
    UnknownKey {
        /// The file, variable or flag.
        origin: String,
        /// `section.key`.
        key: String,
        /// The keys or sections that exist.
        known: String,
    },
    /// A value that its field does not accept.
    #[error("{origin}: {key}: {reason}")]
    Value {
        /// The file, variable or flag.
        origin: String,
        /// `section.key`.
        key: String,
        /// What was found and what was expected.
        reason: String,
    },
    /// A variable whose underscores or letters are those of no setting, though its words are.
    #[error("the environment variable {variable} is not read; write {spelling}")]
    Misspelt {
        /// Its name.
        variable: String,
        /// The name of the setting's variable.
        spelling: String,
    },
    /// A variable that is not UTF-8.
    #[error("the environment variable {variable} is not UTF-8 text")]
    NotText {
        /// Its name.
        variable: String,
    },
    /// Values that are valid alone but not together.
    #[error("the values of the configuration contradict each other: {reason}")]
    Whole {
        /// What was found and what was expected.
        reason: String,
    },
    /// The layers could not be merged.
    #[error("the layers of the configuration cannot be merged: {0}")]
    Layers(#[from] config::ConfigError),
}
