//! Reads the JSON of a transaction. Its fields decide which form it has; each form accepts exactly its own fields, each
//! of them once.

use super::signature::Signature;
use super::{Address, Amount, Input, Output, Payment, Spend, Transaction, TransactionId, Uuid};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use std::fmt;

const PAYMENT: &[&str] = &["id", "uuid", "from", "to", "amount", "fee", "msg", "signature"];
const SPEND: &[&str] = &["id", "inputs", "outputs", "msg", "signatures"];

#[derive(Default)]
struct Fields {
    id: Option<TransactionId>,
    uuid: Option<Uuid>,
    from: Option<KeyAddress>,
    to: Option<Address>,
    amount: Option<Amount>,
    fee: Option<Amount>,
    msg: Option<String>,
    signature: Option<Signature>,
    inputs: Option<Vec<Input>>,
    outputs: Option<Vec<Output>>,
    signatures: Option<Vec<Signature>>,
}

/// An address that must be a key's.
#[derive(Deserialize)]
struct KeyAddress(#[serde(deserialize_with = "Address::deserialize_key")] Address);

#[derive(Clone, Copy)]
enum Name {
    Id,
    Uuid,
    From,
    To,
    Amount,
    Fee,
    Msg,
    Signature,
    Inputs,
    Outputs,
    Signatures,
}

/// Reads the name of a field; an unknown one is refused with the names of the form that the fields before it have.
struct NameOf(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for NameOf {
    type Value = Name;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Name, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for NameOf {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("field identifier")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Name, E> {
        Ok(match name {
            "id" => Name::Id,
            "uuid" => Name::Uuid,
            "from" => Name::From,
            "to" => Name::To,
            "amount" => Name::Amount,
            "fee" => Name::Fee,
            "msg" => Name::Msg,
            "signature" => Name::Signature,
            "inputs" => Name::Inputs,
            "outputs" => Name::Outputs,
            "signatures" => Name::Signatures,
            _ => return Err(E::unknown_field(name, self.0)),
        })
    }
}

/// Reads a transaction from the entries of an object.
pub(super) struct ByShape;

impl<'de> Visitor<'de> for ByShape {
    type Value = Transaction;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("struct TransactionJson")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Transaction, A::Error> {
        let mut fields = Fields::default();
        while let Some(name) = map.next_key_seed(NameOf(fields.names()))? {
            match name {
                Name::Id => read(&mut fields.id, "id", &mut map)?,
                Name::Uuid => read(&mut fields.uuid, "uuid", &mut map)?,
                Name::From => read(&mut fields.from, "from", &mut map)?,
                Name::To => read(&mut fields.to, "to", &mut map)?,
                Name::Amount => read(&mut fields.amount, "amount", &mut map)?,
                Name::Fee => read(&mut fields.fee, "fee", &mut map)?,
                Name::Msg => read(&mut fields.msg, "msg", &mut map)?,
                Name::Signature => read(&mut fields.signature, "signature", &mut map)?,
                Name::Inputs => read(&mut fields.inputs, "inputs", &mut map)?,
                Name::Outputs => read(&mut fields.outputs, "outputs", &mut map)?,
                Name::Signatures => read(&mut fields.signatures, "signatures", &mut map)?,
            }
        }
        if fields.is_spend() { fields.spend() } else { fields.payment() }
    }
}

fn read<'de, A: MapAccess<'de>, T: Deserialize<'de>>(
    field: &mut Option<T>,
    name: &'static str,
    map: &mut A,
) -> Result<(), A::Error> {
    if field.is_some() {
        return Err(A::Error::duplicate_field(name));
    }
    *field = Some(map.next_value()?);
    Ok(())
}

fn there<T, E: Error>(field: Option<T>, name: &'static str) -> Result<T, E> {
    field.ok_or_else(|| E::missing_field(name))
}

impl Fields {
    const fn is_spend(&self) -> bool {
        self.inputs.is_some() || self.outputs.is_some() || self.signatures.is_some()
    }

    const fn names(&self) -> &'static [&'static str] {
        if self.is_spend() { SPEND } else { PAYMENT }
    }

    fn payment<E: Error>(self) -> Result<Transaction, E> {
        Ok(Transaction::Payment(Payment {
            id: there(self.id, "id")?,
            uuid: there(self.uuid, "uuid")?,
            from: there(self.from, "from")?.0,
            to: there(self.to, "to")?,
            amount: there(self.amount, "amount")?,
            fee: there(self.fee, "fee")?,
            msg: there(self.msg, "msg")?,
            signature: there(self.signature, "signature")?,
        }))
    }

    fn spend<E: Error>(self) -> Result<Transaction, E> {
        let foreign = [
            (self.uuid.is_some(), "uuid"),
            (self.from.is_some(), "from"),
            (self.to.is_some(), "to"),
            (self.amount.is_some(), "amount"),
            (self.fee.is_some(), "fee"),
            (self.signature.is_some(), "signature"),
        ];
        if let Some((_, name)) = foreign.into_iter().find(|(is_there, _)| *is_there) {
            return Err(E::unknown_field(name, SPEND));
        }
        Ok(Transaction::Spend(Spend {
            id: there(self.id, "id")?,
            inputs: there(self.inputs, "inputs")?,
            outputs: there(self.outputs, "outputs")?,
            msg: there(self.msg, "msg")?,
            signatures: there(self.signatures, "signatures")?,
        }))
    }
}
