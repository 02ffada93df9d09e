//! `user address`: the address of a seed or key file.

use crate::console::{Console, Output, Style};
use crate::{Error, keys};
use serde::Serialize;
use shared::keys::KeyPair;
use shared::ledger::Address;
use std::path::PathBuf;

/// Show the address of a seed or key file
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    source: KeySource,
    /// File whose first line is the password of the key file [default: ask]
    #[arg(long, value_name = "FILE", requires = "file")]
    password_file: Option<PathBuf>,
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
    public_key: String,
    insecure: bool,
}

impl Output for AddressInfo {
    fn text(&self, _: Style) -> String {
        self.address.to_string()
    }
}

/// # Errors
/// Fails if the key file cannot be read.
pub fn run(args: Args, console: &mut Console) -> Result<(), Error> {
    let Args { source: KeySource { named, seed, file }, password_file } = args;
    let (pair, insecure) = match (named.or(seed), file) {
        (Some(seed), _) if seed.starts_with("lab1") => {
            return Err(Error::Usage(format!("{seed} is an address already; name a seed or a key file")));
        }
        (Some(seed), _) => (KeyPair::from_seed(&seed), true),
        (None, Some(file)) => (keys::read(&file, password_file.as_deref(), console)?, false),
        (None, None) => return Err(Error::Usage("name a seed or a key file".to_owned())),
    };
    if insecure {
        console.note(keys::SEED_WARNING);
    }
    let public_key = pair.public_key().iter().map(|byte| format!("{byte:02x}")).collect();
    console.print(&AddressInfo { address: pair.address(), public_key, insecure })
}
