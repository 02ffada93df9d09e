//! Payments: transactions between accounts. Their text, and the rules that need no chain (docs/protocol.md §7).

use super::signature::Signature;
use super::verifier::{Signed, Verifier};
use super::{Address, Amount, Holding, Part, TransactionId, TransactionViolation, Uuid, message};
use super::{Call, CallKind, Transaction, TransactionRules};
use crate::block::BlockHash;
use serde::Serialize;

/// A signed payment from one account to another.
///
/// Its JSON has the fields in this order; on reading, exactly these fields are accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Payment {
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
        Payment { id, uuid, from, to, amount, fee, msg, signature }.into()
    }
}

impl Payment {
    /// The text that is hashed and signed: `<network id>:<uuid>:<from>:<to>:<amount>:<fee>:<msg>`.
    pub fn text(&self, network: BlockHash) -> String {
        text(network, self.uuid, &self.from, &self.to, self.amount, self.fee, &self.msg)
    }

    /// Which kind of call it is; `None` for a payment to a key.
    pub fn call_kind(&self) -> Option<CallKind> {
        let kind = if self.to.is_nobody() { CallKind::Deploy } else { CallKind::Call };
        (!self.to.is_key()).then_some(kind)
    }

    /// What it asks of a program; `None` for a payment to a key.
    ///
    /// # Errors
    /// Its `msg` is not a call or deployment.
    pub fn call(&self) -> Result<Option<Call>, TransactionViolation> {
        let call = self.call_kind().map(|kind| Call::parse(kind, &self.msg));
        Ok(call.transpose()?)
    }

    /// The gas that it declares; 0 for a payment to a key, and where its `msg` is no call.
    pub fn declared_gas(&self) -> u64 {
        if self.to.is_key() {
            return 0;
        }
        self.msg.split(' ').nth(1).and_then(|gas| gas.parse().ok()).unwrap_or(0)
    }

    /// Checks the cheap rules: amounts, message, id. Returns the text.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn check_content(&self, rules: &TransactionRules) -> Result<String, TransactionViolation> {
        let (amount, fee) = (self.amount, self.fee);
        let is_call = rules.has_programs && !self.to.is_key();
        if amount == Amount::ZERO && !is_call {
            return Err(TransactionViolation::NothingMoves);
        }
        if amount.checked_add(fee).is_none() {
            return Err(TransactionViolation::TooMuch { amount, fee });
        }
        message::check(&self.msg, rules.max_msg_bytes)?;
        if is_call {
            self.call()?;
        }
        let text = self.text(rules.network);
        let expected = TransactionId::of(&text);
        if self.id != expected {
            return Err(TransactionViolation::WrongId { got: self.id, expected });
        }
        Ok(text)
    }

    /// Checks the addresses and the signature over `text`, its text.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn verify(
        &self,
        text: &str,
        rules: &TransactionRules,
        verifier: &dyn Verifier,
    ) -> Result<(), TransactionViolation> {
        if !rules.has_programs && !self.to.is_key() {
            return Err(TransactionViolation::NotAPoint(self.to));
        }
        verifier.verify(&Signed { text, signer: &self.from, named: &[self.to], signature: &self.signature })
    }

    /// What it takes from the payer's account.
    pub fn takes(&self) -> Part {
        Part { holding: Holding::Account(self.from), address: self.from, amount: self.cost() }
    }

    /// What it gives to the receiver's account.
    pub fn gives(&self) -> Part {
        Part { holding: Holding::Account(self.to), address: self.to, amount: self.amount }
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
