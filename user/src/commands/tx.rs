//! `user tx`: a transaction and its place in the chain.

use crate::Error;
use crate::answers;
use crate::as_of::AsOf;
use crate::console::{Console, Output, Style};
use crate::services::Context;
use runtime::sanitize;
use serde::Serialize;
use shared::ledger::{Holding, Part, Transaction, TransactionId};
use shared::wire::{ConfirmedRival, TransactionState, TransactionStatus};

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
            _ => match status.rival {
                Some(ConfirmedRival { id, block, .. }) => {
                    format!("not in a block: transaction {id} has spent its coin in block {}", block.index)
                }
                None => "pending".to_owned(),
            },
        };
        let mut lines = vec![format!("id      {}", style.strong(payment.id())), format!("status  {place}")];
        lines.extend(parts(payment));
        lines.push(format!("fee     {} LAB", payment.fee()));
        if !payment.msg().is_empty() {
            lines.push(format!("msg     {}", sanitize::line(payment.msg())));
        }
        lines.extend(Some(as_of.text()).filter(|text| !text.is_empty()).map(|text| style.faint(text)));
        lines.join("\n")
    }
}

/// What it takes and gives.
fn parts(transaction: &Transaction) -> Vec<String> {
    let line = |name: &str, part: &Part| match part.holding {
        Holding::Account(address) => format!("{name}{address}"),
        Holding::Coin(coin) => format!("{name}{} LAB of {}, coin {coin}", part.amount, part.address),
    };
    let mut lines: Vec<_> = transaction.takes().iter().map(|part| line("from    ", part)).collect();
    lines.extend(transaction.gives().iter().map(|part| line("to      ", part)));
    lines.extend(transaction.as_payment().map(|payment| format!("amount  {} LAB", payment.amount)));
    lines
}

/// # Errors
/// Fails if the mempool does not know the transaction.
pub async fn run(args: Args, context: &Context, console: &mut Console) -> Result<(), Error> {
    let mempool = context.mempool().await?;
    let status = answers::fetch(&mempool, args.id).await?;
    let as_of = AsOf::of(&mempool);
    as_of.note_if_stale(&mempool, console);
    console.print(&TransactionInfo { status, as_of })
}
