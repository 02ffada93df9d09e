//! The address that mined blocks pay: a configured one, or that of the node's own key file.

use crate::lab::{Asked, Lab, mining, quiet, text};
use crate::money::{address, bundle, money};
use crate::process::Program;
use crate::templates::NOT_A_POINT;
use shared::params::Params;
use std::path::{Path, PathBuf};
use testkit::{LoggedProcess, free_port};

fn program(folder: &Path, port: &str) -> Program {
    Program::new("payee", folder).set("NETWORK__LAYER", "transaction").args(&["--port", port])
}

/// The only network's folder in `folder`.
fn key_file(folder: &Path, port: &str) -> PathBuf {
    let network = std::fs::read_dir(folder.join("chaindata")).unwrap().next().unwrap().unwrap().path();
    network.join(format!("node-{port}")).join("miner.pem")
}

async fn mines_to(node: &LoggedProcess) -> String {
    text(&node.json("/info").await["mining"]["address"])
}

#[tokio::test]
async fn without_a_configured_address_a_node_always_mines_to_the_same_key() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port().to_string();
    let node = program(folder.path(), &port).start().await;
    let own = mines_to(&node).await;
    assert!(node.log().contains(&own), "it announces {own}: {}", node.log());
    let hash = node.mine(1).await.remove(0);
    assert_eq!(bundle(&node.block(hash).await).miner_address.to_string(), own);
    let file = key_file(folder.path(), &port);
    let pem = std::fs::read_to_string(&file).unwrap();
    assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----"));
    assert_eq!(shared::keys::KeyPair::from_pem(&pem, None).unwrap().address().to_string(), own);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    node.kill();
    // It also has a key if it only mines on demand.
    let node = program(folder.path(), &port).args(&["--no-mine"]).start().await;
    assert_eq!(mines_to(&node).await, own);
    node.kill();
    // A configured address wins over the key, which stays unchanged.
    let told = address("told").to_string();
    let node = program(folder.path(), &port).args(&["--miner", &told]).start().await;
    assert_eq!(mines_to(&node).await, told);
    node.kill();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), pem);
    std::fs::write(&file, "spoilt").unwrap();
    let (code, text) = program(folder.path(), &port).fail();
    assert_ne!(code, Some(0));
    assert!(text.contains("miner.pem") && text.contains("--miner") && !text.contains("panicked"), "{text}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "spoilt", "it is never overwritten");
}

#[tokio::test]
async fn a_configured_address_is_paid_and_no_key_is_made() {
    let lab = Lab::of(money("told"));
    let mut config = mining(&lab.params);
    config.node.miner = Some(address("told").to_string());
    let node = lab.start(config, &[], 0).await;
    let hash = node.mine(1).await.remove(0);
    assert_eq!(bundle(&node.block(hash).await).miner_address, address("told"));
    let port = node.address.rsplit(':').next().unwrap();
    assert!(!lab.folder(port).join("miner.pem").exists());
}

#[tokio::test]
async fn on_layer_data_blocks_pay_no_address() {
    let lab = Lab::new("nobody");
    let node = lab.start(mining(&lab.params), &[], 0).await;
    assert!(node.json("/info").await["mining"]["address"].is_null());
    let port = node.address.rsplit(':').next().unwrap();
    assert!(!lab.folder(port).join("miner.pem").exists());
}

#[tokio::test]
async fn without_room_for_a_message_blocks_have_none() {
    let lab = Lab::of(Params { max_msg_bytes: 0, ..money("mute") });
    let node = lab.start(quiet(&lab.params), &[], 0).await;
    let hash = node.mine(1).await.remove(0);
    assert_eq!(bundle(&node.block(hash).await).msg, "");
    let offer = node.json(&format!("/work?miner={}", address("outside"))).await;
    assert_eq!(offer["index"], 2);
}

#[test]
fn a_coinbase_that_every_block_would_be_refused_for_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port().to_string();
    let mistyped = address("told").to_string().replace("lab1q", "lab1p");
    for (args, parts) in [
        (["--miner", "me"], &["--miner", "\"me\"", "begins with lab1"][..]),
        (["--miner", &mistyped], &["--miner", &mistyped, "mistyped"]),
        (["--miner", NOT_A_POINT], &["--miner", NOT_A_POINT, "not a point"]),
        (["--message", &"x".repeat(257)], &["--message", "257 bytes", "256"]),
        (["--message", "two\nlines"], &["--message", "U+000A"]),
        (["--mempool", "nowhere"], &["--mempool", "nowhere", "host:port"]),
    ] {
        let (code, text) = program(folder.path(), &port).args(&args).fail();
        assert_ne!(code, Some(0), "{args:?}");
        assert!(!text.contains("panicked"), "{text}");
        for part in parts {
            assert!(text.contains(part), "no {part:?} in {text}");
        }
    }
}
