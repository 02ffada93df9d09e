//! The file of a store: whether it was used before, whether it is still the one that was opened, and whether there is
//! room for more.
//!
//! Beside `<name>` lies the empty file `<name>.used` from the first use on. Without it, a file that was lost could not
//! be told from one that never was, and a new chain would silently begin in its place.

use shared::store::StoreError;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Room that a store needs to be worth another try after a failure, in bytes.
const PROBE_BYTES: usize = 1 << 20;

/// What names a file on its device, whatever its path; where the system has no such thing, nothing is compared.
type Identity = (u64, u64);

#[derive(Debug)]
pub(super) struct StoreFile {
    path: PathBuf,
}

impl StoreFile {
    pub(super) fn new(path: &Path) -> Self {
        // Whole, for errors: a relative path leaves the reader asking where the program was started.
        Self { path: std::path::absolute(path).unwrap_or_else(|_| path.to_owned()) }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// # Errors
    /// If the file was used before and is missing or empty now.
    pub(super) fn check_kept(&self) -> Result<(), StoreError> {
        if !self.marker().exists() {
            return Ok(());
        }
        let lost = match fs::metadata(&self.path) {
            Ok(metadata) if metadata.len() == 0 => "is empty",
            Err(error) if error.kind() == ErrorKind::NotFound => "is missing",
            _ => return Ok(()),
        };
        let (path, marker) = (self.path.display(), self.marker());
        let marker = marker.display();
        Err(StoreError::Damaged(format!(
            "{path} {lost}, although it was in use here before; put it back from a copy, or remove {marker}, and the \
             next start begins anew and fetches from others what they have"
        )))
    }

    /// Remembers that the file is in use.
    pub(super) fn mark_used(&self) -> Result<(), StoreError> {
        let marker = self.marker();
        let made = OpenOptions::new().create(true).truncate(false).write(true).open(&marker);
        made.map(drop).map_err(|error| StoreError::Failed(format!("cannot make {}: {error}", marker.display())))
    }

    /// What to do about a file that is there, but damaged.
    pub(super) fn damaged(&self, reason: &str) -> StoreError {
        let (path, marker) = (self.path.display(), self.marker());
        StoreError::Damaged(format!(
            "{path}: {reason}; stop the program, then put the file back from a copy, or move it and {} away, and the \
             next start begins anew and fetches from others what they have",
            marker.display()
        ))
    }

    /// # Errors
    /// If the path does not lead to the file `opened` any more.
    pub(super) fn check_place(&self, opened: Option<Identity>) -> Result<(), StoreError> {
        let Some(opened) = opened else { return Ok(()) };
        let what = match self.identity() {
            Ok(Some(identity)) if identity == opened => return Ok(()),
            Ok(_) => "was replaced",
            Err(error) if error.kind() == ErrorKind::NotFound => "was deleted or moved",
            // The file itself is open; what cannot be looked at now may be there.
            Err(_) => return Ok(()),
        };
        let (path, marker) = (self.path.display(), self.marker());
        Err(StoreError::Failed(format!(
            "{path} {what} while it is in use, so nothing more can be kept: move it back, and this program goes on; if \
             it is lost, stop the program, put the file back from a copy or remove {} to begin anew, and start it",
            marker.display()
        )))
    }

    pub(super) fn identity(&self) -> io::Result<Option<Identity>> {
        let metadata = fs::metadata(&self.path)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            Ok(Some((metadata.dev(), metadata.ino())))
        }
        #[cfg(not(unix))]
        {
            let _ = metadata;
            Ok(None)
        }
    }

    /// Whether the folder takes some more bytes: a small commit may pass on a full disk, where the file has gaps.
    pub(super) fn has_room(&self) -> bool {
        let probe = self.beside("probe");
        let write = || File::create(&probe).and_then(|mut file| file.write_all(&[1; PROBE_BYTES]).map(|()| file));
        let written = write().and_then(|file| file.sync_all());
        // Whatever came of it, it is of no more use; if it was never made, there is nothing to remove.
        let _ = fs::remove_file(&probe);
        written.is_ok()
    }

    fn marker(&self) -> PathBuf {
        self.beside("used")
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(".");
        name.push(suffix);
        self.path.with_file_name(name)
    }
}
