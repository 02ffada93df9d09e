//! What each instruction does, in a sentence.

const UNKNOWN: &str = "This byte is no instruction: the call fails and all its gas is used.";

/// The sentence about the instruction with this byte.
pub(super) const fn meaning(opcode: u8) -> &'static str {
    match opcode {
        0x00 => "Ends the call successfully, without output.",
        0x01 => "Takes two numbers and puts back their sum.",
        0x02 => "Takes two numbers and puts back their product.",
        0x03 => "Takes two numbers and puts back the upper one minus the lower one.",
        0x04..=0x05 => "Takes two numbers and puts back the upper one divided by the lower one, rounded towards 0.",
        0x06..=0x07 => "Takes two numbers and puts back the rest of the upper one divided by the lower one.",
        0x08 => "Adds two numbers, and puts back the rest after division by a third.",
        0x09 => "Multiplies two numbers, and puts back the rest after division by a third.",
        0x0a => "Takes two numbers and puts back the upper one to the power of the lower one.",
        0x0b => "Widens a short signed number to 32 bytes.",
        0x10 | 0x12 => "Puts back 1 if the upper number is less than the one below, else 0.",
        0x11 | 0x13 => "Puts back 1 if the upper number is greater than the one below, else 0.",
        0x14 => "Puts back 1 if two numbers are equal, else 0.",
        0x15 => "Puts back 1 if the number is 0, else 0.",
        0x16 => "Combines two numbers bit by bit: both must be 1.",
        0x17 => "Combines two numbers bit by bit: one must be 1.",
        0x18 => "Combines two numbers bit by bit: just one must be 1.",
        0x19 => "Turns every bit of a number around.",
        0x1a => "Takes one byte out of a number.",
        0x1b => "Shifts the bits of a number to the left.",
        0x1c | 0x1d => "Shifts the bits of a number to the right.",
        0x1e => "Counts the zero bits in front of a number.",
        0x20 => "Puts back the Keccak-256 hash of a part of the memory.",
        0x30..=0x4f => of_surroundings(opcode),
        0x50 => "Takes the upper number away.",
        0x51 => "Takes a place and puts back 32 bytes of the memory from there.",
        0x52 => "Takes a place and a number, and writes the number into the memory there, in 32 bytes.",
        0x53 => "Takes a place and a number, and writes the number's last byte into the memory there.",
        0x54 => "Takes the number of a slot and puts back what the storage has there.",
        0x55 => "Takes the number of a slot and a value, and writes the value into the storage there.",
        0x56 => "Takes a place in the code and goes on there, if a JUMPDEST is there.",
        0x57 => "Takes a place in the code and a number, and goes on at that place if the number is not 0.",
        0x58 => "Puts the place of this instruction onto the stack.",
        0x59 => "Puts the length of the memory onto the stack.",
        0x5a => "Puts the gas that is left onto the stack.",
        0x5b => "Does nothing: a place that jumps may lead to.",
        0x5c => "Takes a slot and puts back what this transaction has noted there.",
        0x5d => "Notes a value in a slot until the transaction ends.",
        0x5e => "Copies a part of the memory to another place in it.",
        0x5f => "Puts 0 onto the stack.",
        0x60..=0x7f => "Puts a number from the code onto the stack.",
        0x80..=0x8f => "Puts a copy of a number of the stack on top.",
        0x90..=0x9f => "Exchanges the upper number with one further down.",
        0xa0..=0xa4 => "Writes a part of the memory into the log, with its topics.",
        0xf0 | 0xf5 => "Makes a new program from init code in the memory, and puts back its account.",
        0xf1 => "Calls another program, perhaps with money, and puts back 1 if that succeeded.",
        0xf2 => "Runs the code of another program on the storage of this one; out of use.",
        0xf3 => "Ends the call successfully, and returns a part of the memory.",
        0xf4 => "Runs the code of another program on the storage of this one, as if it were its own.",
        0xfa => "Calls another program that may only read, and puts back 1 if that succeeded.",
        0xfd => "Ends the call, undoes everything that it did, and returns a part of the memory as the reason.",
        0xff => "Sends the whole balance to an account.",
        _ => UNKNOWN,
    }
}

/// The same, for what the machine reads of the call, other accounts and the block.
const fn of_surroundings(opcode: u8) -> &'static str {
    match opcode {
        0x30 => "Puts the account of this program onto the stack.",
        0x31 => "Takes an account and puts back its balance.",
        0x32 => "Puts the account that signed the transaction onto the stack.",
        0x33 => "Puts the caller's account onto the stack.",
        0x34 => "Puts the amount that came with the call onto the stack, in grains.",
        0x35 => "Takes a place and puts back 32 bytes of the call's data from there.",
        0x36 => "Puts the length of the call's data onto the stack.",
        0x37 => "Copies a part of the call's data into the memory.",
        0x38 => "Puts the length of the code onto the stack.",
        0x39 => "Copies a part of the code into the memory.",
        0x3a => "Puts the price of gas onto the stack: 0 here.",
        0x3b => "Takes an account and puts back the length of its code.",
        0x3c => "Copies a part of another program's code into the memory.",
        0x3d => "Puts the length of what the last call returned onto the stack.",
        0x3e => "Copies a part of what the last call returned into the memory.",
        0x3f => "Takes an account and puts back the hash of its code.",
        0x40 => "Takes a height and puts back the hash of that block, for the last 256 blocks.",
        0x41 => "Puts the account of this block's miner onto the stack.",
        0x42 => "Puts the time of the parent block onto the stack, in seconds.",
        0x43 => "Puts the height of this block onto the stack.",
        0x44 => "Puts the hash of the parent block onto the stack. Its miner could choose it, so it is no fair dice.",
        0x45 => "Puts the gas that a block may declare onto the stack.",
        0x46 => "Puts the number of this network onto the stack.",
        0x47 => "Puts the balance of this program onto the stack, in grains.",
        0x48..=0x4a => "Puts a price of Ethereum's onto the stack; gas has no price here.",
        _ => UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn push0_puts_0_and_takes_nothing_from_the_code() {
        assert_eq!(meaning(0x5f), "Puts 0 onto the stack.");
        assert!([0x60, 0x7f].map(meaning).iter().all(|said| said.contains("from the code")));
    }
}
