//! A transaction with a 201 is never lost, whatever happens to the process.

use crate::lab::{Asked, LAB, Lab, client, faucet, genesis, http, network, push_block, to_json};
use crate::process::Program;
use reqwest::header::CONTENT_TYPE;
use runtime::data_dir::DataDir;
use shared::ledger::{Transaction, TransactionId};
use shared::params::LayerName;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use testkit::Ended;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn a_restart_keeps_every_payment_in_its_order() {
    let lab = Lab::of(faucet("restart"));
    let mempool = lab.mempool(&[]).await;
    let payments: Vec<Transaction> = (1..=20).map(|n| lab.pay("alice", "bob", n, 1000 + n % 7)).collect();
    for payment in &payments {
        mempool.accept(payment).await;
    }
    let by_fee = mempool.json("/unprocessed").await;
    let folder = mempool.port();
    mempool.stop().await;
    let mempool = lab.start(lab.config(), &[], folder).await;
    let ids = |all: &[Transaction]| all.iter().map(|one| one.id()).collect::<BTreeSet<_>>();
    assert_eq!(ids(&mempool.pending().await), ids(&payments));
    let fees =
        |list: &serde_json::Value| list.as_array().unwrap().iter().map(|one| one["fee"].clone()).collect::<Vec<_>>();
    assert_eq!(fees(&mempool.json("/unprocessed").await), fees(&by_fee));
    assert_eq!(mempool.push(&payments[0]).await.ok()["status"], "known");
}

#[tokio::test]
async fn transactions_disconnected_while_the_mempool_was_stopped_return() {
    let lab = Lab::of(network("away"));
    let node = lab.node().await;
    let mempool = lab.mempool(&[&node]).await;
    let first = lab.block(&genesis(&node).await, "alice", &[]);
    let [payment, spent] = [lab.pay("alice", "bob", LAB, 5), lab.pay("alice", "bob", 2 * LAB, 5)];
    let second = lab.block(first.header(), "alice", &[&payment]);
    push_block(&node, &first).await;
    push_block(&node, &second).await;
    mempool.stands_on(&second).await;
    mempool.accept(&spent).await;
    let folder = mempool.port();
    mempool.stop().await;
    let other = lab.block(first.header(), "dave", &[&spent]);
    let longer = lab.block(other.header(), "dave", &[]);
    push_block(&node, &other).await;
    push_block(&node, &longer).await;
    let mempool = lab.start(lab.config(), &[&node], folder).await;
    mempool.stands_on(&longer).await;
    assert_eq!(mempool.pending().await, [payment]);
}

#[tokio::test]
async fn a_mempool_on_layer_data_does_not_start_and_says_why() {
    let mut lab = Lab::of(network("plain"));
    lab.params.layer = LayerName::Data;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let data = DataDir::open(lab.root.path(), &lab.params, "mempool", 1).unwrap();
    let settings = mempool::Settings { config: lab.config(), data, peers: Vec::new(), metrics: None };
    let error = mempool::run(listener, settings, CancellationToken::new()).await.unwrap_err().to_string();
    assert!(error.contains("layer data") && error.contains("layer transaction"), "{error}");
}

/// Connections that push at a time.
const CONNECTIONS: usize = 64;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_payment_that_was_answered_201_survives_being_killed() {
    let lab = Lab::of(faucet("killed"));
    let folder = lab.root.path();
    let mempool = Program::new(&lab.params, folder).start().await;
    let answered: Arc<Mutex<BTreeSet<TransactionId>>> = Arc::default();
    let is_over = Arc::new(AtomicBool::new(false));
    let pushers: Vec<_> = (0..CONNECTIONS)
        .map(|n| {
            let payments: Vec<_> = (0..40).map(|_| lab.pay(&format!("sender {n}"), "bob", 1, 1000)).collect();
            let (answered, is_over, url) =
                (answered.clone(), is_over.clone(), format!("http://{}/pushtx", mempool.address));
            tokio::spawn(async move {
                let http = http();
                for payment in payments {
                    let pushed = http.post(&url).header(CONTENT_TYPE, "application/json").body(to_json(&payment));
                    match pushed.send().await {
                        Ok(answer) if answer.status() == 201 => drop(answered.lock().unwrap().insert(payment.id())),
                        Ok(answer) => panic!("{}", answer.text().await.unwrap_or_default()),
                        Err(_) => {
                            assert!(is_over.load(Ordering::Relaxed), "it went away before it was killed");
                            break;
                        }
                    }
                }
            })
        })
        .collect();
    crate::lab::until("many are answered", async || (answered.lock().unwrap().len() > 300).then_some(())).await;
    is_over.store(true, Ordering::Relaxed);
    let port = mempool.port();
    mempool.kill();
    for pusher in pushers {
        pusher.await.unwrap();
    }
    let mempool = Program::new(&lab.params, folder).args(&["--port", &port.to_string()]).start().await;
    let there: BTreeSet<_> = mempool.pending().await.iter().map(|payment| payment.id()).collect();
    let answered = answered.lock().unwrap().clone();
    let lost: Vec<_> = answered.difference(&there).collect();
    assert!(lost.is_empty(), "{} of {} are lost", lost.len(), answered.len());
    assert_eq!(client().info(&mempool.address).await.unwrap().pool.unwrap().count, there.len() as u64);
    let Ended { status, log, .. } = mempool.terminate().await;
    assert!(status.success(), "{log}");
}
