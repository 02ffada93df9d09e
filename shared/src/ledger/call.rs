//! The `msg` of a transaction to a program or to nobody: a call or a deployment (docs/protocol.md §15).
//!
//! ```text
//! call <gas> 0x<hex>      to a program: what it is called with; may be empty
//! deploy <gas> 0x<hex>    to nobody: the init code of a new program
//! ```
//!
//! Single spaces, decimal without leading zeros, lower-case hex with two digits a byte: each call has one spelling.

use crate::hex;

/// Most gas of one transaction: the limit that Ethereum's release Osaka sets (EIP-7825).
pub const MAX_CALL_GAS: u64 = 1 << 24;
/// Longest init code in bytes (EIP-3860).
pub const MAX_INIT_CODE: usize = 49_152;

/// What the sender asks a program to do, or the code of a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// How much gas it may use.
    pub gas: u64,
    /// What the program is called with, or the init code of a new one.
    pub input: Vec<u8>,
}

/// Which of the two a `msg` must be: the receiver decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallKind {
    /// To a program.
    Call,
    /// To nobody.
    Deploy,
}

/// Why a `msg` is not a call or deployment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadCall {
    /// Another form.
    #[error("msg is not `{} <gas> 0x<hex>` with single spaces and lower-case hex: {reason}", .kind.word())]
    Form {
        /// What it should be.
        kind: CallKind,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// More gas than one transaction may declare.
    #[error("it declares {got} gas, at most {MAX_CALL_GAS} are allowed")]
    TooMuchGas {
        /// What it declares.
        got: u64,
    },
    /// The init code is too long.
    #[error("the init code has {got} bytes, at most {MAX_INIT_CODE} are allowed")]
    InitCodeTooLong {
        /// Its bytes.
        got: usize,
    },
}

impl BadCall {
    /// The rule's name, stable, for programs: `rule` in problem+json.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Form { .. } => "call",
            Self::TooMuchGas { .. } => "gas",
            Self::InitCodeTooLong { .. } => "init-code",
        }
    }
}

impl CallKind {
    const fn word(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Deploy => "deploy",
        }
    }
}

impl Call {
    /// Reads a `msg`.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn parse(kind: CallKind, msg: &str) -> Result<Self, BadCall> {
        let wrong = |reason| BadCall::Form { kind, reason };
        let rest = msg.strip_prefix(kind.word()).and_then(|rest| rest.strip_prefix(' '));
        let rest = rest.ok_or_else(|| wrong("it begins with another word"))?;
        let (gas, input) = rest.split_once(' ').ok_or_else(|| wrong("gas or hex is missing"))?;
        let is_number = gas.bytes().all(|c| c.is_ascii_digit()) && (gas == "0" || !gas.starts_with('0'));
        // 16 digits are more gas than any rule allows, and fit into 64 bits.
        let gas = Some(gas).filter(|gas| is_number && (1..=16).contains(&gas.len())).and_then(|gas| gas.parse().ok());
        let gas: u64 = gas.ok_or_else(|| wrong("the gas is not a decimal number of at most 16 digits"))?;
        let digits = input.strip_prefix("0x").ok_or_else(|| wrong("the hex does not begin with 0x"))?;
        let input = hex::decode_any(digits).ok_or_else(|| wrong("the hex is odd, or not lower-case hex"))?;
        if gas > MAX_CALL_GAS {
            return Err(BadCall::TooMuchGas { got: gas });
        }
        if kind == CallKind::Deploy && input.len() > MAX_INIT_CODE {
            return Err(BadCall::InitCodeTooLong { got: input.len() });
        }
        Ok(Self { gas, input })
    }

    /// The `msg` that says this.
    pub fn to_msg(&self, kind: CallKind) -> String {
        format!("{} {} 0x{}", kind.word(), self.gas, hex::encode(&self.input))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rule(kind: CallKind, msg: &str) -> &'static str {
        Call::parse(kind, msg).map_or_else(|bad| bad.name(), |_| "none")
    }

    #[test]
    fn a_call_has_one_spelling() {
        let call = Call { gas: 50_000, input: vec![0xa9, 5] };
        assert_eq!(Call::parse(CallKind::Call, "call 50000 0xa905"), Ok(call.clone()));
        assert_eq!(call.to_msg(CallKind::Call), "call 50000 0xa905");
        assert_eq!(Call::parse(CallKind::Call, "call 0 0x"), Ok(Call { gas: 0, input: Vec::new() }));
        for wrong in [
            "",
            "call",
            "call 1",
            "call 1 ",
            "call 1 0",
            "call 1 a9",
            "call 1 0xa",
            "call 1 0xA9",
            "call 1 0Xa9",
            "call 1 0xag",
            "call 1 0xa9 ",
            "call  1 0xa9",
            " call 1 0xa9",
            "Call 1 0xa9",
            "call 01 0xa9",
            "call +1 0xa9",
            "call -1 0xa9",
            "call 1.0 0xa9",
            "call 1e3 0xa9",
            "call 0x1 0xa9",
            "call 99999999999999999 0xa9",
            "call １ 0xa9",
            "call 1 0xé9",
            "deploy 1 0xa9",
            "for lunch",
        ] {
            assert_eq!(rule(CallKind::Call, wrong), "call", "{wrong:?}");
        }
        assert_eq!(rule(CallKind::Deploy, "call 1 0xa9"), "call");
    }

    #[test]
    fn gas_and_init_code_are_bounded() {
        assert_eq!(rule(CallKind::Call, "call 16777216 0x"), "none");
        assert_eq!(rule(CallKind::Call, "call 16777217 0x"), "gas");
        let long = "00".repeat(MAX_INIT_CODE);
        assert_eq!(rule(CallKind::Deploy, &format!("deploy 1 0x{long}")), "none");
        assert_eq!(rule(CallKind::Deploy, &format!("deploy 1 0x{long}00")), "init-code");
        assert_eq!(rule(CallKind::Call, &format!("call 1 0x{long}00")), "none", "a call's input is bounded by msg");
    }

    proptest! {
        #[test]
        fn what_is_read_is_spelt_as_it_was_written(msg in "(call|deploy) [0-9]{1,18} 0x[0-9a-fA-F]{0,8}") {
            for kind in [CallKind::Call, CallKind::Deploy] {
                if let Ok(call) = Call::parse(kind, &msg) {
                    prop_assert_eq!(call.to_msg(kind), msg.clone());
                }
            }
        }
    }
}
