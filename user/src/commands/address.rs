//! `user address`: the address of a seed or key file.

use crate::address_arg::AddressArg;
use crate::console::{Console, Output, Style};
use crate::{Error, keys};
use serde::Serialize;
use shared::ledger::Address;
use shared::program::AccountId;
use std::path::PathBuf;

/// Show the address of a seed or key file
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    source: KeySource,
    /// File whose first line is the password of the key file [default: ask]
    #[arg(long, value_name = "FILE", requires = "file")]
    password_file: Option<PathBuf>,
    /// Print the 20 bytes by which programs know it (layer program); takes an address (lab1…), too
    #[arg(long)]
    engine: bool,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct KeySource {
    /// A seed text
    #[arg(value_name = "SEED")]
    named: Option<String>,
    /// A seed text, as a flag
    #[arg(short, long)]
    seed: Option<String>,
    /// A key file
    #[arg(short, long)]
    file: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
struct AddressInfo {
    address: Address,
    /// By which programs know it.
    account: AccountId,
    /// `None` for the address of a program.
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key: Option<String>,
    insecure: bool,
    #[serde(skip)]
    shows_account: bool,
}

impl Output for AddressInfo {
    fn text(&self, _: Style) -> String {
        if self.shows_account { self.account.to_string() } else { self.address.to_string() }
    }
}

/// # Errors
/// Fails if the key file cannot be read, or the address is mistyped.
pub fn run(args: Args, console: &mut Console) -> Result<(), Error> {
    let Args { source: KeySource { named, seed, file }, password_file, engine: shows_account } = args;
    let (pair, insecure) = match (named.or(seed), file) {
        (Some(text), _) if text.starts_with("lab1") && shows_account => {
            let address = text.parse::<AddressArg>().map_err(|error| Error::Usage(error.to_string()))?.address;
            return console.print(&info(address, false, shows_account));
        }
        (Some(seed), _) if seed.starts_with("lab1") => {
            return Err(Error::Usage(format!("{seed} is an address already; name a seed or a key file")));
        }
        (Some(seed), _) => (keys::from_seed(&seed, console), true),
        (None, Some(file)) => (keys::read(&file, password_file.as_deref(), console)?, false),
        (None, None) => return Err(Error::Usage("name a seed or a key file".to_owned())),
    };
    if insecure {
        console.note(keys::SEED_WARNING);
    }
    console.print(&info(pair.address(), insecure, shows_account))
}

fn info(address: Address, insecure: bool, shows_account: bool) -> AddressInfo {
    let key = address.is_key().then(|| address.public_key());
    let public_key = key.map(|key| key.iter().map(|byte| format!("{byte:02x}")).collect());
    AddressInfo { address, account: address.account(), public_key, insecure, shows_account }
}
