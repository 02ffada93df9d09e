//! The rules for a single transaction, which need no chain.

use super::{Address, Amount, BadMessage, TransactionId};
use crate::violation::RuleViolation;

/// The rules of transactions that need no chain, in the order in which they are checked (docs/protocol.md §7).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransactionViolation {
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
    /// The id is not the hash of its text: a field was changed, or it was made for another network.
    #[error(
        "id {got} is not the hash of this content on this network: expected {expected}; was a field changed, or was it signed for another network?"
    )]
    WrongId {
        /// The transaction's `id`.
        got: TransactionId,
        /// The hash of its text.
        expected: TransactionId,
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
            Self::NothingMoves | Self::TooMuch { .. } => "amount",
            Self::Message(_) => "msg",
            Self::WrongId { .. } => "id",
            Self::NotAPoint(_) => "address",
            Self::WrongSignature(_) => "signature",
        }
    }
}

impl From<TransactionViolation> for RuleViolation {
    fn from(broken: TransactionViolation) -> Self {
        Self { rule: broken.name(), detail: broken.to_string() }
    }
}
