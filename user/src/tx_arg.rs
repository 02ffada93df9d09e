//! How people name a transaction on the command line: by its id, which the mempool looks up, or by a file or standard
//! input with its JSON.

use crate::services::Context;
use crate::{Error, answers, keys};
use runtime::{plain_words, text_file};
use shared::block::BlockHash;
use shared::ledger::{Transaction, TransactionId, TransactionRules};
use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;

/// Bytes to read at most; the JSON of a transaction is smaller, even one with the code of a program.
const MAX_BYTES: u64 = 256 << 10;

/// Where to get a transaction from.
#[derive(Debug, Clone)]
pub(crate) enum TxArg {
    Id(TransactionId),
    /// The argument `-`.
    StandardInput,
    /// Any other argument.
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

/// A transaction, and the rules of the network to check it by.
#[derive(Debug)]
pub(crate) struct ResolvedTx {
    pub(crate) transaction: Transaction,
    pub(crate) rules: TransactionRules,
}

impl TxArg {
    /// Gets the transaction. If `offline`, the rules are those of the configuration's network and no service is asked.
    pub(crate) async fn resolve(self, context: &Context, offline: bool) -> Result<ResolvedTx, Error> {
        let (origin, text) = match self {
            Self::Id(_) if offline => {
                return Err(Error::Usage(
                    "--offline needs the transaction itself, not its id: name a file with its JSON".to_owned(),
                ));
            }
            Self::Id(id) => {
                let mempool = context.mempool().await?;
                let transaction = answers::fetch(&mempool, id).await?.transaction;
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
    pub(crate) const fn network(&self) -> BlockHash {
        self.rules.network
    }
}

/// Parses a transaction, alone or inside the output of `user tx --json` or `user send --json`.
fn read(text: &str) -> Result<Transaction, String> {
    #[derive(serde::Deserialize)]
    struct Wrapped {
        transaction: Transaction,
    }
    serde_json::from_str(text).or_else(|error| match serde_json::from_str::<Wrapped>(text) {
        Ok(wrapped) => Ok(wrapped.transaction),
        Err(_) => Err(plain_words::parser(&error.to_string())),
    })
}

fn standard_input() -> Result<String, Error> {
    let path = PathBuf::from("standard input");
    text_file::read_from(std::io::stdin(), MAX_BYTES).map_err(|source| Error::File { action: "read", path, source })
}
