//! Reads small text files as people make them: UTF-8, with or without the mark (BOM) that Windows editors put in front.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// The mark that some editors put in front of UTF-8 text.
const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";
/// The marks in front of UTF-16 text, in either order of bytes.
const UTF16_MARKS: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

/// Reads a text file without its mark.
///
/// # Errors
/// [`ErrorKind::InvalidData`] with advice if the file is not UTF-8 or has more than `max_bytes`; or the error of the
/// operating system.
pub fn read(path: &Path, max_bytes: u64) -> io::Result<String> {
    read_from(File::open(path)?, max_bytes)
}

/// [`read`] from any source, such as standard input.
///
/// # Errors
/// As [`read`].
pub fn read_from(source: impl Read, max_bytes: u64) -> io::Result<String> {
    let mut bytes = Vec::new();
    source.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max_bytes {
        return Err(io::Error::new(ErrorKind::InvalidData, format!("it has more than {max_bytes} bytes")));
    }
    decode(bytes)
}

fn decode(mut bytes: Vec<u8>) -> io::Result<String> {
    let refuse = |reason: &str| io::Error::new(ErrorKind::InvalidData, reason);
    if bytes.starts_with(UTF8_MARK) {
        bytes.drain(..UTF8_MARK.len());
    }
    // Without a mark, UTF-16 of Latin letters has a zero in every second byte.
    let is_utf16 = UTF16_MARKS.iter().any(|mark| bytes.starts_with(mark))
        || bytes.len() >= 2 && (bytes[0] == 0) != (bytes[1] == 0);
    if is_utf16 {
        return Err(refuse("it is UTF-16 text; save it as UTF-8 (in Notepad: Save as, Encoding)"));
    }
    String::from_utf8(bytes).map_err(|_| refuse("it is not UTF-8 text; save it as UTF-8"))
}

/// Whether other users of the machine can read or write a file; always false where the system has no such modes.
pub fn is_open_to_others(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o077 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_no_part_of_the_text() {
        assert_eq!(decode(b"\xef\xbb\xbfpassword\r\n".to_vec()).unwrap(), "password\r\n");
        assert_eq!(decode("plain ü".into()).unwrap(), "plain ü");
        assert_eq!(decode(Vec::new()).unwrap(), "");
    }

    #[test]
    fn utf_16_is_named_and_other_bytes_are_refused() {
        for bytes in [&b"\xff\xfea\0b\0"[..], b"\xfe\xff\0a\0b", b"a\0b\0", b"\0a\0b"] {
            let error = decode(bytes.to_vec()).unwrap_err().to_string();
            assert!(error.contains("UTF-16") && error.contains("UTF-8"), "{bytes:?}: {error}");
        }
        let error = decode(b"\xc3\x28".to_vec()).unwrap_err().to_string();
        assert!(error.contains("not UTF-8"), "{error}");
    }

    #[test]
    fn a_file_has_a_bound() {
        assert_eq!(read_from(&b"abc"[..], 3).unwrap(), "abc");
        let error = read_from(&b"abcd"[..], 3).unwrap_err();
        assert!(error.kind() == ErrorKind::InvalidData && error.to_string().contains("3 bytes"), "{error}");
    }

    #[test]
    #[cfg(unix)]
    fn only_files_that_others_can_use_are_open() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        assert!(!is_open_to_others(&path), "it does not exist");
        std::fs::write(&path, "x").unwrap();
        for (mode, expected) in [(0o600, false), (0o640, true), (0o604, true)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(is_open_to_others(&path), expected, "{mode:o}");
        }
    }
}
