//! Holdings: where money lies. A transaction takes from holdings and gives to holdings.
//!
//! An account is emptied bit by bit, a coin is taken whole. Whether a transaction is covered is the same question for
//! both: does the holding hold at least what all transactions together take from it?

use super::{Address, Amount, TransactionId};
use crate::json::{deserialize_from_text, serialize_as_text};
use std::fmt;
use std::str::FromStr;

/// The name of a coin: the transaction that made it, and the place among its outputs.
///
/// Written `<id>.<place>`. A miner's coin is named by a hash that no transaction has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CoinName {
    /// The transaction that made the coin.
    pub id: TransactionId,
    /// Its place among the outputs, from 0.
    pub place: u16,
}

impl fmt::Display for CoinName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.id, self.place)
    }
}

impl fmt::Debug for CoinName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CoinName({self})")
    }
}

impl CoinName {
    /// The first digits and the place, for people.
    pub fn short(&self) -> String {
        format!("{}.{}", self.id.short(), self.place)
    }
}

/// The text is not the name of a coin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected 64 lower-case hex digits, a point, and a number from 0 to 999 without leading zeros")]
pub struct NotACoin;

impl FromStr for CoinName {
    type Err = NotACoin;

    fn from_str(text: &str) -> Result<Self, NotACoin> {
        let (id, place) = text.split_once('.').ok_or(NotACoin)?;
        let is_place = place.len() <= 3 && place.bytes().all(|c| c.is_ascii_digit());
        let has_zeros = place.len() > 1 && place.starts_with('0');
        match (id.parse(), place.parse()) {
            (Ok(id), Ok(place)) if is_place && !has_zeros => Ok(Self { id, place }),
            _ => Err(NotACoin),
        }
    }
}

impl utoipa::PartialSchema for CoinName {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        let text = utoipa::openapi::ObjectBuilder::new().schema_type(utoipa::openapi::schema::Type::String);
        text.pattern(Some(r"^[0-9a-f]{64}\.(0|[1-9][0-9]{0,2})$")).build().into()
    }
}

impl utoipa::ToSchema for CoinName {}

serialize_as_text!(CoinName);
deserialize_from_text!(CoinName, "the name of a coin, <64 hex digits>.<number>");

/// Where money lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holding {
    /// The balance of an address; any part of it can be taken.
    Account(Address),
    /// A coin; it is taken whole.
    Coin(CoinName),
}

/// What a transaction takes from a holding, or gives to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The holding.
    pub holding: Holding,
    /// Its owner.
    pub address: Address,
    /// How much.
    pub amount: Amount,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_coin_has_one_spelling() {
        let id = "0f".repeat(32);
        for place in ["0", "1", "10", "127", "999"] {
            let text = format!("{id}.{place}");
            assert_eq!(text.parse::<CoinName>().map(|name| name.to_string()), Ok(text));
        }
        for place in ["", "00", "01", "+1", "-1", "1000", "1.0", " 1", "1 ", "0x1", "a"] {
            assert_eq!(format!("{id}.{place}").parse::<CoinName>(), Err(NotACoin), "{place:?}");
        }
        for text in [id.clone(), format!("{}.0", id.to_uppercase()), format!("{}.0", &id[1..]), ".0".to_owned()] {
            assert_eq!(text.parse::<CoinName>(), Err(NotACoin), "{text:?}");
        }
    }
}
