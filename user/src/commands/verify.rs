//! `user verify`: rechecks a transaction's id and signature on this machine, without trusting any service.

use crate::Error;
use crate::console::{Console, Output, Style};
use crate::services::Context;
use crate::tx_arg::TxArg;
use serde::Serialize;
use shared::block::BlockHash;
use shared::keys::PlainVerifier;
use shared::ledger::{Address, TransactionId};

/// Recheck a transaction's id and signature on this machine
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A transaction's id, a file with its JSON, or - for standard input
    #[arg(value_name = "ID OR FILE")]
    transaction: TxArg,
    /// Use the network of the configuration and ask no service
    #[arg(long)]
    offline: bool,
}

const EXAMPLES: &str = "\
Examples:
  user verify payment.json
  user tx 6067338cc5293d0c39254565d8f607fa357f28cc6d5611ea781d5e44ef19b2ae --json | user verify -";

/// A valid transaction; an invalid one is an error.
#[derive(Debug, Serialize)]
struct Valid {
    id: TransactionId,
    valid: bool,
    from: Address,
    network_id: BlockHash,
}

impl Output for Valid {
    fn text(&self, style: Style) -> String {
        let Self { id, from, network_id, .. } = self;
        format!(
            "{}: the id {id} is the hash of the content on the network {network_id}, and {from} has signed it",
            style.good("valid")
        )
    }
}

/// # Errors
/// Returns the first rule that the transaction breaks.
pub async fn run(args: Args, context: &Context, console: &mut Console) -> Result<(), Error> {
    let resolved = args.transaction.resolve(context, args.offline).await?;
    resolved.transaction.check(&resolved.rules, &PlainVerifier)?;
    let (id, from) = (resolved.transaction.id(), resolved.transaction.transfer().from);
    console.print(&Valid { id, valid: true, from, network_id: resolved.network() })
}
