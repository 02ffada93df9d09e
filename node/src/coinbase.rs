//! What the blocks that are mined here say of their miner: a message, and on layers with money whom to pay.
//!
//! What a message or an address may be is the layer's to say; here it is only asked, before any work is done.

use crate::NodeError;
use runtime::data_dir::DataDir;
use shared::chain::{BlockViolation, Rules};
use shared::config;
use shared::ledger::{Address, BundleWriter};

/// A miner's part of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Coinbase {
    /// What the block says.
    pub(crate) message: String,
    /// Who is paid; nobody on layers without money.
    pub(crate) miner: Option<Address>,
}

impl Coinbase {
    /// What a node was told to say and whom to pay. A node that was told no address on a layer with money has a key
    /// file of its own, even if it does not mine: `POST /mine` can ask it to at any time.
    ///
    /// # Errors
    /// The address is none, the key file is unusable, or the network's rules refuse what was told.
    pub(crate) fn new(
        config: &config::NodeConfig,
        rules: &Rules,
        data: &DataDir,
        own_address: &str,
    ) -> Result<Self, NodeError> {
        let miner = match (rules.params().layer.has_money(), &config.miner) {
            (false, told) => {
                if told.is_some() {
                    tracing::warn!("blocks of this layer pay nobody: the address to mine to is not used");
                }
                None
            }
            (true, Some(text)) => {
                Some(text.parse().map_err(|source| NodeError::BadMiner { text: text.clone(), source })?)
            }
            (true, None) => Some(data.key_pair()?.address()),
        };
        let told = Self { message: config.message.clone(), miner };
        told.check(rules)?;
        if told.message.is_empty() { Ok(told.saying(format!("mined by {own_address}"), rules)) } else { Ok(told) }
    }

    /// The same with another message, or with none where the network has no room for it.
    pub(crate) fn saying(self, message: String, rules: &Rules) -> Self {
        let said = Self { message, ..self };
        if said.check(rules).is_ok() { said } else { Self { message: String::new(), ..said } }
    }

    /// Whether a block may say so.
    ///
    /// # Errors
    /// The rule that every block which says so would break.
    pub(crate) fn check(&self, rules: &Rules) -> Result<(), BlockViolation> {
        let (got, limit) = (self.empty_data().len() as u64, rules.params().max_data_bytes);
        if got > limit {
            return Err(BlockViolation::DataTooLarge { got, limit });
        }
        rules.read_data(&self.empty_data()).map(drop)
    }

    /// Bytes of a block's data that are left for transactions.
    pub(crate) fn room(&self, rules: &Rules) -> usize {
        (rules.params().max_data_bytes as usize).saturating_sub(self.empty_data().len())
    }

    /// The data of a block without transactions.
    fn empty_data(&self) -> String {
        match &self.miner {
            Some(miner) => BundleWriter::new(&self.message, miner).finish().0,
            None => self.message.clone(),
        }
    }
}
