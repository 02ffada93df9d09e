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
    with_data_hash(block, sha256(block.data()))
}

/// The same for a block with much data, which the first command downloads from `node`, a `host:port`. It needs `curl`
/// and `jq`.
pub fn block_of(block: &Block, node: &str) -> Explanation {
    with_data_hash(block, format!("curl -s http://{node}/block/{} | jq -j .data | sha256sum", block.hash()))
}

/// `data_hash`: the command that computes the hash of the data.
fn with_data_hash(block: &Block, data_hash: String) -> Explanation {
    let header = block.header();
    let (seal, target) = (header.seal(), header.difficulty.target());
    let fields = format!(
        "{} {} {} {} {}",
        header.index, header.prev_hash, header.timestamp, header.difficulty, header.data_hash
    );
    let mut steps = vec![
        step(format!("data_hash, of the {} bytes of data", block.data().len()), data_hash, header.data_hash),
        step("seal, of index, prev_hash, timestamp, difficulty and data_hash", sha256(&fields), seal),
        step("hash, of seal and nonce", sha256(&format!("{seal}{}", header.nonce())), block.hash()),
    ];
    if header.index != Height::GENESIS {
        let compare = format!("printf '%s\\n' {} {target} | LC_ALL=C sort -c && echo 'enough work'", block.hash());
        let what = format!(
            "proof of work: the hash is at most the target, floor((2^256 - 1) / {}); as texts of equal length they \
             sort as numbers do",
            header.difficulty
        );
        steps.push(step(what, compare, "enough work"));
    }
    let given = if header.index == Height::GENESIS { ", which is given and not mined" } else { "" };
    Explanation { about: format!("block {} ({}){given}", header.index, block.hash()), steps }
}

/// Checks a transaction's id and signatures on the network `network`; `verifier` computes the expected result.
///
/// # Errors
/// A signer's address is no key, or a signature cannot be written as `openssl` wants it: there is nothing to check.
pub fn transaction(
    transaction: &Transaction,
    network: BlockHash,
    verifier: &dyn Verifier,
) -> Result<Explanation, TransactionViolation> {
    let (id, text) = (transaction.id(), transaction.text(network));
    let fields = match transaction.as_spend() {
        None => "network id, uuid, from, to, amount, fee and msg",
        Some(_) => "network id, inputs, outputs and msg",
    };
    let mut steps = vec![
        step("a new folder for the files", "cd \"$(mktemp -d)\"".to_owned(), ""),
        step(format!("what is hashed and signed: {fields}"), format!("{} > text", print(&text)), ""),
        id_step(id, &text),
    ];
    let signers = transaction.signers();
    let named = transaction.addresses();
    for (signer, signature) in &signers {
        let signed = Signed { text: &text, signer, named: &named, signature };
        let whose = if signers.len() == 1 { "the payer".to_owned() } else { signer.short() };
        steps.extend(signature_steps(&signed, &whose, verifier)?);
    }
    Ok(Explanation { about: format!("transaction {id} on the network {network}"), steps })
}

/// Checks one signature.
fn signature_steps(
    signed: &Signed<'_>,
    whose: &str,
    verifier: &dyn Verifier,
) -> Result<[Step; 3], TransactionViolation> {
    let Signed { signer, signature, .. } = signed;
    let der = signature.to_der().ok_or(TransactionViolation::WrongSignature(**signer))?;
    let (r, s) = signature.as_bytes().split_at(32);
    let is_right = match verifier.verify(signed) {
        Ok(()) => true,
        Err(TransactionViolation::WrongSignature(_)) => false,
        Err(other) => return Err(other),
    };
    let verify = "openssl dgst -sha256 -verify key.pem -signature signature text".to_owned();
    Ok([
        step(
            format!("the public key {}, which the address spells", hex(&signer.public_key())),
            format!("{} > key.pem", print_lines(&public_key_pem(signer)?)),
            "",
        ),
        step(
            format!("the signature, r = {} and s = {}, in DER", hex(r), hex(s)),
            format!("{} > signature", print_bytes(&der)),
            "",
        ),
        if is_right {
            step(format!("the signature is {whose}'s"), verify, "Verified OK")
        } else {
            step(format!("the signature is not {whose}'s"), verify, "Verification failure")
        },
    ])
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
