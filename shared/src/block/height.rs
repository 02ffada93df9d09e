//! Heights of blocks.

use crate::json;
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// How many blocks lie between a block and genesis; `index` in JSON. Genesis has height 0.
///
/// # Invariants
/// At most 2^53 - 1 when it comes from outside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, utoipa::ToSchema)]
#[schema(value_type = u64, maximum = 9007199254740991u64)]
pub struct Height(pub u64);

impl Height {
    /// The height of genesis.
    pub const GENESIS: Self = Self(0);

    /// The height `number`, if it is at most 2^53 - 1.
    pub const fn new(number: u64) -> Option<Self> {
        if number <= json::MAX_INTEGER { Some(Self(number)) } else { None }
    }

    /// The height of a child; the highest number has no larger one.
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The height `blocks` below this one, or genesis if there is none.
    pub const fn minus(self, blocks: u64) -> Self {
        Self(self.0.saturating_sub(blocks))
    }

    /// The number of blocks from `other` up to this height; 0 if `other` is higher.
    pub const fn above(self, other: Self) -> u64 {
        self.0.saturating_sub(other.0)
    }
}

impl fmt::Display for Height {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Height {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::integer(deserializer).map(Self)
    }
}
