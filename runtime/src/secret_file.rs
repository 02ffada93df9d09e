//! Files with a secret: made once, readable by their owner only, never overwritten, and never half written.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Makes a file with mode 0600 and the content `text`; when it returns, the file is on disk.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] if `path` exists, which is then left unchanged; or the file cannot be written.
pub fn create(path: &Path, text: &str) -> io::Result<()> {
    if path.symlink_metadata().is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    // Written under another name first, so that a killed process leaves no half secret at `path`.
    let draft = draft_of(path);
    let _ = std::fs::remove_file(&draft);
    let made = write_new(&draft, text).and_then(|()| link(&draft, path, text)).and_then(|()| sync_folder(path));
    // An error here does not matter beside one of `made`.
    let _ = std::fs::remove_file(&draft);
    made
}

fn draft_of(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}", std::process::id()));
    path.with_file_name(name)
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all())
}

/// Gives the draft its final name, unless that is taken: a rename would overwrite the file, a link does not.
fn link(draft: &Path, path: &Path, text: &str) -> io::Result<()> {
    match std::fs::hard_link(draft, path) {
        // A file system without links: there a crash may leave half a file, which is better than no file at all.
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => write_new(path, text),
        linked => linked,
    }
}

/// A new file survives a power cut only if its folder is on disk too.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_existing_file_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        create(&path, "first").unwrap();
        assert_eq!(create(&path, "second").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "first");
    }

    #[test]
    fn a_draft_of_a_killed_process_does_not_matter() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(draft_of(&path), "half of a sec").unwrap();
        create(&path, "secret").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "secret");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "the draft is gone");
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        create(&path, "secret").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
