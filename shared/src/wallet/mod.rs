//! What wallets of layer `utxo` decide: which coins to spend. No rule of the chain depends on it.

mod select;

pub use select::{CannotSelect, CoinStrategy, DUST, Selection, SpareCoin, select, take_all};
