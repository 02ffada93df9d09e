//! `user send`: makes a payment, signs it, and sends it to a mempool.
//!
//! The address, the amounts, the message and the balance are checked here first, with an error in words, because every
//! mempool would refuse the payment.

use crate::address_arg::AddressArg;
use crate::console::{Console, Output, Style};
use crate::keys::KeyArgs;
use crate::services::{Context, RemoteService};
use crate::spendable::Spendable;
use crate::{Error, confirmation_wait, random};
use runtime::client;
use serde::Serialize;
use shared::keys::PlainVerifier;
use shared::ledger::{Amount, Transaction, TransactionId, TransactionRules, Unsigned, Uuid};
use shared::wire::PushStatus;
use std::time::Duration;

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
                                   pay the seed bob and wait for 3 confirmations";

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
    status: PushStatus,
    transaction: Transaction,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_seed: Option<String>,
    mempool: String,
}

impl Output for SentPayment {
    fn text(&self, style: Style) -> String {
        let Transaction { id, to, amount, fee, msg, .. } = &self.transaction;
        let to = AddressArg { address: *to, seed: self.to_seed.clone() }.description();
        let msg = if msg.is_empty() { String::new() } else { format!(", message {:?}", msg) };
        let id = style.strong(id);
        let verb = style.good("sent");
        format!(
            "{verb} {amount} LAB to {to} with a fee of {fee} LAB{msg}\nid: {id}\nnext: user confirmations {}",
            self.transaction.id
        )
    }
}

/// Sends it, and waits if that is wanted.
///
/// # Errors
/// Whatever makes it impossible or refused, or it vanishes while it is waited for.
pub async fn run(args: Args, context: &Context, console: &mut Console) -> Result<(), Error> {
    let Args { amount, to, key, msg, fee, wait, timeout } = args;
    let (pair, who) = key.load(console)?;
    let mempool = context.mempool().await?;
    context.note_foreign_network(&mempool, console);
    let fee = fee.unwrap_or(context.config.mempool.min_fee);
    let from = pair.address();
    let unsigned = Unsigned { uuid: Uuid(random::bytes()?), from, to: to.address, amount, fee, msg };
    let transaction = pair.sign_transaction(unsigned, mempool.network_id);
    transaction.check(&TransactionRules::of(&mempool.params), &PlainVerifier)?;
    if from == to.address {
        console.note("payer and payee are the same; only the fee will be spent");
    }
    Spendable::of(&mempool, &from).await?.check_covers(&who, amount, fee)?;
    // Subscribed before sending, so that no event about the payment is missed.
    let events = match wait {
        Some(_) => confirmation_wait::subscribe(&mempool).await,
        None => None,
    };
    let status = push(&mempool, &transaction).await?;
    let id = transaction.id;
    console.print(&SentPayment { status, transaction, to_seed: to.seed, mempool: mempool.address.clone() })?;
    match wait {
        Some(wanted) => {
            confirmation_wait::wait(&mempool, id, wanted, Duration::from_secs(timeout), events, console).await
        }
        None => Ok(()),
    }
}

async fn push(mempool: &RemoteService, transaction: &Transaction) -> Result<PushStatus, Error> {
    let pushed = mempool.client.push_transaction(&mempool.address, transaction).await;
    let pushed = pushed.and_then(|pushed| {
        let other = || client::Error::Malformed(format!("its answer is about the transaction {}", pushed.id));
        if pushed.id == transaction.id { Ok(pushed) } else { Err(other()) }
    });
    Ok(pushed.map_err(|error| mempool.request_error(failed_action(transaction.id, &error))(error))?.status)
}

/// The action that failed. If the mempool gave no answer, the payment may have arrived, and sending another could pay
/// twice.
fn failed_action(id: TransactionId, error: &client::Error) -> String {
    match error {
        client::Error::Refused(_) => "send the transaction".to_owned(),
        _ => format!("find out whether the transaction {id} has arrived (run `user tx {id}` before you send another)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::wire::Problem;

    #[test]
    fn without_an_answer_it_may_have_arrived() {
        let id = TransactionId::of("a payment");
        let words = failed_action(id, &client::Error::Slow);
        assert!(words.contains(&format!("user tx {id}")), "{words}");
        let refused = client::Error::Refused(Problem::new(422, "Unprocessable Content", "too poor"));
        assert_eq!(failed_action(id, &refused), "send the transaction");
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
