//! `user confirmations`: how deep in the chain a transaction is.

use crate::Error;
use crate::console::{Console, Output, Style};
use crate::services::Context;
use serde::Serialize;
use shared::ledger::TransactionId;

/// Show how many blocks confirm a transaction: its own and all after it; 0 while it is pending
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The transaction's id
    id: TransactionId,
}

/// The answer.
#[derive(Debug, Serialize)]
struct Shown {
    id: TransactionId,
    confirmations: u64,
}

impl Output for Shown {
    fn text(&self, _: Style) -> String {
        self.confirmations.to_string()
    }
}

/// Shows it.
///
/// # Errors
/// The mempool does not know the transaction.
pub async fn run(args: Args, context: &Context, console: &mut Console) -> Result<(), Error> {
    let id = args.id;
    let found = context.mempool().await?;
    match found.client.confirmations(&found.at, &id).await {
        Ok(confirmations) => console.show(&Shown { id, confirmations }),
        Err(error) if error.status() == Some(404) => Err(Error::Unknown(id)),
        Err(error) => Err(found.failed("ask for confirmations")(error)),
    }
}
