//! `user rnd`: random payments among seeds, for load.
//!
//! The seeds are the numbers 0 to a last one, as texts. Who pays is drawn among those who can, and what they have sent
//! here is not spent twice; so what is refused is worth a look.

use crate::console::{Console, Output, Style};
use crate::funds::Funds;
use crate::services::{Context, Found};
use crate::{Error, chance};
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

/// Reasons that are counted one by one: a mempool may invent as many as it likes.
const MOST_REASONS: usize = 20;
/// What the rest of them is counted as.
const OTHERS: &str = "others";

/// Send random payments among the seeds 0 to a last one
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// How many payments
    #[arg(short = 'n', long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    count: u64,
    /// The last seed
    #[arg(short = 's', long, value_name = "MAX-SEED", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    max_seed: u64,
    /// Payments on their way at a time
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1024))]
    connections: u16,
    /// Send at most so many a second [default: as many as there is room for]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,
    /// What the miner gets for each, in LAB [default: the least that mempools ask for where they ask, 0.00001]
    #[arg(short = 'F', long, value_name = "LAB", value_parser = Amount::from_lab, allow_hyphen_values = true)]
    fee: Option<Amount>,
    /// When nobody has anything left, wait so long for a block to confirm what was sent
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    patience: u64,
}

const EXAMPLES: &str = "\
Examples:
  user rnd -n 1000 -s 9            a thousand payments among the seeds 0 to 9
  user rnd -n 1000 -s 9 --rate 50  fifty of them a second

Only seeds with a balance pay. Start a node that mines for one of them, or send it something.";

/// What came of it.
#[derive(Debug, Serialize)]
struct Report {
    accepted: u64,
    /// How many were refused, by rule or status.
    refused: BTreeMap<String, u64>,
    /// How many were not sent because nobody had anything left.
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
            lines
                .push(format!("{} not sent: nobody had anything left, and nothing was confirmed in time", self.unsent));
        }
        lines.join("\n")
    }
}

/// Somebody who may pay.
struct Payer {
    pair: KeyPair,
    left: u64,
}

/// Draws payments until nobody has anything left.
struct Chest {
    payers: Vec<Payer>,
    everybody: Vec<Address>,
    fee: Amount,
}

impl Chest {
    fn new(funds: Vec<(KeyPair, Amount)>, fee: Amount) -> Self {
        let everybody = funds.iter().map(|(pair, _)| pair.address()).collect();
        let payers = funds.into_iter().map(|(pair, funds)| Payer { pair, left: funds.grains() });
        let payers = payers.filter(|payer| payer.left > fee.grains()).collect();
        Self { payers, everybody, fee }
    }

    /// The next payment and whose key signs it, if anybody can pay.
    fn draw(&mut self) -> Result<Option<(KeyPair, Unsigned)>, Error> {
        if self.payers.is_empty() {
            return Ok(None);
        }
        let place = chance::below(self.payers.len() as u64)? as usize;
        let (payer, fee) = (&mut self.payers[place], self.fee);
        let pair = payer.pair.clone();
        // Small ones, so that a balance lasts for many.
        let most = (payer.left - fee.grains()).min(payer.left / 100 + 1);
        let amount = Amount::new(1 + chance::below(most)?).unwrap_or(Amount::MAX);
        payer.left -= amount.grains() + fee.grains();
        if payer.left <= fee.grains() {
            self.payers.swap_remove(place);
        }
        let from = pair.address();
        let others = self.everybody.iter().filter(|address| **address != from);
        let to = others.copied().nth(chance::below(self.everybody.len() as u64 - 1)? as usize).unwrap_or(from);
        let unsigned = Unsigned { uuid: Uuid(chance::random()?), from, to, amount, fee, msg: String::new() };
        Ok(Some((pair, unsigned)))
    }
}

/// Sends them, in rounds: when nobody has anything left, what was sent must be confirmed first.
///
/// # Errors
/// No mempool, or none of the seeds can pay.
pub async fn run(args: Args, context: &Context, console: &mut Console) -> Result<(), Error> {
    let fee = args.fee.unwrap_or(context.config.mempool.min_fee);
    let found = context.mempool().await?;
    context.remark(&found, console);
    let bar = console.progress(args.count, "payments");
    let began = Instant::now();
    let (mut tally, mut payers, mut waited) = (Tally::default(), 0, 0);
    while tally.sent() < args.count {
        let mut chest = Chest::new(funds(&found, &args).await?, fee);
        payers = payers.max(chest.payers.len());
        if payers == 0 {
            return Err(Error::NobodyCanPay { max_seed: args.max_seed, fee });
        }
        if !chest.payers.is_empty() {
            round(&found, &args, began, &mut chest, &mut tally, &bar).await?;
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
    let accepted_per_second = if seconds > 0.0 { tally.accepted as f64 / seconds } else { 0.0 };
    let unsent = args.count - tally.sent();
    let Tally { accepted, refused } = tally;
    console.show(&Report { accepted, refused, unsent, payers, seconds, accepted_per_second })?;
    if accepted == 0 { Err(Error::NoneAccepted) } else { Ok(()) }
}

/// What became of the payments so far.
#[derive(Debug, Default)]
struct Tally {
    accepted: u64,
    refused: BTreeMap<String, u64>,
}

impl Tally {
    fn sent(&self) -> u64 {
        self.accepted + self.refused.values().sum::<u64>()
    }

    fn refuse(&mut self, reason: String) {
        let is_one_too_many = self.refused.len() >= MOST_REASONS && !self.refused.contains_key(&reason);
        let reason = if is_one_too_many { OTHERS.to_owned() } else { reason };
        *self.refused.entry(reason).or_insert(0) += 1;
    }
}

/// What every seed can spend.
async fn funds(found: &Found, args: &Args) -> Result<Vec<(KeyPair, Amount)>, Error> {
    let asked = stream::iter(0..=args.max_seed).map(async |seed| {
        let pair = KeyPair::from_seed(&seed.to_string());
        let funds = Funds::of(found, &pair.address()).await?;
        Ok((pair, funds.spendable()))
    });
    asked.buffered(args.connections.into()).try_collect().await
}

/// Sends until all are sent or nobody has anything left.
async fn round(
    found: &Found,
    args: &Args,
    began: Instant,
    chest: &mut Chest,
    tally: &mut Tally,
    bar: &ProgressBar,
) -> Result<(), Error> {
    let draws = stream::try_unfold(tally.sent(), |sent| {
        let drawn = if sent < args.count { chest.draw() } else { Ok(None) };
        async move {
            if let Some(rate) = args.rate {
                sleep_until(began + Duration::from_secs_f64(sent as f64 / f64::from(rate))).await;
            }
            Ok::<_, Error>(drawn?.map(|drawn| (drawn, sent + 1)))
        }
    });
    let sending = draws.map_ok(|(pair, unsigned)| {
        let found = found.clone();
        // A task of its own each, so that signing has all cores.
        let sent = tokio::spawn(async move { push(&found, &pair.sign_transaction(unsigned, found.id)).await });
        async move { sent.await.map_err(std::io::Error::from).map_err(Error::Output) }
    });
    let mut sending = std::pin::pin!(sending.try_buffer_unordered(args.connections.into()));
    while let Some(reason) = sending.try_next().await? {
        bar.inc(1);
        match reason {
            None => tally.accepted += 1,
            Some(reason) => tally.refuse(reason),
        }
    }
    Ok(())
}

/// Sends one; answers why it was refused, if it was.
async fn push(found: &Found, transaction: &Transaction) -> Option<String> {
    match found.client.push_transaction(&found.at, transaction).await {
        Ok(_) => None,
        Err(client::Error::Refused(problem)) => Some(match problem.rule {
            Some(rule) => rule,
            None => format!("{} {}", problem.status, problem.title),
        }),
        // The kind, without what differs from one to the next.
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
        let mut tally = Tally::default();
        (0..1000).for_each(|number| tally.refuse(format!("{number}\n9 accepted\u{1b}")));
        tally.refuse("0\n9 accepted\u{1b}".to_owned());
        assert_eq!((tally.sent(), tally.refused.len()), (1001, MOST_REASONS + 1));
        assert_eq!((tally.refused[OTHERS], tally.refused["0\n9 accepted\u{1b}"]), (1000 - MOST_REASONS as u64, 2));
        let refused = tally.refused;
        let report = Report { accepted: 0, refused, unsent: 0, payers: 1, seconds: 1.0, accepted_per_second: 0.0 };
        let text = report.text(Style::default());
        assert!(text.lines().count() == MOST_REASONS + 2 && !text.contains('\u{1b}'), "{text:?}");
    }

    #[test]
    fn nobody_pays_more_than_there_is_or_pays_himself() {
        let pairs = ["0", "1", "2"].map(KeyPair::from_seed);
        let funds = [500, 10, 0];
        let mut spent = [0; 3];
        let mut chest = Chest::new(pairs.iter().cloned().zip(funds.map(grains)).collect(), grains(10));
        let mut count = 0;
        while let Some((pair, payment)) = chest.draw().unwrap() {
            let place = pairs.iter().position(|other| other.address() == pair.address()).unwrap();
            assert!(payment.amount >= grains(1) && payment.from == pair.address() && payment.from != payment.to);
            spent[place] += payment.amount.grains() + payment.fee.grains();
            count += 1;
        }
        assert!(spent[0] <= 500 && spent[0] > 489, "{spent:?}");
        assert_eq!(spent[1..], [0, 0], "who has only the fee cannot pay");
        assert!(count > 30, "{count} payments");
    }
}
