//! `user confirmations`: how deep in the chain a transaction is.

use crate::Error;
use crate::as_of::AsOf;
use crate::console::{Console, Output, Style};
use crate::services::Context;
use serde::Serialize;
use shared::ledger::TransactionId;

/// Show how many blocks confirm a transaction: its own block and all after it; 0 while it is pending
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The transaction's id
    id: TransactionId,
}

#[derive(Debug, Serialize)]
struct Confirmations {
    id: TransactionId,
    confirmations: u64,
    #[serde(flatten)]
    as_of: AsOf,
}

impl Output for Confirmations {
    fn text(&self, _: Style) -> String {
        self.confirmations.to_string()
    }
}

/// # Errors
/// Fails if the mempool does not know the transaction.
pub async fn run(args: Args, context: &Context, console: &mut Console) -> Result<(), Error> {
    let id = args.id;
    let mempool = context.mempool().await?;
    match mempool.client.confirmations(&mempool.address, &id).await {
        Ok(confirmations) => {
            let as_of = AsOf::of(&mempool);
            as_of.note_if_stale(&mempool, console);
            console.print(&Confirmations { id, confirmations, as_of })
        }
        Err(error) if error.status() == Some(404) => Err(Error::UnknownTransaction(id)),
        Err(error) => Err(mempool.request_error("ask for confirmations")(error)),
    }
}
