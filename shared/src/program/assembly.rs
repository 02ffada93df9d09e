//! Code in words: the instructions of the machine by their names, and texts of them in both directions, for learning.
//!
//! ```text
//! PUSH1 1 SLOAD       names as Ethereum's, in any case; a number after PUSH is decimal, or hex after 0x
//! loop: JUMPDEST      a name with a colon marks the next instruction
//! PUSH @loop JUMP     PUSH without a size takes the shortest that fits; @loop is the place of the mark (2 bytes)
//! ; a comment         to the end of the line
//! ```

use super::Word;
use crate::hex;
use std::collections::BTreeMap;

const PUSH0: u8 = 0x5f;
const PUSH32: u8 = 0x7f;
/// Longest code that is assembled: what init code may have.
const MAX_CODE: usize = super::MAX_INIT_CODE;

/// The instructions, by their bytes.
#[rustfmt::skip]
const NAMES: [(u8, &str); 150] = [
    (0x00, "STOP"), (0x01, "ADD"), (0x02, "MUL"), (0x03, "SUB"), (0x04, "DIV"), (0x05, "SDIV"), (0x06, "MOD"),
    (0x07, "SMOD"), (0x08, "ADDMOD"), (0x09, "MULMOD"), (0x0a, "EXP"), (0x0b, "SIGNEXTEND"), (0x10, "LT"),
    (0x11, "GT"), (0x12, "SLT"), (0x13, "SGT"), (0x14, "EQ"), (0x15, "ISZERO"), (0x16, "AND"), (0x17, "OR"),
    (0x18, "XOR"), (0x19, "NOT"), (0x1a, "BYTE"), (0x1b, "SHL"), (0x1c, "SHR"), (0x1d, "SAR"), (0x1e, "CLZ"),
    (0x20, "KECCAK256"), (0x30, "ADDRESS"), (0x31, "BALANCE"), (0x32, "ORIGIN"), (0x33, "CALLER"),
    (0x34, "CALLVALUE"), (0x35, "CALLDATALOAD"), (0x36, "CALLDATASIZE"), (0x37, "CALLDATACOPY"),
    (0x38, "CODESIZE"), (0x39, "CODECOPY"), (0x3a, "GASPRICE"), (0x3b, "EXTCODESIZE"), (0x3c, "EXTCODECOPY"),
    (0x3d, "RETURNDATASIZE"), (0x3e, "RETURNDATACOPY"), (0x3f, "EXTCODEHASH"), (0x40, "BLOCKHASH"),
    (0x41, "COINBASE"), (0x42, "TIMESTAMP"), (0x43, "NUMBER"), (0x44, "PREVRANDAO"), (0x45, "GASLIMIT"),
    (0x46, "CHAINID"), (0x47, "SELFBALANCE"), (0x48, "BASEFEE"), (0x49, "BLOBHASH"), (0x4a, "BLOBBASEFEE"),
    (0x50, "POP"), (0x51, "MLOAD"), (0x52, "MSTORE"), (0x53, "MSTORE8"), (0x54, "SLOAD"), (0x55, "SSTORE"),
    (0x56, "JUMP"), (0x57, "JUMPI"), (0x58, "PC"), (0x59, "MSIZE"), (0x5a, "GAS"), (0x5b, "JUMPDEST"),
    (0x5c, "TLOAD"), (0x5d, "TSTORE"), (0x5e, "MCOPY"), (0x5f, "PUSH0"), (0x60, "PUSH1"), (0x61, "PUSH2"),
    (0x62, "PUSH3"), (0x63, "PUSH4"), (0x64, "PUSH5"), (0x65, "PUSH6"), (0x66, "PUSH7"), (0x67, "PUSH8"),
    (0x68, "PUSH9"), (0x69, "PUSH10"), (0x6a, "PUSH11"), (0x6b, "PUSH12"), (0x6c, "PUSH13"), (0x6d, "PUSH14"),
    (0x6e, "PUSH15"), (0x6f, "PUSH16"), (0x70, "PUSH17"), (0x71, "PUSH18"), (0x72, "PUSH19"), (0x73, "PUSH20"),
    (0x74, "PUSH21"), (0x75, "PUSH22"), (0x76, "PUSH23"), (0x77, "PUSH24"), (0x78, "PUSH25"), (0x79, "PUSH26"),
    (0x7a, "PUSH27"), (0x7b, "PUSH28"), (0x7c, "PUSH29"), (0x7d, "PUSH30"), (0x7e, "PUSH31"), (0x7f, "PUSH32"),
    (0x80, "DUP1"), (0x81, "DUP2"), (0x82, "DUP3"), (0x83, "DUP4"), (0x84, "DUP5"), (0x85, "DUP6"), (0x86, "DUP7"),
    (0x87, "DUP8"), (0x88, "DUP9"), (0x89, "DUP10"), (0x8a, "DUP11"), (0x8b, "DUP12"), (0x8c, "DUP13"),
    (0x8d, "DUP14"), (0x8e, "DUP15"), (0x8f, "DUP16"), (0x90, "SWAP1"), (0x91, "SWAP2"), (0x92, "SWAP3"),
    (0x93, "SWAP4"), (0x94, "SWAP5"), (0x95, "SWAP6"), (0x96, "SWAP7"), (0x97, "SWAP8"), (0x98, "SWAP9"),
    (0x99, "SWAP10"), (0x9a, "SWAP11"), (0x9b, "SWAP12"), (0x9c, "SWAP13"), (0x9d, "SWAP14"), (0x9e, "SWAP15"),
    (0x9f, "SWAP16"), (0xa0, "LOG0"), (0xa1, "LOG1"), (0xa2, "LOG2"), (0xa3, "LOG3"), (0xa4, "LOG4"),
    (0xf0, "CREATE"), (0xf1, "CALL"), (0xf2, "CALLCODE"), (0xf3, "RETURN"), (0xf4, "DELEGATECALL"),
    (0xf5, "CREATE2"), (0xfa, "STATICCALL"), (0xfd, "REVERT"), (0xfe, "INVALID"), (0xff, "SELFDESTRUCT"),
];

/// The name of an instruction; `None` for a byte that names no instruction.
pub fn instruction_name(byte: u8) -> Option<&'static str> {
    NAMES.binary_search_by_key(&byte, |(byte, _)| *byte).ok().map(|place| NAMES[place].1)
}

/// One instruction of a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// Where in the code.
    pub pc: usize,
    /// Its byte.
    pub byte: u8,
    /// What it pushes; shorter than it says at the end of the code.
    pub pushed: Vec<u8>,
}

impl std::fmt::Display for Instruction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match instruction_name(self.byte) {
            Some(name) if self.pushed.is_empty() => f.write_str(name),
            Some(name) => write!(f, "{name} 0x{}", hex::encode(&self.pushed)),
            None => write!(f, "(no instruction) 0x{:02x}", self.byte),
        }
    }
}

/// The instructions of a code, in order. Data behind the code is shown as instructions, too.
pub fn disassemble(code: &[u8]) -> Vec<Instruction> {
    let (mut instructions, mut pc) = (Vec::new(), 0);
    while let Some(byte) = code.get(pc).copied() {
        let wanted = if (PUSH0..=PUSH32).contains(&byte) { usize::from(byte - PUSH0) } else { 0 };
        let pushed = code[pc + 1..code.len().min(pc + 1 + wanted)].to_vec();
        instructions.push(Instruction { pc, byte, pushed });
        pc += 1 + wanted;
    }
    instructions
}

/// Why a text is no code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct BadAssembly {
    /// From 1 on.
    pub line: usize,
    /// What is wrong.
    pub reason: String,
}

/// The code of a text.
///
/// # Errors
/// The first line that is wrong.
pub fn assemble(text: &str) -> Result<Vec<u8>, BadAssembly> {
    let (mut code, mut marks, mut uses) = (Vec::new(), BTreeMap::new(), Vec::new());
    for (number, line) in (1..).zip(text.lines()) {
        let bad = |reason: String| BadAssembly { line: number, reason };
        let mut words = line.split(';').next().unwrap_or_default().split_whitespace();
        while let Some(word) = words.next() {
            if let Some(mark) = word.strip_suffix(':') {
                if marks.insert(mark, code.len()).is_some() {
                    return Err(bad(format!("the mark {mark} is here twice")));
                }
                continue;
            }
            let name = word.to_ascii_uppercase();
            let wanted = match name.strip_prefix("PUSH") {
                Some("") => None,
                Some(_) => Some(byte_of(&name).ok_or_else(|| bad(format!("{word} is no instruction")))?),
                None => {
                    code.push(byte_of(&name).ok_or_else(|| bad(format!("{word} is no instruction")))?);
                    continue;
                }
            };
            if wanted == Some(PUSH0) {
                code.push(PUSH0);
                continue;
            }
            let value = words.next().ok_or_else(|| bad(format!("{word} needs a number or @mark after it")))?;
            if let Some(mark) = value.strip_prefix('@') {
                code.push(PUSH0 + 2);
                uses.push((number, mark, code.len()));
                code.extend([0, 0]);
                continue;
            }
            let value = parse(value).ok_or_else(|| bad(format!("{value} is no number of at most 32 bytes")))?;
            let digits = value.significant_bytes();
            let size = wanted.map_or(digits.len(), |byte| usize::from(byte - PUSH0));
            let missing = size.checked_sub(digits.len());
            let missing = missing.ok_or_else(|| bad(format!("{value} does not fit into {size} bytes")))?;
            // At most 32.
            code.push(PUSH0 + size as u8);
            code.extend(std::iter::repeat_n(0, missing));
            code.extend(digits);
            if code.len() > MAX_CODE {
                return Err(bad(format!("the code has more than {MAX_CODE} bytes")));
            }
        }
    }
    for (line, mark, at) in uses {
        let place = marks.get(mark).copied().and_then(|place| u16::try_from(place).ok());
        let place = place.ok_or_else(|| BadAssembly { line, reason: format!("there is no mark {mark}") })?;
        code[at..at + 2].copy_from_slice(&place.to_be_bytes());
    }
    if code.len() > MAX_CODE {
        return Err(BadAssembly { line: 1, reason: format!("the code has more than {MAX_CODE} bytes") });
    }
    Ok(code)
}

fn byte_of(name: &str) -> Option<u8> {
    NAMES.iter().find(|(_, known)| *known == name).map(|(byte, _)| *byte)
}

fn parse(text: &str) -> Option<Word> {
    let Some(digits) = text.strip_prefix("0x") else { return text.parse().ok().map(|number: u64| Word::from(number)) };
    let digits = if digits.len() % 2 == 0 { digits.to_owned() } else { format!("0{digits}") };
    let bytes = hex::decode_any(&digits.to_ascii_lowercase())?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    Word::from_significant_bytes(&bytes[zeros..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_counter_is_assembled() {
        let text =
            "PUSH0 SLOAD push1 1 ADD DUP1 ; one more\nPUSH0 SSTORE\nend: JUMPDEST PUSH @end PUSH 0x1ff PUSH 0 POP";
        let code = [0x5f, 0x54, 0x60, 1, 1, 0x80, 0x5f, 0x55, 0x5b, 0x61, 0, 8, 0x61, 1, 0xff, 0x5f, 0x50];
        assert_eq!(assemble(text), Ok(code.to_vec()));
        for (wrong, words) in [
            ("ADD\nFOO", "line 2: FOO is no instruction"),
            ("PUSH33 1", "PUSH33 is no instruction"),
            ("PUSH1", "needs a number"),
            ("PUSH1 256", "does not fit"),
            ("PUSH1 -1", "no number"),
            ("PUSH 0xfg", "no number"),
            ("PUSH @nowhere", "no mark nowhere"),
            ("a: a: STOP", "twice"),
        ] {
            let error = assemble(wrong).unwrap_err().to_string();
            assert!(error.contains(words), "{wrong}: {error}");
        }
    }

    #[test]
    fn the_end_of_a_code_may_cut_a_push() {
        let shown: Vec<_> = disassemble(&[0x61, 1]).iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["PUSH2 0x01"]);
        assert_eq!(disassemble(&[0x0c])[0].to_string(), "(no instruction) 0x0c");
        assert!(NAMES.is_sorted_by_key(|(byte, _)| *byte));
    }

    proptest! {
        #[test]
        fn what_is_taken_apart_is_put_together_again(code: Vec<u8>) {
            let instructions = disassemble(&code);
            let whole = instructions.iter().all(|one| {
                instruction_name(one.byte).is_some()
                    && (!(PUSH0..=PUSH32).contains(&one.byte) || one.pushed.len() == usize::from(one.byte - PUSH0))
            });
            if whole {
                let text = instructions.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
                prop_assert_eq!(assemble(&text), Ok(code));
            }
        }
    }
}
