//! The disk under a node does what it should not: it changes a bit, loses the chain, or has it taken away.

use crate::lab::{Asked, until};
use crate::process::Program;
use serde_json::json;
use std::path::{Path, PathBuf};
use testkit::{LoggedProcess, free_port};

/// Text that is in one block only, to be found in the file.
const NEEDLE: &str = "the text that a cosmic ray will hit";

fn program(folder: &Path, port: u16) -> Program {
    Program::new("disk", folder).args(&["--port", &port.to_string(), "--no-mine"])
}

/// The chain's file of the node at `port`.
fn chain_file(folder: &Path, port: u16) -> PathBuf {
    let network = std::fs::read_dir(folder.join("chaindata")).unwrap().next().unwrap().unwrap().path();
    network.join(format!("node-{port}")).join("chain.redb")
}

/// A node with the blocks 1 to 3, of which 2 has the needle.
async fn with_needle(folder: &Path, port: u16) -> LoggedProcess {
    let node = program(folder, port).start().await;
    node.mine(1).await;
    node.steer("/mine", json!({"blocks": 1, "data": NEEDLE})).await.ok();
    node.mine(1).await;
    node
}

/// Changes one bit of the needle wherever it is in the file.
fn hit(file: &Path) {
    let mut bytes = std::fs::read(file).unwrap();
    let length = NEEDLE.len();
    let places: Vec<_> =
        (0..bytes.len() - length).filter(|at| &bytes[*at..*at + length] == NEEDLE.as_bytes()).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at + 4] ^= 1;
    }
    std::fs::write(file, bytes).unwrap();
}

async fn health(node: &impl Asked) -> serde_json::Value {
    node.json("/info").await["health"].clone()
}

#[tokio::test]
async fn a_block_with_a_flipped_bit_is_never_served_and_fetched_again_from_a_peer() {
    let folder = tempfile::tempdir().unwrap();
    let (port, other_port) = (free_port(), free_port());
    let node = with_needle(folder.path(), port).await;
    let whole = node.block(2).await;
    let other = program(folder.path(), other_port).args(&[&node.address]).start().await;
    until("the other has the chain", async || (other.tip().await.0 == 3).then_some(())).await;
    node.terminate().await;
    let file = chain_file(folder.path(), port);
    hit(&file);

    // Alone, it has nowhere to fetch the block from.
    let node = program(folder.path(), port).start().await;
    for path in ["/block/2", &format!("/block/{}", whole.hash()), "/block?index=2"] {
        let refused = node.get(path).await;
        assert!(refused.headers.contains_key("retry-after"));
        let detail = refused.refused(503).detail;
        assert!(detail.contains("damaged") && detail.contains("other nodes"), "{detail}");
    }
    assert!(node.try_get("/blockchain").await.is_none(), "the answer breaks off");
    assert_eq!(node.block(1).await.index().0, 1, "whole blocks are served");
    let log = node.log();
    let lines: Vec<_> = log.lines().filter(|line| line.contains("has changed a stored block")).collect();
    assert_eq!(lines.len(), 1, "{log}");
    assert!(lines[0].contains("chain.redb") && lines[0].contains("copy") && lines[0].contains("height=2"), "{log}");

    node.peers(json!({"add": [other.address]})).await;
    until("the block is whole again", async || node.try_get("/block/2").await).await;
    assert_eq!(node.block(2).await, whole);
    assert!(node.log().contains("whole again"), "{}", node.log());
    node.terminate().await;
    assert_eq!(program(folder.path(), port).start().await.block(2).await, whole, "it is whole on disk");
}

#[tokio::test]
async fn a_lost_or_shortened_chain_is_refused_by_name_and_not_begun_again() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    with_needle(folder.path(), port).await.terminate().await;
    let file = chain_file(folder.path(), port);
    let (whole, path) = (std::fs::read(&file).unwrap(), file.display().to_string());
    for (what, bytes) in [("missing", None), ("empty", Some(0)), ("half", Some(whole.len() / 2)), ("a byte", Some(1))] {
        match bytes {
            Some(length) => std::fs::write(&file, &whole[..length]).unwrap(),
            None => std::fs::remove_file(&file).unwrap(),
        }
        let (code, text) = program(folder.path(), port).fail();
        assert_ne!(code, Some(0));
        let name = path.split("chaindata").nth(1).unwrap();
        assert!(text.contains(name) && text.contains(".used") && text.contains("copy"), "{what}: {text}");
        assert!(!text.contains("panicked"), "{what}: {text}");
    }
    std::fs::write(&file, whole).unwrap();
    assert_eq!(program(folder.path(), port).start().await.tip().await.0, 3);
}

#[tokio::test]
async fn a_chain_that_is_moved_away_stops_mining_until_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let node = Program::new("disk", folder.path()).args(&["--port", &port.to_string()]).start().await;
    until("it mines", async || (node.tip().await.0 > 0).then_some(())).await;
    let file = chain_file(folder.path(), port);
    let away = folder.path().join("away");
    std::fs::rename(&file, &away).unwrap();
    until("it says so", async || (health(&node).await == json!(["alone", "cannot-store"])).then_some(())).await;
    for answer in [node.steer("/mine", json!({"blocks": 1})).await, node.get("/work").await] {
        assert!(answer.headers.contains_key("retry-after"));
        assert!(answer.refused(503).detail.contains("cannot store"), "{}", answer.body);
    }
    until("it does not mine", async || (node.json("/info").await["mining"]["hashrate"] == 0).then_some(())).await;
    let (height, log) = (node.tip().await.0, node.log());
    assert_eq!(node.block(height).await.index().0, height, "what is there can be read");
    let lines: Vec<_> = log.lines().filter(|line| line.contains("nothing can be stored")).collect();
    assert!(lines.len() == 1 && lines[0].contains("chain.redb") && lines[0].contains("was deleted or moved"), "{log}");

    std::fs::rename(&away, &file).unwrap();
    until("it mines again", async || (node.tip().await.0 > height).then_some(())).await;
    assert_eq!(health(&node).await, json!(["alone"]));
    let height = node.tip().await.0;
    node.terminate().await;
    let node = program(folder.path(), port).start().await;
    assert!(node.tip().await.0 >= height, "all of it was kept");
}
