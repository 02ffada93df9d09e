//! A miner's part of a block: a message, and on layers with money the address to pay.
//!
//! The layer decides which messages and addresses are valid; this module asks it before any work is done.

use crate::NodeError;
use runtime::data_dir::DataDir;
use shared::chain::{BlockViolation, Rules};
use shared::config;
use shared::ledger::{Address, BundleWriter, OutcomeHash};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Coinbase {
    pub(crate) message: String,
    /// `None` on layers without money.
    pub(crate) miner: Option<Address>,
}

impl Coinbase {
    /// The configured message and address. Without an address, a node on a layer with money uses its own key file, even
    /// if it does not mine: `POST /mine` may make it mine at any time.
    ///
    /// # Errors
    /// If the address is malformed, the key file is unusable, or the rules of the network refuse the coinbase.
    pub(crate) fn new(
        config: &config::NodeConfig,
        rules: &Rules,
        data: &DataDir,
        own_address: &str,
    ) -> Result<Self, NodeError> {
        let miner = match (rules.params().layer.has_money(), &config.miner) {
            (false, configured) => {
                if configured.is_some() {
                    tracing::warn!("blocks of this layer pay no address: --miner is not used");
                }
                None
            }
            (true, Some(text)) => {
                Some(text.parse().map_err(|source| NodeError::BadMiner { text: text.clone(), source })?)
            }
            (true, None) => Some(data.key_pair()?.address()),
        };
        let configured = Self { message: config.message.clone(), miner };
        configured.check(rules).map_err(|violation| NodeError::BadCoinbase(Box::new(violation)))?;
        if configured.message.is_empty() {
            Ok(configured.with_message(format!("mined by {own_address}"), rules))
        } else {
            Ok(configured)
        }
    }

    /// The same with another message, or without one if the network has no room for it.
    pub(crate) fn with_message(self, message: String, rules: &Rules) -> Self {
        let changed = Self { message, ..self };
        if changed.check(rules).is_ok() { changed } else { Self { message: String::new(), ..changed } }
    }

    /// # Errors
    /// The rule that every block with this coinbase would break.
    pub(crate) fn check(&self, rules: &Rules) -> Result<(), BlockViolation> {
        let (got, limit) = (self.empty_data(rules).len() as u64, rules.params().max_data_bytes);
        if got > limit {
            return Err(BlockViolation::DataTooLarge { got, limit });
        }
        rules.read_data(&self.empty_data(rules)).map(drop)
    }

    /// Bytes of a block's data that this coinbase leaves for transactions.
    pub(crate) fn room_for_transactions(&self, rules: &Rules) -> usize {
        (rules.params().max_data_bytes as usize).saturating_sub(self.empty_data(rules).len())
    }

    /// The data of a block without transactions.
    fn empty_data(&self, rules: &Rules) -> String {
        match &self.miner {
            Some(miner) if rules.params().layer.has_programs() => {
                BundleWriter::new(&self.message, miner).finish_with(OutcomeHash::of("")).0
            }
            Some(miner) => BundleWriter::new(&self.message, miner).finish().0,
            None => self.message.clone(),
        }
    }
}
