//! `user new`: creates a key file.

use crate::console::{Console, Output, Style};
use crate::{Error, keys, random};
use serde::Serialize;
use shared::keys::KeyPair;
use shared::ledger::Address;
use std::path::PathBuf;

/// Make a new key, in a file that only you can read
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The file to create; an existing file is never overwritten
    #[arg(short, long, value_name = "FILE", default_value = "wallet.pem")]
    out: PathBuf,
    /// Make the key from this seed text instead of a random one; insecure, for exercises
    #[arg(short, long)]
    seed: Option<String>,
    /// Ask for a password and encrypt the file with it
    #[arg(long)]
    password: bool,
    /// Encrypt the file with the password in the first line of FILE
    #[arg(long, value_name = "FILE", conflicts_with = "password")]
    password_file: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  user new                         create wallet.pem
  user new -o alice.pem --password ask for a password
  openssl pkey -in wallet.pem -text -noout
                                   show its contents";

#[derive(Debug, Serialize)]
struct NewKey {
    file: PathBuf,
    address: Address,
    encrypted: bool,
    insecure: bool,
}

impl Output for NewKey {
    fn text(&self, style: Style) -> String {
        let kind = if self.encrypted { "an encrypted key" } else { "a key" };
        let Self { file, address, .. } = self;
        format!(
            "{} holds {kind}. Anyone who has this file can spend the money; without it the money is lost.\naddress: {}",
            file.display(),
            style.strong(address)
        )
    }
}

/// # Errors
/// Fails if the file exists or cannot be written.
pub fn run(args: Args, console: &mut Console) -> Result<(), Error> {
    let Args { out: file, seed, password, password_file } = args;
    let insecure = seed.is_some();
    let pair = match &seed {
        Some(seed) => KeyPair::from_seed(seed),
        None => random::key_pair()?,
    };
    // Checked before the person types a password.
    if file.exists() {
        return Err(Error::FileExists(file));
    }
    let password = match &password_file {
        Some(path) => Some(keys::read_password(path, console)?),
        None if password => Some(keys::prompt_new_password()?),
        None => None,
    };
    if password.as_deref() == Some("") {
        return Err(Error::Usage("the password is empty; choose one of at least one character".to_owned()));
    }
    keys::write(&file, &pair, password.as_deref())?;
    if insecure {
        console.note(keys::SEED_WARNING);
    }
    console.print(&NewKey { file, address: pair.address(), encrypted: password.is_some(), insecure })
}
