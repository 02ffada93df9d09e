//! The end of a run with money: is all money accounted for? Downloads each node's chain, replays it with
//! [`crate::ledger`], and compares every balance with the mempool's.
//!
//! Mining goes on meanwhile. So the proof is about one block: the mempool's tip, which must not change while its
//! balances are read. Independent of `shared`'s rules: of `shared` it may name only heights, ids and what services
//! exchange.

mod reported;

use crate::checker::Mismatch;
use crate::ledger::Replayed;
use crate::network::{NetworkNode, RunningNetwork};
use crate::payers::payment_book::{PaymentBook, PaymentState};
use crate::replay::apply;
use crate::uncovered::{lost_rewards, uncovered};
use reported::{CoinRows, Storage};
use runtime::client::{Client, Error, Unprocessed};
use serde::Serialize;
use shared::block::{BlockId, Height};
use shared::chain::Tip;
use shared::ledger::TransactionId;
use shared::wire::{MAX_UNPROCESSED, PoolOrder};
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::time::Duration;
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::{Instant, sleep, timeout_at};

/// Time before another attempt, after the chain has moved.
const RETRY: Duration = Duration::from_millis(30);
/// Blocks in one reply, if they are small enough.
const PAGE_BLOCKS: u64 = 200;
/// Most bytes in such a reply; a single block may be larger.
const PAGE_BYTES: usize = 32 << 20;
/// Balances in one reply.
const PAGE_BALANCES: usize = 1000;
/// Most addresses whose balances are compared.
const MAX_BALANCES: usize = 1_000_000;

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct MoneyProof {
    /// Whether all of it holds; if not, `fault` has the reason.
    pub proven: bool,
    pub fault: Option<String>,
    /// The block up to which the chain was replayed.
    pub block: Option<BlockId>,
    /// Addresses that have paid or been paid.
    pub addresses: u64,
    /// Payments in the chain.
    pub payments: u64,
    /// The sum of all balances, in grains.
    pub held: u128,
    /// The sum of all rewards, in grains.
    pub created: u128,
    /// The sum of what addresses got because they were new, in grains.
    pub given: u128,
    /// Unspent coins that the mempool reports as the replay found them, each by name, owner and amount.
    #[serde(skip_serializing_if = "is_zero")]
    pub coins: u64,
    /// Programs that were run again.
    #[serde(skip_serializing_if = "is_zero")]
    pub programs: u64,
    /// What these store, tokens among it: slots that the mempool reports as the new run found them.
    #[serde(skip_serializing_if = "is_zero")]
    pub slots: u64,
    pub members: PaymentCounts,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The members' payments, counted by outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PaymentCounts {
    /// All that the mempool ever accepted, whatever their outcome.
    pub accepted: u64,
    pub confirmed: u64,
    pub pending: u64,
    /// The pending payments that their payer's balance does not cover, by the payer's name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub uncovered: BTreeMap<String, u64>,
    /// The heights of the undone blocks whose rewards these payers lost, by the payer's name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub lost_rewards: BTreeMap<String, Vec<u64>>,
    /// Dropped by the mempool, by reason.
    pub given_up: BTreeMap<String, u64>,
    /// Refused by the mempool, or lost on the way.
    pub refused: u64,
    /// Too old to be remembered.
    pub forgotten: u64,
}

/// Why there is no proof yet.
#[derive(Debug, thiserror::Error)]
enum ProofError {
    /// The chain moved during the attempt: try again.
    #[error("{0}")]
    NotYet(String),
    #[error("{0} does not answer: {1}")]
    Request(String, Error),
    #[error("the chain of node {node} breaks a rule at block {index}: {mismatch}")]
    BrokenRule { node: String, index: u64, mismatch: Mismatch },
    #[error("the replay ended: {0}")]
    Task(#[from] JoinError),
}

/// The state of the mempool at one block.
struct MempoolSnapshot {
    tip: Tip,
    /// In grains, by address.
    balances: BTreeMap<String, u64>,
    pending: HashSet<TransactionId>,
    /// Only where money is coins.
    coins: CoinRows,
    /// Only where there are programs.
    storage: Storage,
}

/// What the members did during the run.
#[derive(Debug, Clone, Copy)]
pub struct MemberRecords<'a> {
    pub payments: &'a PaymentBook,
    /// Blocks on all branches, and the addresses that they paid a reward to.
    pub rewards: &'a VecDeque<(BlockId, String)>,
}

/// Replays and compares until the proof succeeds, a node's chain breaks a rule, or `patience` is over. The proof is
/// about a block at height `least` or above.
pub async fn prove(
    network: &RunningNetwork,
    mempool: &str,
    records: MemberRecords<'_>,
    least: Height,
    patience: Duration,
) -> MoneyProof {
    let (deadline, payments) = (Instant::now() + patience, records.payments);
    let mut last = None;
    loop {
        let fault = match timeout_at(deadline, prove_once(network, mempool, records, least)).await {
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
        sleep(RETRY).await;
    }
}

async fn prove_once(
    network: &RunningNetwork,
    mempool: &str,
    MemberRecords { payments, rewards }: MemberRecords<'_>,
    least: Height,
) -> Result<MoneyProof, ProofError> {
    let pool = mempool_snapshot(network, mempool).await?;
    if pool.tip.index < least {
        return Err(ProofError::NotYet(format!(
            "the mempool is at block {}, the nodes are at {least}",
            pool.tip.index
        )));
    }
    let mut proven = None;
    for NetworkNode { name, address, .. } in network.nodes.present() {
        let ledger = replay(network, &name, &address, pool.tip.index.0).await?;
        if ledger.tip_hash != pool.tip.hash.to_string() {
            let reason = format!("node {name} and the mempool have different blocks at height {}", pool.tip.index);
            return Err(ProofError::NotYet(reason));
        }
        compare_balances(&ledger, &pool.balances).map_err(ProofError::NotYet)?;
        compare_coins(&ledger, &pool.coins).map_err(ProofError::NotYet)?;
        compare_storage(&ledger, &pool.storage).map_err(ProofError::NotYet)?;
        proven = Some(ledger);
    }
    let Some(ledger) = proven else { return Err(ProofError::NotYet("the network has no node".to_owned())) };
    let mut members = count_payments(&network.client, mempool, payments, &ledger, &pool.pending).await?;
    if let Some(money) = &network.money {
        members.uncovered = uncovered(payments, &ledger, &pool.pending, &money.wallets);
        members.lost_rewards = lost_rewards(rewards, &ledger, &members.uncovered, &money.wallets);
    }
    Ok(MoneyProof {
        proven: true,
        fault: None,
        block: Some(pool.tip.id()),
        addresses: ledger.balances.len() as u64,
        payments: ledger.payments(),
        held: ledger.held(),
        created: ledger.created,
        given: ledger.given,
        coins: ledger.coins.len() as u64,
        programs: ledger.storage.len() as u64,
        slots: ledger.storage.values().map(|slots| slots.len() as u64).sum(),
        members,
    })
}

/// Reads balances and pending payments, and fails if the tip changes in between.
async fn mempool_snapshot(network: &RunningNetwork, mempool: &str) -> Result<MempoolSnapshot, ProofError> {
    let client = &network.client;
    let failed = |error| ProofError::Request("the mempool".to_owned(), error);
    let tip = client.info(mempool).await.map_err(failed)?.tip;
    let mut balances = BTreeMap::new();
    let mut from: Option<String> = None;
    while balances.len() < MAX_BALANCES {
        let page = client.balances(mempool, "lab1", from.as_deref(), PAGE_BALANCES).await.map_err(failed)?;
        balances.extend(page.entries.iter().map(|entry| (entry.address.to_string(), entry.balance.grains())));
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    let (mut coins, mut storage) = (CoinRows::new(), Storage::new());
    if network.has_programs {
        storage = reported::storage(client, mempool).await.map_err(failed)?;
    }
    if network.has_coins {
        coins = reported::coins(client, mempool).await.map_err(failed)?;
    }
    let unprocessed = client.unprocessed(mempool, PoolOrder::Age, MAX_UNPROCESSED, None).await.map_err(failed)?;
    let pending = match unprocessed {
        Unprocessed::NotModified => HashSet::new(),
        Unprocessed::Pending { transactions, .. } => transactions.iter().map(|pending| pending.id()).collect(),
    };
    match (tip, client.info(mempool).await.map_err(failed)?.tip) {
        (Some(before), Some(tip)) if before.hash == tip.hash => {
            Ok(MempoolSnapshot { tip, balances, pending, coins, storage })
        }
        _ => Err(ProofError::NotYet("the mempool's chain grows faster than its balances can be read".to_owned())),
    }
}

/// Downloads and replays a node's chain, from genesis to height `last`.
async fn replay(network: &RunningNetwork, node: &str, address: &str, last: u64) -> Result<Replayed, ProofError> {
    let has_programs = network.has_programs;
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
            // The node reorganised between two pages.
            Mismatch::BrokenLink(reason) => ProofError::NotYet(format!("node {node}, block {index}: {reason}")),
            _ => ProofError::BrokenRule { node: node.to_owned(), index, mismatch },
        };
        let replayed = spawn_blocking(move || apply(ledger, &json, has_programs)).await?;
        let (after, blocks) = replayed.map_err(|(above, mismatch)| broken(next + above, mismatch))?;
        if blocks == 0 {
            return Err(ProofError::NotYet(format!("node {node} lacks block {next}, which the mempool has")));
        }
        (ledger, next) = (after, next + blocks);
    }
    let ledger = ledger.ok_or_else(|| ProofError::NotYet(format!("node {node} has no chain")))?;
    let broken = |mismatch| ProofError::BrokenRule { node: node.to_owned(), index: last, mismatch };
    spawn_blocking(|| ledger.finish()).await?.map_err(broken)
}

/// Checks that the mempool reports the coins that the replay found, and no others.
fn compare_coins(ledger: &Replayed, reported: &CoinRows) -> Result<(), String> {
    let all = ledger.coins.keys().chain(reported.keys());
    match all.into_iter().find(|name| ledger.coins.get(*name) != reported.get(*name)) {
        None => Ok(()),
        Some(name) => {
            let words = |found: Option<&(String, u64)>| match found {
                Some((address, grains)) => format!("{grains} grains of {address}"),
                None => "not there".to_owned(),
            };
            let (by_mempool, by_chain) = (words(reported.get(name)), words(ledger.coins.get(name)));
            Err(format!("by the mempool the coin {name} is {by_mempool}, by the chain {by_chain}"))
        }
    }
}

/// Checks that the mempool reports what the new run of all calls stored.
fn compare_storage(ledger: &Replayed, reported: &Storage) -> Result<(), String> {
    let all = ledger.storage.keys().chain(reported.keys());
    match all.into_iter().find(|program| ledger.storage.get(*program) != reported.get(*program)) {
        None => Ok(()),
        Some(program) => Err(format!("by the mempool the program {program} stores something else than by the chain")),
    }
}

/// Checks that no money appeared or vanished, and that the mempool reports the same balance for every address.
fn compare_balances(ledger: &Replayed, reported: &BTreeMap<String, u64>) -> Result<(), String> {
    let (held, created, given) = (ledger.held(), ledger.created, ledger.given);
    if held != created + given {
        return Err(format!(
            "all balances add up to {held} grains, but {created} were created and {given} given to new addresses"
        ));
    }
    let replayed = ledger.balances.iter().map(|(address, balance)| {
        let reported = reported.get(address).copied().unwrap_or_else(|| ledger.balance(""));
        (address, *balance, reported)
    });
    let unknown = reported.iter().filter(|(address, _)| !ledger.balances.contains_key(*address));
    let unknown = unknown.map(|(address, reported)| (address, ledger.balance(address), *reported));
    match replayed.chain(unknown).find(|(_, balance, reported)| balance != reported) {
        None => Ok(()),
        Some((address, balance, reported)) => {
            Err(format!("by the mempool {address} has {reported} grains, by the chain {balance}"))
        }
    }
}

/// Finds the outcome of every payment that the mempool accepted.
async fn count_payments(
    client: &Client,
    mempool: &str,
    payments: &PaymentBook,
    ledger: &Replayed,
    pending: &HashSet<TransactionId>,
) -> Result<PaymentCounts, ProofError> {
    let PaymentBook { accepted, refused, forgotten, .. } = *payments;
    let mut counts = PaymentCounts { accepted, refused, forgotten, ..PaymentCounts::default() };
    for (id, state) in payments.payments() {
        if ledger.has(&id.to_string()) {
            counts.confirmed += 1;
        } else if pending.contains(id) {
            counts.pending += 1;
        } else if let PaymentState::GivenUp(reason) = state {
            *counts.given_up.entry(reason.clone()).or_default() += 1;
        } else {
            // A newer block than the one that the proof is about may have it.
            match client.confirmations(mempool, id).await {
                Ok(_) => counts.pending += 1,
                Err(Error::Refused(_)) => {
                    return Err(ProofError::NotYet(format!(
                        "the payment {id} was accepted but is in no block and not pending"
                    )));
                }
                Err(error) => return Err(ProofError::Request("the mempool".to_owned(), error)),
            }
        }
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use shared::params::Params;

    /// Compares the balances that a mempool reports with the ledger after genesis; each new address has 7 grains.
    fn compared(reported: &[(&str, u64)]) -> Result<(), String> {
        let params = Params { new_address_balance: 7, ..Params::default() };
        let genesis = json!([params.genesis()]).to_string();
        let (ledger, blocks) = apply(None, genesis.as_bytes(), false).unwrap();
        assert_eq!(blocks, 1);
        let reported = reported.iter().map(|(address, grains)| ((*address).to_owned(), *grains)).collect();
        compare_balances(&ledger.unwrap().finish().unwrap(), &reported)
    }

    #[test]
    fn the_mempool_must_report_the_replayed_balances() {
        assert_eq!(compared(&[]), Ok(()));
        assert_eq!(compared(&[("lab1new", 7)]), Ok(()), "the balance of a new address");
        let fault = compared(&[("lab1new", 7), ("lab1rich", 8)]).unwrap_err();
        assert!(fault.contains("lab1rich has 8 grains, by the chain 7"), "{fault}");
    }
}
