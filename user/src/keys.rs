//! Where keys come from: seed texts, key files and their passwords.
//!
//! A key file is made exclusively with mode 0600 and never overwritten. Passwords come from a prompt or a file, never
//! from the command line, where other users of the machine could read them.

use crate::console::Console;
use crate::{Error, chance};
use clap::Args;
use runtime::secret_file;
use shared::keys::{BadKeyFile, KeyPair};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// More than any key file or password has.
const MOST_BYTES: u64 = 64 << 10;
/// What is said wherever a key is made from a seed.
pub(crate) const INSECURE: &str = "whoever guesses the seed has the key: seeds are for exercises only";

/// Whose key: `-s` or `-f`.
#[derive(Debug, Clone, Args)]
pub(crate) struct KeyArgs {
    #[command(flatten)]
    source: KeySource,
    /// File whose first line is the password of the key file [default: ask]
    #[arg(long, value_name = "FILE", conflicts_with = "seed")]
    password_file: Option<PathBuf>,
}

/// One of these, and only one.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
struct KeySource {
    /// The seed text of the paying key; insecure, for exercises
    #[arg(short, long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    seed: Option<String>,
    /// The key file of the paying key
    #[arg(short, long)]
    file: Option<PathBuf>,
}

impl KeyArgs {
    /// The key, and what to call its owner.
    pub(crate) fn load(&self, console: &mut Console) -> Result<(KeyPair, String), Error> {
        match (&self.source.seed, &self.source.file) {
            (Some(seed), _) => Ok((KeyPair::from_seed(seed), format!("the seed {seed:?}"))),
            (None, Some(file)) => {
                let pair = read(file, self.password_file.as_deref(), console)?;
                Ok((pair, file.display().to_string()))
            }
            (None, None) => Err(Error::Usage("name a key: -s seed or -f file".to_owned())),
        }
    }
}

/// Reads a key file; asks for its password if it has one and `password_file` does not tell it.
pub(crate) fn read(path: &Path, password_file: Option<&Path>, console: &mut Console) -> Result<KeyPair, Error> {
    let text = read_text(path)?;
    if is_open_to_others(path) {
        console.note(&format!("others can read {0}: `chmod 600 {0}`", path.display()));
    }
    let wrong = |source| Error::KeyFile { path: path.to_owned(), source };
    match KeyPair::from_pem(&text, None) {
        Err(BadKeyFile::PasswordNeeded) => {
            let password = match password_file {
                Some(file) => password_in(file)?,
                None => ask(&format!("password of {}: ", path.display()))?,
            };
            KeyPair::from_pem(&text, Some(&password)).map_err(wrong)
        }
        other => other.map_err(wrong),
    }
}

/// Writes a key file that is not there yet.
pub(crate) fn write(path: &Path, pair: &KeyPair, password: Option<&str>) -> Result<(), Error> {
    let pem = match password {
        Some(password) => pair.to_encrypted_pem(password, chance::random()?, chance::random()?)?,
        None => pair.to_pem()?,
    };
    secret_file::create(path, &pem).map_err(|source| match source.kind() {
        ErrorKind::AlreadyExists => Error::Exists(path.to_owned()),
        _ => Error::File { action: "make", path: path.to_owned(), source },
    })
}

/// The first line of a file.
pub(crate) fn password_in(path: &Path) -> Result<String, Error> {
    let text = read_text(path)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// A new password, asked for twice.
pub(crate) fn ask_twice() -> Result<String, Error> {
    let password = ask("new password: ")?;
    if ask("the same again: ")? == password { Ok(password) } else { Err(Error::PasswordsDiffer) }
}

fn ask(prompt: &str) -> Result<String, Error> {
    rpassword::prompt_password(prompt).map_err(Error::NoPassword)
}

/// A small file of text.
pub(crate) fn read_text(path: &Path) -> Result<String, Error> {
    let failed = |source| Error::File { action: "read", path: path.to_owned(), source };
    let mut text = String::new();
    File::open(path).map_err(failed)?.take(MOST_BYTES).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}

#[cfg(unix)]
fn is_open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &Path) -> bool {
    false
}
