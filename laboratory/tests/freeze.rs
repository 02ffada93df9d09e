//! A network is frozen by what its nodes answer, runs without them, and is replayed without the files.

#![allow(clippy::unwrap_used)] // helpers of tests: this is how they fail

use serde_json::{Value, json};
use shared::block::{Block, DataHash, HeaderFields, Nonce};
use shared::chain::{Chain, Origin, Rules, SideLimits};
use shared::keys::KeyPair;
use shared::layer::TemplateRequest;
use shared::params::{LayerName, Params};
use shared::store::MemoryStore;
use shared::work::{Difficulty, search};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::thread;

fn laboratory(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_laboratory")).current_dir(folder).args(arguments).output().unwrap()
}

fn blocks(params: &Params, count: usize) -> Vec<Block> {
    let rules = Arc::new(Rules::new(params.clone()));
    let mut chain = Chain::open(rules, Arc::new(MemoryStore::default()), SideLimits::default()).unwrap();
    let miner = Some(KeyPair::from_seed("ada").address());
    let mine = |_| {
        let tip = &chain.tip().header;
        let data = chain.template(&TemplateRequest { message: "", miner, candidates: &[] }).unwrap();
        let fields = HeaderFields {
            index: tip.index.next(),
            prev_hash: tip.hash(),
            timestamp: tip.timestamp.plus_ms(1000),
            difficulty: chain.next_difficulty(),
            data_hash: DataHash::of(&data),
        };
        let nonce = search(&fields.seal(), &fields.difficulty.target(), Nonce(0), u64::MAX).unwrap();
        let block = Block::new(fields, nonce, data);
        chain.accept(block.clone(), fields.timestamp, Origin::Single).unwrap();
        block
    };
    (0..count).map(mine).collect()
}

/// Answers requests as a node does, until the test ends.
fn serve(listener: TcpListener, answer: impl Fn(&str) -> Option<Value> + Send + 'static) {
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            // A connection that is only timed sends nothing.
            let length = stream.read(&mut request).unwrap_or(0);
            let request = String::from_utf8_lossy(&request[..length]).into_owned();
            let Some(path) = request.split(' ').nth(1) else { continue };
            let text = match answer(path) {
                Some(value) => format!("HTTP/1.0 200 OK\r\n\r\n{value}"),
                None => "HTTP/1.0 404 Not Found\r\n\r\n{}".to_owned(),
            };
            let _ = stream.write_all(text.as_bytes());
        }
    });
}

/// Starts two nodes that know each other and one that is gone; returns the address of the first.
fn network(params: &Params, blocks: &[Block]) -> String {
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let addresses = listeners.each_ref().map(|listener| listener.local_addr().unwrap().to_string());
    for (number, listener) in listeners.into_iter().enumerate() {
        let miner = KeyPair::from_seed(["ada", "ben"][number]).address();
        let rate = [300, 100][number];
        let mining = json!({ "enabled": true, "address": miner, "threads": 1, "hashrate": rate });
        let info = json!({
            "service": "node", "network_id": params.network_id(), "network": params, "address": addresses[number],
            "mining": mining,
        });
        let peers = json!([
            { "address": addresses[1 - number], "tip": null, "last_seen": null, "error": null },
            { "address": "127.0.0.1:1", "tip": null, "last_seen": null, "error": "does not answer" },
        ]);
        let chain = serde_json::to_value(blocks).unwrap();
        serve(listener, move |path| match path {
            "/info" => Some(info.clone()),
            "/peers" => Some(peers.clone()),
            "/blockchain?from=1" => Some(chain.clone()),
            _ => None,
        });
    }
    addresses[0].clone()
}

#[test]
fn a_frozen_network_runs_and_is_replayed_without_the_network_and_its_files() {
    let params = Params {
        layer: LayerName::Transaction,
        block_interval_ms: 1000,
        initial_difficulty: Difficulty::clamped(400),
        ..Params::default()
    };
    let node = network(&params, &blocks(&params, 12));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let frozen = laboratory(path, &["new", "what.toml", "--from", &format!("http://{node}")]);
    assert_eq!(frozen.status.code(), Some(0), "{frozen:?}");
    let scenario = fs::read_to_string(path.join("what.toml")).unwrap();
    for part in ["nodes = 2", "links = [\"0 - 1 ", "hash_rates = [300, 100]", "block_interval_ms = 1000"] {
        assert!(scenario.contains(part), "{part}: {scenario}");
    }
    let earners = ["ada", "ben"].map(|name| format!("\"{}\"", KeyPair::from_seed(name).address())).join(", ");
    assert!(scenario.contains(&format!("earners = [{earners}]")), "{scenario}");
    // It is not written twice.
    assert_eq!(laboratory(path, &["new", "what.toml", "--from", &node]).status.code(), Some(2));

    let run = laboratory(path, &["run", "what.toml", "--out", "out", "--set", "blocks=20"]);
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    for file in ["what.toml", "what.chain.jsonl"] {
        fs::remove_file(path.join(file)).unwrap();
    }
    let rows = fs::read_to_string(path.join("out/runs.csv")).unwrap();
    let replayed = laboratory(path, &["replay", "out", "3"]);
    assert_eq!(String::from_utf8(replayed.stdout).unwrap().lines().nth(1), rows.lines().nth(4));
}

#[test]
fn what_cannot_be_frozen_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    serve(listener, |path| {
        (path == "/info")
            .then(|| json!({ "service": "tracker", "network_id": "", "network": {}, "address": "", "mining": null }))
    });
    for (from, code, complaint) in [
        ("nonsense", 2, "expected a node, as in http://127.0.0.1:8100"),
        (&*address, 2, "this is the service `tracker`, expected a node"),
        ("http://127.0.0.1:1", 1, "127.0.0.1:1 does not answer"),
    ] {
        let output = laboratory(folder.path(), &["new", "x.toml", "--from", from]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(code) && error.contains(complaint), "{error}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
