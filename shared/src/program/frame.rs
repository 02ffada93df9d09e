//! The calls and deployments within a run, as a tracer sees them begin and end.

use super::{AccountId, Status, Word};

/// A call or deployment that begins.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// By which instruction; that of the message itself is `Call` or `Create`.
    pub kind: FrameKind,
    /// Who calls.
    pub caller: AccountId,
    /// Whose code runs; `None` for a deployment, whose account is known when it ends.
    pub code: Option<AccountId>,
    /// How many grains go with it, or seem to.
    pub value: Word,
    /// How much gas it may use.
    pub gas: u64,
    /// What the program is called with, or the init code of a new one.
    pub input: &'a [u8],
}

/// How a call or deployment within a run ended.
#[derive(Debug, Clone, Copy)]
pub struct FrameEnd<'a> {
    /// How it ended.
    pub status: Status,
    /// The gas that it used, refunds not deducted.
    pub gas_used: u64,
    /// What it returned.
    pub output: &'a [u8],
    /// The new program of a deployment, if there is one.
    pub made: Option<AccountId>,
}

/// The instruction by which a call or deployment begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameKind {
    /// `CALL`, or a message to a program.
    Call,
    /// `CALLCODE`.
    CallCode,
    /// `DELEGATECALL`.
    DelegateCall,
    /// `STATICCALL`.
    StaticCall,
    /// `CREATE`, or a message that deploys.
    Create,
    /// `CREATE2`.
    Create2,
}

impl FrameKind {
    /// The name of the instruction.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Call => "CALL",
            Self::CallCode => "CALLCODE",
            Self::DelegateCall => "DELEGATECALL",
            Self::StaticCall => "STATICCALL",
            Self::Create => "CREATE",
            Self::Create2 => "CREATE2",
        }
    }
}
