//! Starting the program: which configurations it refuses, with which errors, and where it finds its chain again.

use crate::lab::Asked;
use crate::process::Program;
use std::path::Path;
use testkit::free_port;

/// The error of a node that does not start, which must not be a panic.
fn refusal(program: Program) -> String {
    let (code, text) = program.fail();
    assert_ne!(code, Some(0), "{text}");
    assert!(!text.trim().is_empty(), "it ended with {code:?} and without a word");
    assert!(!text.contains("panicked") && !text.contains("RUST_BACKTRACE"), "{text}");
    text
}

fn program(folder: &Path) -> Program {
    Program::new("start", folder)
}

#[test]
fn an_error_names_the_wrong_value_of_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    for (section, text) in [("file", "[node]\nprot = 1\n"), ("bounds", "[network]\nretarget_window = 1\n")] {
        std::fs::write(folder.path().join(format!("{section}.toml")), text).unwrap();
    }
    for (wrong, parts) in [
        (program(folder.path()).set("NODE__PROT", "1"), &["NODE__PROT", "node.prot"][..]),
        (program(folder.path()).set("NETWORK__BLOCK_INTERVAL_MS", "3"), &["block_interval_ms", "4 to 86400000"]),
        (program(folder.path()).set("NETWORK__NAME", "No Capitals"), &["name", "a-z"]),
        (program(folder.path()).set("NETWORK__RETARGET", "magic"), &["retarget", "lwma"]),
        (program(folder.path()).set("NODE__THREADS", "-1"), &["threads"]),
        (program(folder.path()).set("NODE__TRACKER", "nowhere"), &["tracker", "nowhere", "host:port"]),
        (program(folder.path()).args(&["--config", "file.toml"]), &["file.toml", "node.prot"]),
        (program(folder.path()).args(&["--config", "bounds.toml"]), &["bounds.toml", "retarget_window", "2 to 10000"]),
        (program(folder.path()).args(&["--config", "missing.toml"]), &["missing.toml"]),
        (program(folder.path()).args(&["--hashrate", "fast"]), &["--hashrate", "unlimited"]),
        (program(folder.path()).args(&["--layer", "cake"]), &["--layer", "cake"]),
        (program(folder.path()).args(&["--port", "65536"]), &["--port", "65536"]),
        (program(folder.path()).args(&["--advertise", "http://me"]), &["--advertise", "host:port"]),
        (program(folder.path()).args(&["not-a-peer"]), &["not-a-peer", "host:port"]),
        (program(folder.path()).args(&["--host", "192.0.2.1", "--port", "8100"]), &["192.0.2.1", "of this machine"]),
        (program(folder.path()).args(&["--no-such-flag"]), &["--no-such-flag"]),
    ] {
        let text = refusal(wrong);
        for part in parts {
            assert!(text.contains(part), "no {part:?} in {text}");
        }
    }
}

#[tokio::test]
async fn a_port_or_folder_of_another_node_is_refused_with_advice() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port().to_string();
    let first = program(folder.path()).args(&["--port", &port]).start().await;
    let text = refusal(program(folder.path()).args(&["--port", &port]));
    for part in [&*format!("port {port} is in use"), "try --port", "stop the other node"] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    // The port is free on another address of this machine, but its folder is in use.
    let text = refusal(program(folder.path()).args(&["--port", &port, "--host", "127.0.0.2"]));
    for part in ["another node uses", &*format!("node-{port}"), "another --port", "-d"] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    // With another folder it starts.
    let second =
        program(folder.path()).args(&["--port", &port, "--host", "127.0.0.2", "-d", "elsewhere"]).start().await;
    assert_eq!(second.json("/info").await["network_id"], first.json("/info").await["network_id"]);
}

#[tokio::test]
async fn without_a_port_the_first_free_one_is_used_and_a_restart_finds_its_chain() {
    let folder = tempfile::tempdir().unwrap();
    let first = free_port();
    let start = || program(folder.path()).set("NODE__PORT", &first.to_string()).set("NODE__MINE", "false").start();
    let one = start().await;
    let two = start().await;
    assert_ne!(one.address, two.address);
    let chain = one.mine(3).await;
    let at = one.address.clone();
    one.kill();
    let again = start().await;
    assert_eq!(again.address, at, "the first free port is the one that it had");
    assert_eq!(again.tip().await, (3, chain[2].clone()));
}

#[tokio::test]
async fn another_network_on_the_same_port_has_another_chain() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port().to_string();
    let start = |name: &str| Program::new(name, folder.path()).args(&["--port", &port, "--no-mine"]).start();
    let one = start("one").await;
    one.mine(2).await;
    assert_eq!(one.terminate().await.status.code(), Some(0));
    let other = start("other").await;
    assert_eq!(other.tip().await.0, 0);
    assert_eq!(other.terminate().await.status.code(), Some(0));
    assert_eq!(start("one").await.tip().await.0, 2);
}

#[test]
fn a_damaged_store_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let run = || program(folder.path()).args(&["--port", &port.to_string(), "--no-mine"]);
    runtime.block_on(async {
        let node = run().start().await;
        node.mine(1).await;
        node.terminate().await;
    });
    let network = std::fs::read_dir(folder.path().join("chaindata")).unwrap().next().unwrap().unwrap().path();
    let file = network.join(format!("node-{port}")).join("chain.redb");
    std::fs::write(&file, "not a database").unwrap();
    let text = refusal(run());
    assert!(text.contains("chain"), "{text}");
}

#[test]
fn help_and_version_exit_with_success() {
    let folder = tempfile::tempdir().unwrap();
    for (flag, code) in [("--help", Some(0)), ("--version", Some(0))] {
        let (got, text) = program(folder.path()).args(&[flag]).fail();
        assert_eq!(got, code, "{text}");
    }
}
