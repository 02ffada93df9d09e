//! `user history`: the payments and rewards of an address.

use crate::address_arg::AddressArg;
use crate::as_of::AsOf;
use crate::console::{Console, Output, Style};
use crate::services::Context;
use crate::{Error, answers, keys};
use runtime::sanitize;
use serde::Serialize;
use shared::ledger::{Address, Amount, Part, Transfer};
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
            let is_own = |parts: Vec<Part>| parts.iter().any(|part| part.address == *own);
            let Transfer { from, to, .. } = payment.transfer();
            let other = match (is_own(payment.takes()), is_own(payment.gives())) {
                (true, true) if to == *own => "a payment to itself".to_owned(),
                (true, _) => format!("to {to}"),
                (false, true) => format!("from {from}"),
                (false, false) => format!("by a program that {from} called"),
            };
            let msg = if payment.msg().is_empty() { String::new() } else { sanitize::quoted(payment.msg()) };
            [place, change(entry), other, msg, format!("{}, balance {balance} LAB", payment.id().short())]
        }
        (None, Some(reward)) => {
            [place, format!("+{reward} LAB"), "mined".to_owned(), String::new(), format!("balance {balance} LAB")]
        }
        (None, None) => {
            let words = "an entry of a kind that this version of the program does not know".to_owned();
            [place, String::new(), words, String::new(), format!("balance {balance} LAB")]
        }
    }
}

/// What the entry changed: for the sender with the fee, and with what programs moved.
fn change(entry: &HistoryEntry) -> String {
    match entry.balance.checked_sub(entry.before) {
        Some(more) => format!("+{more} LAB"),
        None => format!("-{} LAB", entry.before.checked_sub(entry.balance).unwrap_or(Amount::ZERO)),
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
        let page = answers::history(&mempool, &address, before.as_deref(), page, "ask for the history").await?;
        let is_empty = page.entries.is_empty();
        entries.extend(page.entries);
        entries.truncate(limit);
        // A page without entries has no next one, whatever the mempool says.
        before = page.next.filter(|_| !is_empty);
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
    use shared::block::{BlockHash, BlockId, Height};
    use shared::keys::KeyPair;
    use shared::ledger::{Unsigned, Uuid};
    use shared::program::AccountId;

    /// A confirmed call of a program by alice with 7 grains and a fee of 3, and the balances of the reader.
    fn call(before: u64, balance: u64) -> HistoryEntry {
        let pair = KeyPair::from_seed("alice");
        let unsigned = Unsigned {
            uuid: Uuid([1; 16]),
            from: pair.address(),
            to: Address::of_program(AccountId([5; 20])),
            amount: Amount::new(7).unwrap(),
            fee: Amount::new(3).unwrap(),
            msg: "call 50000 0x".to_owned(),
        };
        HistoryEntry {
            transaction: Some(pair.sign_transaction(unsigned, BlockHash::ZERO)),
            reward: None,
            status: TransactionState::Confirmed,
            block: Some(BlockId { index: Height(4), hash: BlockHash::ZERO }),
            confirmations: 1,
            before: Amount::new(before).unwrap(),
            balance: Amount::new(balance).unwrap(),
        }
    }

    #[test]
    fn what_a_program_paid_or_took_has_the_sign_of_the_balance() {
        for (own, before, after, amount, other) in [
            ("bob", 100, 110, "+0.0000001 LAB", "by a program"),
            ("bob", 100, 90, "-0.0000001 LAB", "by a program"),
            ("alice", 100, 97, "-0.00000003 LAB", "to "),
            ("alice", 100, 150, "+0.0000005 LAB", "to "),
        ] {
            let row = columns(&call(before, after), &KeyPair::from_seed(own).address());
            assert!(row[1] == amount && row[2].starts_with(other), "{own}: {row:?}");
        }
    }

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
