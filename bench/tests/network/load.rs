//! Thousands of payments from many wallets at once while the mempool and a node are killed: every acknowledged payment
//! is in the chain once, and no grain is created or lost.

use crate::ledger::DownloadedChain;
use runtime::client::Error;
use shared::block::BlockHash;
use shared::keys::KeyPair;
use shared::ledger::{Amount, Transaction, TransactionId, Unsigned, Uuid};
use shared::wire::PushStatus;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use testkit::{DEADLINE, Process, client, until_ok};
use testkit::{ProcessNetwork, REWARD};
use tokio::task::JoinSet;

/// Wallets that pay at the same time, each with a connection of its own.
const WALLETS: usize = 64;
/// Grains of each wallet: more than it spends in any test.
const FUNDS: u64 = 10_000_000;
/// Bound on retrying a push, and on confirming all payments.
const TIMEOUT: Duration = Duration::from_secs(120);

fn amount(grains: u64) -> Amount {
    Amount::new(grains).unwrap()
}

fn wallet(number: usize) -> KeyPair {
    KeyPair::from_seed(&format!("wallet {number}"))
}

/// The `n`th payment of a wallet, each to another wallet; wallet and `n` make its uuid.
fn payment(from: usize, n: usize, network: BlockHash, pair: &KeyPair, to: &[KeyPair]) -> Transaction {
    let to = to[(from + 1 + n % (to.len() - 1)) % to.len()].address();
    let uuid = Uuid(((from as u128) << 64 | n as u128).to_be_bytes());
    let (grains, fee) = (amount(1 + n as u64), amount(1000 + n as u64 % 7));
    let unsigned = Unsigned { uuid, from: pair.address(), to, amount: grains, fee, msg: format!("payment {n}") };
    pair.sign_transaction(unsigned, network)
}

/// Counts of all pushers together.
#[derive(Default)]
struct PushCounts {
    answered: AtomicUsize,
    known: AtomicUsize,
    unanswered: AtomicUsize,
}

/// Pushes until there is an answer, as a careful client does; `known` counts as success.
async fn push(client: &runtime::client::Client, mempool: &str, transaction: &Transaction, seen: &PushCounts) {
    let began = Instant::now();
    loop {
        match client.push_transaction(mempool, transaction).await {
            Ok(pushed) => {
                assert_eq!(pushed.id, transaction.id());
                if pushed.status == PushStatus::Known {
                    seen.known.fetch_add(1, Ordering::Relaxed);
                }
                seen.answered.fetch_add(1, Ordering::Relaxed);
                return;
            }
            Err(Error::Refused(problem)) if !matches!(problem.status, 429 | 503) => {
                panic!("{} was refused: {problem:?}", transaction.id())
            }
            Err(error) if began.elapsed() > TIMEOUT => panic!("{} got no answer: {error}", transaction.id()),
            Err(_) => {
                seen.unanswered.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

/// Waits until all transactions are confirmed.
async fn all_confirmed(mempool: &str, ids: &[TransactionId]) {
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for part in ids.chunks(ids.len().div_ceil(WALLETS)) {
        let (mempool, mut missing) = (mempool.to_owned(), part.to_vec());
        tasks.spawn(async move {
            let client = client();
            while let Some(id) = missing.last() {
                let answer = client.confirmations(&mempool, id).await;
                if answer.as_ref().is_ok_and(|n| *n >= 1) {
                    missing.pop();
                } else if answer.as_ref().is_err_and(|error| error.status() == Some(404)) {
                    panic!("{id} was acknowledged, but the mempool does not know it");
                } else {
                    assert!(began.elapsed() < TIMEOUT, "{id} and {} more wait: {answer:?}", missing.len() - 1);
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
}

/// The mempool's list of balances with the block it stands on; an error if the chain moves meanwhile.
async fn listed_balances(mempool: &Process) -> Result<(u64, String, BTreeMap<String, u64>), String> {
    let tip = mempool.tip().await;
    let (mut balances, mut from) = (BTreeMap::new(), None::<String>);
    loop {
        // Small pages, so that there are several.
        let page = client().balances(&mempool.address, "lab1", from.as_deref(), 50).await.unwrap();
        balances.extend(page.entries.iter().map(|entry| (entry.address.to_string(), entry.balance.grains())));
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    if mempool.tip().await != tip {
        return Err("the chain has moved while balances were read".to_owned());
    }
    Ok((tip.index.0, tip.hash.to_string(), balances))
}

/// Checks that nodes and mempool have the same chain, with each transaction once, and the same balances.
async fn check_agreement(lab: &ProcessNetwork, ids: &[TransactionId], new_address_balance: u64) -> (u64, usize) {
    until_ok("mempool and nodes have the same chain and the same balances", DEADLINE * 2, async || {
        let (height, hash, balances) = listed_balances(&lab.mempool).await?;
        let mut largest = 0;
        for node in &lab.nodes {
            let tip = node.tip().await;
            if tip.index.0 < height {
                return Err(format!("node {} has {} blocks, the mempool {height}", node.address, tip.index));
            }
            let chain = DownloadedChain::from(&node.address, height).await;
            if chain.tip() != hash {
                return Err(format!("node {} and the mempool have another block {height}", node.address));
            }
            let ledger = chain.ledger(REWARD, new_address_balance);
            // After a reorganisation it may be pending again for a moment.
            if let Some(lost) = ids.iter().find(|id| !ledger.places.contains_key(&id.to_string())) {
                return Err(format!("{lost} was acknowledged, but is not in the chain of node {}", node.address));
            }
            assert_eq!(ledger.balances, balances, "the mempool's balances differ from the chain's");
            largest = ledger.largest;
        }
        let made = height * REWARD + balances.len() as u64 * new_address_balance;
        assert_eq!(balances.values().sum::<u64>(), made, "money was created or lost");
        match lab.mempool.info().await.pool.map(|pool| pool.count) {
            Some(0) => Ok((height, largest)),
            count => Err(format!("{count:?} transactions are still pending")),
        }
    })
    .await
}

/// Pays every wallet from the miner's rewards, and waits until the payments are deep in the chain.
async fn spread_rewards(
    lab: &ProcessNetwork,
    miner: &KeyPair,
    wallets: &[KeyPair],
    network: BlockHash,
) -> Vec<TransactionId> {
    lab.mempool.reaches(2).await;
    let mut ids = Vec::new();
    for (n, wallet) in wallets.iter().enumerate() {
        let uuid = Uuid((u128::MAX - n as u128).to_be_bytes());
        let (from, to) = (miner.address(), wallet.address());
        let unsigned = Unsigned { uuid, from, to, amount: amount(FUNDS), fee: Amount::ZERO, msg: String::new() };
        let transaction = miner.sign_transaction(unsigned, network);
        push(&client(), &lab.mempool.address, &transaction, &PushCounts::default()).await;
        ids.push(transaction.id());
    }
    all_confirmed(&lab.mempool.address, &ids).await;
    let deep = lab.mempool.tip().await.index.0 + 6;
    lab.mempool.reaches(deep).await;
    ids
}

/// Makes `each` payments from every wallet, kills the mempool twice and a node once meanwhile, and checks the outcome.
async fn payments_survive_kills(name: &str, each: usize, new_address_balance: u64) {
    let miner = KeyPair::from_seed("miner");
    let mut lab = ProcessNetwork::start(
        name,
        3,
        &miner.address(),
        &[
            ("NETWORK__NEW_ADDRESS_BALANCE", &new_address_balance.to_string()),
            // Three nodes together find a block a second.
            ("NETWORK__INITIAL_DIFFICULTY", "12000"),
            ("NODE__HASHRATE", "4000"),
        ],
    )
    .await;
    let network = lab.mempool.info().await.network_id;
    let wallets: Arc<[KeyPair]> = (0..WALLETS).map(wallet).collect();
    let mut ids = match new_address_balance {
        0 => spread_rewards(&lab, &miner, &wallets, network).await,
        _ => Vec::new(),
    };

    let (seen, began) = (Arc::new(PushCounts::default()), Instant::now());
    let mut pushers = JoinSet::new();
    for from in 0..WALLETS {
        let (wallets, seen, mempool) = (wallets.clone(), seen.clone(), lab.mempool.address.clone());
        pushers.spawn(async move {
            let (client, mut ids) = (client(), Vec::new());
            for n in 0..each {
                let transaction = payment(from, n, network, &wallets[from], &wallets);
                push(&client, &mempool, &transaction, &seen).await;
                ids.push(transaction.id());
            }
            ids
        });
    }
    let total = each * WALLETS;
    for (percent, victim) in [(20, "mempool"), (40, "node"), (60, "mempool")] {
        until_ok(&format!("{percent} % are pushed"), TIMEOUT, async || {
            let answered = seen.answered.load(Ordering::Relaxed);
            if answered * 100 >= total * percent { Ok(()) } else { Err(format!("{answered} of {total} are")) }
        })
        .await;
        assert!(
            !pushers.is_empty() && seen.answered.load(Ordering::Relaxed) < total,
            "all payments were pushed before the kill"
        );
        let service = if victim == "mempool" { &mut lab.mempool } else { &mut lab.nodes[1] };
        service.kill();
        // The others go on without it for a while.
        tokio::time::sleep(Duration::from_millis(500)).await;
        service.start().await;
    }
    while let Some(ended) = pushers.join_next().await {
        ids.extend(ended.unwrap());
    }
    let pushed = began.elapsed().as_secs_f64();
    assert!(seen.unanswered.load(Ordering::Relaxed) > 0, "no push was interrupted by a kill");

    all_confirmed(&lab.mempool.address, &ids).await;
    let confirmed = began.elapsed().as_secs_f64();
    let (height, largest) = check_agreement(&lab, &ids, new_address_balance).await;
    println!("{name}: {total} payments from {WALLETS} connections, the mempool killed twice and a node once");
    println!(
        "  pushed     {pushed:.1} s, {:.0} a second, including the time that the mempool was down",
        total as f64 / pushed
    );
    println!("  confirmed  {confirmed:.1} s after the first push");
    println!("  chain      {height} blocks, at most {largest} payments in one");
    let (again, known) = (seen.unanswered.load(Ordering::Relaxed), seen.known.load(Ordering::Relaxed));
    println!("  unanswered {again} pushes, repeated; {known} of them were known");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "20,000 payments through real processes, a minute or two; .ci/run runs it"]
async fn every_answered_payment_is_confirmed_though_mempool_and_node_are_killed() {
    payments_survive_kills("load-faucet", 313, FUNDS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "5,000 payments through real processes, about a minute; .ci/run runs it"]
async fn money_from_rewards_alone_is_all_there_though_mempool_and_node_are_killed() {
    payments_survive_kills("load-rewards", 80, 0).await;
}
