//! Texts and bytes as shell commands that print exactly them, in any POSIX shell.
//!
//! Everything is in single quotes, where a shell changes nothing. Characters that a terminal may not copy unchanged
//! (control characters, changes of the writing direction) become `printf` escapes.

use super::is_hidden;

/// A command that prints `text` and nothing else, without a line end.
pub(super) fn print(text: &str) -> String {
    if text.chars().any(is_hidden) { format!("printf {}", quote(&escaped(text))) } else { plain(text) }
}

/// A command that prints these bytes.
pub(super) fn print_bytes(bytes: &[u8]) -> String {
    format!("printf '{}'", bytes.iter().map(octal).collect::<String>())
}

/// A command that prints lines, each of them a word for `printf`.
pub(super) fn print_lines(text: &str) -> String {
    let words: Vec<_> = text.lines().map(quote).collect();
    format!("printf '%s\\n' {}", words.join(" "))
}

/// `text` in single quotes.
fn quote(text: &str) -> String {
    // A quote cannot stand between quotes: end them, escape one, begin again.
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn plain(text: &str) -> String {
    format!("printf '%s' {}", quote(text))
}

/// `text` as a format of `printf`.
fn escaped(text: &str) -> String {
    let mut format = String::with_capacity(text.len());
    for (place, c) in text.chars().enumerate() {
        match c {
            '\\' => format.push_str(r"\\"),
            '%' => format.push_str("%%"),
            // At the beginning it would be taken for an option.
            '-' if place == 0 => format.push_str(r"\055"),
            c if is_hidden(c) => format.extend(c.encode_utf8(&mut [0; 4]).as_bytes().iter().map(octal)),
            c => format.push(c),
        }
    }
    format
}

fn octal(byte: &u8) -> String {
    format!("\\{byte:03o}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// The output of the command in a shell; `None` if there is no such shell.
    fn printed(shell: &str, command: &str) -> Option<Vec<u8>> {
        let ran = Command::new(shell).arg("-c").arg(command).output().ok()?;
        assert!(ran.status.success(), "{shell}: {command}: {}", String::from_utf8_lossy(&ran.stderr));
        Some(ran.stdout)
    }

    #[test]
    fn a_shell_prints_exactly_the_text() {
        for text in [
            "",
            "for lunch",
            "it's 'quoted' \"twice\"",
            "'",
            "'; rm -rf /; '",
            "$HOME `id` $(id) ${x} !! \\ \\n \\0 %s %d %%",
            "-n",
            "--help",
            "snow man ☃ ü 🦀",
            "line\nbreak\ttab\r\u{1b}[2Jescape",
            "-%s\\\n'\0\u{7f}\u{85}\u{202e}",
            "\u{1}7 digits after an escape",
        ] {
            for shell in ["sh", "bash"] {
                if let Some(printed) = printed(shell, &print(text)) {
                    assert_eq!(String::from_utf8_lossy(&printed), text, "{shell}: {}", print(text));
                }
            }
        }
    }

    #[test]
    fn a_shell_prints_exactly_the_bytes() {
        let bytes: Vec<u8> = (0..=255).collect();
        if let Some(printed) = printed("sh", &print_bytes(&bytes)) {
            assert_eq!(printed, bytes);
        }
    }

    #[test]
    fn what_would_steer_a_terminal_is_spelt_out() {
        assert_eq!(print("a\u{1b}b"), r"printf 'a\033b'");
        assert_eq!(print("a\u{ad}b\u{61c}\u{180e}"), r"printf 'a\302\255b\330\234\341\240\216'");
        assert_eq!(print("it's"), r"printf '%s' 'it'\''s'");
    }
}
