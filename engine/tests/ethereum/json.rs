//! Numbers and bytes as Ethereum's JSON spells them.

use revm::primitives::{Address, B256, Bytes, U256, hex};
use serde_json::Value;

/// A number in hex; `None` for one of more than 256 bits, which some tests have on purpose.
pub(crate) fn number(value: &Value) -> Option<U256> {
    let text = value.as_str().unwrap_or_else(|| panic!("not a number: {value}"));
    let text = text.strip_prefix("0x:bigint ").unwrap_or(text);
    U256::from_str_radix(text.strip_prefix("0x").unwrap_or(text), 16).ok()
}

/// A number that fits.
pub(crate) fn small<T: TryFrom<U256>>(value: &Value) -> Option<T> {
    T::try_from(number(value)?).ok()
}

pub(crate) fn bytes(value: &Value) -> Bytes {
    let text = value.as_str().unwrap_or_else(|| panic!("not bytes: {value}"));
    hex::decode(text).unwrap_or_else(|error| panic!("not bytes: {text}: {error}")).into()
}

pub(crate) fn hash(value: &Value) -> B256 {
    B256::from_slice(&bytes(value))
}

pub(crate) fn address(value: &Value) -> Address {
    Address::from_slice(&bytes(value))
}
