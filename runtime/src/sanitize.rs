//! Makes text from outside safe to print: replaces characters that control a terminal or deceive a reader.
//!
//! Every program prints such text only through this module, so that no message, reason or name can clear a screen,
//! forge a line or turn the direction of writing. Writing of all peoples stays as it is: combining marks, joiners
//! within scripts and emoji that need them, variation selectors, flags. JSON must not pass through here: it escapes
//! such characters itself.

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

/// The text as one line in quotation marks, as people wrote it: nothing in it is escaped.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", line(text))
}

fn replaced(text: &str, is_bad: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(&is_bad) {
        return Cow::Borrowed(text);
    }
    let mut writing = Writing::default();
    let mut safe = String::with_capacity(text.len());
    let mut is_unchanged = true;
    for c in text.chars() {
        let stays = !is_bad(c) || writing.needs(c);
        is_unchanged &= stays;
        safe.push(if stays { c } else { char::REPLACEMENT_CHARACTER });
        writing.follow(c);
    }
    if is_unchanged { Cow::Borrowed(text) } else { Cow::Owned(safe) }
}

/// What the text so far says about the next invisible character.
#[derive(Debug, Default)]
struct Writing {
    previous: Option<char>,
    /// Tags of a flag that may still come.
    tags: usize,
}

impl Writing {
    /// Whether writing needs this invisible character here.
    fn needs(&self, c: char) -> bool {
        match c {
            // The joiner and the non-joiner shape letters of Arabic, Persian and Indian scripts, and join emoji.
            '\u{200c}' | '\u{200d}' => self.previous.is_some_and(is_joined),
            // The tags that name the region of a flag.
            '\u{e0020}'..='\u{e007f}' => self.tags > 0,
            _ => false,
        }
    }

    fn follow(&mut self, c: char) {
        self.tags = match c {
            BLACK_FLAG => FLAG_TAGS,
            '\u{e0020}'..='\u{e007e}' => self.tags.saturating_sub(1),
            _ => 0,
        };
        self.previous = Some(c);
    }
}

/// The emoji that begins the flag of a region.
const BLACK_FLAG: char = '\u{1f3f4}';
/// Tags of a flag at most: six characters of a region and the end.
const FLAG_TAGS: usize = 7;

/// Whether a joiner may follow: after emoji, marks and letters of scripts whose letters join. In Latin, Greek, Cyrillic
/// and Hebrew, a joiner only makes two equal words differ.
fn is_joined(c: char) -> bool {
    matches!(c, '\u{600}'..='\u{1cff}' | '\u{2190}'..='\u{2bff}' | '\u{a800}'..='\u{abff}' | '\u{fb50}'..='\u{fe0f}'
        | '\u{fe70}'..='\u{feff}' | '\u{10a00}'..='\u{11fff}' | '\u{1e900}'..='\u{1faff}')
        && !is_hidden(c)
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
    fn writing_of_all_peoples_passes_unchanged() {
        for words in [
            "हिन्दी क्\u{200d}ष श्री",
            "ไทย ที่นี่",
            "தமிழ் நன்றி",
            "می\u{200c}خواهم",
            "e\u{301}te\u{301}",
            "❤\u{fe0f} 👩\u{200d}❤\u{fe0f}\u{200d}💋\u{200d}👨 👨🏽\u{200d}🚀 1\u{fe0f}\u{20e3}",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f} 🇩🇪",
        ] {
            assert!(matches!(line(words), Cow::Borrowed(same) if same == words), "{words}: {}", line(words));
        }
    }

    #[test]
    fn joiners_that_only_make_words_differ_are_replaced() {
        for (words, expected) in [
            ("pay\u{200d}pal", "pay\u{fffd}pal"),
            ("\u{200d}x", "\u{fffd}x"),
            ("п\u{200c}е", "п\u{fffd}е"),
            ("👍\u{200d}\u{200d}", "👍\u{200d}\u{fffd}"),
            ("x\u{e0067}", "x\u{fffd}"),
            ("🏴\u{e0067}\u{202e}\u{e0067}", "🏴\u{e0067}\u{fffd}\u{fffd}"),
        ] {
            assert_eq!(line(words), expected, "{words:?}");
        }
        assert_eq!(quoted("a \"b\"\n\u{1b}"), "\"a \"b\"\u{fffd}\u{fffd}\"");
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
