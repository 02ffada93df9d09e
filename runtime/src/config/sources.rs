//! Reads settings from TOML and the environment; each setting remembers its source.

use super::ConfigError;
use config::{FileFormat, ValueKind};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

/// The beginning of the names of our environment variables.
const PREFIX: &str = "CHAINLAB__";

/// One value of one source.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    /// The file, variable or flag, as errors name it.
    pub(super) origin: String,
    /// `section.key`.
    pub(super) key: String,
    pub(super) value: Value,
    /// Whether the source has only text, so that the field decides how to parse it.
    pub(super) is_text: bool,
}

impl Setting {
    pub(super) fn text(origin: String, key: String, text: String) -> Self {
        Self { origin, key, value: Value::String(text), is_text: true }
    }
}

pub(super) fn file(path: &Path) -> Result<Vec<Setting>, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::File { path: path.to_owned(), source })?;
    toml(&text, &path.display().to_string())
}

pub(super) fn toml(text: &str, origin: &str) -> Result<Vec<Setting>, ConfigError> {
    let refuse = |error: config::ConfigError| ConfigError::Toml {
        origin: origin.to_owned(),
        reason: error.to_string().trim_end().to_owned(),
    };
    let source = config::File::from_str(text, FileFormat::Toml);
    let read = config::Config::builder().add_source(source).build().map_err(refuse)?;
    let sections: BTreeMap<String, Value> = read.try_deserialize().map_err(refuse)?;
    let mut settings = Vec::new();
    for (section, content) in sections {
        let mut push = |key, value| settings.push(Setting { origin: origin.to_owned(), key, value, is_text: false });
        match content {
            Value::Object(values) => {
                for (key, value) in values {
                    push(format!("{section}.{key}"), value);
                }
            }
            value => push(section, value),
        }
    }
    Ok(settings)
}

pub(super) fn environment(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Vec<Setting>, ConfigError> {
    let mut settings = Vec::new();
    for (name, value) in variables {
        let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else { continue };
        let key = name[PREFIX.len()..].replacen("__", ".", 1).to_ascii_lowercase();
        let Ok(text) = value.into_string() else {
            return Err(ConfigError::NotText { variable: name.to_owned() });
        };
        settings.push(Setting::text(format!("environment variable {name}"), key, text));
    }
    // The order of an environment is random; which error is shown should not be.
    settings.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(settings)
}

/// The values that a text may stand for in a field with this default; the likeliest last, since its error is shown.
pub(super) fn candidates(text: &Value, default: &Value) -> Vec<Value> {
    let mut candidates = vec![text.clone()];
    let Some(text) = text.as_str() else { return candidates };
    match default {
        Value::Number(_) => candidates.extend(text.parse::<u64>().map(Value::from)),
        Value::Bool(_) => candidates.extend(text.parse::<bool>().map(Value::from)),
        Value::Array(_) => {
            candidates.push(text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(Value::from).collect());
        }
        _ => {}
    }
    candidates
}

/// The settings as one object of sections.
pub(super) fn tree(settings: &[Setting]) -> Value {
    let mut tree = json!({});
    for Setting { key, value, .. } in settings {
        if let Some((section, key)) = key.split_once('.') {
            tree[section][key] = value.clone();
        }
    }
    tree
}

/// For the error about an unknown `key`: the keys of its section, or the sections.
pub(super) fn siblings(known: &Value, key: &str) -> String {
    let names = |object: &Map<String, Value>| object.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    let section = key.split('.').next().unwrap_or_default();
    match (known.get(section).and_then(Value::as_object), known.as_object()) {
        (Some(keys), _) => format!("[{section}] has {}", names(keys)),
        (None, Some(sections)) => format!("the sections are {}", names(sections)),
        (None, None) => String::new(),
    }
}

/// The same value as the crate `config` holds it.
pub(super) fn to_config(value: Value) -> config::Value {
    config::Value::new(None, kind(value))
}

fn kind(value: Value) -> ValueKind {
    match value {
        Value::Null => ValueKind::Nil,
        Value::Bool(value) => ValueKind::Boolean(value),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(number), _, _) => ValueKind::I64(number),
            (None, Some(number), _) => ValueKind::U64(number),
            (None, None, number) => ValueKind::Float(number.unwrap_or(f64::NAN)),
        },
        Value::String(text) => ValueKind::String(text),
        Value::Array(items) => ValueKind::Array(items.into_iter().map(to_config).collect()),
        Value::Object(entries) => {
            ValueKind::Table(entries.into_iter().map(|(key, value)| (key, to_config(value))).collect())
        }
    }
}
