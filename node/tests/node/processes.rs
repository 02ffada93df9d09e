//! Networks of real processes that are killed, stopped, continued and terminated.

use crate::lab::{Asked, agree, listed_nodes, start_tracker, until};
use crate::process::Program;
use futures_util::StreamExt;
use shared::wire::NodeEvent;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use testkit::{Ended, LoggedProcess, free_port};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test]
async fn three_processes_agree_through_a_tracker() {
    let folder = tempfile::tempdir().unwrap();
    let tracker = start_tracker("127.0.0.1:0").await;
    let mut nodes = Vec::new();
    for _ in 0..3 {
        let port = free_port().to_string();
        let program = Program::new("three", folder.path()).set("NODE__TRACKER", &tracker.address);
        nodes.push(program.set("NODE__HASHRATE", "1500").args(&["--port", &port]).start().await);
    }
    until("10 blocks deep all have the same", async || {
        let mut hashes = BTreeSet::new();
        for node in &nodes {
            if node.tip().await.0 < 15 || node.json("/info").await["peers"] != 2 {
                return None;
            }
            hashes.insert(node.json("/block/10").await["hash"].to_string());
        }
        (hashes.len() == 1).then_some(())
    })
    .await;
    assert_eq!(listed_nodes(&tracker).await.len(), 3);
}

/// Collects every block that the node reports as mined, until its process ends.
async fn note_mined(node: &LoggedProcess, into: &Arc<Mutex<BTreeSet<String>>>) -> tokio::task::JoinHandle<()> {
    let (mut events, into) = (node.events().await, into.clone());
    tokio::spawn(async move {
        while let Some(event) = events.next().await {
            if let NodeEvent::Mining(mining) = event
                && let Some(hash) = mining.found
            {
                into.lock().unwrap().insert(hash.to_string());
            }
        }
    })
}

#[tokio::test]
async fn acknowledged_blocks_survive_repeated_kills() {
    let folder = tempfile::tempdir().unwrap();
    let (port, other_port) = (free_port().to_string(), free_port().to_string());
    let program = || Program::new("killed", folder.path());
    let other = program().set("NODE__HASHRATE", "2000").args(&["--port", &other_port]).start().await;
    let start = || program().set("NODE__HASHRATE", "20000").args(&["--port", &port, &other.address]).start();
    let acknowledged = Arc::new(Mutex::new(BTreeSet::new()));
    let mut reached = 0;
    for delay_ms in [30, 170, 90, 250, 10, 330] {
        let node = start().await;
        assert!(node.tip().await.0 >= reached, "it continues the chain that it had");
        let noting = note_mined(&node, &acknowledged).await;
        let kill = tokio::time::sleep(Duration::from_millis(delay_ms));
        let orders = async {
            loop {
                let request = node.request(reqwest::Method::POST, "/mine").bearer_auth(node.token());
                let answer = request.body("{\"blocks\":3}").send().await.unwrap();
                let answer: serde_json::Value = answer.json().await.unwrap();
                let hashes = answer["hashes"].as_array().unwrap().iter();
                acknowledged.lock().unwrap().extend(hashes.map(|hash| hash.as_str().unwrap().to_owned()));
                reached = node.tip().await.0;
            }
        };
        tokio::select! {
            () = kill => {}
            () = orders => {}
        }
        node.kill();
        noting.await.unwrap();
    }
    let node = start().await;
    let acknowledged = acknowledged.lock().unwrap().clone();
    assert!(acknowledged.len() > 10, "too little happened to say anything: {}", acknowledged.len());
    for hash in &acknowledged {
        let block = node.get(&format!("/block/{hash}")).await;
        assert_eq!(block.status, 200, "block {hash} was acknowledged and is lost: {}", block.body);
    }
    until("both are on one chain again", async || {
        let (height, _) = node.tip().await;
        let below = format!("/block/{}", height.saturating_sub(3));
        (node.get(&below).await.body == other.get(&below).await.body && height >= reached).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_block_that_was_answered_201_survives_being_killed() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port().to_string();
    let start = || Program::new("pushed", folder.path()).args(&["--port", &port, "--no-mine"]).start();
    let mut pushed = Vec::new();
    for round in 0..3 {
        let node = start().await;
        let (height, _) = node.tip().await;
        assert_eq!(height, round * 4);
        let mut tip = node.block(height).await;
        for n in 0..4 {
            // One on the best chain, and a sibling on a side branch.
            let side = crate::lab::block_on(tip.header(), &format!("side {round} {n}"));
            tip = crate::lab::block_on(tip.header(), &format!("best {round} {n}"));
            for block in [&tip, &side] {
                assert_eq!(node.post("/block", crate::lab::to_json(block)).await.status, 201);
                pushed.push(block.clone());
            }
        }
        node.kill();
    }
    let node = start().await;
    for block in &pushed {
        assert_eq!(node.block(block.hash()).await, *block);
    }
    let tips = node.json("/tips").await;
    assert_eq!(tips.as_array().unwrap().len(), 13, "the best and 12 side branches");
}

#[tokio::test]
async fn a_stopped_process_catches_up_when_it_continues() {
    let folder = tempfile::tempdir().unwrap();
    let (port, other_port) = (free_port().to_string(), free_port().to_string());
    let start = |port: &str, peer: &str| {
        Program::new("frozen", folder.path()).args(&["--port", port, "--no-mine", peer]).start()
    };
    let a = start(&port, &format!("127.0.0.1:{other_port}")).await;
    let b = start(&other_port, &a.address).await;
    until("they know each other", async || {
        a.is_connected_to(&b.address).await.and(b.is_connected_to(&a.address).await)
    })
    .await;
    b.mine(2).await;
    agree(&[&a, &b], 2).await;
    b.signal("STOP");
    a.mine(20).await;
    until("the silence is noticed", async || a.error_of(&b.address).await).await;
    b.signal("CONT");
    agree(&[&a, &b], 22).await;
}

#[tokio::test]
async fn two_nodes_that_mined_apart_agree_when_one_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let (port, other_port) = (free_port().to_string(), free_port().to_string());
    let start = |port: &str, peers: &[&str]| {
        let args = [&["--port", port, "--no-mine"], peers].concat();
        Program::new("apart", folder.path()).args(&args).start()
    };
    let a = start(&port, &[]).await;
    let lost = a.mine(2).await;
    a.kill();
    let b = start(&other_port, &[]).await;
    let kept = b.mine(5).await;
    let a = start(&port, &[&b.address]).await;
    assert_eq!(agree(&[&a, &b], 5).await, kept[4]);
    assert!(a.log().contains("reorganised"), "{}", a.log());
    assert_eq!(a.json(&format!("/block/{}", lost[1])).await["index"], 2);
    // The adopted branch survives another kill.
    a.kill();
    let a = start(&port, &[]).await;
    assert_eq!(a.tip().await, (5, kept[4].clone()));
}

#[tokio::test]
async fn a_terminated_node_ends_in_order_whatever_its_clients_do() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port().to_string();
    let start = || Program::new("ended", folder.path()).args(&["--port", &port]).start();
    let node = start().await;
    until("it mines", async || (node.tip().await.0 > 2).then_some(())).await;
    let mut events = node.events().await;
    // One is idle, one in the middle of a request, one in the middle of an answer.
    let mut idle = tokio::net::TcpStream::connect(&node.address).await.unwrap();
    let mut half = tokio::net::TcpStream::connect(&node.address).await.unwrap();
    half.write_all(b"POST /block HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9").await.unwrap();
    let (height, _) = node.tip().await;
    let Ended { status, took, .. } = node.terminate().await;
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(5), "it took {took:?}");
    while events.next().await.is_some() {}
    let _ = idle.read(&mut [0; 10]).await;
    assert!(start().await.tip().await.0 >= height, "nothing is lost");
}
