//! `user coins`: the unspent coins of addresses, on networks of layer `utxo`; `split` and `consolidate` change their
//! number.

use crate::Error;
use crate::address_arg::AddressArg;
use crate::as_of::AsOf;
use crate::coins::{self, Purse};
use crate::console::{Console, Output, Style};
use crate::keys::KeyArgs;
use crate::push::{PushResult, push};
use crate::services::Context;
use serde::Serialize;
use shared::ledger::{Amount, MAX_PARTS, Output as NewCoin, Transaction};
use shared::wire::UnspentCoin;

/// Show the unspent coins of an address, or make more or fewer of them
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    /// Whose coins: addresses (lab1…), or seeds of keys
    #[arg(value_name = "ADDRESS OR SEED", required = true)]
    of: Vec<AddressArg>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Split the largest coin into several: one coin pays once a block
    Split(SplitArgs),
    /// Make one coin of many small ones, at most 128 at a time
    Consolidate(ConsolidateArgs),
}

#[derive(Debug, clap::Args)]
struct SplitArgs {
    /// Into how many coins
    #[arg(value_name = "N", value_parser = clap::value_parser!(u64).range(2..=128))]
    count: u64,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    fee: FeeArg,
}

#[derive(Debug, clap::Args)]
struct ConsolidateArgs {
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    fee: FeeArg,
}

#[derive(Debug, clap::Args)]
struct FeeArg {
    /// The fee for the miner, in LAB [default: mempool.min_fee of the configuration, 0.00001]
    #[arg(short = 'F', long, value_name = "LAB", value_parser = Amount::from_lab, allow_hyphen_values = true)]
    fee: Option<Amount>,
}

const EXAMPLES: &str = "\
Examples:
  user coins alice                 the coins of the seed alice, the largest first
  user coins split 10 -s alice     ten coins of alice's largest one
  user coins consolidate -f wallet.pem
                                   one coin of many";

/// The coins of one address.
#[derive(Debug, Serialize)]
struct CoinList {
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<String>,
    address: shared::ledger::Address,
    coins: Vec<UnspentCoin>,
    #[serde(flatten)]
    as_of: AsOf,
}

impl Output for CoinList {
    fn text(&self, style: Style) -> String {
        let whose = AddressArg { address: self.address, seed: self.seed.clone() }.description();
        let sum = self.coins.iter().fold(Amount::ZERO, |sum, one| sum.checked_add(one.amount).unwrap_or(Amount::MAX));
        let many = if self.coins.len() == 1 { "" } else { "s" };
        let mut lines = vec![format!("{} coin{many} of {whose}, together {sum} LAB", self.coins.len())];
        for coin in &self.coins {
            let origin = if coin.coinbase { "mined in" } else { "made in" };
            let state = match (&coin.spent_by, coin.spendable_from) {
                (Some(by), _) => format!(", being spent by the pending transaction {by}"),
                (None, Some(from)) => format!(", can be spent from block {from} on"),
                (None, None) => String::new(),
            };
            lines.push(format!("{:>20} LAB  {}  {origin} block {}{state}", coin.amount, coin.coin, coin.block));
        }
        lines.extend(Some(self.as_of.text()).filter(|text| !text.is_empty()).map(|text| style.faint(text)));
        lines.join("\n")
    }
}

/// A transaction that changes the number of a key's coins.
#[derive(Debug, Serialize)]
struct Rearranged {
    #[serde(flatten)]
    push: PushResult,
    transaction: Transaction,
    mempool: String,
}

impl Output for Rearranged {
    fn text(&self, style: Style) -> String {
        let (id, fee) = (self.transaction.id(), self.transaction.fee());
        let (before, after) = (self.transaction.takes().len(), self.transaction.gives().len());
        format!("sent: {before} to {after} coins, with a fee of {fee} LAB\nid: {}", style.strong(id))
    }
}

/// # Errors
/// Fails if the network has no coins, or if there are none to split or consolidate.
pub async fn run(args: Args, context: &Context, console: &mut Console) -> Result<(), Error> {
    match args.action {
        None => list(args.of, context, console).await,
        Some(Action::Split(SplitArgs { count, key, fee })) => {
            rearrange(&key, fee, context, console, |purse| {
                let spare = purse.spare();
                let largest = spare.iter().max_by_key(|coin| coin.input.amount).map(|coin| coin.input);
                (largest.into_iter().collect(), count)
            })
            .await
        }
        Some(Action::Consolidate(ConsolidateArgs { key, fee })) => {
            rearrange(&key, fee, context, console, |purse| {
                let mut spare = purse.spare();
                // The smallest first: they are what consolidating is for.
                spare.sort_by_key(|coin| coin.input.amount);
                let inputs: Vec<_> = spare.iter().take(MAX_PARTS).map(|coin| coin.input).collect();
                (if inputs.len() > 1 { inputs } else { Vec::new() }, 1)
            })
            .await
        }
    }
}

async fn list(of: Vec<AddressArg>, context: &Context, console: &mut Console) -> Result<(), Error> {
    let mempool = context.mempool().await?;
    for AddressArg { address, seed } in of {
        let coins = Purse::of(&mempool, &address).await?.coins;
        let as_of = AsOf::of(&mempool);
        as_of.note_if_stale(&mempool, console);
        console.print(&CoinList { seed, address, coins, as_of })?;
    }
    Ok(())
}

/// Sends the coins that `choose` picks to their owner again, in as many parts as it says.
async fn rearrange(
    key: &KeyArgs,
    fee: FeeArg,
    context: &Context,
    console: &mut Console,
    choose: impl FnOnce(&Purse) -> (Vec<shared::ledger::Input>, u64),
) -> Result<(), Error> {
    let (pair, who) = key.load(console)?;
    let mempool = context.mempool().await?;
    context.note_foreign_network(&mempool, console);
    let fee = fee.fee.unwrap_or(context.config.mempool.min_fee);
    let (inputs, count) = choose(&Purse::of(&mempool, &pair.address()).await?);
    if inputs.is_empty() {
        return Err(Error::Usage(format!("{who} has no coins for this that can be spent now; see `user coins`")));
    }
    let sum = inputs.iter().fold(Amount::ZERO, |sum, one| sum.checked_add(one.amount).unwrap_or(Amount::MAX));
    let too_little = || Error::Usage(format!("these coins are worth {sum} LAB, less than the fee of {fee} LAB"));
    let outputs: Vec<NewCoin> = coins::parts(sum.checked_sub(fee).ok_or_else(too_little)?, count, pair.address())?;
    let transaction = coins::sign(&mempool, &pair, inputs, outputs, String::new())?;
    let push = push(&mempool, &transaction).await?;
    push.note_refusals(console);
    console.print(&Rearranged { push, transaction, mempool: mempool.address.clone() })
}
