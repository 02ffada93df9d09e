//! `user send`: makes a payment, signs it, and sends it to a mempool.
//!
//! The address, the amounts, the message and the balance are checked here first, with an error in words, because every
//! mempool would refuse the payment.

use crate::address_arg::AddressArg;
use crate::coins::{self, CoinChoice, Purse};
use crate::console::{Console, Output, Style};
use crate::keys::KeyArgs;
use crate::push::{PushResult, push};
use crate::services::{Context, RemoteService};
use crate::spendable::Spendable;
use crate::{Error, answers, confirmation_wait, random};
use runtime::sanitize;
use serde::Serialize;
use shared::keys::{KeyPair, PlainVerifier};
use shared::ledger::{Amount, Transaction, TransactionRules, Transfer, Unsigned, Uuid};
use shared::wallet::CoinStrategy;
use shared::wire::PushStatus;
use std::time::Duration;

/// Entries in a page of history: the most that a mempool returns.
const PAGE: usize = 200;
/// Pages of the payer's history that are searched for an earlier payment with the same number.
const MAX_PAGES: usize = 50;

/// Make a payment
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The amount in LAB, such as 12 or 0.5
    #[arg(value_name = "LAB", value_parser = positive, allow_hyphen_values = true)]
    amount: Amount,
    /// Who is paid: an address (lab1…), or the seed of a key
    #[arg(value_name = "ADDRESS OR SEED")]
    to: AddressArg,
    #[command(flatten)]
    key: KeyArgs,
    /// A message to send with the payment
    #[arg(short = 'M', long, default_value = "", hide_default_value = true)]
    msg: String,
    /// The fee for the miner, in LAB [default: mempool.min_fee of the configuration, 0.00001]
    #[arg(short = 'F', long, value_name = "LAB", value_parser = Amount::from_lab, allow_hyphen_values = true)]
    fee: Option<Amount>,
    /// Number of the payment, a UUID of your choice. Sending it again with the same number, amount and payee pays once
    #[arg(long, value_name = "UUID", value_parser = payment_id)]
    id: Option<Uuid>,
    /// Which coins to spend, on networks of layer utxo: largest, oldest, exact (without change, if possible), or the
    /// names of coins with commas between [default: largest]
    #[arg(long, value_name = "CHOICE", conflicts_with = "id")]
    coins: Option<CoinChoice>,
    /// Who gets the change, on networks of layer utxo: an address or a seed [default: the payer]
    #[arg(long, value_name = "ADDRESS OR SEED")]
    change: Option<AddressArg>,
    /// Send the change to an address that nobody has seen: that of the first unused seed of SEED/1, SEED/2, …
    #[arg(long, conflicts_with = "change")]
    fresh_change: bool,
    /// Wait for N confirmations
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    wait: Option<u64>,
    /// Wait at most this long
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, requires = "wait")]
    timeout: u64,
}

const EXAMPLES: &str = "\
Examples:
  user send 1.5 lab1qdku0nm2prxql6pavksy6ujdthfr3q4hxyh48vgx7hz7dnaryygnw7tvedv -f wallet.pem
  user send 0.5 bob -s alice -M \"for lunch\" --wait 3
                                   pay the seed bob and wait for 3 confirmations
  user send 90 bob -s alice --coins oldest
                                   where money is coins: spend the oldest first
  user send 2 bob -f wallet.pem --id 0b9d3c5e-8a41-4a6f-9d20-1f6f1f0c7a11
                                   pay once, however often a script runs it";

/// Parses a UUID, with or without hyphens.
fn payment_id(text: &str) -> Result<Uuid, String> {
    let digits = text.replace('-', "").to_ascii_lowercase();
    digits.parse().map_err(|_| "expected a UUID of 32 hex digits, as `uuidgen` prints it".to_owned())
}

/// Parses an amount above 0.
fn positive(text: &str) -> Result<Amount, String> {
    match Amount::from_lab(text) {
        Ok(Amount::ZERO) => Err("the amount must be at least 0.00000001 LAB, one grain".to_owned()),
        Ok(amount) => Ok(amount),
        Err(error) => Err(error.to_string()),
    }
}

/// A payment that a mempool has accepted.
#[derive(Debug, Serialize)]
struct SentPayment {
    #[serde(flatten)]
    push: PushResult,
    transaction: Transaction,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_seed: Option<String>,
    /// The seed that `--fresh-change` chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    change_seed: Option<String>,
    mempool: String,
}

impl Output for SentPayment {
    fn text(&self, style: Style) -> String {
        let (id, fee, msg) = (self.transaction.id(), self.transaction.fee(), self.transaction.msg());
        let Transfer { to, amount, .. } = self.transaction.transfer();
        let to = AddressArg { address: to, seed: self.to_seed.clone() }.description();
        let msg = if msg.is_empty() { String::new() } else { format!(", message {}", sanitize::quoted(msg)) };
        let id = style.strong(id);
        let verb = style.good(if self.push.status == PushStatus::Known { "already sent:" } else { "sent" });
        let coins = self.coins_text();
        format!(
            "{verb} {amount} LAB to {to} with a fee of {fee} LAB{msg}{coins}\nid: {id}\nnext: user confirmations {}",
            self.transaction.id()
        )
    }
}

impl SentPayment {
    /// Which coins it spends, and what comes back; empty on layers of accounts.
    fn coins_text(&self) -> String {
        let Some(spend) = self.transaction.as_spend() else { return String::new() };
        let coins = spend.inputs.iter().map(|input| format!("\n  spent   {} LAB, coin {}", input.amount, input.coin));
        let change = self.change_seed.iter().map(|seed| format!("\n  change  to the seed {}", sanitize::quoted(seed)));
        let made = (0..).zip(&spend.outputs).map(|(place, output)| {
            format!("\n  made    {} LAB of {}, coin {}", output.amount, output.address, self.transaction.coin(place))
        });
        coins.chain(made).chain(change).collect()
    }
}

/// # Errors
/// Fails if the payment breaks a rule, is not covered or is refused, or if it leaves the mempool during the wait.
pub async fn run(args: Args, context: &Context, console: &mut Console) -> Result<(), Error> {
    let (pair, who) = args.key.load(console)?;
    let mempool = context.mempool().await?;
    context.note_foreign_network(&mempool, console);
    let fee = args.fee.unwrap_or(context.config.mempool.min_fee);
    if pair.address() == args.to.address {
        console.note("payer and payee are the same; only the fee will be spent");
    }
    let change_seed = args.fresh_change_seed(&mempool).await?;
    let (transaction, is_known) = if mempool.params.layer.has_coins() {
        let change = change_seed.as_deref().map(AddressArg::from_seed).or_else(|| args.change.clone());
        (spend(&args, &mempool, (&pair, &who), fee, change).await?, false)
    } else {
        pay(&args, &mempool, (&pair, &who), fee).await?
    };
    // There may be no change at all.
    let gives = transaction.gives();
    let change_seed = change_seed.filter(|seed| {
        let address = AddressArg::from_seed(seed).address;
        gives.iter().any(|part| part.address == address)
    });
    let Args { to, wait, timeout, .. } = args;
    // From here on the terminal may close without ending the program: the payment is made, or not, either way.
    let _ignored = ignore_hangup();
    // Subscribed before sending, so that no event about the payment is missed.
    let events = match wait {
        Some(_) => confirmation_wait::subscribe(&mempool).await,
        None => None,
    };
    let push = if is_known { PushResult::known() } else { push(&mempool, &transaction).await? };
    push.note_refusals(console);
    let id = transaction.id();
    let sent = SentPayment { push, transaction, to_seed: to.seed, change_seed, mempool: mempool.address.clone() };
    if let Err(error) = console.print(&sent) {
        // The payment is made; that nobody can read so is no failure of it.
        console.note(&format!("the payment {id} is sent, but {error}"));
    }
    match wait {
        Some(wanted) => {
            let timeout = Duration::from_secs(timeout);
            confirmation_wait::wait(&mempool, id, wanted, timeout, events, console).await
        }
        None => Ok(()),
    }
}

impl Args {
    /// The seed whose address gets the change, if `--fresh-change` asks for one.
    async fn fresh_change_seed(&self, mempool: &RemoteService) -> Result<Option<String>, Error> {
        if !self.fresh_change {
            return Ok(None);
        }
        coins::has_coins(mempool)?;
        let Some(seed) = self.key.seed() else {
            let words = "--fresh-change makes addresses of a seed (-s); with a key file, name one with --change";
            return Err(Error::Usage(words.to_owned()));
        };
        coins::fresh_change_seed(mempool, seed).await.map(Some)
    }
}

/// Makes a payment between accounts; also returns whether the mempool has it already.
async fn pay(
    args: &Args,
    mempool: &RemoteService,
    (pair, who): (&KeyPair, &str),
    fee: Amount,
) -> Result<(Transaction, bool), Error> {
    if args.coins.is_some() || args.change.is_some() {
        return Err(Error::NoCoins(mempool.params.name.clone()));
    }
    let uuid = match args.id {
        Some(uuid) => uuid,
        None => Uuid(random::bytes()?),
    };
    let (from, amount) = (pair.address(), args.amount);
    let unsigned = Unsigned { uuid, from, to: args.to.address, amount, fee, msg: args.msg.clone() };
    let transaction = pair.sign_transaction(unsigned, mempool.network_id);
    transaction.check(&TransactionRules::of(&mempool.params), &PlainVerifier)?;
    // With a number of its own, it may have been sent before, and its money may be gone.
    let is_known = args.id.is_some() && is_known(mempool, &transaction).await?;
    if !is_known {
        Spendable::of(mempool, &from).await?.check_covers(who, amount, fee)?;
    }
    Ok((transaction, is_known))
}

/// Makes a transaction that spends coins, with the change for the payer.
async fn spend(
    args: &Args,
    mempool: &RemoteService,
    (pair, who): (&KeyPair, &str),
    fee: Amount,
    change: Option<AddressArg>,
) -> Result<Transaction, Error> {
    if args.id.is_some() {
        return Err(Error::Usage(
            "--id numbers payments between accounts. Where money is coins, name the coins with --coins: a coin is \
             spent once, however often a script runs"
                .to_owned(),
        ));
    }
    let choice = args.coins.clone().unwrap_or(CoinChoice::By(CoinStrategy::Largest));
    let from = pair.address();
    let selection = Purse::of(mempool, &from).await?.choose(&choice, who, (args.amount, fee))?;
    let change_to = change.map_or(from, |change| change.address);
    let outputs = coins::outputs(args.to.address, args.amount, change_to, selection.change);
    coins::sign(mempool, pair, selection.inputs, outputs, args.msg.clone())
}

/// Whether the mempool has this payment already.
///
/// # Errors
/// Fails if the payer has made another payment with the same number.
async fn is_known(mempool: &RemoteService, transaction: &Transaction) -> Result<bool, Error> {
    let Some(sent) = transaction.as_payment() else { return Ok(false) };
    match answers::fetch(mempool, transaction.id()).await {
        Ok(_) => return Ok(true),
        Err(Error::UnknownTransaction(_)) => {}
        Err(error) => return Err(error),
    }
    let mut before = None;
    for _ in 0..MAX_PAGES {
        let action = "look for an earlier payment";
        let page = answers::history(mempool, &sent.from, before.as_deref(), PAGE, action).await?;
        let payments = page.entries.iter().filter_map(|entry| entry.transaction.as_ref()?.as_payment());
        let mut own = payments.filter(|payment| payment.from == sent.from);
        if let Some(other) = own.find(|payment| payment.uuid == sent.uuid) {
            return Err(Error::IdUsed { id: other.id, amount: other.amount, to: other.to });
        }
        match page.next {
            Some(next) => before = Some(next),
            None => break,
        }
    }
    Ok(false)
}

/// Lets the process go on when its terminal is closed, while the value lives.
fn ignore_hangup() -> Option<impl Sized> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::hangup()).ok()
    }
    #[cfg(not(unix))]
    {
        None::<()>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_a_payment_is_a_uuid_with_or_without_hyphens() {
        let expected = payment_id("0b9d3c5e8a414a6f9d201f6f1f0c7a11").unwrap();
        assert_eq!(payment_id("0B9D3C5E-8A41-4A6F-9D20-1F6F1F0C7A11"), Ok(expected));
        assert!(payment_id("invoice 7").unwrap_err().contains("uuidgen"));
    }

    #[test]
    fn nothing_and_nonsense_are_no_amounts() {
        for (text, words) in [
            ("0", "one grain"),
            ("0.000", "one grain"),
            ("-1", "negative"),
            ("0.123456789", "8 digits"),
            ("x", "digits"),
        ] {
            let error = positive(text).expect_err(text);
            assert!(error.contains(words), "{text}: {error}");
        }
        assert_eq!(positive("0.00000001").map(Amount::grains), Ok(1));
    }
}
