//! The end of a run with money: is every grain where it must be? Each node's chain is downloaded and replayed by
//! [`crate::replayed_ledger`], and the mempool must say of every address what the replay says.
//!
//! Mining goes on meanwhile, so all of it is about one block: the mempool's tip, unchanged while it was asked.

use crate::checker::{Mismatch, parse};
use crate::network::RunningNetwork;
use crate::payers::payment_book::{PaymentBook, PaymentState};
use crate::replayed_ledger::ReplayedLedger;
use runtime::client::{Client, Error, Unprocessed};
use serde::Serialize;
use serde_json::Value;
use shared::block::Height;
use shared::ledger::TransactionId;
use shared::wire::{BlockId, MAX_UNPROCESSED, PoolOrder, Tip};
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::{Instant, sleep, timeout_at};

/// How soon it is tried again where the chain has moved.
const AGAIN: Duration = Duration::from_millis(30);
/// Blocks of one request, if they are small enough.
const PAGE_BLOCKS: u64 = 200;
/// Most bytes of one such answer; a single block may be larger.
const PAGE_BYTES: usize = 32 << 20;
/// Balances of one request.
const PAGE_BALANCES: usize = 1000;
/// Most addresses whose balances are compared.
const MOST_BALANCES: usize = 1_000_000;

/// What the replay came to.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct MoneyProof {
    /// Whether all of this was proven; if not, `fault` says why.
    pub proven: bool,
    /// What was found wrong, or why nothing could be proven.
    pub fault: Option<String>,
    /// The block that it is about.
    pub block: Option<BlockId>,
    /// Addresses that the chain has paid or charged.
    pub addresses: u64,
    /// Payments in the chain.
    pub payments: u64,
    /// The sum of all balances, in grains.
    pub held: u128,
    /// The sum of all rewards.
    pub created: u128,
    /// The sum of what new addresses were given.
    pub given: u128,
    /// What became of the members' own payments.
    pub members: PaymentCounts,
}

/// What became of the members' own payments.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PaymentCounts {
    /// Taken by the mempool.
    pub accepted: u64,
    /// In a block.
    pub confirmed: u64,
    /// Waiting for one.
    pub pending: u64,
    /// Given up by the mempool, by reason.
    pub given_up: BTreeMap<String, u64>,
    /// Refused by the mempool, or not come through.
    pub refused: u64,
    /// Too long ago to be remembered.
    pub forgotten: u64,
}

/// Why there is no proof yet.
#[derive(Debug, thiserror::Error)]
enum ProofError {
    /// The chain or what was asked has moved meanwhile: try again.
    #[error("{0}")]
    NotYet(String),
    /// A request went wrong.
    #[error("{0} does not answer: {1}")]
    Request(String, Error),
    /// A node's chain breaks a rule.
    #[error("the chain of node {node} breaks a rule at block {index}: {mismatch}")]
    BrokenRule {
        /// Whose.
        node: String,
        /// Where.
        index: u64,
        /// What is wrong.
        mismatch: Mismatch,
    },
    /// Our own task ended.
    #[error("the replay ended: {0}")]
    Task(#[from] JoinError),
}

/// What the mempool says at one block.
struct MempoolSnapshot {
    tip: Tip,
    balances: BTreeMap<String, u64>,
    pending: HashSet<TransactionId>,
}

/// Replays and compares, again and again until it holds or `patience` is over.
///
/// The block that it is about is not below the height `least`.
pub async fn prove(
    network: &RunningNetwork,
    mempool: &str,
    payments: &PaymentBook,
    least: Height,
    patience: Duration,
) -> MoneyProof {
    let deadline = Instant::now() + patience;
    let mut last = None;
    loop {
        let fault = match timeout_at(deadline, prove_once(network, mempool, payments, least)).await {
            Ok(Ok(money)) => return money,
            Ok(Err(fault)) => fault,
            Err(_) => {
                last.unwrap_or_else(|| ProofError::NotYet(format!("it took longer than {} s", patience.as_secs())))
            }
        };
        let is_over = Instant::now() >= deadline || matches!(fault, ProofError::BrokenRule { .. });
        if is_over {
            let members =
                PaymentCounts { accepted: payments.accepted, refused: payments.refused, ..PaymentCounts::default() };
            return MoneyProof { fault: Some(fault.to_string()), members, ..MoneyProof::default() };
        }
        last = Some(fault);
        sleep(AGAIN).await;
    }
}

async fn prove_once(
    network: &RunningNetwork,
    mempool: &str,
    payments: &PaymentBook,
    least: Height,
) -> Result<MoneyProof, ProofError> {
    let pool = mempool_snapshot(&network.client, mempool).await?;
    if pool.tip.index < least {
        return Err(ProofError::NotYet(format!("the mempool is at block {} and the nodes at {least}", pool.tip.index)));
    }
    let mut proven = None;
    for node in network.present() {
        let ledger = replay(network, &node.contact.name, &node.contact.address, pool.tip.index.0).await?;
        if ledger.tip().hash != pool.tip.hash.to_string() {
            let name = &node.contact.name;
            return Err(ProofError::NotYet(format!(
                "node {name} and the mempool have different blocks {}",
                pool.tip.index
            )));
        }
        compare_balances(&ledger, &pool.balances).map_err(ProofError::NotYet)?;
        proven = Some(ledger);
    }
    let Some(ledger) = proven else { return Err(ProofError::NotYet("there is no node".to_owned())) };
    let members = count_payments(&network.client, mempool, payments, &ledger, &pool.pending).await?;
    Ok(MoneyProof {
        proven: true,
        fault: None,
        block: Some(BlockId { index: pool.tip.index, hash: pool.tip.hash }),
        addresses: ledger.balances().len() as u64,
        payments: ledger.payments(),
        held: ledger.held(),
        created: ledger.created(),
        given: ledger.given(),
        members,
    })
}

/// Balances and what is pending, between two looks at a tip that did not move.
async fn mempool_snapshot(client: &Client, mempool: &str) -> Result<MempoolSnapshot, ProofError> {
    let failed = |error| ProofError::Request("the mempool".to_owned(), error);
    let tip = client.info(mempool).await.map_err(failed)?.tip;
    let mut balances = BTreeMap::new();
    let mut from: Option<String> = None;
    while balances.len() < MOST_BALANCES {
        let page = client.balances(mempool, "lab1", from.as_deref(), PAGE_BALANCES).await.map_err(failed)?;
        balances.extend(page.entries.iter().map(|entry| (entry.address.to_string(), entry.balance.grains())));
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    let unprocessed = client.unprocessed(mempool, PoolOrder::Age, MAX_UNPROCESSED, None).await.map_err(failed)?;
    let pending = match unprocessed {
        Unprocessed::NotModified => HashSet::new(),
        Unprocessed::Pending { transactions, .. } => transactions.iter().map(|pending| pending.id).collect(),
    };
    match (tip, client.info(mempool).await.map_err(failed)?.tip) {
        (Some(before), Some(tip)) if before.hash == tip.hash => Ok(MempoolSnapshot { tip, balances, pending }),
        _ => Err(ProofError::NotYet("the mempool's chain grows too fast to be looked at".to_owned())),
    }
}

/// A node's chain, from genesis to the height `last`.
async fn replay(network: &RunningNetwork, node: &str, address: &str, last: u64) -> Result<ReplayedLedger, ProofError> {
    let (mut ledger, mut next, mut page) = (None, 0, PAGE_BLOCKS);
    while next <= last {
        let limit = page.min(last + 1 - next);
        let most = PAGE_BYTES.max(network.max_block_bytes + 2);
        let json = match network.client.chain_json(address, next, limit, most).await {
            Ok(json) => json,
            Err(Error::Oversized { .. }) if page > 1 => {
                page /= 2;
                continue;
            }
            Err(error) => return Err(ProofError::Request(format!("node {node}"), error)),
        };
        let broken = |index, mismatch| match mismatch {
            // It was reorganised between two pages.
            Mismatch::BrokenLink(reason) => ProofError::NotYet(format!("node {node}, block {index}: {reason}")),
            _ => ProofError::BrokenRule { node: node.to_owned(), index, mismatch },
        };
        let replayed = spawn_blocking(move || apply(ledger, &json)).await?;
        let (after, blocks) = replayed.map_err(|(above, mismatch)| broken(next + above, mismatch))?;
        if blocks == 0 {
            return Err(ProofError::NotYet(format!("node {node} has no block {next}, the mempool has")));
        }
        (ledger, next) = (after, next + blocks);
    }
    ledger.ok_or_else(|| ProofError::NotYet(format!("node {node} has no chain")))
}

/// Applies an array of blocks, genesis where there is no ledger yet; answers how many they were.
fn apply(mut ledger: Option<ReplayedLedger>, json: &[u8]) -> Result<(Option<ReplayedLedger>, u64), (u64, Mismatch)> {
    let Value::Array(blocks) = parse(json).map_err(|mismatch| (0, mismatch))? else {
        return Err((0, Mismatch::Malformed("a chain is no list".to_owned())));
    };
    for (block, above) in blocks.iter().zip(0..) {
        let applied = match &mut ledger {
            Some(ledger) => ledger.apply(block),
            None => ReplayedLedger::begin(block).map(|begun| ledger = Some(begun)),
        };
        applied.map_err(|mismatch| (above, mismatch))?;
    }
    Ok((ledger, blocks.len() as u64))
}

/// Whether the sums are right, and the mempool says the same of every address.
fn compare_balances(ledger: &ReplayedLedger, reported: &BTreeMap<String, u64>) -> Result<(), String> {
    let (held, created, given) = (ledger.held(), ledger.created(), ledger.given());
    if held != created + given {
        return Err(format!("all balances are {held} grains together, but {created} were created and {given} given"));
    }
    let replayed = ledger.balances().iter().map(|(address, balance)| {
        let reported = reported.get(address).copied().unwrap_or_else(|| ledger.balance(""));
        (address, *balance, reported)
    });
    let unknown = reported.iter().filter(|(address, _)| !ledger.balances().contains_key(*address));
    let unknown = unknown.map(|(address, reported)| (address, ledger.balance(address), *reported));
    match replayed.chain(unknown).find(|(_, balance, reported)| balance != reported) {
        None => Ok(()),
        Some((address, balance, reported)) => {
            Err(format!("the mempool says that {address} has {reported} grains, by the chain they are {balance}"))
        }
    }
}

/// Finds every payment that was accepted.
async fn count_payments(
    client: &Client,
    mempool: &str,
    payments: &PaymentBook,
    ledger: &ReplayedLedger,
    pending: &HashSet<TransactionId>,
) -> Result<PaymentCounts, ProofError> {
    let PaymentBook { accepted, refused, forgotten, .. } = *payments;
    let mut settled = PaymentCounts { accepted, refused, forgotten, ..PaymentCounts::default() };
    for (id, state) in payments.payments() {
        if ledger.has(&id.to_string()) {
            settled.confirmed += 1;
        } else if pending.contains(id) {
            settled.pending += 1;
        } else if let PaymentState::GivenUp(reason) = state {
            *settled.given_up.entry(reason.clone()).or_default() += 1;
        } else {
            // It may have come into a block that is newer than the one that was looked at.
            match client.confirmations(mempool, id).await {
                Ok(_) => settled.pending += 1,
                Err(Error::Refused(_)) => {
                    return Err(ProofError::NotYet(format!("the payment {id} was accepted, and has vanished")));
                }
                Err(error) => return Err(ProofError::Request("the mempool".to_owned(), error)),
            }
        }
    }
    Ok(settled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use shared::params::Params;

    /// The ledger after genesis of a network that gives new addresses 7 grains, and what a mempool says of two addresses.
    fn compared(reported: &[(&str, u64)]) -> Result<(), String> {
        let params = Params { new_address_balance: 7, ..Params::default() };
        let genesis = json!([params.genesis()]).to_string();
        let (ledger, blocks) = apply(None, genesis.as_bytes()).unwrap();
        assert_eq!(blocks, 1);
        let reported = reported.iter().map(|(address, grains)| ((*address).to_owned(), *grains)).collect();
        compare_balances(&ledger.unwrap(), &reported)
    }

    #[test]
    fn the_mempool_must_say_what_the_replay_says() {
        assert_eq!(compared(&[]), Ok(()));
        assert_eq!(compared(&[("lab1new", 7)]), Ok(()), "what everybody new has");
        let fault = compared(&[("lab1new", 7), ("lab1rich", 8)]).unwrap_err();
        assert!(fault.contains("lab1rich has 8 grains") && fault.contains("they are 7"), "{fault}");
    }

    #[test]
    fn what_is_no_chain_is_told_with_its_place() {
        let genesis = json!(Params::default().genesis());
        for (json, place) in [("{}".to_owned(), 0), (json!([genesis, genesis]).to_string(), 1), ("[1]".to_owned(), 0)] {
            assert_eq!(apply(None, json.as_bytes()).unwrap_err().0, place, "{json}");
        }
    }
}
