//! `user tx`: a transaction and its place in the chain.

use crate::Error;
use crate::as_of::AsOf;
use crate::console::{Console, Output, Style};
use crate::services::{Context, RemoteService};
use runtime::sanitize;
use serde::Serialize;
use shared::ledger::TransactionId;
use shared::wire::{TransactionState, TransactionStatus};

/// Show a transaction and the block that it is in
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The transaction's id
    id: TransactionId,
}

/// A transaction, and the block that the answer stands on.
#[derive(Debug, Serialize)]
struct TransactionInfo {
    #[serde(flatten)]
    status: TransactionStatus,
    #[serde(flatten)]
    as_of: AsOf,
}

impl Output for TransactionInfo {
    fn text(&self, style: Style) -> String {
        let Self { status, as_of } = self;
        let payment = &status.transaction;
        let place = match (status.status, &status.block) {
            (TransactionState::Confirmed, Some(block)) => {
                let many = if status.confirmations == 1 { "" } else { "s" };
                style.good(format!(
                    "in block {} ({}), {} confirmation{many}",
                    block.index, block.hash, status.confirmations
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
        lines.extend(Some(as_of.text()).filter(|text| !text.is_empty()).map(|text| style.faint(text)));
        lines.join("\n")
    }
}

/// # Errors
/// Fails if the mempool does not know the transaction.
pub async fn run(args: Args, context: &Context, console: &mut Console) -> Result<(), Error> {
    let mempool = context.mempool().await?;
    let status = fetch(&mempool, args.id).await?;
    let as_of = AsOf::of(&mempool);
    as_of.note_if_stale(&mempool, console);
    console.print(&TransactionInfo { status, as_of })
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
