//! `user history`: the payments and rewards of an address.

use crate::address_arg::AddressArg;
use crate::as_of::AsOf;
use crate::console::{Console, Output, Style};
use crate::services::Context;
use crate::{Error, keys};
use runtime::sanitize;
use serde::Serialize;
use shared::ledger::Address;
use shared::wire::{HistoryEntry, TransactionState};
use std::array;
use std::path::PathBuf;
use unicode_width::UnicodeWidthStr;

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
    #[serde(flatten)]
    as_of: AsOf,
}

impl Output for History {
    fn text(&self, style: Style) -> String {
        let mut lines = vec![style.strong(self.address)];
        let rows: Vec<_> = self.entries.iter().map(|entry| columns(entry, &self.address)).collect();
        lines.extend(aligned(&rows));
        if self.entries.is_empty() {
            lines.push("no payments or rewards yet".to_owned());
        }
        if self.more {
            lines.push("There are older entries; -n N shows more of them.".to_owned());
        }
        lines.extend(Some(self.as_of.text()).filter(|text| !text.is_empty()).map(|text| style.faint(text)));
        lines.join("\n")
    }
}

/// Block, amount, other side, message, and id with the balance after the entry.
fn columns(entry: &HistoryEntry, own: &Address) -> [String; 5] {
    let place = match (entry.status, &entry.block) {
        (TransactionState::Confirmed, Some(block)) => format!("block {}", block.index),
        _ => "pending".to_owned(),
    };
    let balance = entry.balance;
    match (&entry.transaction, entry.reward) {
        (Some(payment), _) => {
            let (amount, other) = match (payment.from == *own, payment.to == *own) {
                (true, true) => (format!("-{} LAB", payment.fee), "a payment to itself".to_owned()),
                (true, false) => (format!("-{} LAB", payment.cost()), format!("to {}", payment.to)),
                (false, _) => (format!("+{} LAB", payment.amount), format!("from {}", payment.from)),
            };
            let msg = if payment.msg.is_empty() { String::new() } else { sanitize::quoted(&payment.msg) };
            [place, amount, other, msg, format!("{}, then {balance} LAB", payment.id.short())]
        }
        (None, Some(reward)) => {
            [place, format!("+{reward} LAB"), "mined".to_owned(), String::new(), format!("then {balance} LAB")]
        }
        (None, None) => {
            let words = "an entry of a kind that this version of the program does not know".to_owned();
            [place, String::new(), words, String::new(), format!("then {balance} LAB")]
        }
    }
}

/// Lines with straight columns: the first two end at the same place in every line, the others begin there. A column
/// that is empty everywhere takes no room.
fn aligned(rows: &[[String; 5]]) -> Vec<String> {
    let widths: [usize; 5] = array::from_fn(|place| rows.iter().map(|row| row[place].width()).max().unwrap_or(0));
    let line = |row: &[String; 5]| {
        let mut line = String::new();
        for (place, text) in row.iter().enumerate().filter(|(place, _)| widths[*place] > 0) {
            let padding = " ".repeat(widths[place] - text.width());
            let (before, after) = if place < 2 { (padding.as_str(), "") } else { ("", padding.as_str()) };
            line += &format!("  {before}{text}{after}");
        }
        line.trim_end().to_owned()
    };
    rows.iter().map(line).collect()
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
    let as_of = AsOf::of(&mempool);
    as_of.note_if_stale(&mempool, console);
    console.print(&History { address, entries, more: before.is_some(), as_of })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_straight_whatever_people_write() {
        let row = |amount: &str, msg: &str| ["block 3", amount, "mined", msg, "x"].map(str::to_owned);
        let rows =
            [row("+1 LAB", "\"ありがとう\""), row("+12.5 LAB", "\"हिन्दी\""), row("-3 LAB", "\"a\""), row("-3 LAB", "")];
        let lines = aligned(&rows);
        let ends: Vec<_> = lines.iter().map(|line| line.width()).collect();
        assert!(ends.iter().all(|end| *end == ends[0]), "{lines:#?}");
        assert!(lines[2].starts_with("  block 3     -3 LAB  mined  \"a\"  "), "{lines:#?}");
        let without_messages = aligned(&[row("+1 LAB", ""), row("+1 LAB", "")]);
        assert_eq!(without_messages[0], "  block 3  +1 LAB  mined  x");
    }
}
