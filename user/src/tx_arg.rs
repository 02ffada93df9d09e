//! A transaction that a person names: by its id, for the mempool to tell, or by a file or standard input with its JSON.

use crate::commands::tx;
use crate::services::Context;
use crate::{Error, keys};
use shared::block::BlockHash;
use shared::ledger::{Transaction, TransactionId, TransactionRules};
use std::convert::Infallible;
use std::io::Read;
use std::path::PathBuf;
use std::str::FromStr;

/// More than the JSON of any transaction.
const MAX_BYTES: u64 = 64 << 10;

/// Which transaction.
#[derive(Debug, Clone)]
pub(crate) enum TxArg {
    /// 64 hex digits.
    Id(TransactionId),
    /// `-`.
    StandardInput,
    /// Anything else.
    File(PathBuf),
}

impl FromStr for TxArg {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text.parse() {
            Ok(id) => Self::Id(id),
            Err(_) if text == "-" => Self::StandardInput,
            Err(_) => Self::File(PathBuf::from(text)),
        })
    }
}

/// A transaction and the rules of the network that it is judged by.
#[derive(Debug)]
pub(crate) struct ResolvedTx {
    pub(crate) transaction: Transaction,
    pub(crate) rules: TransactionRules,
}

impl TxArg {
    /// Gets it. `offline` takes the network of the configuration instead of asking for one.
    pub(crate) async fn resolve(self, context: &Context, offline: bool) -> Result<ResolvedTx, Error> {
        let (origin, text) = match self {
            Self::Id(_) if offline => {
                return Err(Error::Usage(
                    "an id alone says nothing offline: name a file with the transaction".to_owned(),
                ));
            }
            Self::Id(id) => {
                let mempool = context.mempool().await?;
                let transaction = tx::fetch(&mempool, id).await?.transaction;
                return Ok(ResolvedTx { transaction, rules: TransactionRules::of(&mempool.params) });
            }
            Self::StandardInput => ("standard input".to_owned(), standard_input()?),
            Self::File(path) => (path.display().to_string(), keys::read_text(&path)?),
        };
        let transaction = read(&text).map_err(|reason| Error::NotATransaction { origin, reason })?;
        let params = if offline { context.config.network.clone() } else { context.mempool().await?.params };
        Ok(ResolvedTx { transaction, rules: TransactionRules::of(&params) })
    }
}

impl ResolvedTx {
    /// The network's id.
    pub(crate) const fn network(&self) -> BlockHash {
        self.rules.network
    }
}

/// Reads a transaction, or what `user tx --json` or `user send --json` say of one.
fn read(text: &str) -> Result<Transaction, String> {
    #[derive(serde::Deserialize)]
    struct Wrapped {
        transaction: Transaction,
    }
    serde_json::from_str(text).or_else(|error| match serde_json::from_str::<Wrapped>(text) {
        Ok(wrapped) => Ok(wrapped.transaction),
        Err(_) => Err(error.to_string()),
    })
}

fn standard_input() -> Result<String, Error> {
    let mut text = String::new();
    let read = std::io::stdin().take(MAX_BYTES).read_to_string(&mut text);
    read.map_err(|source| Error::File { action: "read", path: PathBuf::from("standard input"), source })?;
    Ok(text)
}
