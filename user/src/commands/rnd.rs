//! `user rnd`: random payments among seeds, to put a network under load.
//!
//! The seeds are the texts "0", "1" and so on up to a last number. Payers are drawn among the seeds with enough money,
//! and nothing is spent twice; so a refused payment deserves a look.

use crate::console::{Console, Output, Style};
use crate::services::{Context, RemoteService};
use crate::spendable::Spendable;
use crate::{Error, random};
use futures_util::{StreamExt, TryStreamExt, stream};
use indicatif::ProgressBar;
use runtime::client;
use runtime::sanitize::line;
use serde::Serialize;
use shared::keys::KeyPair;
use shared::ledger::{Address, Amount, Transaction, Unsigned, Uuid};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// Reasons of refusal that are counted separately: a hostile mempool could invent any number of them.
const MAX_REASONS: usize = 20;
/// The name under which all further reasons are counted.
const OTHERS: &str = "others";

/// Send random payments among the seeds 0 to MAX-SEED
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// How many payments to send
    #[arg(short = 'n', long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    count: u64,
    /// The last seed
    #[arg(short = 's', long, value_name = "MAX-SEED", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    max_seed: u64,
    /// Payments to send at the same time
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1024))]
    connections: u16,
    /// Send at most N payments a second [default: as many as the connections allow]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,
    /// The fee of each payment, in LAB [default: mempool.min_fee of the configuration, 0.00001]
    #[arg(short = 'F', long, value_name = "LAB", value_parser = Amount::from_lab, allow_hyphen_values = true)]
    fee: Option<Amount>,
    /// When no seed has money left, wait this long for a block that confirms pending payments
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    patience: u64,
}

const EXAMPLES: &str = "\
Examples:
  user rnd -n 1000 -s 9            1000 payments among the seeds 0 to 9
  user rnd -n 1000 -s 9 --rate 50  the same, 50 a second

Only seeds with a balance pay. Start a node that mines for one of them, or send it some money.";

#[derive(Debug, Serialize)]
struct Report {
    accepted: u64,
    /// Refused payments, by rule or status.
    refused: BTreeMap<String, u64>,
    /// Payments that were not sent, because no seed had money left.
    unsent: u64,
    payers: usize,
    seconds: f64,
    accepted_per_second: f64,
}

impl Output for Report {
    fn text(&self, style: Style) -> String {
        let mut lines = vec![format!(
            "{} {} of {} payers, in {:.1} s: {:.0}/s",
            self.accepted,
            style.good("accepted"),
            self.payers,
            self.seconds,
            self.accepted_per_second
        )];
        lines.extend(self.refused.iter().map(|(reason, count)| format!("{count} refused: {}", line(reason))));
        if self.unsent > 0 {
            lines.push(format!(
                "{} not sent: no seed had money left, and no payment was confirmed in time",
                self.unsent
            ));
        }
        lines.join("\n")
    }
}

/// A seed with money left.
struct Payer {
    pair: KeyPair,
    remaining: u64,
}

/// Draws random payments until no payer has money left.
struct PaymentGenerator {
    payers: Vec<Payer>,
    addresses: Vec<Address>,
    fee: Amount,
}

impl PaymentGenerator {
    fn new(funds: Vec<(KeyPair, Amount)>, fee: Amount) -> Self {
        let addresses = funds.iter().map(|(pair, _)| pair.address()).collect();
        let payers = funds.into_iter().map(|(pair, funds)| Payer { pair, remaining: funds.grains() });
        let payers = payers.filter(|payer| payer.remaining > fee.grains()).collect();
        Self { payers, addresses, fee }
    }

    /// Draws a payment and the key that signs it; `None` if no payer has money left.
    fn next_payment(&mut self) -> Result<Option<(KeyPair, Unsigned)>, Error> {
        if self.payers.is_empty() {
            return Ok(None);
        }
        let index = random::below(self.payers.len() as u64)? as usize;
        let (payer, fee) = (&mut self.payers[index], self.fee);
        let pair = payer.pair.clone();
        // Small amounts, so that a balance lasts for many payments.
        let max = (payer.remaining - fee.grains()).min(payer.remaining / 100 + 1);
        let amount = Amount::new(1 + random::below(max)?).unwrap_or(Amount::MAX);
        payer.remaining -= amount.grains() + fee.grains();
        if payer.remaining <= fee.grains() {
            self.payers.swap_remove(index);
        }
        let from = pair.address();
        let others = self.addresses.iter().filter(|address| **address != from);
        let to = others.copied().nth(random::below(self.addresses.len() as u64 - 1)? as usize).unwrap_or(from);
        let unsigned = Unsigned { uuid: Uuid(random::bytes()?), from, to, amount, fee, msg: String::new() };
        Ok(Some((pair, unsigned)))
    }
}

/// Sends the payments in rounds: when no payer has money left, it waits until pending payments are confirmed.
///
/// # Errors
/// Fails if there is no mempool, or if no seed has money.
pub async fn run(args: Args, context: &Context, console: &mut Console) -> Result<(), Error> {
    let fee = args.fee.unwrap_or(context.config.mempool.min_fee);
    let mempool = context.mempool().await?;
    crate::coins::has_accounts(&mempool)?;
    context.note_foreign_network(&mempool, console);
    let bar = console.progress(args.count, "payments");
    let began = Instant::now();
    let (mut counts, mut payers, mut waited) = (PushCounts::default(), 0, 0);
    while counts.sent() < args.count {
        let mut generator = PaymentGenerator::new(spendable_by_seed(&mempool, &args).await?, fee);
        payers = payers.max(generator.payers.len());
        if payers == 0 {
            return Err(Error::NoPayer { max_seed: args.max_seed, fee });
        }
        if !generator.payers.is_empty() {
            send_round(&mempool, &args, began, &mut generator, &mut counts, &bar).await?;
            waited = 0;
        } else if waited < args.patience {
            waited += 1;
            sleep(Duration::from_secs(1)).await;
        } else {
            break;
        }
    }
    bar.finish_and_clear();
    let seconds = began.elapsed().as_secs_f64();
    let accepted_per_second = if seconds > 0.0 { counts.accepted as f64 / seconds } else { 0.0 };
    let unsent = args.count - counts.sent();
    let PushCounts { accepted, refused } = counts;
    console.print(&Report { accepted, refused, unsent, payers, seconds, accepted_per_second })?;
    if accepted == 0 { Err(Error::NoneAccepted) } else { Ok(()) }
}

#[derive(Debug, Default)]
struct PushCounts {
    accepted: u64,
    refused: BTreeMap<String, u64>,
}

impl PushCounts {
    fn sent(&self) -> u64 {
        self.accepted + self.refused.values().sum::<u64>()
    }

    fn refuse(&mut self, reason: String) {
        let is_one_too_many = self.refused.len() >= MAX_REASONS && !self.refused.contains_key(&reason);
        let reason = if is_one_too_many { OTHERS.to_owned() } else { reason };
        *self.refused.entry(reason).or_insert(0) += 1;
    }
}

/// What each seed can spend.
async fn spendable_by_seed(mempool: &RemoteService, args: &Args) -> Result<Vec<(KeyPair, Amount)>, Error> {
    let asked = stream::iter(0..=args.max_seed).map(async |seed| {
        let pair = KeyPair::from_seed(&seed.to_string());
        let funds = Spendable::of(mempool, &pair.address()).await?;
        Ok((pair, funds.available()))
    });
    asked.buffered(args.connections.into()).try_collect().await
}

/// Sends payments until the count is reached or no payer has money left.
async fn send_round(
    mempool: &RemoteService,
    args: &Args,
    began: Instant,
    generator: &mut PaymentGenerator,
    counts: &mut PushCounts,
    bar: &ProgressBar,
) -> Result<(), Error> {
    let draws = stream::try_unfold(counts.sent(), |sent| {
        let drawn = if sent < args.count { generator.next_payment() } else { Ok(None) };
        async move {
            if let Some(rate) = args.rate {
                sleep_until(began + Duration::from_secs_f64(sent as f64 / f64::from(rate))).await;
            }
            Ok::<_, Error>(drawn?.map(|drawn| (drawn, sent + 1)))
        }
    });
    let sending = draws.map_ok(|(pair, unsigned)| {
        let mempool = mempool.clone();
        // Each payment gets a task of its own, so that signing uses all cores.
        let sent =
            tokio::spawn(async move { push(&mempool, &pair.sign_transaction(unsigned, mempool.network_id)).await });
        async move { sent.await.map_err(std::io::Error::from).map_err(Error::Output) }
    });
    let mut sending = std::pin::pin!(sending.try_buffer_unordered(args.connections.into()));
    while let Some(reason) = sending.try_next().await? {
        bar.inc(1);
        match reason {
            None => counts.accepted += 1,
            Some(reason) => counts.refuse(reason),
        }
    }
    Ok(())
}

/// Sends a payment; returns the reason if it fails.
async fn push(mempool: &RemoteService, transaction: &Transaction) -> Option<String> {
    match mempool.client.push_transaction(&mempool.address, transaction).await {
        Ok(_) => None,
        Err(client::Error::Refused(problem)) => Some(match problem.rule {
            Some(rule) => rule,
            None => format!("{} {}", problem.status, problem.title),
        }),
        // Without the details, which would make every failure a reason of its own.
        Err(client::Error::Unreachable(_)) => Some("unreachable".to_owned()),
        Err(other) => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grains(grains: u64) -> Amount {
        Amount::new(grains).unwrap()
    }

    #[test]
    fn a_mempool_that_invents_reasons_fills_no_screen_and_forges_no_lines() {
        let mut counts = PushCounts::default();
        (0..1000).for_each(|number| counts.refuse(format!("{number}\n9 accepted\u{1b}")));
        counts.refuse("0\n9 accepted\u{1b}".to_owned());
        assert_eq!((counts.sent(), counts.refused.len()), (1001, MAX_REASONS + 1));
        assert_eq!((counts.refused[OTHERS], counts.refused["0\n9 accepted\u{1b}"]), (1000 - MAX_REASONS as u64, 2));
        let refused = counts.refused;
        let report = Report { accepted: 0, refused, unsent: 0, payers: 1, seconds: 1.0, accepted_per_second: 0.0 };
        let text = report.text(Style::default());
        assert!(text.lines().count() == MAX_REASONS + 2 && !text.contains('\u{1b}'), "{text:?}");
    }

    #[test]
    fn nobody_pays_more_than_there_is_or_pays_himself() {
        let pairs = ["0", "1", "2"].map(KeyPair::from_seed);
        let funds = [500, 10, 0];
        let mut spent = [0; 3];
        let mut generator = PaymentGenerator::new(pairs.iter().cloned().zip(funds.map(grains)).collect(), grains(10));
        let mut count = 0;
        while let Some((pair, payment)) = generator.next_payment().unwrap() {
            let index = pairs.iter().position(|other| other.address() == pair.address()).unwrap();
            assert!(payment.amount >= grains(1) && payment.from == pair.address() && payment.from != payment.to);
            spent[index] += payment.amount.grains() + payment.fee.grains();
            count += 1;
        }
        assert!(spent[0] <= 500 && spent[0] > 489, "{spent:?}");
        assert_eq!(spent[1..], [0, 0], "who has only the fee cannot pay");
        assert!(count > 30, "{count} payments");
    }
}
