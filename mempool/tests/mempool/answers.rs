//! The read endpoints of a mempool, and how they refuse wrong requests.

use crate::lab::{Answer, Asked, LAB, Lab, Running, address, client, faucet, genesis, network, push_block, until};
use reqwest::Method;
use runtime::client::Unprocessed;
use serde_json::{Value, json};
use shared::block::Block;
use shared::ledger::Transaction;
use shared::wire::PoolOrder;
use tokio_util::sync::CancellationToken;

/// Three blocks: alice mines the first, pays bob 5 LAB in the second, and carol mines the third. 1 LAB from bob to dave
/// is pending.
async fn story(lab: &Lab) -> (Running, Running, [Block; 3], [Transaction; 2]) {
    let node = lab.node().await;
    let mempool = lab.mempool(&[&node]).await;
    let payment = lab.pay("alice", "bob", 5 * LAB, LAB);
    let first = lab.block(&genesis(&node).await, "alice", &[]);
    let second = lab.block(first.header(), "alice", &[&payment]);
    let third = lab.block(second.header(), "carol", &[]);
    for block in [&first, &second, &third] {
        push_block(&node, block).await;
    }
    mempool.stands_on(&third).await;
    let pending = lab.pay("bob", "dave", LAB, 7);
    mempool.accept(&pending).await;
    (node, mempool, [first, second, third], [payment, pending])
}

#[tokio::test]
async fn an_answer_names_the_block_that_it_stands_on_and_its_age() {
    let lab = Lab::of(network("stands-on"));
    let (_node, mempool, _, [payment, _]) = story(&lab).await;
    let (alice, id) = (address("alice"), payment.id());
    for path in [
        format!("/balance/{alice}"),
        format!("/balance?address={alice}"),
        "/balances".to_owned(),
        "/unprocessed".to_owned(),
        format!("/confirmations/{id}"),
        format!("/transaction/{id}"),
        format!("/history/{alice}"),
    ] {
        let answer = mempool.get(&path).await;
        assert_eq!((answer.status, &answer.headers["chainlab-height"]), (200, &"3".parse().unwrap()), "{path}");
        let age_ms: Result<u64, _> = answer.headers["chainlab-age-ms"].to_str().unwrap().parse();
        assert!(age_ms.is_ok(), "{path}: {:?}", answer.headers);
    }
    assert!(!mempool.get("/info").await.headers.contains_key("chainlab-height"));
    assert_eq!(mempool.json("/info").await["health"], json!([]));
}

#[tokio::test]
async fn balances_can_be_read_at_any_depth() {
    let lab = Lab::of(network("depth"));
    let (_node, mempool, ..) = story(&lab).await;
    for (of, by_depth) in [
        ("alice", [95 * LAB, 95 * LAB, 95 * LAB, 50 * LAB, 0, 0]),
        ("bob", [4 * LAB - 7, 5 * LAB, 5 * LAB, 0, 0, 0]),
        ("carol", [50 * LAB, 50 * LAB, 0, 0, 0, 0]),
        ("dave", [LAB, 0, 0, 0, 0, 0]),
    ] {
        for (confirmations, expected) in by_depth.into_iter().enumerate() {
            assert_eq!(mempool.balance(of, confirmations as u64).await, expected, "{of} at {confirmations}");
        }
    }
    let bob = address("bob");
    for path in [
        format!("/balance/{bob}"),
        format!("/balance?address={bob}"),
        format!("/balance/{}", bob.to_string().to_uppercase()),
        format!("/balance?address={bob}&confirmations=2"),
    ] {
        assert_eq!(mempool.get(&path).await.body, (5 * LAB).to_string(), "{path}");
    }
    assert_eq!(mempool.get(&format!("/balance/{bob}?confirmations={}", (1u64 << 53) - 1)).await.body, "0");
    for wrong in ["-1", "1.5", "abc", "9007199254740992", "99999999999999999999", "", "%2B1", "1&confirmations=2"] {
        mempool.get(&format!("/balance/{bob}?confirmations={wrong}")).await.refused(400);
    }
    for wrong in ["/balance/bob", "/balance", "/balance?adress=x", &format!("/balance/{}q", bob)] {
        mempool.get(wrong).await.refused(400);
    }
}

#[tokio::test]
async fn balances_are_listed_by_address_in_pages() {
    let lab = Lab::of(network("list"));
    let (_node, mempool, ..) = story(&lab).await;
    let mut expected = [("alice", 95), ("bob", 5), ("carol", 50)].map(|(of, has)| (address(of), has * LAB));
    expected.sort();
    let (mut found, mut from) = (Vec::new(), None);
    loop {
        let page = client().balances(&mempool.address, "lab1", from.as_deref(), 2).await.unwrap();
        assert!(page.entries.len() <= 2);
        found.extend(page.entries.iter().map(|entry| (entry.address, entry.balance.grains())));
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    assert_eq!(found, expected);
    let bob = address("bob").to_string().to_uppercase();
    let only = mempool.json(&format!("/balances?prefix={}", &bob[..20])).await;
    assert_eq!(only, json!([{"address": address("bob"), "balance": 5 * LAB}]));
    assert_eq!(mempool.json("/balances?prefix=x").await, json!([]));
    assert_eq!(mempool.json("/balances").await.as_array().unwrap().len(), 3);
    for wrong in ["prefix=%20", "limit=x", "limit=-1", "more=1", &format!("from={}", "l".repeat(64))] {
        mempool.get(&format!("/balances?{wrong}")).await.refused(400);
    }
}

#[tokio::test]
async fn a_transaction_is_found_pending_confirmed_or_not_at_all() {
    let lab = Lab::of(network("found"));
    let (_node, mempool, [_, second, _], [payment, pending]) = story(&lab).await;
    assert_eq!(client().confirmations(&mempool.address, &payment.id()).await, Ok(2));
    assert_eq!(client().confirmations(&mempool.address, &pending.id()).await, Ok(0));
    let by_query = mempool.get(&format!("/confirmations?transaction_id={}", payment.id())).await;
    assert_eq!(by_query.body, "2");
    let upper = payment.id().to_string().to_uppercase();
    let block = json!({"index": 2, "hash": second.hash()});
    assert_eq!(
        mempool.json(&format!("/transaction/{upper}")).await,
        json!({"transaction": payment, "status": "confirmed", "block": block, "confirmations": 2})
    );
    assert_eq!(
        mempool.json(&format!("/transaction/{}", pending.id())).await,
        json!({"transaction": pending, "status": "pending", "confirmations": 0})
    );
    let unknown = lab.pay("alice", "bob", LAB, 0).id();
    for path in ["confirmations", "transaction"] {
        mempool.get(&format!("/{path}/{unknown}")).await.refused(404);
        mempool.get(&format!("/{path}/{}", &upper[1..])).await.refused(400);
        mempool.get(&format!("/{path}/0x{}", &upper[2..])).await.refused(400);
    }
    mempool.get("/confirmations").await.refused(400);
}

#[tokio::test]
async fn pending_payments_are_listed_by_fee_or_age_and_not_sent_again_unchanged() {
    let lab = Lab::of(faucet("orders"));
    let mempool = lab.mempool(&[]).await;
    let fees = [5000, 1000, 9000];
    for fee in fees {
        mempool.accept(&lab.pay("alice", "bob", LAB, fee)).await;
    }
    let ask = async |order, limit, etag: Option<&str>| {
        client().unprocessed(&mempool.address, order, limit, etag).await.unwrap()
    };
    let Unprocessed::Pending { etag, transactions } = ask(PoolOrder::Age, 100, None).await else { panic!("some") };
    assert_eq!(transactions.iter().map(|one| one.fee().grains()).collect::<Vec<_>>(), fees);
    assert_eq!(ask(PoolOrder::Age, 100, etag.as_deref()).await, Unprocessed::NotModified);
    let Unprocessed::Pending { transactions, .. } = ask(PoolOrder::Fee, 2, None).await else { panic!("some") };
    assert_eq!(transactions.iter().map(|one| one.fee().grains()).collect::<Vec<_>>(), [9000, 5000]);
    mempool.accept(&lab.pay("alice", "bob", LAB, 2000)).await;
    let Unprocessed::Pending { transactions, .. } = ask(PoolOrder::Fee, 100, etag.as_deref()).await else {
        panic!("the pool changed")
    };
    assert_eq!(transactions.len(), 4);
    assert_eq!(mempool.json("/unprocessed?limit=0").await, json!([]));
    let listed = Answer::of(mempool.request(Method::GET, "/unprocessed").header("if-none-match", "\"x\", *")).await;
    assert_eq!((listed.status, listed.body.as_str()), (304, ""));
    for wrong in ["order=size", "limit=a", "limit=-1", "order=fee&order=age", "x=1"] {
        mempool.get(&format!("/unprocessed?{wrong}")).await.refused(400);
    }
}

#[tokio::test]
async fn info_and_metrics_show_the_pool_and_every_endpoint_is_described() {
    let lab = Lab::of(network("about"));
    let (_node, mempool, [.., third], [_, pending]) = story(&lab).await;
    let info = client().info(&mempool.address).await.unwrap();
    assert_eq!(
        (info.service.as_str(), info.network_id, info.address.as_str()),
        ("mempool", lab.id(), &*mempool.address)
    );
    assert_eq!(info.tip.unwrap().hash, third.hash());
    let pool = info.pool.unwrap();
    let bytes = serde_json::to_string(&pending).unwrap().len() as u64;
    assert_eq!((pool.count, pool.bytes, info.peers), (1, bytes, Some(1)));
    until("the commit is counted", async || {
        let metrics = mempool.get("/metrics").await.body;
        let names =
            ["chainlab_pushes_total{result=\"accepted\"}", "chainlab_pool_transactions", "chainlab_pool_commits"];
        names.iter().all(|name| metrics.contains(name)).then_some(())
    })
    .await;
    let api: Value = mempool.json("/openapi.json").await;
    for path in ["/pushtx", "/unprocessed", "/balance/{address}", "/balances", "/history/{address}", "/events"] {
        assert!(api["paths"][path].is_object(), "{path}");
    }
    mempool.get("/nothing").await.refused(404);
}

#[tokio::test]
async fn a_mempool_registers_at_the_tracker_and_finds_nodes_there() {
    let lab = Lab::of(network("listed"));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let tracker_at = listener.local_addr().unwrap().to_string();
    let stop = CancellationToken::new();
    let settings = tracker::Settings::default();
    tokio::spawn(tracker::run(listener, settings, stop.clone()));
    let node = lab.node().await;
    let network = Some(lab.id());
    let registrar = runtime::client::Client::new(network, None).unwrap();
    until("the node is listed", async || {
        registrar.register(&tracker_at, &node.address, shared::wire::Role::Node).await.ok()
    })
    .await;
    let mut config = lab.config();
    config.mempool.tracker = tracker_at.clone();
    let mempool = lab.start(config, &[], 0).await;
    let first = lab.block(&genesis(&node).await, "alice", &[]);
    push_block(&node, &first).await;
    mempool.stands_on(&first).await;
    let listed = client().members(&tracker_at).await.unwrap();
    let listed = listed.iter().find(|member| member.address == mempool.address).unwrap();
    assert_eq!((listed.role, listed.network_id), (shared::wire::Role::Mempool, lab.id()));
    let peers = client().node_peers(&node.address).await.unwrap();
    assert!(peers.iter().all(|peer| peer.address != mempool.address), "a mempool wants no blocks pushed: {peers:?}");
    stop.cancel();
}
