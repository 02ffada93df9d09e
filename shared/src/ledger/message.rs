//! The rules for the `msg` of a transaction or bundle.

/// Why a `msg` is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadMessage {
    /// Too long.
    #[error("msg has {got} bytes, at most {limit} are allowed")]
    TooLong {
        /// Its bytes of UTF-8.
        got: usize,
        /// The network's `max_msg_bytes`.
        limit: u64,
    },
    /// It contains a control character.
    #[error("msg has the control character U+{:04X}", u32::from(*.0))]
    ControlCharacter(char),
}

/// Checks a `msg` (docs/protocol.md §7).
///
/// # Errors
/// The rule that it breaks.
pub(crate) fn check(msg: &str, limit: u64) -> Result<(), BadMessage> {
    if msg.len() as u64 > limit {
        return Err(BadMessage::TooLong { got: msg.len(), limit });
    }
    // `char::is_control` is exactly U+0000-001F and U+007F-009F.
    msg.chars().find(|c| c.is_control()).map_or(Ok(()), |c| Err(BadMessage::ControlCharacter(c)))
}
