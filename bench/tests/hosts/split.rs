//! The network is cut into three and two hosts for a while; both parts mine and accept payments; then it is healed.

use crate::harness::Outcome;
use crate::host_process::{HostProcess, settings};
use crate::lan::Lan;
use crate::measure::{agreement, has, lost_to_forks};
use crate::payments::{FEE, FUNDS, PaymentOutcome, ReturnedCounter, all_confirmed, outcome, payment, push};
use shared::block::{BlockHash, BlockId};
use shared::chain::Tip;
use shared::ledger::Transaction;
use std::time::Duration;
use testkit::{DEADLINE, until_ok};

/// The smaller part.
const CUT_OFF: [usize; 2] = [4, 5];
/// Payments in each part without a conflict, and payments that spend the same money in both parts.
const PAYMENTS_EACH: u32 = 20;
const DOUBLE_SPENDS: u32 = 5;
/// Blocks that each part must find.
const MIN_BLOCKS_EACH: u64 = 6;

/// The payments of one part: by wallets of its own, and by wallets that also pay in the other part.
fn payments(half: u32, network: BlockHash) -> Vec<Transaction> {
    let own = (0..PAYMENTS_EACH).map(|n| {
        let from = format!("wallet {n} of half {half}");
        payment(&from, "a shop", 1000 + u64::from(n), 0, network)
    });
    // All money of the wallet, to another shop in each part: only one payment can be confirmed.
    let twice = (0..DOUBLE_SPENDS).map(|n| {
        payment(&format!("wallet {n} of both"), &format!("shop {half}"), FUNDS - FEE, u128::from(half), network)
    });
    own.chain(twice).collect()
}

async fn tip(node: &HostProcess) -> BlockId {
    tip_id(&node.tip().await.unwrap())
}

const fn tip_id(tip: &Tip) -> BlockId {
    BlockId { index: tip.index, hash: tip.hash }
}

pub(crate) async fn split_and_heal() -> Outcome {
    let lan = Lan::new(5)?;
    let funds = FUNDS.to_string();
    let settings = settings("cut", &[("NETWORK__NEW_ADDRESS_BALANCE", &funds)]);
    let tracker_at = format!("{}:8090", lan.address(1));
    let mut tracker = HostProcess::new(&lan, 1, ("tracker", 8090), &settings, &[]);
    tracker.start().await;
    // One in each part.
    let mut mempools =
        [3, 5].map(|host| HostProcess::new(&lan, host, ("mempool", 8091), &settings, &["-t", &tracker_at]));
    for mempool in &mut mempools {
        mempool.start().await;
    }
    let mut nodes: Vec<_> =
        (1..=5).map(|host| HostProcess::new(&lan, host, ("node", 8100), &settings, &["-t", &tracker_at])).collect();
    for node in &mut nodes {
        node.start().await;
    }
    let nodes: Vec<&HostProcess> = nodes.iter().collect();
    agreement(&nodes, 4, 0, DEADLINE * 2).await;
    let returned = [ReturnedCounter::listen(&mempools[0]).await, ReturnedCounter::listen(&mempools[1]).await];
    // Time for all nodes to learn of both mempools.
    tokio::time::sleep(Duration::from_secs(4)).await;

    let before = tip(nodes[0]).await;
    lan.cut_off(&CUT_OFF);
    let network = nodes[0].info().await.unwrap().network_id;
    let made = [payments(0, network), payments(1, network)];
    for (payment, other) in made[0].iter().zip(&made[1]) {
        push(&mempools[0], payment).await;
        push(&mempools[1], other).await;
    }
    for (mempool, made) in mempools.iter().zip(&made) {
        all_confirmed(mempool, &made.iter().map(|payment| payment.id()).collect::<Vec<_>>()).await;
    }
    for node in &nodes {
        node.reaches(before.index.0 + MIN_BLOCKS_EACH).await;
    }
    let tips = [tip(nodes[0]).await, tip(nodes[4]).await];
    assert!(!has(nodes[4], tips[0]).await && !has(nodes[0], tips[1]).await, "the halves are not apart");

    lan.heal(&CUT_OFF);
    let agreed = agreement(&nodes, tips[0].index.0.max(tips[1].index.0) + 1, 0, DEADLINE * 2).await;
    let loser = if has(nodes[0], tips[0]).await { 1 } else { 0 };
    assert!(!has(nodes[0], tips[loser]).await, "one half must have given way");
    println!(
        "  the halves reached {} and {} from {}; one chain {:.1} s after the link was back",
        tips[0].index, tips[1].index, before.index, agreed.seconds
    );
    // What is pushed again below must not be in a block before it has returned to the pool of the part that gave way.
    for mempool in &mempools {
        until_ok("both mempools follow the chain of all", DEADLINE, async || {
            let tip = mempool.tip().await?;
            let is_there = tip.index >= agreed.block.index && has(nodes[0], tip_id(&tip)).await;
            if is_there { Ok(()) } else { Err(format!("one is at block {}", tip.index)) }
        })
        .await;
    }
    let (mut confirmed, mut refused) = (0, 0);
    for (half, made) in made.iter().enumerate() {
        for payment in made {
            let outcome = until_ok("every payment is confirmed or refused", DEADLINE * 2, async || {
                // The mempool of the winning part has not seen the losing part's payments, unless it followed that
                // part for a moment.
                match outcome(&mempools[1 - loser], payment).await? {
                    PaymentOutcome::Pending => Err(format!("{} is pending", payment.id())),
                    outcome => Ok(outcome),
                }
            })
            .await;
            match outcome {
                PaymentOutcome::Refused(reason) if half == loser => {
                    assert!(reason.starts_with("balance: "), "{reason}");
                    refused += 1;
                }
                PaymentOutcome::Uncovered if half == loser => refused += 1,
                PaymentOutcome::Confirmed => confirmed += 1,
                outcome => panic!("{} of the half that won is {outcome:?}", payment.id()),
            }
        }
    }
    assert_eq!((confirmed, refused), (2 * PAYMENTS_EACH + DOUBLE_SPENDS, DOUBLE_SPENDS));
    let came_back: u64 = returned.iter().map(ReturnedCounter::count).sum();
    assert!(came_back >= u64::from(PAYMENTS_EACH), "only {came_back} payments came back");
    println!("  blocks lost to forks: {}", lost_to_forks(&nodes).await);
    println!("  payments: {confirmed} confirmed, {refused} refused or not covered, {came_back} returned to a pool");
    Ok(())
}
