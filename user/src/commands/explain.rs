//! `user explain`: the shell commands that recheck a block's hash or a transaction's id and signature without this
//! program.

use crate::Error;
use crate::console::{Console, Output, Style};
use crate::services::Context;
use crate::tx_arg::TxArg;
use shared::block::{Block, BlockHash};
use shared::explain::{self, Explanation};
use shared::keys::PlainVerifier;
use shared::sync::PeerAddress;
use std::str::FromStr;

/// Print the shell commands that recheck a hash or signature with sha256sum and openssl
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    subject: Subject,
}

#[derive(Debug, clap::Subcommand)]
enum Subject {
    /// A block: its data, its hash, its proof of work
    Block {
        /// Its height or its hash
        #[arg(value_name = "N OR HASH")]
        block: BlockArg,
        /// The node to ask, host:port [default: one that the tracker lists]
        #[arg(long, value_name = "HOST:PORT")]
        node: Option<PeerAddress>,
    },
    /// A transaction: its id and its signature
    Tx {
        /// A transaction's id, a file with its JSON, or - for standard input
        #[arg(value_name = "ID OR FILE")]
        transaction: TxArg,
        /// Use the network of the configuration and ask no service
        #[arg(long)]
        offline: bool,
    },
}

const EXAMPLES: &str = "\
Examples:
  user explain block 5
  user explain tx 6067338cc5293d0c39254565d8f607fa357f28cc6d5611ea781d5e44ef19b2ae
  user explain block 5 | sh        run the commands at once";

/// The height or hash of a block.
#[derive(Debug, Clone, Copy)]
enum BlockArg {
    Height(u64),
    Hash(BlockHash),
}

impl FromStr for BlockArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(hash) = text.parse() {
            return Ok(Self::Hash(hash));
        }
        let number = text.parse().map_err(|_| "expected a height, as in 5, or a hash of 64 lower-case hex digits");
        Ok(Self::Height(number?))
    }
}

impl Output for Explanation {
    fn text(&self, _: Style) -> String {
        self.script()
    }
}

/// # Errors
/// Fails if the block or transaction is unknown or no service answers.
pub async fn run(args: Args, context: &Context, console: &mut Console) -> Result<(), Error> {
    let explanation = match args.subject {
        Subject::Block { block, node } => explain::block(&fetch_block(block, node.as_ref(), context).await?),
        Subject::Tx { transaction, offline } => {
            let resolved = transaction.resolve(context, offline).await?;
            explain::transaction(&resolved.transaction, resolved.network(), &PlainVerifier)?
        }
    };
    console.print(&explanation)
}

async fn fetch_block(name: BlockArg, node: Option<&PeerAddress>, context: &Context) -> Result<Block, Error> {
    let node = context.node(node).await?;
    // JSON needs at most six characters for a byte.
    let most_bytes = usize::try_from(node.params.max_data_bytes).unwrap_or(usize::MAX).saturating_mul(6) + (4 << 10);
    let failed = node.request_error("get the block");
    match name {
        BlockArg::Height(height) => node.client.block(&node.address, height, most_bytes).await.map_err(failed),
        BlockArg::Hash(hash) => {
            let json = node.client.block_json(&node.address, hash, most_bytes).await.map_err(failed)?;
            Block::from_json(&json)
                .map_err(|error| Error::UnusableNetwork { at: node.address.clone(), reason: error.to_string() })
        }
    }
}
