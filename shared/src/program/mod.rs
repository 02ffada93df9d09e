//! Programs: accounts with code, the rows that hold them, and the machine that runs them.
//!
//! The machine itself is not here. It is an [`Engine`], which callers inject as they inject a verifier, so that the
//! core names no machine's types and stands on no machine's crates. It reads rows through [`StateRead`] and returns
//! what it would change as [`Changes`]; whether these are written is the caller's decision.
//!
//! [`StateRead`]: crate::state::StateRead

mod account;
mod assembly;
mod engine;
mod frame;
mod hex_bytes;
mod live_rows;
mod no_engine;
mod reason;
mod rows;
mod word;

pub use crate::ledger::{AccountId, BadCall, Call, CallKind, MAX_CALL_GAS, MAX_INIT_CODE};
pub use account::Account;
pub use assembly::{BadAssembly, Instruction, assemble, disassemble, instruction_name};
pub use engine::{
    Engine, EngineError, Environment, Execution, Halt, Log, Machine, MachineView, Message, Status, Step, Target, Tracer,
};
pub use frame::{Frame, FrameEnd, FrameKind};
pub use hex_bytes::{HexBytes, NotHex};
pub use live_rows::LiveRows;
pub use no_engine::NoEngine;
pub use reason::revert_reason;
pub use rows::{
    Changes, account_key, block_hash_key, code_key, read_account, read_block_hash, read_code, read_slot, slot_key,
    slot_prefix, write_account, write_block_hash,
};
pub use word::Word;
