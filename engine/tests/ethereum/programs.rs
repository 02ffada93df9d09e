//! Random programs, and mutations of them. A seed means the same program for ever.

use revm::bytecode::opcode as op;
use shared::program::AccountId;
use shared::random::Random;

/// The account that sends every message: that of the private key 1.
pub(crate) const SENDER: AccountId = AccountId([
    0x7e, 0x5f, 0x45, 0x52, 0x09, 0x1a, 0x69, 0x12, 0x5d, 0x5d, 0xfc, 0xb7, 0xb8, 0xc2, 0x65, 0x90, 0x29, 0x39, 0x5b,
    0xdf,
]);

/// The accounts of each case's programs, which call one another.
pub(crate) const PROGRAMS: [AccountId; 3] = [AccountId([0xaa; 20]), AccountId([0xbb; 20]), AccountId([0xcc; 20])];

/// Instructions with the number of values that each needs. Those with a place or a length in memory are further below.
const PLAIN: [(u8, usize); 51] = [
    (op::ADD, 2),
    (op::MUL, 2),
    (op::SUB, 2),
    (op::DIV, 2),
    (op::SDIV, 2),
    (op::MOD, 2),
    (op::SMOD, 2),
    (op::ADDMOD, 3),
    (op::MULMOD, 3),
    (op::EXP, 2),
    (op::SIGNEXTEND, 2),
    (op::LT, 2),
    (op::GT, 2),
    (op::SLT, 2),
    (op::SGT, 2),
    (op::EQ, 2),
    (op::ISZERO, 1),
    (op::AND, 2),
    (op::OR, 2),
    (op::XOR, 2),
    (op::NOT, 1),
    (op::BYTE, 2),
    (op::SHL, 2),
    (op::SHR, 2),
    (op::SAR, 2),
    (op::CLZ, 1),
    (op::ADDRESS, 0),
    (op::BALANCE, 1),
    (op::ORIGIN, 0),
    (op::CALLER, 0),
    (op::CALLVALUE, 0),
    (op::CALLDATALOAD, 1),
    (op::CALLDATASIZE, 0),
    (op::CODESIZE, 0),
    (op::GASPRICE, 0),
    (op::EXTCODESIZE, 1),
    (op::EXTCODEHASH, 1),
    (op::RETURNDATASIZE, 0),
    (op::BLOCKHASH, 1),
    (op::COINBASE, 0),
    (op::TIMESTAMP, 0),
    (op::NUMBER, 0),
    (op::DIFFICULTY, 0),
    (op::GASLIMIT, 0),
    (op::CHAINID, 0),
    (op::SELFBALANCE, 0),
    (op::BASEFEE, 0),
    (op::POP, 1),
    (op::PC, 0),
    (op::MSIZE, 0),
    (op::GAS, 0),
];

/// Instructions whose values are small, since they are places and lengths in memory, or slots.
const SMALL: [(u8, usize); 18] = [
    (op::KECCAK256, 2),
    (op::CALLDATACOPY, 3),
    (op::CODECOPY, 3),
    (op::RETURNDATACOPY, 3),
    (op::MLOAD, 1),
    (op::MSTORE, 2),
    (op::MSTORE8, 2),
    (op::MCOPY, 3),
    (op::SLOAD, 1),
    (op::SSTORE, 2),
    (op::TLOAD, 1),
    (op::TSTORE, 2),
    (op::LOG0, 2),
    (op::LOG2, 4),
    (op::LOG4, 6),
    (op::BLOBHASH, 1),
    (op::RETURN, 2),
    (op::REVERT, 2),
];

/// The code of a program, of a few dozen instructions.
pub(crate) fn program(random: &mut Random) -> Vec<u8> {
    let mut code = Vec::new();
    for _ in 0..random.below(40) {
        instruction(random, &mut code);
    }
    if random.below(3) == 0 {
        mutate(random, &mut code);
    }
    code
}

/// Changes up to four places, so that code has what no generator thinks of.
fn mutate(random: &mut Random, code: &mut Vec<u8>) {
    for _ in 0..=random.below(4) {
        let place = random.index(code.len() + 1);
        let byte = random.next_u64() as u8;
        match random.below(4) {
            0 => code.insert(place, byte),
            1 if place < code.len() => code[place] = byte,
            2 if place < code.len() => drop(code.remove(place)),
            _ => {
                let end = (place + random.index(12)).min(code.len());
                let copied = code[place..end].to_vec();
                code.extend(copied);
            }
        }
    }
}

fn instruction(random: &mut Random, code: &mut Vec<u8>) {
    match random.below(100) {
        0..25 => value(random, code),
        25..55 => {
            let (opcode, needs) = PLAIN[random.index(PLAIN.len())];
            // Some find what the ones before have left, or too little.
            let gives = if random.below(4) == 0 { 0 } else { needs };
            (0..gives).for_each(|_| value(random, code));
            code.push(opcode);
        }
        55..80 => {
            // The last two end the program, so they are rarer.
            let most = if random.below(8) == 0 { SMALL.len() } else { SMALL.len() - 2 };
            let (opcode, needs) = SMALL[random.index(most)];
            (0..needs).for_each(|_| small(random, code));
            code.push(opcode);
        }
        80..90 => call(random, code),
        90..93 => create(random, code),
        93..96 => code.push(op::DUP1 + random.below(32) as u8),
        96..98 => jump(random, code),
        98 => {
            account(random, code);
            code.push(op::SELFDESTRUCT);
        }
        _ => code.push(random.next_u64() as u8),
    }
}

fn small(random: &mut Random, code: &mut Vec<u8>) {
    code.extend([op::PUSH1, random.below(70) as u8]);
}

fn account(random: &mut Random, code: &mut Vec<u8>) {
    let mut built_in = AccountId([0; 20]);
    built_in.0[19] = 1 + random.below(5) as u8;
    let one = [SENDER, PROGRAMS[0], PROGRAMS[1], PROGRAMS[2], built_in, AccountId([0xee; 20])];
    code.push(op::PUSH20);
    code.extend(one[random.index(one.len())].0);
}

fn value(random: &mut Random, code: &mut Vec<u8>) {
    match random.below(8) {
        0 => code.push(op::PUSH0),
        1 => account(random, code),
        2 => {
            code.push(op::PUSH32);
            code.extend([0xff; 32]);
        }
        3 => {
            // The smallest negative number, and its neighbours.
            code.push(op::PUSH32);
            code.push(0x80);
            code.extend([0; 30]);
            code.push(random.below(3) as u8);
        }
        4 => {
            let length = 1 + random.index(32);
            code.push(op::PUSH1 + length as u8 - 1);
            code.extend((0..length).map(|_| random.next_u64() as u8));
        }
        5 => code.extend([op::PUSH2, 1, random.next_u64() as u8]),
        _ => small(random, code),
    }
}

fn call(random: &mut Random, code: &mut Vec<u8>) {
    let kind = [op::CALL, op::CALLCODE, op::DELEGATECALL, op::STATICCALL][random.index(4)];
    (0..4).for_each(|_| small(random, code));
    if matches!(kind, op::CALL | op::CALLCODE) {
        code.extend([op::PUSH1, random.below(2) as u8]);
    }
    account(random, code);
    if random.below(2) == 0 {
        code.push(op::GAS);
    } else {
        code.extend([op::PUSH2, random.below(64) as u8, random.next_u64() as u8]);
    }
    code.push(kind);
}

/// Makes a program out of up to 32 bytes, most of which are an init code that returns some of the memory.
fn create(random: &mut Random, code: &mut Vec<u8>) {
    let mut init = Vec::new();
    (0..random.below(3)).for_each(|_| small(random, &mut init));
    small(random, &mut init);
    small(random, &mut init);
    init.push([op::RETURN, op::RETURN, op::REVERT, op::SSTORE, op::SELFDESTRUCT][random.index(5)]);
    code.push(op::PUSH1 + init.len() as u8 - 1);
    code.extend(&init);
    code.extend([op::PUSH0, op::MSTORE]);
    let salted = random.below(2) == 0;
    if salted {
        small(random, code);
    }
    code.extend([op::PUSH1, init.len() as u8, op::PUSH1, 32 - init.len() as u8]);
    code.extend([op::PUSH1, random.below(2) as u8]);
    code.push(if salted { op::CREATE2 } else { op::CREATE });
}

/// A jump over some bytes, or back to a place where a JUMPDEST may be.
fn jump(random: &mut Random, code: &mut Vec<u8>) {
    let here = code.len();
    let over = random.below(6) as u8;
    let back = random.below(8) == 0;
    let target = if back { random.index(here + 1) } else { here + 4 + usize::from(over) };
    let [.., high, low] = target.to_be_bytes();
    code.extend([op::PUSH2, high, low, op::JUMP]);
    code.extend((0..over).map(|_| random.next_u64() as u8));
    code.push(op::JUMPDEST);
}
