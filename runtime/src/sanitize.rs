//! Makes text from outside safe to print: replaces characters that control a terminal or are invisible.
//!
//! Every program prints such text only through this module, so that no message, reason or name can clear a screen,
//! forge a line or turn the direction of writing. JSON must not pass through here: it escapes such characters itself.

pub use shared::explain::is_hidden;

use std::borrow::Cow;

/// The text as one line: each hidden character is replaced by a visible one, line ends too. Borrowed if nothing was.
pub fn line(text: &str) -> Cow<'_, str> {
    replaced(text, is_hidden)
}

/// The same for text with lines and columns of our own: line ends and tabs stay.
pub fn text(text: &str) -> Cow<'_, str> {
    replaced(text, |c| is_hidden(c) && c != '\n' && c != '\t')
}

fn replaced(text: &str, is_bad: impl Fn(char) -> bool) -> Cow<'_, str> {
    if text.chars().any(&is_bad) {
        text.chars().map(|c| if is_bad(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
    } else {
        Cow::Borrowed(text)
    }
}

/// The text to print: `coloured` if `sanitized` (from [`line()`] or [`text`]) had nothing to replace, else `sanitized`
/// itself. Colours are escape sequences too, and must not be mixed with those that the text brought along.
pub fn coloured(sanitized: Cow<'_, str>, coloured: impl FnOnce() -> String) -> String {
    match sanitized {
        Cow::Borrowed(_) => coloured(),
        Cow::Owned(replaced) => replaced,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hidden_passes() {
        let hidden = "\0\u{7}\u{8}\r\u{1b}\u{7f}\u{85}\u{9b}\u{ad}\u{61c}\u{180e}\u{200b}\u{200d}\u{200f}\u{2028}\
                      \u{202a}\u{202e}\u{2060}\u{2066}\u{2069}\u{feff}\u{e0041}";
        for c in hidden.chars() {
            let hostile = format!("a{c}b");
            assert_eq!((line(&hostile).as_ref(), text(&hostile).as_ref()), ("a\u{fffd}b", "a\u{fffd}b"), "{c:?}");
        }
        assert_eq!(line("a\nb\tc"), "a\u{fffd}b\u{fffd}c");
    }

    #[test]
    fn ordinary_text_passes_unchanged() {
        for words in ["", "for lunch", "snow man ☃ ü 🦀", "ありがとう שלום"] {
            assert!(
                matches!((line(words), text(words)), (Cow::Borrowed(a), Cow::Borrowed(b)) if (a, b) == (words, words))
            );
        }
        assert_eq!(text("a\n\tb"), "a\n\tb");
    }

    #[test]
    fn colours_are_added_only_if_nothing_was_replaced() {
        let red = || "\u{1b}[31mwords\u{1b}[0m".to_owned();
        assert_eq!(coloured(line("words"), red), red());
        assert_eq!(coloured(line("wor\u{1b}[32mds"), red), "wor\u{fffd}[32mds");
    }
}
