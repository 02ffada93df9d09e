//! What wallets of layer `utxo` decide: which coins to spend. No rule of the chain depends on it.

mod select;

pub use crate::pool::DUST;
pub use select::{CannotSelect, CoinStrategy, Selection, SpareCoin, select, take_all};
