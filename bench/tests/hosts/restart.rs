//! A host is killed and returns; the tracker's host dies and another one takes over its name.

use crate::harness::Outcome;
use crate::host_process::{HostProcess, settings};
use crate::lan::Lan;
use crate::measure::{agreement, lost_to_forks};
use crate::payments::{FUNDS, all_confirmed, payment, push};
use std::collections::BTreeSet;
use std::time::Instant;
use testkit::{DEADLINE, client, until_ok};

/// Blocks that the others find meanwhile.
const MEANWHILE: u64 = 10;
/// Payments that the mempool has accepted before it is killed.
const PAYMENTS: u128 = 20;

pub(crate) async fn host_returns() -> Outcome {
    let lan = Lan::new(3)?;
    let funds = FUNDS.to_string();
    let settings = settings("killed", &[("NETWORK__NEW_ADDRESS_BALANCE", &funds)]);
    let tracker_at = format!("{}:8090", lan.address(1));
    let mut tracker = HostProcess::new(&lan, 1, ("tracker", 8090), &settings, &[]);
    tracker.start().await;
    let service = |host, what| HostProcess::new(&lan, host, what, &settings, &["-t", &tracker_at]);
    let mut mempool = service(3, ("mempool", 8091));
    let (mut nodes, mut victim) = ([1, 2].map(|host| service(host, ("node", 8100))), service(3, ("node", 8100)));
    for host_process in nodes.iter_mut().chain([&mut victim, &mut mempool]) {
        host_process.start().await;
    }
    let before = agreement(&[&nodes[0], &nodes[1], &victim], 4, 0, DEADLINE * 2).await.block;
    mempool.reaches(before.index.0).await;
    let network = victim.info().await.unwrap().network_id;
    let payments: Vec<_> = (0..PAYMENTS).map(|n| payment("ada", "ben", 100, n, network)).collect();
    for payment in &payments {
        push(&mempool, payment).await;
    }
    victim.kill();
    mempool.kill();
    let height = nodes[0].tip().await.unwrap().index.0;
    nodes[0].reaches(height + MEANWHILE).await;

    let began = Instant::now();
    victim.start().await;
    mempool.start().await;
    let least = nodes[0].tip().await.unwrap().index.0;
    let all = [&nodes[0], &nodes[1], &victim];
    let agreed = agreement(&all, least, 0, DEADLINE * 2).await;
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "  killed at block {height}, returned at {}: all agree {seconds:.1} s after its start",
        agreed.block.index
    );
    // Some may be in a block already.
    all_confirmed(&mempool, &payments.iter().map(|payment| payment.id()).collect::<Vec<_>>()).await;
    println!("  blocks lost to forks: {}", lost_to_forks(&all).await);
    println!("  payments: {PAYMENTS} accepted before the kill, {PAYMENTS} confirmed");
    Ok(())
}

/// The tracker's host name.
const NAME: &str = "tracker.lan";

pub(crate) async fn tracker_moves() -> Outcome {
    let lan = Lan::new(5)?;
    let settings = settings("moved", &[("HTTP__HOSTS", NAME)]);
    lan.set_name(NAME, 1);
    let tracker_at = format!("{NAME}:8090");
    let node = |host| HostProcess::new(&lan, host, ("node", 8100), &settings, &["-t", &tracker_at]);
    let mut old = HostProcess::new(&lan, 1, ("tracker", 8090), &settings, &[]);
    old.start().await;
    let mut nodes = [2, 3, 4].map(node);
    for node in &mut nodes {
        node.start().await;
    }
    let before = agreement(&nodes.each_ref(), 3, 0, DEADLINE * 2).await.block;
    assert_eq!(listed(&old).await, addresses(&nodes));

    old.kill();
    lan.cut_off(&[1]);
    nodes[0].reaches(before.index.0 + MEANWHILE).await;
    let without = agreement(&nodes.each_ref(), before.index.0 + MEANWHILE, 0, DEADLINE * 2).await.block;
    lan.set_name(NAME, 5);
    let mut new = HostProcess::new(&lan, 5, ("tracker", 8090), &settings, &[]);
    new.start().await;
    let began = Instant::now();
    until_ok("the new tracker lists all nodes", DEADLINE * 2, async || {
        let listed = listed(&new).await;
        if listed == addresses(&nodes) { Ok(()) } else { Err(format!("it lists {listed:?}")) }
    })
    .await;
    println!("  {} blocks without a tracker", without.index.above(before.index));
    println!(
        "  the new tracker lists all nodes {:.1} s after its start, under the same name",
        began.elapsed().as_secs_f64()
    );
    // A node that knows only the name finds all others.
    let mut newcomer = node(5);
    newcomer.start().await;
    let all = [&nodes[0], &nodes[1], &nodes[2], &newcomer];
    let agreed = agreement(&all, without.index.0, 0, DEADLINE * 2).await;
    println!("  a new node that knows only the name agrees {:.1} s after it has started", agreed.seconds);
    println!("  blocks lost to forks: {}", lost_to_forks(&all).await);
    Ok(())
}

async fn listed(tracker: &HostProcess) -> BTreeSet<String> {
    client().nodes(&tracker.address).await.unwrap_or_default().into_iter().collect()
}

fn addresses(nodes: &[HostProcess]) -> BTreeSet<String> {
    nodes.iter().map(|node| node.address.clone()).collect()
}
