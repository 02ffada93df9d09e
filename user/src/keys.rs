//! Reads and writes keys: seed texts, key files and their passwords.
//!
//! A key file is created with mode 0600 and never overwritten. A password comes from a prompt or a file, never from the
//! command line, where other users of the machine could read it.

use crate::console::Console;
use crate::{Error, random};
use clap::Args;
use runtime::secret_file;
use shared::keys::{BadKeyFile, KeyPair};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Bytes to read of a key or password file at most; real ones are far smaller.
const MAX_BYTES: u64 = 64 << 10;
/// The note that is printed when a key is made from a seed.
pub(crate) const SEED_WARNING: &str = "anyone who guesses the seed has the key; use seeds for exercises only";

/// The flags that name a key: `-s` or `-f`.
#[derive(Debug, Clone, Args)]
pub(crate) struct KeyArgs {
    #[command(flatten)]
    source: KeySource,
    /// File whose first line is the password of the key file [default: ask]
    #[arg(long, value_name = "FILE", conflicts_with = "seed")]
    password_file: Option<PathBuf>,
}

/// Exactly one of the two.
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
    /// Returns the key pair, and a name of it for messages.
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

/// Reads a key file. If it is encrypted and `password_file` is `None`, asks for the password.
pub(crate) fn read(path: &Path, password_file: Option<&Path>, console: &mut Console) -> Result<KeyPair, Error> {
    let text = read_text(path)?;
    if is_readable_by_others(path) {
        console
            .note(&format!("other users of this machine can read {0}; close it with `chmod 600 {0}`", path.display()));
    }
    let wrong = |source| Error::KeyFile { path: path.to_owned(), source };
    match KeyPair::from_pem(&text, None) {
        Err(BadKeyFile::PasswordNeeded) => {
            let password = match password_file {
                Some(file) => read_password(file)?,
                None => prompt_password(&format!("password of {}: ", path.display()))?,
            };
            KeyPair::from_pem(&text, Some(&password)).map_err(wrong)
        }
        other => other.map_err(wrong),
    }
}

/// Writes a new key file; fails if the path exists.
pub(crate) fn write(path: &Path, pair: &KeyPair, password: Option<&str>) -> Result<(), Error> {
    let pem = match password {
        Some(password) => pair.to_encrypted_pem(password, random::bytes()?, random::bytes()?)?,
        None => pair.to_pem()?,
    };
    secret_file::create(path, &pem).map_err(|source| match source.kind() {
        ErrorKind::AlreadyExists => Error::FileExists(path.to_owned()),
        _ => Error::File { action: "make", path: path.to_owned(), source },
    })
}

/// Reads the first line of a file.
pub(crate) fn read_password(path: &Path) -> Result<String, Error> {
    let text = read_text(path)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// Asks twice for a new password.
pub(crate) fn prompt_new_password() -> Result<String, Error> {
    let password = prompt_password("new password: ")?;
    if prompt_password("the same again: ")? == password { Ok(password) } else { Err(Error::PasswordsDiffer) }
}

fn prompt_password(prompt: &str) -> Result<String, Error> {
    rpassword::prompt_password(prompt).map_err(Error::NoPassword)
}

/// Reads a text file, up to [`MAX_BYTES`].
pub(crate) fn read_text(path: &Path) -> Result<String, Error> {
    let failed = |source| Error::File { action: "read", path: path.to_owned(), source };
    let mut text = String::new();
    File::open(path).map_err(failed)?.take(MAX_BYTES).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}

#[cfg(unix)]
fn is_readable_by_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_readable_by_others(_: &Path) -> bool {
    false
}
