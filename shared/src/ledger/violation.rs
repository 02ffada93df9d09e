//! The rules for a single transaction, which need no chain.

use super::BadCall;
use super::{Address, Amount, BadMessage, CoinName, MAX_PARTS, TransactionId};
use crate::violation::RuleViolation;

/// The rules of transactions that need no chain, in the order in which they are checked (docs/protocol.md §7).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransactionViolation {
    /// It has the form of another layer.
    #[error("{}", other_form(*.has_coins))]
    OtherForm {
        /// Whether the network's transactions spend coins.
        has_coins: bool,
    },
    /// The amount is 0.
    #[error("amount is 0: a transaction moves at least one grain")]
    NothingMoves,
    /// Amount and fee together exceed [`Amount::MAX`].
    #[error("amount {amount} LAB and fee {fee} LAB are together more than there can be, {max} LAB", max = Amount::MAX)]
    TooMuch {
        /// Its amount.
        amount: Amount,
        /// Its fee.
        fee: Amount,
    },
    /// Its `msg` is too long or has a control character.
    #[error(transparent)]
    Message(#[from] BadMessage),
    /// Its `msg` is not the call or deployment that its receiver needs.
    #[error(transparent)]
    Call(#[from] BadCall),
    /// It has no inputs, or too many.
    #[error("{got} inputs: expected 1 to {MAX_PARTS}")]
    Inputs {
        /// How many it has.
        got: usize,
    },
    /// It has no outputs, or too many.
    #[error("{got} outputs: expected 1 to {MAX_PARTS}")]
    Outputs {
        /// How many it has.
        got: usize,
    },
    /// It takes a coin twice.
    #[error("coin {0} is among the inputs twice: a coin is spent once")]
    SameCoin(CoinName),
    /// An input or output is worth nothing.
    #[error("an amount is 0: a coin is worth at least one grain")]
    EmptyCoin,
    /// The inputs together exceed [`Amount::MAX`].
    #[error("the inputs are together {grains} grains, more than there can be: {} grains", Amount::MAX.grains())]
    InputsTooMuch {
        /// Their sum.
        grains: u128,
    },
    /// The outputs are worth more than the inputs.
    #[error("the outputs are together {outputs} grains, the inputs only {inputs}: money cannot be made")]
    MoreOut {
        /// The sum of the inputs.
        inputs: u128,
        /// The sum of the outputs.
        outputs: u128,
    },
    /// The id is not the hash of its text: a field was changed, or it was made for another network.
    #[error(
        "id {got} is not the hash of this content on this network: expected {expected}; was a field changed, or was it \
         signed for another network?"
    )]
    WrongId {
        /// The transaction's `id`.
        got: TransactionId,
        /// The hash of its text.
        expected: TransactionId,
    },
    /// More or fewer signatures than owners.
    #[error("{got} signatures, expected {expected}: one for each different address of the inputs")]
    Signatures {
        /// How many it has.
        got: usize,
        /// How many owners its inputs have.
        expected: usize,
    },
    /// An address is not a point of the curve: nobody can ever have its key.
    #[error("{0} is not a point of the curve P-256: nobody can have its key")]
    NotAPoint(Address),
    /// The signature is not the sender's.
    #[error("the signature is not {0}'s over this content")]
    WrongSignature(Address),
}

impl TransactionViolation {
    /// The rule's name, stable, for programs: `rule` in problem+json.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::OtherForm { .. } => "bundle",
            Self::Inputs { .. } => "inputs",
            Self::Outputs { .. } => "outputs",
            Self::SameCoin(_) => "same-coin",
            Self::NothingMoves
            | Self::TooMuch { .. }
            | Self::EmptyCoin
            | Self::InputsTooMuch { .. }
            | Self::MoreOut { .. } => "amount",
            Self::Signatures { .. } => "signatures",
            Self::Message(_) => "msg",
            Self::Call(bad) => bad.name(),
            Self::WrongId { .. } => "id",
            Self::NotAPoint(_) => "address",
            Self::WrongSignature(_) => "signature",
        }
    }
}

const fn other_form(has_coins: bool) -> &'static str {
    if has_coins {
        "a payment between accounts, but transactions of this network spend coins: it has inputs and outputs"
    } else {
        "it spends coins, but transactions of this network are payments between accounts: they have from and to"
    }
}

impl From<TransactionViolation> for RuleViolation {
    fn from(broken: TransactionViolation) -> Self {
        Self { rule: broken.name(), detail: broken.to_string() }
    }
}
