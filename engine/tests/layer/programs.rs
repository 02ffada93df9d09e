//! Small programs, written by hand.

use shared::program::{AccountId, Word};

/// The init code that returns `code`, which has at most 255 bytes.
pub(crate) fn deploying(code: &[u8]) -> Vec<u8> {
    // PUSH1 length, DUP1, PUSH1 9, PUSH0, CODECOPY, PUSH0, RETURN
    [&[0x60, u8::try_from(code.len()).unwrap(), 0x80, 0x60, 9, 0x5f, 0x39, 0x5f, 0xf3], code].concat()
}

/// Adds 1 to its slot 0 and returns it.
pub(crate) const COUNTER: &[u8] = &[0x5f, 0x54, 0x60, 1, 0x01, 0x80, 0x5f, 0x55, 0x5f, 0x52, 0x60, 32, 0x5f, 0xf3];

/// Sends the value in the second word of its input to the account in the first, and goes on if that fails.
pub(crate) const PAYER: &[u8] = &[0x5f, 0x5f, 0x5f, 0x5f, 0x60, 32, 0x35, 0x5f, 0x35, 0x5a, 0xf1, 0x00];

/// Reverts with 32 bytes of its input as the reason, after a write.
pub(crate) const REFUSER: &[u8] = &[0x60, 1, 0x5f, 0x55, 0x5f, 0x35, 0x5f, 0x52, 0x60, 32, 0x5f, 0xfd];

/// Logs the second word of its input with the first as topic.
pub(crate) const LOGGER: &[u8] = &[0x60, 32, 0x35, 0x5f, 0x52, 0x5f, 0x35, 0x60, 32, 0x5f, 0xa1, 0x00];

/// Runs until its gas is used up.
pub(crate) const LOOP: &[u8] = &[0x5b, 0x5f, 0x56];

/// Writes its input's second word to the slot in the first.
pub(crate) const WRITER: &[u8] = &[0x60, 32, 0x35, 0x5f, 0x35, 0x55, 0x00];

/// Makes a counter with `CREATE`, with the value that it gets, and returns its account.
pub(crate) fn maker() -> Vec<u8> {
    let init = deploying(COUNTER);
    let length = u8::try_from(init.len()).unwrap();
    // PUSHn init, PUSH0, MSTORE; PUSH1 length, PUSH1 32 - length, CALLVALUE, CREATE; PUSH0, MSTORE, return 32 bytes
    let push = 0x5f + length;
    let mut code = vec![push];
    code.extend(&init);
    code.extend([0x5f, 0x52, 0x60, length, 0x60, 32 - length, 0x34, 0xf0, 0x5f, 0x52, 0x60, 32, 0x5f, 0xf3]);
    code
}

/// Returns what it sees of the chain, a word each: NUMBER, TIMESTAMP, PREVRANDAO, COINBASE, GASLIMIT, BASEFEE,
/// GASPRICE, CHAINID, CALLER, ORIGIN, CALLVALUE, BLOCKHASH of the parent.
pub(crate) fn witness() -> Vec<u8> {
    let mut code = Vec::new();
    for (place, instruction) in
        [0x43, 0x42, 0x44, 0x41, 0x45, 0x48, 0x3a, 0x46, 0x33, 0x32, 0x34].into_iter().enumerate()
    {
        code.extend([instruction, 0x61]);
        code.extend(u16::try_from(32 * place).unwrap().to_be_bytes());
        code.push(0x52);
    }
    // PUSH1 1, NUMBER, SUB, BLOCKHASH, PUSH2 352, MSTORE; RETURN 384 bytes
    code.extend([0x60, 1, 0x43, 0x03, 0x40, 0x61, 1, 0x60, 0x52, 0x61, 1, 0x80, 0x5f, 0xf3]);
    code
}

/// Two words as input.
pub(crate) fn words(first: impl Into<Word>, second: impl Into<Word>) -> Vec<u8> {
    [first.into().0, second.into().0].concat()
}

/// The word of an account.
pub(crate) fn word(account: AccountId) -> Word {
    let mut word = Word::ZERO;
    word.0[12..].copy_from_slice(&account.0);
    word
}
