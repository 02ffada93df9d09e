//! Reads settings from TOML and the environment; each setting remembers its source.

use super::ConfigError;
use crate::{plain_words, text_file};
use config::{FileFormat, ValueKind};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

/// The beginning of the names of our environment variables.
const PREFIX: &str = "CHAINLAB__";
/// Bytes of a configuration file at most.
const MAX_BYTES: u64 = 1 << 20;

/// One value of one source.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    /// The file, variable or flag, as errors name it.
    pub(super) origin: String,
    /// `section.key`.
    pub(super) key: String,
    pub(super) value: Value,
}

impl Setting {
    pub(super) fn text(origin: String, key: String, text: String) -> Self {
        Self { origin, key, value: Value::String(text) }
    }
}

pub(super) fn file(path: &Path) -> Result<Vec<Setting>, ConfigError> {
    let text =
        text_file::read(path, MAX_BYTES).map_err(|source| ConfigError::File { path: path.to_owned(), source })?;
    toml(&text, &path.display().to_string())
}

pub(super) fn toml(text: &str, origin: &str) -> Result<Vec<Setting>, ConfigError> {
    let refuse = |error: config::ConfigError| ConfigError::Toml {
        origin: origin.to_owned(),
        reason: syntax_error(text, &error.to_string()),
    };
    let source = config::File::from_str(text, FileFormat::Toml);
    let read = config::Config::builder().add_source(source).build().map_err(refuse)?;
    let sections: BTreeMap<String, Value> = read.try_deserialize().map_err(refuse)?;
    let mut settings = Vec::new();
    for (section, content) in sections {
        let mut push = |key, value| settings.push(Setting { origin: origin.to_owned(), key, value });
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

/// Where a file is not TOML, and its line there.
fn syntax_error(text: &str, error: &str) -> String {
    let place = error.split_once("at line ").and_then(|(_, rest)| {
        let (line, rest) = rest.split_once(", column ")?;
        let column = rest.split(|c: char| !c.is_ascii_digit()).next()?;
        Some((line.parse::<usize>().ok()?, column.parse::<usize>().ok()?))
    });
    let advice = "expected lines such as [node], port = 8100 and name = \"text in quotes\"";
    match place {
        Some((number, column)) => {
            let line = text.lines().nth(number.saturating_sub(1)).unwrap_or_default().trim();
            format!("line {number}, column {column}, {line:?} is not TOML; {advice}")
        }
        None => format!("it is not TOML; {advice}"),
    }
}

/// The settings in the environment. An empty value means that the setting is not given.
pub(super) fn environment(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    known: &Value,
) -> Result<Vec<Setting>, ConfigError> {
    let mut settings = Vec::new();
    for (name, value) in variables {
        let Some(name) = name.to_str() else { continue };
        if let Some(spelling) = right_spelling(name, known) {
            return Err(ConfigError::Misspelt { variable: name.to_owned(), spelling });
        }
        let Some(key) = name.strip_prefix(PREFIX) else { continue };
        let key = key.replacen("__", ".", 1).to_ascii_lowercase();
        let Ok(text) = value.into_string() else {
            return Err(ConfigError::NotText { variable: name.to_owned() });
        };
        if !text.trim().is_empty() {
            settings.push(Setting::text(format!("environment variable {name}"), key, text));
        }
    }
    // The order of an environment is random; which error is shown should not be.
    settings.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(settings)
}

/// The variable of a setting that `name` differs from only in its underscores and in upper and lower case.
fn right_spelling(name: &str, known: &Value) -> Option<String> {
    let upper = name.to_ascii_uppercase();
    let words: Vec<_> = upper.strip_prefix("CHAINLAB_")?.split('_').filter(|word| !word.is_empty()).collect();
    let words = words.join("_");
    for (section, keys) in known.as_object()? {
        for key in keys.as_object()?.keys() {
            let (section, key) = (section.to_ascii_uppercase(), key.to_ascii_uppercase());
            let spelling = format!("{PREFIX}{section}__{key}");
            if words == format!("{section}_{key}") {
                // The part after the prefix may have small letters.
                let is_right = name.starts_with(PREFIX) && upper == spelling;
                return (!is_right).then_some(spelling);
            }
        }
    }
    None
}

/// The values that a value may stand for in a field with this default; the likeliest last, since its error is shown.
pub(super) fn candidates(value: &Value, default: &Value) -> Vec<Value> {
    let mut candidates = vec![value.clone()];
    let Some(text) = value.as_str() else { return candidates };
    match default {
        Value::Bool(_) => candidates.extend(plain_words::truth(text).map(Value::from)),
        Value::Array(_) => {
            candidates.push(text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(Value::from).collect());
        }
        // Also where the default is a text: a hash rate is "unlimited" or a number.
        _ => candidates.extend(plain_words::number(text).map(Value::from)),
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
