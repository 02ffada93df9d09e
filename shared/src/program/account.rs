//! Accounts as the machine knows them.

use super::Word;

/// What an account holds, apart from its storage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Account {
    /// In grains. The rows allow any 256-bit number; a layer bounds it.
    pub balance: Word,
    /// How many programs it has made; for a key, also how many messages it has sent.
    pub nonce: u64,
    /// The hash of its code; `None` without code.
    pub code_hash: Option<Word>,
}
