//! Transactions: their text, id and signature, and the rules that they keep by themselves (docs/protocol.md §7).

use super::{Address, Amount, TransactionViolation, Uuid, message};
use crate::block::{BlockHash, hash_type};
use crate::json::deserialize_strictly;
use crate::keys::{Signature, Signed, Verifier};
use crate::params::Params;
use serde::{Deserialize, Serialize};

hash_type! {
    /// The name of a transaction: SHA-256 of its text, so that nobody can squat on another's.
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
/// Its JSON is its only form: the fields in this order, and on reading nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Transaction {
    /// SHA-256 of its text.
    pub id: TransactionId,
    /// Random.
    pub uuid: Uuid,
    /// Who pays.
    pub from: Address,
    /// Who is paid.
    pub to: Address,
    /// How much is paid.
    pub amount: Amount,
    /// What the miner gets on top.
    pub fee: Amount,
    /// What the sender says; may be empty.
    pub msg: String,
    /// The sender's, over the text.
    pub signature: Signature,
}

/// A payment before it is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsigned {
    /// Random.
    pub uuid: Uuid,
    /// Who pays.
    pub from: Address,
    /// Who is paid.
    pub to: Address,
    /// How much is paid.
    pub amount: Amount,
    /// What the miner gets on top.
    pub fee: Amount,
    /// What the sender says; may be empty.
    pub msg: String,
}

/// What a transaction needs to know of its network.
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
    /// What is hashed and signed: `<network id>:<uuid>:<from>:<to>:<amount>:<fee>:<msg>`.
    pub fn text(&self, network: BlockHash) -> String {
        let Self { uuid, from, to, amount, fee, msg } = self;
        text(network, *uuid, from, to, *amount, *fee, msg)
    }

    /// The transaction, with what `sign` answers for its text as its signature.
    pub fn sign(self, network: BlockHash, sign: impl FnOnce(&str) -> Signature) -> Transaction {
        let text = self.text(network);
        let Self { uuid, from, to, amount, fee, msg } = self;
        let (id, signature) = (TransactionId::of(&text), sign(&text));
        Transaction { id, uuid, from, to, amount, fee, msg, signature }
    }
}

impl Transaction {
    /// What is hashed and signed: `<network id>:<uuid>:<from>:<to>:<amount>:<fee>:<msg>`.
    pub fn text(&self, network: BlockHash) -> String {
        text(network, self.uuid, &self.from, &self.to, self.amount, self.fee, &self.msg)
    }

    /// The rules that cost nearly nothing: amounts, message, id. Answers the text.
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

    /// All rules that need no chain, the costly signature last.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn check(&self, rules: &TransactionRules, verifier: &dyn Verifier) -> Result<(), TransactionViolation> {
        let text = self.check_content(rules)?;
        verifier.verify(&Signed { text: &text, from: &self.from, to: &self.to, signature: &self.signature })
    }

    /// What the sender loses: amount and fee. Saturates where a rule forbids it anyway.
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
