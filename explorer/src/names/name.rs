//! What a name may be.

use std::fmt;

/// Longest name, in characters.
const MAX_CHARS: usize = 20;
/// Names that begin like this could be taken for addresses.
const ADDRESS_PREFIX: &str = "lab1";

/// The name of a person.
///
/// # Invariants
/// 1 to 20 letters, digits, spaces, `-`, `_`, `'` and `.`, beginning with a letter; no two spaces in a row, none at the
/// end. It is not the beginning of an address, nor a text of hex digits that could be a hash, which has at least eight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

/// Why a text is not a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// It is empty or too long.
    #[error("a name has 1 to {MAX_CHARS} characters")]
    Length,
    /// It has other characters.
    #[error("a name has letters, digits, single spaces and - _ ' . only, and begins with a letter")]
    Character,
    /// It could be taken for an address, a hash or a height.
    #[error("a name must not look like an address or a hash")]
    Misleading,
}

impl Name {
    /// The name, as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What two names have in common that people cannot tell apart by ear: case does not matter.
    pub(super) fn key(&self) -> String {
        key(&self.0)
    }

    /// The first letter, upper case, for a picture of the person.
    pub fn initial(&self) -> String {
        self.0.chars().next().map(|first| first.to_uppercase().collect()).unwrap_or_default()
    }
}

/// A name as it is compared with others.
pub(super) fn key(name: &str) -> String {
    name.trim().to_lowercase()
}

impl TryFrom<String> for Name {
    type Error = BadName;

    fn try_from(text: String) -> Result<Self, BadName> {
        if text.is_empty() || text.chars().nth(MAX_CHARS).is_some() {
            return Err(BadName::Length);
        }
        let is_allowed = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '\'' | '.');
        let begins = text.chars().next().is_some_and(char::is_alphabetic);
        if !begins || !text.chars().all(is_allowed) || text.ends_with(' ') || text.contains("  ") {
            return Err(BadName::Character);
        }
        let lower = text.to_lowercase();
        let is_hash = lower.len() >= 8 && lower.bytes().all(|c| c.is_ascii_hexdigit());
        if lower.starts_with(ADDRESS_PREFIX) || is_hash {
            return Err(BadName::Misleading);
        }
        Ok(Self(text))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_plain_and_no_addresses() {
        for good in ["Ada", "Ida B.", "Jörg", "O'Hara", "Ada2", "陈", "cafe", "Max-Otto"] {
            assert_eq!(Name::try_from(good.to_owned()).map(|name| name.to_string()).as_deref(), Ok(good));
        }
        for (bad, why) in [
            ("", BadName::Length),
            (&*"a".repeat(21), BadName::Length),
            (" Ada", BadName::Character),
            ("Ada ", BadName::Character),
            ("A  B", BadName::Character),
            ("5", BadName::Character),
            ("<b>", BadName::Character),
            ("Ada\u{202e}", BadName::Character),
            ("Ada\u{200b}", BadName::Character),
            ("lab1q", BadName::Misleading),
            ("LAB1qqq", BadName::Misleading),
            ("deadbeef", BadName::Misleading),
        ] {
            assert_eq!(Name::try_from(bad.to_owned()), Err(why), "{bad}");
        }
    }
}
