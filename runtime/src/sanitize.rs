//! Texts of strangers, made fit for a terminal: without what would steer it, and without what nobody sees.
//!
//! Every program's way out to people goes through here, so that no message, reason or name can clear a screen, forge a
//! line or turn the direction of writing. JSON spells such characters itself and must not pass through here.

pub use shared::explain::is_hidden;

use std::borrow::Cow;

/// The text as one line: all that is hidden is replaced where it can be seen, line ends too. Borrowed where nothing was.
pub fn line(text: &str) -> Cow<'_, str> {
    replaced(text, is_hidden)
}

/// The same for what has lines and columns of our own: line ends and tabs stay.
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

/// What may go out: `painted`, the same words with our colours, only where `fit` (of [`line()`] or [`text`]) had nothing to
/// replace, since otherwise nobody could tell our escapes from a stranger's.
pub fn coloured(fit: Cow<'_, str>, coloured: impl FnOnce() -> String) -> String {
    match fit {
        Cow::Borrowed(_) => coloured(),
        Cow::Owned(replaced) => replaced,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hidden_passes() {
        for c in "\0\u{7}\u{8}\r\u{1b}\u{7f}\u{85}\u{9b}\u{ad}\u{61c}\u{180e}\u{200b}\u{200d}\u{200f}\u{2028}\u{202a}\u{202e}\u{2060}\u{2066}\u{2069}\u{feff}\u{e0041}".chars() {
            let hostile = format!("a{c}b");
            assert_eq!((line(&hostile).as_ref(), text(&hostile).as_ref()), ("a\u{fffd}b", "a\u{fffd}b"), "{c:?}");
        }
        assert_eq!(line("a\nb\tc"), "a\u{fffd}b\u{fffd}c");
    }

    #[test]
    fn what_people_write_passes_as_it_is() {
        for words in ["", "for lunch", "snow man ☃ ü 🦀", "ありがとう שלום"] {
            assert!(
                matches!((line(words), text(words)), (Cow::Borrowed(a), Cow::Borrowed(b)) if (a, b) == (words, words))
            );
        }
        assert_eq!(text("a\n\tb"), "a\n\tb");
    }

    #[test]
    fn colours_are_ours_only_where_nothing_was_replaced() {
        let red = || "\u{1b}[31mwords\u{1b}[0m".to_owned();
        assert_eq!(coloured(line("words"), red), red());
        assert_eq!(coloured(line("wor\u{1b}[32mds"), red), "wor\u{fffd}[32mds");
    }
}
