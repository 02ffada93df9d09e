//! `user explain`: the shell commands that recheck a block's hash or a transaction's id and signature, without us.

use crate::Error;
use crate::console::{Console, Output, Style};
use crate::given::{Given, Judged};
use crate::services::Context;
use crate::shell::{print, print_bytes};
use runtime::client::HostPort;
use serde::Serialize;
use shared::block::{Block, BlockHash, Height};
use shared::keys::public_key_pem;
use shared::ledger::Transaction;
use std::str::FromStr;

/// Print the shell commands that recheck a hash or signature with sha256sum and openssl
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// A block: its data, its hash, its proof of work
    Block {
        /// Its height or its hash
        #[arg(value_name = "N OR HASH")]
        block: BlockName,
        /// The node to ask, host:port [default: one that the tracker knows]
        #[arg(long, value_name = "HOST:PORT")]
        node: Option<HostPort>,
    },
    /// A transaction: its id and its signature
    Tx {
        /// A transaction's id, a file with its JSON, or - for standard input
        #[arg(value_name = "ID OR FILE")]
        transaction: Given,
        /// Take the network of the configuration instead of asking a service for one
        #[arg(long)]
        offline: bool,
    },
}

const EXAMPLES: &str = "\
Examples:
  user explain block 5
  user explain tx 6067338cc5293d0c39254565d8f607fa357f28cc6d5611ea781d5e44ef19b2ae
  user explain block 5 | sh        runs the commands at once";

/// What names a block.
#[derive(Debug, Clone, Copy)]
enum BlockName {
    Height(u64),
    Hash(BlockHash),
}

impl FromStr for BlockName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(hash) = text.parse() {
            return Ok(Self::Hash(hash));
        }
        let number = text.parse().map_err(|_| "expected a height, as in 5, or a hash of 64 lower-case hex digits");
        Ok(Self::Height(number?))
    }
}

/// One command, and what it proves.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Step {
    what: String,
    command: String,
    /// What it prints, where that proves something.
    gives: String,
}

/// All of them, in their order.
#[derive(Debug, Serialize)]
struct Explained {
    about: String,
    steps: Vec<Step>,
}

impl Output for Explained {
    fn text(&self, _: Style) -> String {
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

/// Prints the commands.
///
/// # Errors
/// Nobody has the block or transaction.
pub async fn run(args: Args, context: &Context, console: &mut Console) -> Result<(), Error> {
    let explained = match args.what {
        What::Block { block, node } => of_block(&get(block, node.as_ref(), context).await?),
        What::Tx { transaction, offline } => of_transaction(&transaction.get(context, offline).await?)?,
    };
    console.show(&explained)
}

async fn get(name: BlockName, node: Option<&HostPort>, context: &Context) -> Result<Block, Error> {
    let found = context.node(node).await?;
    // JSON spells a byte with at most six characters.
    let most_bytes = usize::try_from(found.params.max_data_bytes).unwrap_or(usize::MAX).saturating_mul(6) + (4 << 10);
    let failed = found.failed("get the block");
    match name {
        BlockName::Height(height) => found.client.block(&found.at, height, most_bytes).await.map_err(failed),
        BlockName::Hash(hash) => {
            let json = found.client.block_json(&found.at, hash, most_bytes).await.map_err(failed)?;
            Block::from_json(&json)
                .map_err(|error| Error::StrangeNetwork { at: found.at.clone(), reason: error.to_string() })
        }
    }
}

fn step(what: impl Into<String>, command: String, gives: impl ToString) -> Step {
    Step { what: what.into(), command, gives: gives.to_string() }
}

fn sha256(text: &str) -> String {
    format!("{} | sha256sum", print(text))
}

fn of_block(block: &Block) -> Explained {
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
    Explained { about: format!("block {} ({}){given}", header.index, block.hash()), steps }
}

fn of_transaction(judged: &Judged) -> Result<Explained, Error> {
    let Transaction { id, from, signature, .. } = &judged.transaction;
    let text = judged.transaction.text(judged.network());
    let not_one = || shared::ledger::BrokenTransaction::WrongSignature(*from);
    let der = signature.to_der().ok_or_else(not_one)?;
    let key: String = from.public_key().iter().map(|byte| format!("{byte:02x}")).collect();
    let (r, s) = signature.as_bytes().split_at(32);
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let steps = vec![
        step("a new folder for the files", "cd \"$(mktemp -d)\"".to_owned(), ""),
        step(
            "what is hashed and signed: network id, uuid, from, to, amount, fee and msg",
            format!("{} > text", print(&text)),
            "",
        ),
        step("id", "sha256sum < text".to_owned(), id),
        step(
            format!("the public key {key}, which the address spells"),
            format!("{} > key.pem", print_lines(&public_key_pem(from)?)),
            "",
        ),
        step(
            format!("the signature, r = {} and s = {}, in DER", hex(r), hex(s)),
            format!("{} > signature", print_bytes(&der)),
            "",
        ),
        step(
            "the signature is the payer's",
            "openssl dgst -sha256 -verify key.pem -signature signature text".to_owned(),
            "Verified OK",
        ),
    ];
    Ok(Explained { about: format!("transaction {id} on the network {}", judged.network()), steps })
}

/// A command that prints lines, each of them a word for `printf`.
fn print_lines(text: &str) -> String {
    let words: Vec<_> = text.lines().map(crate::shell::quote).collect();
    format!("printf '%s\\n' {}", words.join(" "))
}
