//! `user history`: the payments and rewards of an address.

use crate::address_arg::AddressArg;
use crate::console::{Console, Output, Style};
use crate::services::Context;
use crate::{Error, keys};
use serde::Serialize;
use shared::ledger::Address;
use shared::wire::{HistoryEntry, TransactionState};
use std::path::PathBuf;

/// Entries to ask for in one page.
const PAGE: usize = 100;

/// Show the payments and mining rewards of an address, newest first
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    source: AddressSource,
    /// File whose first line is the password of the key file [default: ask]
    #[arg(long, value_name = "FILE", requires = "file")]
    password_file: Option<PathBuf>,
    /// Show at most N entries
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct AddressSource {
    /// An address (lab1…), or the seed of a key
    #[arg(value_name = "ADDRESS OR SEED")]
    address: Option<AddressArg>,
    /// Seed of your own key
    #[arg(short, long)]
    seed: Option<String>,
    /// Your own key file
    #[arg(short, long)]
    file: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
struct History {
    address: Address,
    entries: Vec<HistoryEntry>,
    /// Whether there are more than the limit.
    more: bool,
}

impl Output for History {
    fn text(&self, style: Style) -> String {
        let mut lines = vec![style.strong(self.address)];
        lines.extend(self.entries.iter().map(|entry| line(entry, &self.address)));
        if self.entries.is_empty() {
            lines.push("no payments or rewards yet".to_owned());
        }
        if self.more {
            lines.push("There are older entries; -n N shows more of them.".to_owned());
        }
        lines.join("\n")
    }
}

fn line(entry: &HistoryEntry, own: &Address) -> String {
    let place = match (entry.status, &entry.block) {
        (TransactionState::Confirmed, Some(block)) => format!("block {}", block.index),
        _ => "pending".to_owned(),
    };
    let what = match (&entry.transaction, entry.reward) {
        (Some(payment), _) => {
            let what = match (payment.from == *own, payment.to == *own) {
                (true, true) => format!("-{} LAB  a payment to itself", payment.fee),
                (true, false) => format!("-{} LAB  to {}", payment.cost(), payment.to),
                (false, _) => format!("+{} LAB  from {}", payment.amount, payment.from),
            };
            let msg = if payment.msg.is_empty() { String::new() } else { format!("  {:?}", payment.msg) };
            format!("{what}{msg}  {}", payment.id.short())
        }
        (None, Some(reward)) => format!("+{reward} LAB  mined"),
        (None, None) => "an entry of a kind that this version of the program does not know".to_owned(),
    };
    format!("{place:>12}  {what}, then {} LAB", entry.balance)
}

/// # Errors
/// Fails if there is no mempool or it does not answer.
pub async fn run(args: Args, context: &Context, console: &mut Console) -> Result<(), Error> {
    let Args { source: AddressSource { address, seed, file }, password_file, limit } = args;
    let address = match (address.or(seed.as_deref().map(AddressArg::from_seed)), file) {
        (Some(address), _) => address.address,
        (None, Some(file)) => keys::read(&file, password_file.as_deref(), console)?.address(),
        (None, None) => return Err(Error::Usage("name an address, a seed or a key file".to_owned())),
    };
    let mempool = context.mempool().await?;
    let (limit, mut entries, mut before) = (limit as usize, Vec::new(), None::<String>);
    loop {
        let page = PAGE.min(limit - entries.len());
        let page = mempool.client.history(&mempool.address, &address, before.as_deref(), page).await;
        let page = page.map_err(mempool.request_error("ask for the history"))?;
        entries.extend(page.entries);
        entries.truncate(limit);
        before = page.next;
        if before.is_none() || entries.len() == limit {
            break;
        }
    }
    console.print(&History { address, entries, more: before.is_some() })
}
