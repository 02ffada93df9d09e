//! How to check a block or a transaction without Chainlab: shell commands with `sha256sum` and `openssl`, and the
//! expected output of each.
//!
//! It only writes commands, it runs none. `user explain` prints them, the explorer shows them.

mod hidden;
mod shell;
#[cfg(test)]
mod tests;

pub use hidden::is_hidden;

use crate::block::{Block, BlockHash, Height};
use crate::keys::{Signed, Verifier, public_key_pem};
use crate::ledger::{Transaction, TransactionId, TransactionViolation};
use serde::Serialize;
use shell::{print, print_bytes, print_lines};

/// One command, and what it proves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What is computed.
    pub what: String,
    /// The command, for any POSIX shell.
    pub command: String,
    /// The expected output, if it proves something.
    pub gives: String,
}

/// All commands of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// What is checked.
    pub about: String,
    /// To be run in this order in the same shell.
    pub steps: Vec<Step>,
}

impl Explanation {
    /// The commands as a script with comments.
    pub fn script(&self) -> String {
        let mut lines = vec![format!("# {}", self.about)];
        for Step { what, command, gives } in &self.steps {
            lines.extend([String::new(), format!("# {what}"), command.clone()]);
            if !gives.is_empty() {
                lines.push(format!("# gives {gives}"));
            }
        }
        lines.join("\n")
    }
}

/// Checks a block's data, its hash and its proof of work.
pub fn block(block: &Block) -> Explanation {
    let header = block.header();
    let (seal, target) = (header.seal(), header.difficulty.target());
    let fields = format!(
        "{} {} {} {} {}",
        header.index, header.prev_hash, header.timestamp, header.difficulty, header.data_hash
    );
    let mut steps = vec![
        step(format!("data_hash, of the {} bytes of data", block.data().len()), sha256(block.data()), header.data_hash),
        step("seal, of index, prev_hash, timestamp, difficulty and data_hash", sha256(&fields), seal),
        step("hash, of seal and nonce", sha256(&format!("{seal}{}", header.nonce())), block.hash()),
    ];
    if header.index != Height::GENESIS {
        let compare = format!("printf '%s\\n' {} {target} | LC_ALL=C sort -c && echo 'enough work'", block.hash());
        let what = format!(
            "proof of work: the hash is at most the target, floor((2^256 - 1) / {}); as texts of equal length they sort as numbers do",
            header.difficulty
        );
        steps.push(step(what, compare, "enough work"));
    }
    let given = if header.index == Height::GENESIS { ", which is given and not mined" } else { "" };
    Explanation { about: format!("block {} ({}){given}", header.index, block.hash()), steps }
}

/// Checks a transaction's id and signature on the network `network`; `verifier` computes the expected result.
///
/// # Errors
/// The sender's address is no key, or the signature cannot be written as `openssl` wants it: there is nothing to check.
pub fn transaction(
    transaction: &Transaction,
    network: BlockHash,
    verifier: &dyn Verifier,
) -> Result<Explanation, TransactionViolation> {
    let Transaction { id, from, to, signature, .. } = transaction;
    let text = transaction.text(network);
    let der = signature.to_der().ok_or(TransactionViolation::WrongSignature(*from))?;
    let (r, s) = signature.as_bytes().split_at(32);
    let is_right = match verifier.verify(&Signed { text: &text, from, to, signature }) {
        Ok(()) => true,
        Err(TransactionViolation::WrongSignature(_)) => false,
        Err(other) => return Err(other),
    };
    let verify = "openssl dgst -sha256 -verify key.pem -signature signature text".to_owned();
    let steps = vec![
        step("a new folder for the files", "cd \"$(mktemp -d)\"".to_owned(), ""),
        step(
            "what is hashed and signed: network id, uuid, from, to, amount, fee and msg",
            format!("{} > text", print(&text)),
            "",
        ),
        id_step(*id, &text),
        step(
            format!("the public key {}, which the address spells", hex(&from.public_key())),
            format!("{} > key.pem", print_lines(&public_key_pem(from)?)),
            "",
        ),
        step(
            format!("the signature, r = {} and s = {}, in DER", hex(r), hex(s)),
            format!("{} > signature", print_bytes(&der)),
            "",
        ),
        if is_right {
            step("the signature is the payer's", verify, "Verified OK")
        } else {
            step("the signature is not the payer's", verify, "Verification failure")
        },
    ];
    Ok(Explanation { about: format!("transaction {id} on the network {network}"), steps })
}

fn id_step(claimed: TransactionId, text: &str) -> Step {
    let computed = TransactionId::of(text);
    let what = if claimed == computed {
        "id".to_owned()
    } else {
        format!("id, which is not the {claimed} that the transaction claims")
    };
    step(what, "sha256sum < text".to_owned(), computed)
}

fn step(what: impl Into<String>, command: String, gives: impl ToString) -> Step {
    Step { what: what.into(), command, gives: gives.to_string() }
}

fn sha256(text: &str) -> String {
    format!("{} | sha256sum", print(text))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
