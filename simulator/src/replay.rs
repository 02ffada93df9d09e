//! Replays a chain from the JSON of its blocks: with plain maps, or on layer `program` with a machine of its own.

use crate::checker::{Mismatch, parse};
use crate::ledger::coins::CoinLedger;
use crate::ledger::{MoneyParams, Replayed, ReplayedLedger};
#[cfg(feature = "programs")]
use crate::program_proof::ProgramReplay;
use serde_json::Value;

/// A chain that is being replayed.
pub(crate) enum Replay {
    /// With plain maps.
    Ledger(Box<ReplayedLedger>),
    /// The same for coins.
    Coins(Box<CoinLedger>),
    /// With a machine that runs every call again.
    #[cfg(feature = "programs")]
    Programs(Box<ProgramReplay>),
}

impl Replay {
    fn begin(genesis: &Value, has_programs: bool) -> Result<Self, Mismatch> {
        #[cfg(feature = "programs")]
        if has_programs {
            return Ok(Self::Programs(Box::new(ProgramReplay::begin(genesis)?)));
        }
        if has_programs {
            return Err(Mismatch::Malformed("this build cannot run programs".to_owned()));
        }
        if MoneyParams::of(genesis)?.has_coins() {
            return Ok(Self::Coins(Box::new(CoinLedger::begin(genesis)?)));
        }
        Ok(Self::Ledger(Box::new(ReplayedLedger::begin(genesis)?)))
    }

    fn apply(&mut self, block: &Value) -> Result<(), Mismatch> {
        match self {
            Self::Ledger(ledger) => ledger.apply(block),
            Self::Coins(ledger) => ledger.apply(block),
            #[cfg(feature = "programs")]
            Self::Programs(replay) => replay.apply(block),
        }
    }

    /// What the blocks say.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub(crate) fn finish(self) -> Result<Replayed, Mismatch> {
        match self {
            Self::Ledger(ledger) => Ok(ledger.finish()),
            Self::Coins(ledger) => Ok(ledger.finish()),
            #[cfg(feature = "programs")]
            Self::Programs(replay) => replay.finish(),
        }
    }
}

/// Applies an array of blocks, which begins with genesis if there is no ledger yet. Returns how many blocks there were;
/// an error comes with the place in the array.
pub(crate) fn apply(
    mut ledger: Option<Replay>,
    json: &[u8],
    has_programs: bool,
) -> Result<(Option<Replay>, u64), (u64, Mismatch)> {
    let Value::Array(blocks) = parse(json).map_err(|mismatch| (0, mismatch))? else {
        return Err((0, Mismatch::Malformed("expected a list of blocks".to_owned())));
    };
    for (block, above) in blocks.iter().zip(0..) {
        let applied = match &mut ledger {
            Some(ledger) => ledger.apply(block),
            None => Replay::begin(block, has_programs).map(|begun| ledger = Some(begun)),
        };
        applied.map_err(|mismatch| (above, mismatch))?;
    }
    Ok((ledger, blocks.len() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use shared::params::Params;

    #[test]
    fn what_is_no_chain_is_refused_with_its_place() {
        let genesis = json!(Params::default().genesis());
        for (json, place) in [("{}".to_owned(), 0), (json!([genesis, genesis]).to_string(), 1), ("[1]".to_owned(), 0)] {
            assert_eq!(apply(None, json.as_bytes(), false).map(|_| ()).unwrap_err().0, place, "{json}");
        }
    }
}
