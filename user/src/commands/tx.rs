//! `user tx`: a transaction and its place in the chain.

use crate::Error;
use crate::console::{Console, Output, Style};
use crate::services::{Context, RemoteService};
use runtime::sanitize;
use shared::ledger::TransactionId;
use shared::wire::{TransactionState, TransactionStatus};

/// Show a transaction and the block that it is in
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The transaction's id
    id: TransactionId,
}

impl Output for TransactionStatus {
    fn text(&self, style: Style) -> String {
        let payment = &self.transaction;
        let place = match (self.status, &self.block) {
            (TransactionState::Confirmed, Some(block)) => {
                let many = if self.confirmations == 1 { "" } else { "s" };
                style.good(format!(
                    "in block {} ({}), {} confirmation{many}",
                    block.index, block.hash, self.confirmations
                ))
            }
            _ => "pending".to_owned(),
        };
        let mut lines = vec![
            format!("id      {}", style.strong(payment.id)),
            format!("status  {place}"),
            format!("from    {}", payment.from),
            format!("to      {}", payment.to),
            format!("amount  {} LAB", payment.amount),
            format!("fee     {} LAB", payment.fee),
        ];
        if !payment.msg.is_empty() {
            lines.push(format!("msg     {}", sanitize::line(&payment.msg)));
        }
        lines.join("\n")
    }
}

/// # Errors
/// Fails if the mempool does not know the transaction.
pub async fn run(args: Args, context: &Context, console: &mut Console) -> Result<(), Error> {
    let mempool = context.mempool().await?;
    console.print(&fetch(&mempool, args.id).await?)
}

/// Asks the mempool for a transaction.
pub(crate) async fn fetch(mempool: &RemoteService, id: TransactionId) -> Result<TransactionStatus, Error> {
    match mempool.client.transaction(&mempool.address, &id).await {
        Ok(status) if status.transaction.id == id => Ok(status),
        Ok(status) => Err(Error::NotATransaction {
            origin: format!("the answer of {}", mempool.address),
            reason: format!("asked for {id}, got {}", status.transaction.id),
        }),
        Err(error) if error.status() == Some(404) => Err(Error::UnknownTransaction(id)),
        Err(error) => Err(mempool.request_error("ask for the transaction")(error)),
    }
}
