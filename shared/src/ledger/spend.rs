//! Spends: transactions that destroy coins and make coins. Their text, and the rules that need no chain.

use super::signature::Signature;
use super::verifier::{Signed, Verifier};
use super::{Address, Amount, CoinName, Holding, Part, TransactionId, TransactionRules, TransactionViolation};
use super::{Transaction, message};
use crate::block::BlockHash;
use crate::json::deserialize_strictly;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Most inputs of a spend, and most outputs.
pub const MAX_PARTS: usize = 128;

/// A coin that a spend destroys. It repeats the coin's address and amount, which are signed, so that signature, fee and
/// sums can be checked without a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Input {
    /// The coin's name.
    #[schema(value_type = String, pattern = r"^[0-9a-f]{64}\.(0|[1-9][0-9]{0,2})$")]
    pub coin: CoinName,
    /// Its owner.
    pub address: Address,
    /// What it is worth.
    pub amount: Amount,
}

/// A coin that a spend makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Output {
    /// Its owner.
    pub address: Address,
    /// What it is worth.
    pub amount: Amount,
}

/// A signed transaction that destroys coins and makes coins. What the outputs leave of the inputs is the fee.
///
/// Its JSON has the fields in this order; on reading, exactly these fields are accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Spend {
    /// SHA-256 of its text.
    pub id: TransactionId,
    /// The coins that it destroys.
    pub inputs: Vec<Input>,
    /// The coins that it makes.
    pub outputs: Vec<Output>,
    /// The signers' message; may be empty.
    pub msg: String,
    /// Over the text, one for each different address of the inputs, in the order in which they first appear.
    pub signatures: Vec<Signature>,
}

/// A spend before it is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsignedSpend {
    /// The coins that it destroys.
    pub inputs: Vec<Input>,
    /// The coins that it makes.
    pub outputs: Vec<Output>,
    /// The signers' message; may be empty.
    pub msg: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InputJson {
    coin: CoinName,
    #[serde(deserialize_with = "Address::deserialize_key")]
    address: Address,
    amount: Amount,
}

impl From<InputJson> for Input {
    fn from(InputJson { coin, address, amount }: InputJson) -> Self {
        Self { coin, address, amount }
    }
}

deserialize_strictly!(Input, from InputJson);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OutputJson {
    #[serde(deserialize_with = "Address::deserialize_key")]
    address: Address,
    amount: Amount,
}

impl From<OutputJson> for Output {
    fn from(OutputJson { address, amount }: OutputJson) -> Self {
        Self { address, amount }
    }
}

deserialize_strictly!(Output, from OutputJson);

impl UnsignedSpend {
    /// The text that is hashed and signed: `<network id>:<inputs>:<outputs>:<msg>`.
    pub fn text(&self, network: BlockHash) -> String {
        text(network, &self.inputs, &self.outputs, &self.msg)
    }

    /// The transaction with the signatures that `sign` returns for each owner and the text.
    pub fn sign(self, network: BlockHash, mut sign: impl FnMut(&Address, &str) -> Signature) -> Transaction {
        let text = self.text(network);
        let Self { inputs, outputs, msg } = self;
        let signatures = owners(&inputs).iter().map(|owner| sign(owner, &text)).collect();
        Spend { id: TransactionId::of(&text), inputs, outputs, msg, signatures }.into()
    }
}

impl Spend {
    /// The text that is hashed and signed: `<network id>:<inputs>:<outputs>:<msg>`.
    pub fn text(&self, network: BlockHash) -> String {
        text(network, &self.inputs, &self.outputs, &self.msg)
    }

    /// What the outputs leave of the inputs: the miner's; 0 if they leave less, which a rule forbids.
    pub fn fee(&self) -> Amount {
        let (inputs, outputs) = self.sums();
        u64::try_from(inputs.saturating_sub(outputs)).ok().and_then(Amount::new).unwrap_or(Amount::MAX)
    }

    /// The addresses of the inputs, each once, in the order in which they first appear: those who must sign.
    pub fn owners(&self) -> Vec<Address> {
        owners(&self.inputs)
    }

    /// The coins that it takes.
    pub fn takes(&self) -> Vec<Part> {
        let part =
            |input: &Input| Part { holding: Holding::Coin(input.coin), address: input.address, amount: input.amount };
        self.inputs.iter().map(part).collect()
    }

    /// The coins that it makes.
    pub fn gives(&self) -> Vec<Part> {
        let part = |(place, output): (u16, &Output)| Part {
            holding: Holding::Coin(CoinName { id: self.id, place }),
            address: output.address,
            amount: output.amount,
        };
        (0..).zip(&self.outputs).map(part).collect()
    }

    /// Checks the cheap rules: message, coins, amounts, id, the number of signatures. Returns the text.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn check_content(&self, rules: &TransactionRules) -> Result<String, TransactionViolation> {
        message::check(&self.msg, rules.max_msg_bytes)?;
        if !(1..=MAX_PARTS).contains(&self.inputs.len()) {
            return Err(TransactionViolation::Inputs { got: self.inputs.len() });
        }
        if !(1..=MAX_PARTS).contains(&self.outputs.len()) {
            return Err(TransactionViolation::Outputs { got: self.outputs.len() });
        }
        let mut coins = BTreeSet::new();
        if let Some(twice) = self.inputs.iter().find(|input| !coins.insert(input.coin)) {
            return Err(TransactionViolation::SameCoin(twice.coin));
        }
        self.check_amounts()?;
        let text = self.text(rules.network);
        let expected = TransactionId::of(&text);
        if self.id != expected {
            return Err(TransactionViolation::WrongId { got: self.id, expected });
        }
        let expected = self.owners().len();
        if self.signatures.len() != expected {
            return Err(TransactionViolation::Signatures { got: self.signatures.len(), expected });
        }
        Ok(text)
    }

    fn check_amounts(&self) -> Result<(), TransactionViolation> {
        let amounts = self.inputs.iter().map(|input| input.amount).chain(self.outputs.iter().map(|one| one.amount));
        if amounts.into_iter().any(|amount| amount == Amount::ZERO) {
            return Err(TransactionViolation::EmptyCoin);
        }
        let (inputs, outputs) = self.sums();
        if inputs > u128::from(Amount::MAX.grains()) {
            return Err(TransactionViolation::InputsTooMuch { grains: inputs });
        }
        if outputs > inputs {
            return Err(TransactionViolation::MoreOut { inputs, outputs });
        }
        Ok(())
    }

    /// Checks the addresses and the signatures over `text`, its text.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn verify(&self, text: &str, verifier: &dyn Verifier) -> Result<(), TransactionViolation> {
        let inputs = self.inputs.iter().map(|input| input.address);
        let mut named: Vec<Address> = inputs.chain(self.outputs.iter().map(|output| output.address)).collect();
        named.dedup();
        // All addresses are in the text, so the first signature over it vouches for all of them.
        let mut named = &named[..];
        for (signer, signature) in self.owners().iter().zip(&self.signatures) {
            verifier.verify(&Signed { text, signer, named, signature })?;
            named = &[];
        }
        Ok(())
    }

    /// The grains of all inputs and of all outputs; wider than an amount, since 128 of them may exceed it.
    fn sums(&self) -> (u128, u128) {
        let inputs = self.inputs.iter().map(|input| u128::from(input.amount.grains())).sum();
        (inputs, self.outputs.iter().map(|output| u128::from(output.amount.grains())).sum())
    }
}

fn owners(inputs: &[Input]) -> Vec<Address> {
    let mut seen = BTreeSet::new();
    inputs.iter().map(|input| input.address).filter(|address| seen.insert(*address)).collect()
}

fn text(network: BlockHash, inputs: &[Input], outputs: &[Output], msg: &str) -> String {
    let mut text = format!("{network}:");
    for (place, Input { coin, address, amount }) in inputs.iter().enumerate() {
        let comma = if place == 0 { "" } else { "," };
        // Writing to a string never fails.
        let _ = write!(text, "{comma}{coin}/{address}/{}", amount.grains());
    }
    text.push(':');
    for (place, Output { address, amount }) in outputs.iter().enumerate() {
        let comma = if place == 0 { "" } else { "," };
        let _ = write!(text, "{comma}{address}/{}", amount.grains());
    }
    text.push(':');
    text.push_str(msg);
    text
}
