//! What calls return, as JSON and in words.

use alloy_dyn_abi::{DynSolType, DynSolValue};
use runtime::sanitize;
use serde_json::{Value, json};
use shared::program::{AccountId, HexBytes};

/// Most values, and words of texts, that an output may spell. Without it a short output could fill the memory, since
/// lists may have the same words many times.
pub(crate) const MAX_DECODED: u64 = 1 << 20;

/// The text of an output that is one text and nothing else.
pub fn text(output: &[u8]) -> Option<String> {
    let values = DynSolType::String.abi_decode_params(output).ok()?;
    let is_all = values.abi_encode_params() == output;
    values.as_str().filter(|text| is_all && !text.is_empty()).map(str::to_owned)
}

/// At most how many values, and words of texts, an output of `words` words can spell.
pub(crate) fn most_decoded(kind: &DynSolType, words: u64) -> u64 {
    match kind {
        DynSolType::String | DynSolType::Bytes => words,
        DynSolType::Array(of) => words.saturating_mul(most_decoded(of, words)),
        DynSolType::FixedArray(of, length) => (*length as u64).saturating_mul(most_decoded(of, words)),
        DynSolType::Tuple(kinds) => {
            kinds.iter().fold(1, |sum: u64, kind| sum.saturating_add(most_decoded(kind, words)))
        }
        _ => 1,
    }
}

/// A value for people: texts as they are, everything else as in JSON.
pub fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => sanitize::line(text).into_owned(),
        Value::Array(values) => format!("[{}]", values.iter().map(value_text).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

/// A value as JSON: numbers as decimal texts, since many are larger than JSON's; bytes and accounts as hex.
pub(crate) fn to_json(value: &DynSolValue) -> Value {
    match value {
        DynSolValue::Bool(flag) => json!(flag),
        DynSolValue::Int(number, _) => json!(number.to_string()),
        DynSolValue::Uint(number, _) => json!(number.to_string()),
        DynSolValue::Address(address) => json!(AccountId(address.into_array()).to_string()),
        DynSolValue::FixedBytes(word, length) => json!(HexBytes(word[..(*length).min(32)].to_vec())),
        DynSolValue::Bytes(bytes) => json!(HexBytes(bytes.clone())),
        DynSolValue::String(text) => json!(text),
        DynSolValue::Array(values) | DynSolValue::FixedArray(values) | DynSolValue::Tuple(values) => {
            values.iter().map(to_json).collect()
        }
        DynSolValue::Function(function) => json!(HexBytes(function.0.to_vec())),
    }
}
