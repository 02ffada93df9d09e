//! Reads and writes keys: seed texts, key files and their passwords.
//!
//! A key file is created with mode 0600 and never overwritten. A password comes from a prompt or a file, never from the
//! command line, where other users of the machine could read it.

use crate::console::Console;
use crate::{Error, random};
use clap::Args;
use runtime::{sanitize, secret_file, text_file};
use shared::keys::{BadKeyFile, KeyPair};
use std::io::ErrorKind;
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
    /// The seed text, if the key is made from one.
    pub(crate) fn seed(&self) -> Option<&str> {
        self.source.seed.as_deref()
    }

    /// Returns the key pair, and a name of it for messages.
    pub(crate) fn load(&self, console: &mut Console) -> Result<(KeyPair, String), Error> {
        match (&self.source.seed, &self.source.file) {
            (Some(seed), _) => Ok((from_seed(seed, console), format!("the seed {}", sanitize::quoted(seed)))),
            (None, Some(file)) => {
                let pair = read(file, self.password_file.as_deref(), console)?;
                Ok((pair, file.display().to_string()))
            }
            (None, None) => Err(Error::Usage("name a key: -s seed or -f file".to_owned())),
        }
    }
}

/// The key of a seed. Prints a note if a file has the same name: perhaps its key was meant.
pub(crate) fn from_seed(seed: &str, console: &mut Console) -> KeyPair {
    if Path::new(seed).is_file() {
        console.note(&format!("{seed:?} is taken as a seed; there is a file of this name: to use its key, write -f"));
    }
    KeyPair::from_seed(seed)
}

/// Reads a key file. If it is encrypted and `password_file` is `None`, asks for the password.
pub(crate) fn read(path: &Path, password_file: Option<&Path>, console: &mut Console) -> Result<KeyPair, Error> {
    let text = read_secret(path, console)?;
    let wrong = |source| Error::KeyFile { path: path.to_owned(), source };
    match (KeyPair::from_pem(&text, None), password_file) {
        (Err(BadKeyFile::PasswordNeeded), Some(file)) => open_with_file(&text, file, console)?.map_err(wrong),
        (Err(BadKeyFile::PasswordNeeded), None) => {
            let password = prompt_password(&format!("password of {}: ", path.display()))?;
            KeyPair::from_pem(&text, Some(&password)).map_err(wrong)
        }
        (other, _) => other.map_err(wrong),
    }
}

/// Decrypts a key with the password in a file.
fn open_with_file(pem: &str, file: &Path, console: &mut Console) -> Result<Result<KeyPair, BadKeyFile>, Error> {
    let password = read_password(file, console)?;
    let opened = KeyPair::from_pem(pem, Some(&password));
    // Earlier versions took an editor's mark in front of the file for a part of the password.
    let has_mark = || std::fs::read(file).is_ok_and(|bytes| bytes.starts_with("\u{feff}".as_bytes()));
    if matches!(opened, Err(BadKeyFile::WrongPassword)) && has_mark() {
        return Ok(KeyPair::from_pem(pem, Some(&format!("\u{feff}{password}"))));
    }
    Ok(opened)
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
pub(crate) fn read_password(path: &Path, console: &mut Console) -> Result<String, Error> {
    Ok(read_secret(path, console)?.lines().next().unwrap_or_default().to_owned())
}

/// Reads a text file with a secret; prints a note if other users can read it.
pub(crate) fn read_secret(path: &Path, console: &mut Console) -> Result<String, Error> {
    let text = read_text(path)?;
    if text_file::is_open_to_others(path) {
        console
            .note(&format!("other users of this machine can read {0}; close it with `chmod 600 {0}`", path.display()));
    }
    Ok(text)
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
    text_file::read(path, MAX_BYTES).map_err(|source| Error::File { action: "read", path: path.to_owned(), source })
}
