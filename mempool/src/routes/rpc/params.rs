//! The parameters of JSON-RPC, by their place: numbers as `0x` and hex, blocks by number, name or hash.

use super::failure::{self, RpcError};
use crate::routes::programs;
use serde_json::Value;
use shared::block::{BlockHash, Height};
use shared::program::{AccountId, HexBytes, Word};

/// The parameters of one request.
#[derive(Debug, Default)]
pub(super) struct Params(Vec<Value>);

/// The block that a request names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BlockTag {
    Newest,
    Number(Height),
    Hash(BlockHash),
}

impl Params {
    pub(super) fn new(values: Vec<Value>) -> Self {
        Self(values)
    }

    /// The parameter at a place; `None` if it is missing or null.
    pub(super) fn get(&self, place: usize) -> Option<&Value> {
        self.0.get(place).filter(|value| !value.is_null())
    }

    pub(super) fn need(&self, place: usize, name: &str) -> Result<&Value, RpcError> {
        self.get(place).ok_or_else(|| wrong(name, "it is missing"))
    }

    /// The block at a place, the newest if there is none.
    pub(super) fn block(&self, place: usize) -> Result<BlockTag, RpcError> {
        self.get(place).map_or(Ok(BlockTag::Newest), block)
    }
}

pub(super) fn wrong(name: &str, reason: &str) -> RpcError {
    RpcError::new(failure::PARAMS, format!("{name}: {reason}"))
}

fn text<'a>(name: &str, value: &'a Value) -> Result<&'a str, RpcError> {
    value.as_str().ok_or_else(|| wrong(name, "expected a text"))
}

/// An account: `0x` and 40 digits, or one of our addresses.
pub(super) fn account(name: &str, value: &Value) -> Result<AccountId, RpcError> {
    programs::account(text(name, value)?).map_err(|_| wrong(name, "expected 0x and 40 hex digits"))
}

pub(super) fn bytes(name: &str, value: &Value) -> Result<HexBytes, RpcError> {
    let parsed = text(name, value)?.to_ascii_lowercase().parse();
    parsed.map_err(|_| wrong(name, "expected 0x and hex, two digits a byte"))
}

/// A number below 2^64.
pub(super) fn number(name: &str, value: &Value) -> Result<u64, RpcError> {
    if let Some(number) = value.as_u64() {
        return Ok(number);
    }
    let digits = text(name, value)?.strip_prefix("0x").filter(|digits| digits.bytes().all(|c| c.is_ascii_hexdigit()));
    let number = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
    number.ok_or_else(|| wrong(name, "expected a number below 2^64 as 0x and hex"))
}

/// 32 bytes, or a shorter number.
pub(super) fn word(name: &str, value: &Value) -> Result<Word, RpcError> {
    let digits = text(name, value)?.strip_prefix("0x").filter(|digits| digits.len() <= 64);
    let padded = digits.map(|digits| format!("0x{:0>64}", digits.to_ascii_lowercase()));
    padded.and_then(|padded| padded.parse().ok()).ok_or_else(|| wrong(name, "expected 0x and at most 64 hex digits"))
}

/// The hash of a block or transaction: `0x` and 64 digits.
pub(super) fn hash<T: std::str::FromStr>(name: &str, value: &Value) -> Result<T, RpcError> {
    let digits = text(name, value)?.strip_prefix("0x").map(str::to_ascii_lowercase);
    digits.and_then(|digits| digits.parse().ok()).ok_or_else(|| wrong(name, "expected 0x and 64 hex digits"))
}

/// `latest`, a number, a hash, or an object with one of the two.
pub(super) fn block(value: &Value) -> Result<BlockTag, RpcError> {
    let name = "block";
    match value {
        Value::Object(fields) => match (fields.get("blockHash"), fields.get("blockNumber")) {
            (Some(of), None) => hash(name, of).map(BlockTag::Hash),
            (None, Some(of)) => block_number(name, of),
            _ => Err(wrong(name, "expected blockHash or blockNumber")),
        },
        // Some clients put the hash where others put the number.
        Value::String(text) if text.len() == 66 => hash(name, value).map(BlockTag::Hash),
        value => block_number(name, value),
    }
}

fn block_number(name: &str, value: &Value) -> Result<BlockTag, RpcError> {
    match value.as_str() {
        // What waits in the pool changes nothing before it is in a block.
        Some("latest" | "pending" | "safe" | "finalized") => Ok(BlockTag::Newest),
        Some("earliest") => Ok(BlockTag::Number(Height::GENESIS)),
        _ => number(name, value).map(|number| BlockTag::Number(Height(number))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn blocks_are_named_in_many_ways() {
        let hash = format!("0x{}", "ab".repeat(32));
        let of_hash = BlockTag::Hash("ab".repeat(32).parse().unwrap());
        for (value, expected) in [
            (json!("latest"), BlockTag::Newest),
            (json!("pending"), BlockTag::Newest),
            (json!("earliest"), BlockTag::Number(Height(0))),
            (json!("0x1f"), BlockTag::Number(Height(31))),
            (json!(31), BlockTag::Number(Height(31))),
            (json!({"blockNumber": "0x1f"}), BlockTag::Number(Height(31))),
            (json!({"blockHash": hash}), of_hash),
            (json!(hash), of_hash),
        ] {
            assert_eq!(block(&value).unwrap(), expected, "{value}");
        }
        let long = "0x1ffffffffffffffff";
        for wrong in
            [json!("newest"), json!("31"), json!(-1), json!(1.5), json!({}), json!([]), json!("0x"), json!(long)]
        {
            assert!(block(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn words_are_padded_and_nonsense_is_refused() {
        assert_eq!(word("slot", &json!("0x7")).unwrap(), Word::from(7));
        assert_eq!(word("slot", &json!(Word::from(7).to_string())).unwrap(), Word::from(7));
        for wrong in [json!("7"), json!("0xg"), json!(format!("0x{}", "0".repeat(65))), json!(7), json!(null)] {
            assert!(word("slot", &wrong).is_err(), "{wrong}");
        }
        assert!(account("from", &json!("0x12")).is_err());
        assert!(bytes("data", &json!("0xabc")).is_err());
        assert_eq!(bytes("data", &json!("0xAB")).unwrap(), HexBytes(vec![0xab]));
    }
}
