//! Wrong requests of all kinds to a mining node: it refuses each with the reason, and mines on.

use crate::lab::{Asked, DEADLINE, Lab, Node, TOKEN, mining, until};
use crate::raw::{request, send, status};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

const CLOSE: &str = "Host: localhost\r\nConnection: close\r\n";
const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";
const JSON: &str = "Content-Type: application/json\r\n";

async fn mining_node(name: &str) -> (Lab, Node) {
    let lab = Lab::new(name);
    let mut config = mining(&lab.params);
    config.http.header_timeout_ms = 500;
    config.http.body_timeout_ms = 500;
    let node = lab.start(config, &[], 0).await;
    (lab, node)
}

/// Checks that the node still answers and its chain grows.
async fn goes_on(node: &Node) {
    let (before, _) = node.tip().await;
    until("the node mines on", async || (node.tip().await.0 > before + 1).then_some(())).await;
}

#[tokio::test]
async fn every_malformed_body_is_refused_with_its_reason() {
    let (_lab, node) = mining_node("malformed").await;
    let with_token = format!("{JSON}Authorization: Bearer {TOKEN}\r\n");
    let deep = "[".repeat(60_000);
    let deep_objects = "{\"a\":".repeat(12_000);
    let paths = [
        ("/block", JSON),
        ("/sync/headers", JSON),
        ("/sync/blocks", JSON),
        ("/work", JSON),
        ("/mine", &with_token),
        ("/peers", &with_token),
        ("/sync", &with_token),
    ];
    let bodies: &[(&str, &[u8])] = &[
        ("half an object", b"{\"blocks\":"),
        ("an array", b"[]"),
        ("null", b"null"),
        ("a number", b"1"),
        ("a text", b"\"{}\""),
        ("deep arrays", deep.as_bytes()),
        ("deep objects", deep_objects.as_bytes()),
        ("invalid UTF-8", b"{\"data\":\"\xff\xfe\"}"),
        ("an unknown field", b"{\"unheard_of\":1}"),
        ("NaN", b"{\"blocks\":NaN}"),
        ("a byte order mark", b"\xef\xbb\xbf{}"),
        ("two values", b"{}{}"),
        ("a huge number", b"{\"blocks\":1e400}"),
        ("many digits", b"{\"blocks\":111111111111111111111111111111111111111111111}"),
        ("NUL bytes", b"\0\0\0\0"),
        ("a comment", b"/* */{}"),
        ("a form", b"blocks=1"),
        ("a trailing comma", b"{\"blocks\":1,}"),
    ];
    for (path, headers) in paths {
        for (what, body) in bodies {
            let answer = send(&node.address, &request(&format!("POST {path}"), headers, body)).await;
            assert_eq!(status(&answer), 400, "{what} to {path}: {answer}");
            let problem = answer.split_once("\r\n\r\n").unwrap().1;
            let problem: shared::wire::Problem = serde_json::from_str(problem).unwrap();
            assert!(!problem.detail.is_empty() && problem.detail.len() < 1000, "{what} to {path}: {problem}");
        }
    }
    for (body, reason) in [
        ("{\"blocks\":1e2}", "expected a whole number of 0 or more, got 100.0"),
        ("{\"blocks\":-0}", "got -0.0"),
        ("{\"blocks\":1.0}", "got 1.0"),
        ("{\"blocks\":null}", "null"),
        ("{\"blocks\":1,\"blocks\":2}", "duplicate field"),
        ("{\"blocks\":01}", "it is not JSON"),
        ("{\"blocks\":1,\"data\":\"\\ud800\"}", "it is not JSON"),
    ] {
        let answer = send(&node.address, &request("POST /mine", &with_token, body.as_bytes())).await;
        assert_eq!(status(&answer), 400, "{body}: {answer}");
        assert!(answer.contains(reason), "{body}: {answer}");
    }
    goes_on(&node).await;
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_before_it_is_read() {
    let (_lab, node) = mining_node("too-large").await;
    let with_token = format!("{JSON}Authorization: Bearer {TOKEN}\r\n");
    for (path, headers) in [
        ("/block", JSON),
        ("/sync/headers", JSON),
        ("/sync/blocks", JSON),
        ("/work", JSON),
        ("/mine", &*with_token),
        ("/peers", &*with_token),
        ("/sync", &*with_token),
    ] {
        for length in ["10000000", "9223372036854775807", "18446744073709551615"] {
            let head = format!("POST {path} HTTP/1.1\r\n{CLOSE}{headers}Content-Length: {length}\r\n\r\n");
            let answer = send(&node.address, head.as_bytes()).await;
            // hyper refuses lengths beyond i64.
            assert!(matches!(status(&answer), 413 | 431 | 400), "{length} to {path}: {answer}");
        }
        let head = format!("POST {path} HTTP/1.1\r\n{CLOSE}{headers}{CHUNKED}\r\n");
        let chunk = format!("8000\r\n{}\r\n", "[".repeat(0x8000));
        let answer = send(&node.address, (head + &chunk.repeat(20)).as_bytes()).await;
        // The server may reset the connection while the client still sends, and then the answer can be lost.
        assert!(answer.is_empty() || status(&answer) == 413, "chunks to {path}: {answer}");
    }
    goes_on(&node).await;
}

#[tokio::test]
async fn every_strange_request_gets_a_4xx() {
    let (_lab, node) = mining_node("strange").await;
    let long = "x".repeat(10_000);
    let many_pieces = "/a".repeat(100);
    let huge_header = format!("X-Long: {}\r\n", "x".repeat(300_000));
    let many_headers: String = (0..200).map(|n| format!("X-{n}: x\r\n")).collect();
    for (what, bytes, statuses) in [
        ("an escaped traversal", request("GET /block/..%2f..%2fetc%2fpasswd", "", b""), &[400][..]),
        ("escapes that are not UTF-8", request("GET /block/%ff%fe", "", b""), &[400]),
        ("half an escape", request("GET /block/%", "", b""), &[400]),
        ("an escaped NUL", request("GET /block/%00", "", b""), &[400]),
        ("an escaped slash", request("GET /block%2f0", "", b""), &[404]),
        ("a path of many pieces", request(&format!("GET {many_pieces}"), "", b""), &[400]),
        ("empty pieces", request("GET //block//0", "", b""), &[404]),
        ("a long name of a block", request(&format!("GET /block/{long}"), "", b""), &[400]),
        ("a long query", request(&format!("GET /headers?from={long}"), "", b""), &[400]),
        ("a long unknown query", request(&format!("GET /headers?{long}=1"), "", b""), &[400]),
        ("a query of escapes", request("GET /headers?from=%ff", "", b""), &[400]),
        ("a negative height", request("GET /headers?from=-1", "", b""), &[400]),
        ("a height with an exponent", request("GET /headers?from=1e2", "", b""), &[400]),
        ("a height beyond 64 bits", request("GET /headers?from=99999999999999999999", "", b""), &[400]),
        ("an unknown method", request("BREW /block/0", "", b""), &[405]),
        ("a large header", request("GET /block/0", &huge_header, b""), &[431]),
        ("many headers", request("GET /block/0", &many_headers, b""), &[431]),
        ("no host", b"GET /running HTTP/1.1\r\nConnection: close\r\n\r\n".to_vec(), &[400]),
        ("two hosts", request("GET /running", "Host: localhost\r\n", b""), &[400]),
        ("no HTTP at all", b"hello\r\n\r\n".to_vec(), &[400]),
        ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".to_vec(), &[400]),
        ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), &[400, 505]),
        ("a body of another type", request("POST /block", "Content-Type: text/html\r\n", b"{}"), &[415]),
        ("a body of no type", request("POST /block", "", b"{}"), &[415]),
        (
            "a negative length",
            b"POST /block HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n".to_vec(),
            &[400],
        ),
        (
            "two lengths",
            b"POST /block HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}".to_vec(),
            &[400],
        ),
        ("malformed chunks", format!("POST /block HTTP/1.1\r\n{CLOSE}{JSON}{CHUNKED}\r\nxyz\r\n").into_bytes(), &[400]),
        ("a network id of garbage", request("GET /block/0", "Chainlab-Network: \u{fffd}\r\n", b""), &[400]),
    ] {
        let answer = send(&node.address, &bytes).await;
        // Requests that are not HTTP/1.1 get no answer; a reset while the client sends may lose it, too.
        if answer.is_empty() && (what == "HTTP/2" || bytes.len() > 100_000) {
            continue;
        }
        assert!(!answer.is_empty(), "{what} gets no answer");
        let got = status(&answer);
        assert!(statuses.contains(&got), "{what}: {got}, expected {statuses:?}: {answer}");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        // An answer of hyper itself, to a request that it cannot parse, has no body.
        assert!(body.is_empty() || head.contains("application/problem+json"), "{what}: {answer}");
    }
    goes_on(&node).await;
}

#[tokio::test]
async fn slow_clients_are_disconnected_and_delay_no_others() {
    let (_lab, node) = mining_node("slow").await;
    let began = Instant::now();
    let slow_head = async || {
        let mut stream = TcpStream::connect(&node.address).await.unwrap();
        stream.write_all(b"GET /block/0 HTTP/1.1\r\n").await.unwrap();
        while stream.write_all(b"X: y\r\n").await.is_ok() {
            assert!(began.elapsed() < DEADLINE, "a header that never ends is waited for for ever");
            sleep(Duration::from_millis(100)).await;
        }
    };
    let slow_body = async || {
        let mut stream = TcpStream::connect(&node.address).await.unwrap();
        let head = format!("POST /block HTTP/1.1\r\nHost: localhost\r\n{JSON}Content-Length: 1000\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let (mut answers, mut rest) = stream.into_split();
        let trickle = tokio::spawn(async move {
            while rest.write_all(b" ").await.is_ok() {
                sleep(Duration::from_millis(100)).await;
            }
        });
        let mut answer = vec![0; 1000];
        let count = timeout(DEADLINE, answers.read(&mut answer)).await.expect("an answer").unwrap();
        assert_eq!(status(&String::from_utf8_lossy(&answer[..count])), 408);
        trickle.abort();
    };
    let silent = async || {
        let mut stream = TcpStream::connect(&node.address).await.unwrap();
        let closed = timeout(DEADLINE, stream.read_to_end(&mut Vec::new())).await;
        assert!(closed.is_ok(), "a connection that says nothing is kept for ever");
    };
    let others = async || {
        for _ in 0..20 {
            assert_eq!(node.get("/running").await.status, 200);
            sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::join!(slow_head(), slow_head(), slow_body(), slow_body(), silent(), others());
    goes_on(&node).await;
}

#[tokio::test]
async fn many_clients_that_read_nothing_do_not_stop_peers_from_syncing() {
    let mut params = crate::lab::network("crowd");
    params.max_data_bytes = 1 << 20;
    let lab = Lab::of(params);
    let mut config = crate::lab::quiet(&lab.params);
    config.http.max_streams = 4;
    let node = lab.start(config, &[], 0).await;
    // Long enough that the answer does not fit into socket buffers.
    let data = "x".repeat(1 << 20);
    node.steer("/mine", serde_json::json!({"blocks": 20, "data": data})).await.ok();
    let mut crowd = Vec::new();
    for _ in 0..4 {
        let mut stream = TcpStream::connect(&node.address).await.unwrap();
        stream.write_all(b"GET /blockchain HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        let mut first = [0; 100];
        assert!(stream.read(&mut first).await.unwrap() > 0);
        crowd.push(stream);
    }
    node.get("/blockchain").await.refused(503);
    let ask = serde_json::json!({"hashes": [lab.id()]});
    assert_eq!(node.post("/sync/blocks", ask).await.status, 200);
    let joiner = lab.node(&[&node]).await;
    crate::lab::agree(&[&node, &joiner], 20).await;
    drop(crowd);
}
