//! Transactions: the two forms, read by their shape (docs/protocol.md §7).
//!
//! Only this file, the layers and the makers of transactions know which form one has. The others ask what it takes and
//! gives.

use super::verifier::Verifier;
use super::{Address, Amount, CallKind, CoinName, Part, Payment, Spend, TransactionViolation};
use super::{signature::Signature, transaction_json};
use crate::block::{BlockHash, hash_type};
use crate::params::Params;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeSet;

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

/// A signed transaction.
///
/// Its JSON is that of its form; on reading, exactly the fields of one form are accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum Transaction {
    /// From account to account: layers `transaction` and `program`.
    Payment(Payment),
    /// Destroys coins and makes coins: layer `utxo`.
    Spend(Spend),
}

/// The network's parameters that the rules for transactions need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransactionRules {
    /// The network id: part of the text, against replay on another network.
    pub network: BlockHash,
    /// The network's `max_msg_bytes`.
    pub max_msg_bytes: u64,
    /// Whether a transaction can deploy and call programs.
    pub has_programs: bool,
    /// Whether transactions spend coins, not balances.
    pub has_coins: bool,
}

impl TransactionRules {
    /// The rules of the network that `params` describe.
    pub fn of(params: &Params) -> Self {
        Self {
            network: params.network_id(),
            max_msg_bytes: params.max_msg_bytes,
            has_programs: params.layer.has_programs(),
            has_coins: params.layer.has_coins(),
        }
    }
}

/// What a transaction does, in one line for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transfer {
    /// Who pays: of several owners of coins, the first.
    pub from: Address,
    /// Who is paid: the first address that is not a payer; if there is none, the first address that gets something.
    pub to: Address,
    /// What goes to addresses that do not pay; if there are none, all that is given.
    pub amount: Amount,
    /// How many addresses are paid.
    pub receivers: usize,
}

impl<'de> Deserialize<'de> for Transaction {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(transaction_json::ByShape)
    }
}

impl From<Payment> for Transaction {
    fn from(payment: Payment) -> Self {
        Self::Payment(payment)
    }
}

impl From<Spend> for Transaction {
    fn from(spend: Spend) -> Self {
        Self::Spend(spend)
    }
}

impl Transaction {
    /// SHA-256 of its text.
    pub const fn id(&self) -> TransactionId {
        match self {
            Self::Payment(payment) => payment.id,
            Self::Spend(spend) => spend.id,
        }
    }

    /// What the miner gets.
    pub fn fee(&self) -> Amount {
        match self {
            Self::Payment(payment) => payment.fee,
            Self::Spend(spend) => spend.fee(),
        }
    }

    /// The message of its signers; may be empty.
    pub fn msg(&self) -> &str {
        match self {
            Self::Payment(payment) => &payment.msg,
            Self::Spend(spend) => &spend.msg,
        }
    }

    /// The payment, if it is one.
    pub const fn as_payment(&self) -> Option<&Payment> {
        match self {
            Self::Payment(payment) => Some(payment),
            Self::Spend(_) => None,
        }
    }

    /// The spend of coins, if it is one.
    pub const fn as_spend(&self) -> Option<&Spend> {
        match self {
            Self::Payment(_) => None,
            Self::Spend(spend) => Some(spend),
        }
    }

    /// What it takes, and from where: together the amounts that it gives, and the fee.
    pub fn takes(&self) -> Vec<Part> {
        match self {
            Self::Payment(payment) => vec![payment.takes()],
            Self::Spend(spend) => spend.takes(),
        }
    }

    /// What it gives, and to where.
    pub fn gives(&self) -> Vec<Part> {
        match self {
            Self::Payment(payment) => vec![payment.gives()],
            Self::Spend(spend) => spend.gives(),
        }
    }

    /// By how many grains it changes what an address has.
    pub fn net(&self, of: &Address) -> i128 {
        let sum = |parts: Vec<Part>| -> i128 {
            parts.iter().filter(|part| part.address == *of).map(|part| i128::from(part.amount.grains())).sum()
        };
        sum(self.gives()) - sum(self.takes())
    }

    /// What it does, in one line: who pays whom, and how much, without change.
    pub fn transfer(&self) -> Transfer {
        let (takes, gives) = (self.takes(), self.gives());
        let is_payer = |part: &&Part| takes.iter().any(|taken| taken.address == part.address);
        let mut paid: Vec<&Part> = gives.iter().filter(|part| !is_payer(part)).collect();
        if paid.is_empty() {
            paid = gives.iter().collect();
        }
        let sum = paid.iter().fold(0, |sum, part| sum + part.amount.grains().min(Amount::MAX.grains() - sum));
        // The forms without inputs or outputs break a rule, so that there is somebody to name.
        let first = |parts: &[Part]| parts.first().map_or_else(Address::nobody, |part| part.address);
        let (from, to) = (first(&takes), paid.first().map_or_else(|| first(&takes), |part| part.address));
        let receivers = paid.iter().map(|part| part.address).collect::<BTreeSet<_>>().len();
        Transfer { from, to, amount: Amount::new(sum).unwrap_or(Amount::MAX), receivers }
    }

    /// All addresses in it, each once: first those that it takes from.
    pub fn addresses(&self) -> Vec<Address> {
        let mut addresses = Vec::new();
        for part in self.takes().iter().chain(&self.gives()) {
            if !addresses.contains(&part.address) {
                addresses.push(part.address);
            }
        }
        addresses
    }

    /// The text that is hashed and signed.
    pub fn text(&self, network: BlockHash) -> String {
        match self {
            Self::Payment(payment) => payment.text(network),
            Self::Spend(spend) => spend.text(network),
        }
    }

    /// Who must sign, each with the signature given for it.
    pub fn signers(&self) -> Vec<(Address, Signature)> {
        match self {
            Self::Payment(payment) => vec![(payment.from, payment.signature)],
            Self::Spend(spend) => spend.owners().into_iter().zip(spend.signatures.iter().copied()).collect(),
        }
    }

    /// Which kind of call it is; `None` if it calls no program.
    pub fn call_kind(&self) -> Option<CallKind> {
        self.as_payment().and_then(Payment::call_kind)
    }

    /// The gas that it declares; 0 if it calls no program, and where its `msg` is no call.
    pub fn declared_gas(&self) -> u64 {
        self.as_payment().map_or(0, Payment::declared_gas)
    }

    /// Checks the cheap rules: form, amounts, message, id. Returns the text.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn check_content(&self, rules: &TransactionRules) -> Result<String, TransactionViolation> {
        match self {
            Self::Payment(payment) if !rules.has_coins => payment.check_content(rules),
            Self::Spend(spend) if rules.has_coins => spend.check_content(rules),
            Self::Payment(_) | Self::Spend(_) => Err(TransactionViolation::OtherForm { has_coins: rules.has_coins }),
        }
    }

    /// Checks the addresses and signatures over `text`, which [`Transaction::check_content`] returned.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn verify(
        &self,
        text: &str,
        rules: &TransactionRules,
        verifier: &dyn Verifier,
    ) -> Result<(), TransactionViolation> {
        match self {
            Self::Payment(payment) => payment.verify(text, rules, verifier),
            Self::Spend(spend) => spend.verify(text, verifier),
        }
    }

    /// Checks all rules that need no chain, the expensive signatures last.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn check(&self, rules: &TransactionRules, verifier: &dyn Verifier) -> Result<(), TransactionViolation> {
        self.verify(&self.check_content(rules)?, rules, verifier)
    }

    /// The name of the coin that its output at `place` makes, counted from 0.
    pub const fn coin(&self, place: u16) -> CoinName {
        CoinName { id: self.id(), place }
    }
}
