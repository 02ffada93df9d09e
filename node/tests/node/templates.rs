//! The transactions in blocks: valid ones that mempools list, and none while no mempool answers.

use crate::lab::{Asked, DEADLINE, Lab, Node, Running, quiet, start_tracker, text, until};
use crate::money::{FAUCET, FakeMempool, address, bundle, key, money, patient_node, pay, quiet_node, unsigned};
use crate::process::Program;
use runtime::client::Client;
use serde_json::json;
use shared::block::{Height, Nonce, Seal};
use shared::layer::utxo::{CoinRules, miners_coin};
use shared::ledger::{Amount, CoinName, Input, Output, Transaction, TransactionId, UnsignedSpend};
use shared::params::{LayerName, Params};
use shared::wire::{PoolOrder, Role};
use shared::work::{Difficulty, search};

fn ids<'a>(transactions: impl IntoIterator<Item = &'a Transaction>) -> Vec<TransactionId> {
    transactions.into_iter().map(|transaction| transaction.id()).collect()
}

/// Mines a block, and returns its transactions.
async fn mined(node: &Node) -> Vec<TransactionId> {
    let hash = node.mine(1).await.remove(0);
    ids(&bundle(&node.block(hash).await).transactions)
}

#[tokio::test]
async fn a_block_takes_the_highest_fees_and_one_fifth_of_the_oldest() {
    let lab = Lab::of(money("by-fee"));
    let mempool = FakeMempool::start(&lab).await;
    let paid: Vec<_> = (0..7).map(|n| pay(&lab, &format!("payer {n}"), 700 - 100 * n)).collect();
    let by_fee: Vec<_> = paid.iter().collect();
    let by_age: Vec<_> = paid.iter().rev().collect();
    mempool.list_in_orders(&by_fee, &by_age);
    let node = quiet_node(&lab, &mempool.address).await;
    assert_eq!(mined(&node).await, ids([&paid[6], &paid[0], &paid[1], &paid[2], &paid[3]]));
    let bundle = bundle(&node.block(1).await);
    assert_eq!((bundle.miner_address, bundle.msg), (address("miner"), format!("mined by {}", node.address)));
    let asked = mempool.lists.lock().unwrap().asked.clone();
    assert!(asked.contains(&(PoolOrder::Fee, 5)) && asked.contains(&(PoolOrder::Age, 1)), "{asked:?}");
    assert_eq!(asked.len(), 2, "a node that does not mine asks only when it must");
}

#[tokio::test]
async fn invalid_transactions_are_left_out_and_replaced() {
    let lab = Lab::of(money("left-out"));
    let mempool = FakeMempool::start(&lab).await;
    let node = quiet_node(&lab, &mempool.address).await;
    let known = pay(&lab, "known", 1);
    mempool.list(&[&known]);
    assert_eq!(mined(&node).await, ids([&known]));
    let foreign = key("foreign").sign_transaction(unsigned("foreign", 1, 900), Lab::of(money("other")).id());
    let poor = key("poor").sign_transaction(unsigned("poor", FAUCET, 1), lab.id());
    let forged = key("thief").sign_transaction(unsigned("victim", 1, 900), lab.id());
    let nothing = key("idle").sign_transaction(unsigned("idle", 0, 900), lab.id());
    for bad in [&known, &foreign, &poor, &forged, &nothing] {
        // Each invalid one is first in both orders, before a valid one.
        let good = pay(&lab, "good", 0);
        mempool.list(&[bad, &good]);
        assert_eq!(mined(&node).await, ids([&good]), "{bad:?}");
    }
    let good = [pay(&lab, "good", 5), pay(&lab, "good", 4)];
    mempool.list_in_orders(&[&poor, &forged, &good[0], &known, &good[1]], &[&nothing, &foreign]);
    assert_eq!(mined(&node).await, ids(&good));
}

#[tokio::test]
async fn without_a_mempool_blocks_are_empty_until_it_is_back() {
    let lab = Lab::of(money("gone"));
    let mempool = FakeMempool::start(&lab).await;
    let node = patient_node(&lab, &mempool.address).await;
    let (first, second) = (pay(&lab, "first", 1), pay(&lab, "second", 1));
    mempool.list(&[&first]);
    assert_eq!(mined(&node).await, ids([&first]));
    mempool.list(&[&first, &second]);
    let at = mempool.address.clone();
    mempool.stop().await;
    assert_eq!(mined(&node).await, []);
    assert_eq!(node.mine(3).await.len(), 3);
    let mempool = FakeMempool::start_at(&lab, &at).await;
    mempool.list(&[&first, &second]);
    assert_eq!(mined(&node).await, ids([&second]));
}

#[tokio::test]
async fn a_transaction_pushed_before_mine_is_in_its_first_block() {
    let lab = Lab::of(money("just-pushed"));
    let mempool = FakeMempool::start(&lab).await;
    let node = patient_node(&lab, &mempool.address).await;
    for n in 0..8 {
        let pushed = [pay(&lab, "payer", n), pay(&lab, "payer", n)];
        mempool.list(&[&pushed[0], &pushed[1]]);
        let hashes = node.mine(2).await;
        assert_eq!(ids(&bundle(&node.block(&hashes[0]).await).transactions), ids(&pushed));
        assert_eq!(bundle(&node.block(&hashes[1]).await).transactions, []);
    }
    until("an unchanged list is not sent again", async || {
        (mempool.lists.lock().unwrap().not_modified > 1).then_some(())
    })
    .await;
    let refused = node.steer("/mine", json!({"blocks": 1, "data": "mine"})).await.refused(400);
    assert!(refused.detail.contains("data"), "{}", refused.detail);
}

#[tokio::test]
async fn better_transactions_replace_the_template_during_the_search() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::new("refreshed", folder.path())
        .set("NETWORK__LAYER", "transaction")
        .set("NETWORK__NEW_ADDRESS_BALANCE", "1000000")
        // No block is ever found.
        .set("NETWORK__INITIAL_DIFFICULTY", "9007199254740991")
        .set("NODE__MEMPOOL", "127.0.0.1:9");
    let idle = program.start().await;
    let params: shared::params::Params = serde_json::from_value(idle.json("/info").await["network"].clone()).unwrap();
    idle.kill();
    let lab = Lab::of(params);
    let mempool = FakeMempool::start(&lab).await;
    let node = Program::new("refreshed", folder.path())
        .set("NETWORK__LAYER", "transaction")
        .set("NETWORK__NEW_ADDRESS_BALANCE", "1000000")
        .set("NETWORK__INITIAL_DIFFICULTY", "9007199254740991")
        .args(&["--mempool", &mempool.address])
        .start()
        .await;
    let searched = async |count: usize| {
        until(&format!("a block with {count} transactions is searched"), async || {
            let metrics = node.try_get("/metrics").await?;
            metrics.contains(&format!("chainlab_template_transactions {count}\n")).then_some(())
        })
        .await;
    };
    searched(0).await;
    let paid = [pay(&lab, "a", 5), pay(&lab, "b", 5), pay(&lab, "c", 100)];
    mempool.list(&[&paid[0], &paid[1]]);
    searched(2).await;
    // Fewer, but better paid.
    mempool.list(&[&paid[2]]);
    searched(1).await;
    assert_eq!(node.tip().await.0, 0);
}

/// The work offered to an outside miner, and the block that it makes from it.
async fn offered(node: &Node, miner: &str) -> (serde_json::Value, shared::ledger::Bundle) {
    let offer = node.json(&format!("/work?miner={}", address(miner))).await;
    let seal: Seal = text(&offer["seal"]).parse().unwrap();
    let target = Difficulty::new(offer["difficulty"].as_u64().unwrap()).unwrap().target();
    let nonce = search(&seal, &target, Nonce(0), u64::MAX).unwrap();
    let solution = json!({"seal": offer["seal"], "nonce": nonce});
    let answer = node.post("/work", &solution).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let block = node.block(text(&answer.ok()["hash"])).await;
    (offer, bundle(&block))
}

#[tokio::test]
async fn work_for_an_outside_miner_pays_the_requested_address() {
    let lab = Lab::of(money("outside"));
    let mempool = FakeMempool::start(&lab).await;
    let node = quiet_node(&lab, &mempool.address).await;
    let paid = pay(&lab, "payer", 7);
    mempool.list(&[&paid]);
    let (offer, work) = offered(&node, "outside").await;
    assert_eq!(offer["index"], 1);
    assert_eq!((work.miner_address, ids(&work.transactions)), (address("outside"), ids([&paid])));
    for (query, reason) in [
        ("", "expected ?miner="),
        ("?miner=", "expected ?miner="),
        ("?miner=somebody", "begins with lab1"),
        (&format!("?miner={}q", address("outside")), "63 characters"),
        (&format!("?miner={NOT_A_POINT}"), "not a point"),
    ] {
        let detail = node.get(&format!("/work{query}")).await.refused(400).detail;
        assert!(detail.contains(reason), "{query}: {detail}");
    }
}

/// x = 2^256 - 1, which is above the prime of the field.
pub(crate) const NOT_A_POINT: &str = "lab1qtllllllllllllllllllllllllllllllllllllllllllllllllll7qzgqe5";

/// A node that takes transactions from all mempools of a tracker, and mines only on demand.
async fn node_of_all(lab: &Lab, mempools: &[FakeMempool]) -> (Running, Node) {
    let tracker = start_tracker("127.0.0.1:0").await;
    let client = Client::new(Some(lab.id()), None).unwrap();
    for mempool in mempools {
        client.register(&tracker.address, &mempool.address, Role::Mempool).await.unwrap();
    }
    let mut config = quiet(&lab.params);
    config.node.tracker.clone_from(&tracker.address);
    config.node.miner = Some(address("miner").to_string());
    let node = lab.start(config, &[], 0).await;
    (tracker, node)
}

/// Mempools with empty lists.
async fn mempools(lab: &Lab, count: usize) -> Vec<FakeMempool> {
    let mut mempools = Vec::new();
    for _ in 0..count {
        mempools.push(FakeMempool::start(lab).await);
    }
    mempools
}

#[tokio::test]
async fn all_mempools_of_the_tracker_are_polled() {
    let lab = Lab::of(money("named"));
    // More than are polled at a time.
    let mempools = mempools(&lab, 11).await;
    let paid: Vec<_> = (0..mempools.len()).map(|n| pay(&lab, &format!("payer {n}"), 7)).collect();
    for (mempool, paid) in mempools.iter().zip(&paid) {
        mempool.list(&[paid]);
    }
    let (_tracker, node) = node_of_all(&lab, &mempools).await;
    let mut missing = ids(&paid);
    let all = async {
        while !missing.is_empty() {
            let mined = mined(&node).await;
            missing.retain(|id| !mined.contains(id));
        }
    };
    assert!(tokio::time::timeout(DEADLINE, all).await.is_ok(), "these are never in a block: {missing:?}");
}

#[tokio::test]
async fn the_lists_of_others_are_used_without_waiting_for_a_silent_mempool() {
    let lab = Lab::of(money("silent"));
    for silent in [0, 1] {
        let mempools = mempools(&lab, 2).await;
        let (_tracker, node) = node_of_all(&lab, &mempools).await;
        until("both are known", async || {
            node.mine(1).await;
            mempools.iter().all(|mempool| !mempool.lists.lock().unwrap().asked.is_empty()).then_some(())
        })
        .await;
        mempools[silent].lists.lock().unwrap().is_silent = true;
        let paid = pay(&lab, "payer", 7);
        mempools[1 - silent].list(&[&paid]);
        assert_eq!(mined(&node).await, ids([&paid]));
    }
}

#[tokio::test]
async fn forged_spends_of_the_coins_of_others_displace_no_payment() {
    let params =
        Params { layer: LayerName::Utxo, coinbase_maturity: Some(1), new_address_balance: 0, ..money("forged") };
    let lab = Lab::of(params);
    let mempools = mempools(&lab, 2).await;
    let (_tracker, node) = node_of_all(&lab, &mempools).await;
    node.mine(6).await;
    let (mut honest, mut forged) = (Vec::new(), Vec::new());
    for index in 1..=5 {
        let bundle = bundle(&node.block(index).await);
        let coin = miners_coin(&CoinRules::of(&lab.params), Height(index), &bundle).unwrap();
        honest.push(spend(&lab, coin, "miner", 1000));
        forged.push(spend(&lab, coin, "liar", 4000));
    }
    mempools[0].list(&forged.iter().collect::<Vec<_>>());
    mempools[1].list(&honest.iter().collect::<Vec<_>>());
    let mut first = until("a block with transactions", async || {
        let mined = mined(&node).await;
        (!mined.is_empty()).then_some(mined)
    })
    .await;
    first.sort();
    let mut expected = ids(&honest);
    expected.sort();
    assert_eq!(first, expected);
}

/// Says that the coin belongs to `signer`.
fn spend(lab: &Lab, (coin, amount): (CoinName, Amount), signer: &str, fee: u64) -> Transaction {
    let inputs = vec![Input { coin, address: address(signer), amount }];
    let rest = Amount::new(amount.grains() - fee).unwrap();
    let outputs = vec![Output { address: address("somebody"), amount: rest }];
    UnsignedSpend { inputs, outputs, msg: String::new() }.sign(lab.id(), |_, text| key(signer).sign(text))
}

#[tokio::test]
async fn unpayable_transactions_displace_neither_the_oldest_nor_the_highest_fees() {
    let lab = Lab::of(money("rich-looking"));
    // The first and the last mempool in the order of addresses lie.
    let mut mempools = mempools(&lab, 3).await;
    mempools.sort_by(|a, b| a.address.cmp(&b.address));
    let lie = |n: u64| key("liar").sign_transaction(unsigned("liar", FAUCET, 1000 - n), lab.id());
    for liar in [0, 2] {
        let lies: Vec<_> = (0..5).map(lie).collect();
        mempools[liar].list(&lies.iter().collect::<Vec<_>>());
    }
    let paid: Vec<_> = (0..5).map(|n| pay(&lab, "payer", 100 - n)).collect();
    let oldest = pay(&lab, "patient", 0);
    mempools[1].list_in_orders(&paid.iter().collect::<Vec<_>>(), &[&oldest]);
    let (_tracker, node) = node_of_all(&lab, &mempools).await;
    let first = until("a block with transactions", async || {
        let mined = mined(&node).await;
        (!mined.is_empty()).then_some(mined)
    })
    .await;
    assert_eq!(first, ids([&oldest, &paid[0], &paid[1], &paid[2], &paid[3]]));
}
