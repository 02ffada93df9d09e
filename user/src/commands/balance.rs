//! `user balance` and `user balances`: the balances of addresses.

use crate::address_arg::{AddressArg, AddressSelector};
use crate::as_of::AsOf;
use crate::console::{Console, Output, Style};
use crate::names::{ExplorerArg, Names};
use crate::services::{Context, RemoteService};
use crate::{Error, keys};
use futures_util::{StreamExt, TryStreamExt, stream};
use runtime::sanitize;
use serde::Serialize;
use shared::ledger::{Address, Amount};
use std::path::PathBuf;

/// Balances to ask for in one page.
const PAGE: usize = 1000;
const CONCURRENT_REQUESTS: usize = 8;

/// Show balances
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Addresses, first characters of addresses (lab1…), or seeds [default: all addresses]
    #[arg(value_name = "ADDRESS OR SEED")]
    whose: Vec<AddressSelector>,
    /// Seed of your own key
    #[arg(short, long)]
    seed: Vec<String>,
    /// Your own key file
    #[arg(short, long)]
    file: Option<PathBuf>,
    /// File whose first line is the password of the key file [default: ask]
    #[arg(long, value_name = "FILE", requires = "file")]
    password_file: Option<PathBuf>,
    /// Count only money with at least N confirmations; 0 counts pending payments too
    #[arg(short, long, value_name = "N", default_value_t = 1)]
    confirmations: u64,
    /// List at most N balances
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    limit: u32,
    /// Show the names that the explorer at this address has, such as http://127.0.0.1:8080
    #[arg(long, value_name = "URL")]
    explorer: Option<ExplorerArg>,
}

const EXAMPLES: &str = "\
Examples:
  user balance                     all balances
  user balance -f wallet.pem       your own
  user balance alice -c 6          money of the seed alice with 6 confirmations
  user balance lab1qw              all addresses that begin with lab1qw
  user balances --explorer http://127.0.0.1:8080     with the names of their owners";

#[derive(Debug, Serialize)]
struct BalanceRow {
    address: Address,
    balance: Amount,
    /// As the explorer has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<String>,
}

#[derive(Debug, Serialize)]
struct Balances {
    confirmations: u64,
    balances: Vec<BalanceRow>,
    /// Whether there are more than the limit.
    more: bool,
    #[serde(flatten)]
    as_of: AsOf,
}

impl Output for Balances {
    fn text(&self, style: Style) -> String {
        let mut lines: Vec<_> = self.balances.iter().map(|row| line(row, style)).collect();
        if lines.is_empty() {
            lines.push("no address has a balance yet".to_owned());
        }
        if self.more {
            lines.push("There are more; --limit N lists more of them.".to_owned());
        }
        lines.extend(Some(self.as_of.text()).filter(|text| !text.is_empty()).map(|text| style.faint(text)));
        lines.join("\n")
    }
}

fn line(row: &BalanceRow, style: Style) -> String {
    let seed =
        row.seed.as_ref().map_or(String::new(), |seed| style.faint(format!("  the seed {}", sanitize::quoted(seed))));
    let name = row.name.as_ref().map_or(String::new(), |name| format!("  {}", style.strong(sanitize::line(name))));
    format!("{}  {:>18} LAB{name}{seed}", row.address, row.balance.to_string())
}

/// # Errors
/// Fails if there is no mempool or it does not answer.
pub async fn run(args: Args, context: &Context, console: &mut Console) -> Result<(), Error> {
    let Args { mut whose, seed, file, password_file, confirmations, limit, explorer } = args;
    whose.extend(seed.iter().map(|seed| AddressSelector::Address(AddressArg::from_seed(seed))));
    if let Some(file) = file {
        let address = keys::read(&file, password_file.as_deref(), console)?.address();
        whose.push(AddressSelector::Address(AddressArg { address, seed: None }));
    }
    if whose.is_empty() {
        whose.push(AddressSelector::Prefix(String::new()));
    }
    let mempool = context.mempool().await?;
    let mut balances = Balances { confirmations, balances: Vec::new(), more: false, as_of: AsOf::default() };
    for whose in whose {
        match whose {
            AddressSelector::Address(arg) => {
                let balance = request_balance(&mempool, &arg.address, confirmations).await?;
                balances.balances.push(BalanceRow { address: arg.address, balance, name: None, seed: arg.seed });
            }
            AddressSelector::Prefix(prefix) => list_balances(&mempool, &prefix, limit as usize, &mut balances).await?,
        }
    }
    balances.as_of = AsOf::of(&mempool);
    balances.as_of.note_if_stale(&mempool, console);
    let names = Names::of(explorer.as_ref(), &mempool, console).await?;
    for row in &mut balances.balances {
        row.name = names.get(&row.address).cloned();
    }
    console.print(&balances)
}

async fn request_balance(mempool: &RemoteService, address: &Address, confirmations: u64) -> Result<Amount, Error> {
    let balance = mempool.client.balance(&mempool.address, address, confirmations).await;
    let balance = balance.map_err(mempool.request_error(format!("ask for the balance of {}", address.short())))?;
    Ok(Amount::new(balance).unwrap_or(Amount::MAX))
}

/// Adds at most `limit` balances of addresses that begin with `prefix`.
async fn list_balances(
    mempool: &RemoteService,
    prefix: &str,
    limit: usize,
    balances: &mut Balances,
) -> Result<(), Error> {
    let confirmations = balances.confirmations;
    let (mut rows, mut from) = (Vec::new(), None::<String>);
    loop {
        let page =
            mempool.client.balances(&mempool.address, prefix, from.as_deref(), PAGE.min(limit - rows.len())).await;
        let page = page.map_err(mempool.request_error("list balances"))?;
        rows.extend(page.entries.into_iter().map(|entry| BalanceRow {
            address: entry.address,
            balance: entry.balance,
            name: None,
            seed: None,
        }));
        rows.truncate(limit);
        from = page.next;
        if from.is_none() || rows.len() == limit {
            break;
        }
    }
    balances.more |= from.is_some();
    // The mempool lists balances with 1 confirmation; other depths need a request for each address.
    if confirmations != 1 {
        let asked = stream::iter(rows).map(async |row: BalanceRow| {
            let balance = request_balance(mempool, &row.address, confirmations).await?;
            Ok::<_, Error>(BalanceRow { balance, ..row })
        });
        rows = asked.buffered(CONCURRENT_REQUESTS).try_collect().await?;
    }
    balances.balances.extend(rows);
    Ok(())
}
