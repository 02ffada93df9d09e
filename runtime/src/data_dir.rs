//! The folder that one service keeps its chain in: held by one process at a time, and home of its token.
//!
//! ```text
//! <data_dir>/<network name>-<first 8 hex of the network id>/<service>-<port>/lock
//!                                                                           /token
//! ```
//!
//! Another network or another port is another folder, so a restart finds its own chain again and nothing is ever mixed.

use shared::params::Params;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// The folder of one service on one network and port.
///
/// # Invariants
/// While it lives, no other process (nor another `DataDir` in this one) holds the same folder; the operating system
/// lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// Another process holds it.
    #[error("another {service} uses {}; try another --port or another folder (-d), or stop it", path.display())]
    InUse {
        /// What we are: `node`, `mempool`.
        service: &'static str,
        /// The folder.
        path: PathBuf,
    },
    /// The token file does not hold a token.
    #[error("{} does not hold a token (64 lower-case hex digits); remove it, and the next start makes a new one", path.display())]
    BadToken {
        /// The file.
        path: PathBuf,
    },
    /// The operating system gave no random bytes.
    #[error("cannot make a token: no random bytes: {0}")]
    Random(getrandom::Error),
    /// A file or folder cannot be made, read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

impl DataDir {
    /// Makes the folder if it is not there, and holds it.
    ///
    /// `network` has passed [`Params::check`]: its name becomes part of the path.
    ///
    /// # Errors
    /// [`DataDirError::InUse`] if another process holds it; [`DataDirError::Io`] if it cannot be made.
    pub fn open(root: &Path, network: &Params, service: &'static str, port: u16) -> Result<Self, DataDirError> {
        let network = format!("{}-{}", network.name, network.network_id().short());
        let path = root.join(network).join(format!("{service}-{port}"));
        std::fs::create_dir_all(&path).map_err(io_error("make the folder", &path))?;
        let lock_path = path.join("lock");
        // Never removed: whoever opened it before a removal would hold a lock that nobody else sees.
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

    /// The token that steering requests must carry (docs/protocol.md §8), 64 hex digits; made at the first call.
    ///
    /// # Errors
    /// The file holds something else, or cannot be read or made.
    pub fn token(&self) -> Result<String, DataDirError> {
        let path = self.path.join("token");
        match std::fs::read(&path) {
            Ok(bytes) => {
                let token = std::str::from_utf8(&bytes).unwrap_or_default().trim_end();
                let is_token = token.len() == 64 && token.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
                if is_token { Ok(token.to_owned()) } else { Err(DataDirError::BadToken { path }) }
            }
            Err(error) if error.kind() == ErrorKind::NotFound => make_token(&path),
            Err(source) => Err(io_error("read", &path)(source)),
        }
    }
}

fn make_token(path: &Path) -> Result<String, DataDirError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(DataDirError::Random)?;
    let token: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();

    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(io_error("make", path))?;
    let written = writeln!(file, "{token}").and_then(|()| file.sync_all());
    if let Err(source) = written {
        // A half-written token would be refused at the next start; the write error is what matters now.
        let _ = std::fs::remove_file(path);
        return Err(io_error("write", path)(source));
    }
    Ok(token)
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
    fn a_second_user_is_refused_until_the_first_is_gone() {
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

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_read_the_token() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        let dir = open(root.path(), 8100).unwrap();
        dir.token().unwrap();
        let mode = std::fs::metadata(dir.path().join("token")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
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
