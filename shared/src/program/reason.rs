//! The reason that a program gave for reverting, in words: Solidity and Vyper encode it in one of two ways.

/// `Error(string)`: the first bytes of `keccak256` of its signature.
const ERROR: [u8; 4] = [0x08, 0xc3, 0x79, 0xa0];
/// `Panic(uint256)`.
const PANIC: [u8; 4] = [0x4e, 0x48, 0x7b, 0x71];
/// Longest reason in bytes.
const MAX_REASON: usize = 1024;

/// The reason in the output of a call that reverted; `None` if it is encoded in another way. It may contain any
/// character, so a program that prints it must sanitize it.
pub fn revert_reason(output: &[u8]) -> Option<String> {
    let (selector, rest) = output.split_first_chunk::<4>()?;
    match *selector {
        ERROR => {
            let (offset, rest) = rest.split_at_checked(32)?;
            // The text follows its own offset and length.
            (number(offset)? == 32).then_some(())?;
            let (length, text) = rest.split_at_checked(32)?;
            let text = text.get(..number(length)?)?;
            Some(String::from_utf8_lossy(&text[..text.len().min(MAX_REASON)]).into_owned())
        }
        PANIC => {
            let code = number(rest.get(..32)?)?;
            Some(format!("panic {code:#04x}: {}", panic_text(code)))
        }
        _ => None,
    }
}

/// The codes that Solidity's documentation lists.
const fn panic_text(code: usize) -> &'static str {
    match code {
        0x01 => "an assertion does not hold",
        0x11 => "a number is too large or too small",
        0x12 => "a division by zero",
        0x21 => "a value that its enumeration does not have",
        0x22 => "a byte array in storage is encoded wrongly",
        0x31 => "an element is taken from an empty array",
        0x32 => "an index outside of an array",
        0x41 => "too much memory",
        0x51 => "a call of a function that was never set",
        _ => "no reason that is known",
    }
}

/// 32 bytes as a number, if it is small.
fn number(word: &[u8]) -> Option<usize> {
    let (high, low) = word.split_last_chunk::<4>()?;
    high.iter().all(|byte| *byte == 0).then(|| u32::from_be_bytes(*low) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Word;

    fn error(text: &[u8], offset: u64, length: u64) -> Vec<u8> {
        [&ERROR[..], &Word::from(offset).0, &Word::from(length).0, text].concat()
    }

    #[test]
    fn reasons_are_read_and_nonsense_is_none() {
        assert_eq!(revert_reason(&error(b"too poor\0\0\0", 32, 8)).as_deref(), Some("too poor"));
        assert_eq!(revert_reason(&error(b"\xff", 32, 1)).as_deref(), Some("\u{fffd}"));
        assert_eq!(revert_reason(&error(&[b'a'; 5000], 32, 5000)).map(|text| text.len()), Some(MAX_REASON));
        let panic = [&PANIC[..], &Word::from(0x11).0].concat();
        assert_eq!(revert_reason(&panic).as_deref(), Some("panic 0x11: a number is too large or too small"));
        for wrong in [error(b"short", 32, 6), error(b"x", 31, 1), error(b"x", u64::MAX, 1), error(b"x", 32, u64::MAX)] {
            assert_eq!(revert_reason(&wrong), None);
        }
        for length in 0..68 {
            assert_eq!(revert_reason(&error(b"", 32, 1)[..length]), None);
        }
    }
}
