//! Transactions: their text, id and signature, and the rules that need no chain (docs/protocol.md §7).

use super::{Address, Amount, TransactionViolation, Uuid, message};
use crate::block::{BlockHash, hash_type};
use crate::json::deserialize_strictly;
use crate::keys::{Signature, Signed, Verifier};
use crate::params::Params;
use serde::{Deserialize, Serialize};

hash_type! {
    /// Identifies a transaction: SHA-256 of its text, so that nobody can claim another's id.
    TransactionId
}

impl TransactionId {
    /// The first eight digits, for people.
    pub fn short(&self) -> String {
        self.to_string()[..8].to_owned()
    }
}

/// A signed payment.
///
/// Its JSON has the fields in this order; on reading, exactly these fields are accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Transaction {
    /// SHA-256 of its text.
    pub id: TransactionId,
    /// Random, so that equal payments differ.
    pub uuid: Uuid,
    /// The sender.
    pub from: Address,
    /// The receiver.
    pub to: Address,
    /// What the receiver gets.
    pub amount: Amount,
    /// What the miner gets, in addition to the amount.
    pub fee: Amount,
    /// The sender's message; may be empty.
    pub msg: String,
    /// The sender's signature over the text.
    pub signature: Signature,
}

/// A payment before it is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsigned {
    /// Random, so that equal payments differ.
    pub uuid: Uuid,
    /// The sender.
    pub from: Address,
    /// The receiver.
    pub to: Address,
    /// What the receiver gets.
    pub amount: Amount,
    /// What the miner gets, in addition to the amount.
    pub fee: Amount,
    /// The sender's message; may be empty.
    pub msg: String,
}

/// The network's parameters that the rules for transactions need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransactionRules {
    /// The network id: part of the text, against replay on another network.
    pub network: BlockHash,
    /// The network's `max_msg_bytes`.
    pub max_msg_bytes: u64,
}

impl TransactionRules {
    /// The rules of the network that `params` describe.
    pub fn of(params: &Params) -> Self {
        Self { network: params.network_id(), max_msg_bytes: params.max_msg_bytes }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TransactionJson {
    id: TransactionId,
    uuid: Uuid,
    from: Address,
    to: Address,
    amount: Amount,
    fee: Amount,
    msg: String,
    signature: Signature,
}

impl From<TransactionJson> for Transaction {
    fn from(json: TransactionJson) -> Self {
        let TransactionJson { id, uuid, from, to, amount, fee, msg, signature } = json;
        Self { id, uuid, from, to, amount, fee, msg, signature }
    }
}

deserialize_strictly!(Transaction, from TransactionJson);

impl Unsigned {
    /// The text that is hashed and signed: `<network id>:<uuid>:<from>:<to>:<amount>:<fee>:<msg>`.
    pub fn text(&self, network: BlockHash) -> String {
        let Self { uuid, from, to, amount, fee, msg } = self;
        text(network, *uuid, from, to, *amount, *fee, msg)
    }

    /// The transaction with the signature that `sign` returns for its text.
    pub fn sign(self, network: BlockHash, sign: impl FnOnce(&str) -> Signature) -> Transaction {
        let text = self.text(network);
        let Self { uuid, from, to, amount, fee, msg } = self;
        let (id, signature) = (TransactionId::of(&text), sign(&text));
        Transaction { id, uuid, from, to, amount, fee, msg, signature }
    }
}

impl Transaction {
    /// The text that is hashed and signed: `<network id>:<uuid>:<from>:<to>:<amount>:<fee>:<msg>`.
    pub fn text(&self, network: BlockHash) -> String {
        text(network, self.uuid, &self.from, &self.to, self.amount, self.fee, &self.msg)
    }

    /// Checks the cheap rules: amounts, message, id. Returns the text.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn check_content(&self, rules: &TransactionRules) -> Result<String, TransactionViolation> {
        let (amount, fee) = (self.amount, self.fee);
        if amount == Amount::ZERO {
            return Err(TransactionViolation::NothingMoves);
        }
        if amount.checked_add(fee).is_none() {
            return Err(TransactionViolation::TooMuch { amount, fee });
        }
        message::check(&self.msg, rules.max_msg_bytes)?;
        let text = self.text(rules.network);
        let expected = TransactionId::of(&text);
        if self.id != expected {
            return Err(TransactionViolation::WrongId { got: self.id, expected });
        }
        Ok(text)
    }

    /// Checks all rules that need no chain, the expensive signature last.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn check(&self, rules: &TransactionRules, verifier: &dyn Verifier) -> Result<(), TransactionViolation> {
        let text = self.check_content(rules)?;
        verifier.verify(&Signed { text: &text, from: &self.from, to: &self.to, signature: &self.signature })
    }

    /// Amount and fee together; [`Amount::MAX`] if that is exceeded, which a rule forbids.
    pub fn cost(&self) -> Amount {
        self.amount.checked_add(self.fee).unwrap_or(Amount::MAX)
    }
}

fn text(
    network: BlockHash,
    uuid: Uuid,
    from: &Address,
    to: &Address,
    amount: Amount,
    fee: Amount,
    msg: &str,
) -> String {
    format!("{network}:{uuid}:{from}:{to}:{}:{}:{msg}", amount.grains(), fee.grains())
}
