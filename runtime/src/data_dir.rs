//! The folder in which one service keeps its chain, its token and its key; one process at a time holds it.
//!
//! ```text
//! <data_dir>/<network name>-<first 8 hex of the network id>/<service>-<port>/lock
//!                                                                           /token
//!                                                                           /miner.pem
//!                                                                           /*.redb
//! ```
//!
//! Each network and each port has its own folder: a restart finds its chain again, and nothing is mixed up.

use crate::store::RedbStore;
use crate::{secret_file, text_file};
use shared::keys::{BadKeyFile, KeyPair, NotWritten};
use shared::params::Params;
use shared::store::StoreError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// The folder of one service on one network and port.
///
/// # Invariants
/// While it lives, no other process and no other `DataDir` of this process holds the same folder. The operating system
/// releases the lock when the process ends, however it ends.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// Another process holds the folder.
    #[error("another {service} uses {}; try another --port or another folder (-d), or stop it", path.display())]
    InUse {
        /// `node` or `mempool`.
        service: &'static str,
        /// The folder.
        path: PathBuf,
    },
    /// The token file does not hold a token.
    #[error(
        "{} does not hold a token (64 lower-case hex digits); remove it, and the next start makes a new one",
        path.display()
    )]
    BadToken {
        /// The file.
        path: PathBuf,
    },
    /// The key file does not hold a usable key.
    #[error(
        "{} holds no usable key: {source}; restore it from a copy, or name an address with --miner, or move the file \
         away, and the next start makes a new key",
        path.display()
    )]
    BadKey {
        /// The file.
        path: PathBuf,
        /// What is wrong with its content.
        source: BadKeyFile,
    },
    /// The new key cannot be written.
    #[error(transparent)]
    KeyNotWritten(#[from] NotWritten),
    /// The operating system gave no random bytes.
    #[error("cannot make a secret: no random bytes: {0}")]
    Random(getrandom::Error),
    /// A file or folder cannot be made, read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// The attempt, as in `cannot read`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
}

/// Bytes of a token or key file at most; real ones are far smaller.
const MAX_SECRET_BYTES: u64 = 64 << 10;

/// The folder of the service at a port on a network; it need not exist.
///
/// `network` has passed [`Params::check`]: its name becomes part of the path.
pub fn folder(root: &Path, network: &Params, service: &str, port: u16) -> PathBuf {
    root.join(format!("{}-{}", network.name, network.network_id().short())).join(format!("{service}-{port}"))
}

impl DataDir {
    /// Makes the folder if it does not exist, and locks it.
    ///
    /// `network` has passed [`Params::check`]: its name becomes part of the path.
    ///
    /// # Errors
    /// [`DataDirError::InUse`] if another process holds the folder; [`DataDirError::Io`] if it cannot be made.
    pub fn open(root: &Path, network: &Params, service: &'static str, port: u16) -> Result<Self, DataDirError> {
        let path = folder(root, network, service, port);
        if let Some(old) = folder_of_changed_network(root, network, service, port) {
            tracing::warn!(
                folder = %path.display(), old = %old.display(),
                "a new network begins: its name is known here, but other parameters in [network] make another network; \
                 its old chain stays in the old folder, and the old parameters continue it"
            );
        }
        std::fs::create_dir_all(&path).map_err(io_error("make the folder", &path))?;
        let lock_path = path.join("lock");
        // Never removed: a process that opened the file before its removal would hold a lock that no other process
        // sees.
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&lock_path);
        let lock = lock.map_err(io_error("open", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(DataDirError::InUse { service, path }),
            Err(TryLockError::Error(source)) => Err(io_error("lock", &lock_path)(source)),
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens or makes the store in the file `name` of the folder, on a thread that may block on the disk.
    ///
    /// # Errors
    /// As [`RedbStore::open`].
    pub async fn open_store(&self, name: &str) -> Result<RedbStore, StoreError> {
        let path = self.path.join(name);
        let opened = tokio::task::spawn_blocking(move || RedbStore::open(path)).await;
        opened.unwrap_or_else(|error| Err(StoreError::Failed(error.to_string())))
    }

    /// The token that steering requests must carry (docs/protocol.md §8): 64 hex digits, made at the first call.
    ///
    /// # Errors
    /// If the file holds something else, or cannot be read or made.
    pub fn token(&self) -> Result<String, DataDirError> {
        let path = self.path.join("token");
        match text_file::read(&path, MAX_SECRET_BYTES) {
            Ok(text) => {
                warn_if_open(&path);
                let token = text.trim_end();
                let is_token = token.len() == 64 && token.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
                if is_token { Ok(token.to_owned()) } else { Err(DataDirError::BadToken { path }) }
            }
            Err(error) if error.kind() == ErrorKind::InvalidData => Err(DataDirError::BadToken { path }),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let token: String = entropy()?.iter().map(|byte| format!("{byte:02x}")).collect();
                secret_file::create(&path, &format!("{token}\n")).map_err(io_error("make", &path))?;
                Ok(token)
            }
            Err(source) => Err(io_error("read", &path)(source)),
        }
    }

    /// The key whose address mined blocks pay (docs/protocol.md §6), in the file `miner.pem`; made at the first call.
    ///
    /// # Errors
    /// If the file holds something else, or cannot be read or made.
    pub fn key_pair(&self) -> Result<KeyPair, DataDirError> {
        let path = self.path.join("miner.pem");
        match text_file::read(&path, MAX_SECRET_BYTES) {
            Ok(pem) => {
                warn_if_open(&path);
                KeyPair::from_pem(&pem, None).map_err(|source| DataDirError::BadKey { path, source })
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let pair = loop {
                    // Nearly every 32 bytes are a key; the loop hardly ever runs twice.
                    if let Some(pair) = KeyPair::from_entropy(entropy()?) {
                        break pair;
                    }
                };
                secret_file::create(&path, &pair.to_pem()?).map_err(io_error("make", &path))?;
                Ok(pair)
            }
            Err(source) => Err(io_error("read", &path)(source)),
        }
    }
}

/// The folder of the same service on another network of the same name, if this network has none yet: probably
/// a parameter of the network was changed, and the user may expect the old chain.
fn folder_of_changed_network(root: &Path, network: &Params, service: &str, port: u16) -> Option<PathBuf> {
    if folder(root, network, service, port).exists() {
        return None;
    }
    let mut networks: Vec<_> =
        std::fs::read_dir(root).ok()?.filter_map(Result::ok).map(|entry| entry.file_name()).collect();
    networks.sort();
    let is_same_name = |name: &&std::ffi::OsString| {
        name.to_str().and_then(|name| name.rsplit_once('-')).is_some_and(|(name, _)| name == network.name)
    };
    let folders = networks.iter().filter(is_same_name).map(|name| root.join(name).join(format!("{service}-{port}")));
    folders.into_iter().find(|folder| folder.is_dir())
}

fn warn_if_open(path: &Path) {
    if text_file::is_open_to_others(path) {
        let file = path.display();
        tracing::warn!(%file, "other users of this machine can read this secret; close it with chmod 600");
    }
}

fn entropy() -> Result<[u8; 32], DataDirError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(DataDirError::Random)?;
    Ok(bytes)
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DataDirError {
    let path = path.to_owned();
    move |source| DataDirError::Io { action, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(root: &Path, port: u16) -> Result<DataDir, DataDirError> {
        DataDir::open(root, &Params::default(), "node", port)
    }

    #[test]
    fn a_changed_network_is_noticed_and_names_the_old_folder() {
        let root = tempfile::tempdir().unwrap();
        let (old, new) = (Params::default(), Params { reward: 1, ..Params::default() });
        let other = Params { name: "other".to_owned(), ..Params::default() };
        let hint = |network: &Params| folder_of_changed_network(root.path(), network, "node", 8100);
        assert_eq!(hint(&old), None, "the first network");
        let first = DataDir::open(root.path(), &old, "node", 8100).unwrap();
        assert_eq!(hint(&new).as_deref(), Some(first.path()));
        assert_eq!((hint(&old), hint(&other)), (None, None));
        DataDir::open(root.path(), &new, "node", 8100).unwrap();
        assert_eq!(hint(&new), None, "both are known now");
    }

    #[test]
    fn secrets_with_a_mark_of_an_editor_are_read() {
        let root = tempfile::tempdir().unwrap();
        let dir = open(root.path(), 8100).unwrap();
        for (name, content) in [
            ("token", dir.token().unwrap()),
            ("miner.pem", {
                dir.key_pair().unwrap();
                std::fs::read_to_string(dir.path().join("miner.pem")).unwrap()
            }),
        ] {
            std::fs::write(dir.path().join(name), format!("\u{feff}{content}\r\n")).unwrap();
        }
        dir.token().unwrap();
        dir.key_pair().unwrap();
    }

    #[test]
    fn each_network_and_port_has_a_folder_of_its_own() {
        let root = tempfile::tempdir().unwrap();
        let network = Params::default();
        let other = Params { reward: 1, ..Params::default() };
        let dir = open(root.path(), 8100).unwrap();
        let expected = format!("chainlab-{}/node-8100", &network.network_id().to_string()[..8]);
        assert_eq!(dir.path(), root.path().join(expected));
        let others = [open(root.path(), 8101).unwrap(), DataDir::open(root.path(), &other, "node", 8100).unwrap()];
        assert!(others.iter().all(|other| other.path() != dir.path()));
    }

    #[test]
    fn a_second_process_is_refused_until_the_first_is_gone() {
        let root = tempfile::tempdir().unwrap();
        let first = open(root.path(), 8100).unwrap();
        let error = open(root.path(), 8100).unwrap_err();
        assert!(matches!(error, DataDirError::InUse { .. }), "{error}");
        assert!(error.to_string().contains("another node uses"), "{error}");
        drop(first);
        open(root.path(), 8100).unwrap();
    }

    #[test]
    fn the_token_is_made_once_and_read_back_after_a_restart() {
        let root = tempfile::tempdir().unwrap();
        let token = open(root.path(), 8100).unwrap().token().unwrap();
        assert_eq!(token.len(), 64);
        assert_eq!(open(root.path(), 8100).unwrap().token().unwrap(), token);
        assert_ne!(open(root.path(), 8101).unwrap().token().unwrap(), token);
    }

    #[test]
    fn the_key_is_made_once_and_read_back_after_a_restart() {
        let root = tempfile::tempdir().unwrap();
        let address = open(root.path(), 8100).unwrap().key_pair().unwrap().address();
        assert_eq!(open(root.path(), 8100).unwrap().key_pair().unwrap().address(), address);
        assert_ne!(open(root.path(), 8101).unwrap().key_pair().unwrap().address(), address);
    }

    #[test]
    fn a_key_file_without_a_key_is_refused_and_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let dir = open(root.path(), 8100).unwrap();
        let path = dir.path().join("miner.pem");
        for garbage in ["", "secret", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
            std::fs::write(&path, garbage).unwrap();
            let error = dir.key_pair().unwrap_err();
            assert!(matches!(error, DataDirError::BadKey { .. }), "{garbage:?}: {error}");
            assert!(error.to_string().contains("miner.pem") && error.to_string().contains("--miner"), "{error}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), garbage);
        }
    }

    #[test]
    fn a_token_file_without_a_token_is_refused_and_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let dir = open(root.path(), 8100).unwrap();
        let path = dir.path().join("token");
        for garbage in ["", "\n", "secret", &"G".repeat(64), &"A".repeat(64), &"a".repeat(65), "\u{fffd}"] {
            std::fs::write(&path, garbage).unwrap();
            let error = dir.token().unwrap_err();
            assert!(matches!(error, DataDirError::BadToken { .. }), "{garbage:?}: {error}");
            assert!(error.to_string().contains("remove it"), "{error}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), garbage);
        }
    }

    #[test]
    fn a_root_that_is_a_file_is_an_error_that_names_it() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        std::fs::write(&file, "").unwrap();
        let error = open(&file, 8100).unwrap_err().to_string();
        assert!(error.contains("cannot make the folder") && error.contains("node-8100"), "{error}");
    }
}
