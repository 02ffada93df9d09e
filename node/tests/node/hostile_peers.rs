//! Lying peers, which claim a better chain and never deliver one. The node follows its honest peer and lists why the
//! others are refused.

use crate::lab::{Asked, Lab, Node, agree, fields_on, seal, until};
use serde_json::{Value, json};
use shared::block::{Block, BlockHash, COMPACT_TYPE, Header, Nonce};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A liar's answer to requests for headers or blocks.
#[derive(Clone)]
pub(crate) enum Lie {
    /// No answer on an open connection.
    Silence,
    /// A body that never ends.
    Endless,
    /// Bytes that are not HTTP.
    Garbage,
    /// HTTP that is not JSON.
    NotJson,
    /// Not the compact form that it says it is.
    NotCompact,
    /// A redirect.
    Redirect,
    /// These headers, and these blocks.
    Chain(Vec<Header>, Vec<Block>),
    /// These headers, and no answer to requests for their blocks.
    Withholds(Vec<Header>),
}

/// A node that claims an impossible amount of work.
pub(crate) struct Liar {
    pub(crate) address: String,
    task: JoinHandle<()>,
}

impl Drop for Liar {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Liar {
    pub(crate) async fn start(lab: &Lab, lie: Lie) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap().to_string();
        let tip = match &lie {
            Lie::Chain(headers, _) | Lie::Withholds(headers) if !headers.is_empty() => {
                headers[headers.len() - 1].hash()
            }
            _ => BlockHash::of(&at),
        };
        let info = json!({
            "service": "node", "version": "9", "network_id": lab.id(), "network": lab.params, "address": at,
            "started": "2026-01-01T00:00:00.000Z", "peers": 1,
            "tip": {
                "index": 1_000_000, "hash": tip, "timestamp": "2026-01-02T00:00:00.000Z",
                "work": "99999999999999999999",
            },
        });
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, info.clone(), lie.clone()));
            }
        });
        Self { address: at, task }
    }
}

/// Answers requests until the connection breaks.
async fn serve(mut stream: TcpStream, info: Value, lie: Lie) {
    while let Some((line, body)) = read_request(&mut stream).await {
        let done = match line.split(' ').nth(1).unwrap_or_default() {
            "/info" => reply(&mut stream, &info.to_string()).await,
            "/peers" => reply(&mut stream, "[]").await,
            "/sync/headers" | "/sync/blocks" => tell(&mut stream, &line, &body, &lie).await,
            "/announce" => reply(&mut stream, &json!({"interest": "known"}).to_string()).await,
            _ => reply(&mut stream, &json!({"status": "known", "hash": "0".repeat(64)}).to_string()).await,
        };
        if done.is_none() {
            return;
        }
    }
}

async fn tell(stream: &mut TcpStream, line: &str, body: &[u8], lie: &Lie) -> Option<()> {
    match lie {
        Lie::Silence => std::future::pending().await,
        Lie::Chain(headers, _) | Lie::Withholds(headers) if line.contains("/sync/headers") => {
            let last = headers.last().map(|last| last.hash().to_string()).unwrap_or_default();
            let has_all = String::from_utf8_lossy(body).contains(&last);
            let rest = &headers[if has_all { headers.len() } else { 0 }..];
            reply(stream, &serde_json::to_string(rest).unwrap()).await
        }
        Lie::Withholds(_) => std::future::pending().await,
        Lie::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await.ok()?;
            let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
            loop {
                stream.write_all(chunk.as_bytes()).await.ok()?;
            }
        }
        Lie::Garbage => {
            stream.write_all(b"\x00\x01\x02 anything but HTTP \xff\xfe\r\n\r\n").await.ok()?;
            None
        }
        Lie::NotJson => reply(stream, "<html>welcome</html>").await,
        Lie::NotCompact => reply_in(stream, COMPACT_TYPE, "not ninety-six bytes").await,
        Lie::Redirect => {
            let head = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(head.as_bytes()).await.ok()
        }
        Lie::Chain(_, blocks) => {
            let lines: String = blocks.iter().map(|block| crate::lab::to_json(block) + "\n").collect();
            reply(stream, &lines).await
        }
    }
}

async fn reply(stream: &mut TcpStream, body: &str) -> Option<()> {
    reply_in(stream, "application/json", body).await
}

async fn reply_in(stream: &mut TcpStream, media_type: &str, body: &str) -> Option<()> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all((head + body).as_bytes()).await.ok()
}

/// The request line and the body.
async fn read_request(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next()?.parse().ok());
    let mut body = bytes.split_off(end);
    while body.len() < length.unwrap_or(0) {
        stream.read_buf(&mut body).await.ok()?;
    }
    Some((head.lines().next()?.to_owned(), body))
}

/// Checks that the node and its honest peer still follow each other.
async fn keeps_in_step(node: &Node, honest: &Node) {
    let theirs = honest.mine(2).await;
    agree(&[node, honest], 2).await;
    assert_eq!(node.tip().await.1, theirs[1]);
    let ours = node.mine(1).await;
    agree(&[node, honest], 3).await;
    assert_eq!(honest.tip().await.1, ours[0]);
}

#[tokio::test]
async fn a_node_among_liars_follows_its_honest_peer_and_lists_who_lied() {
    let lab = Lab::new("liars");
    let honest = lab.node(&[]).await;
    let genesis = lab.params.genesis();
    let easy = seal(fields_on(genesis.header(), 1, "easy"), "easy");
    let no_work = {
        let fields = fields_on(genesis.header(), 1000, "no work");
        let mut tried = (0..).map(|nonce| Header::new(fields, Nonce(nonce)));
        tried.find(|header| !fields.difficulty.target().is_met_by(&header.hash())).unwrap()
    };
    let afloat = seal(fields_on(easy.header(), 1000, "afloat"), "afloat");
    let one = seal(fields_on(genesis.header(), 1000, "one"), "one");
    let mut heavy = vec![one.clone()];
    // More work than the honest chain will have, and real.
    while heavy.len() < 20 {
        let parent = heavy[heavy.len() - 1].header().clone();
        heavy.push(seal(fields_on(&parent, 1000, "heavy"), "heavy"));
    }
    let headers: Vec<_> = heavy.iter().map(|block| block.header().clone()).collect();
    let mut skipping = headers.clone();
    skipping.remove(10);
    let mut listed = Vec::new();
    for (lie, reason) in [
        (Lie::Endless, "larger than"),
        (Lie::Garbage, "malformed"),
        (Lie::NotJson, "malformed"),
        (Lie::NotCompact, "compact form"),
        (Lie::Redirect, "302"),
        (Lie::Chain(vec![easy.header().clone()], vec![]), "breaks rule difficulty"),
        (Lie::Chain(vec![no_work], vec![]), "breaks rule proof-of-work"),
        (Lie::Chain(vec![afloat.header().clone()], vec![]), "do not follow any block"),
        (Lie::Chain(skipping, vec![]), "breaks rule parent"),
        (Lie::Chain(headers.clone(), vec![easy]), "other blocks than were requested"),
    ] {
        listed.push((Liar::start(&lab, lie).await, reason));
    }
    // A peer that withholds the blocks of its headers breaks no rule, but must not delay others.
    let withholding = Liar::start(&lab, Lie::Chain(headers, vec![])).await;
    let empty = Liar::start(&lab, Lie::Chain(vec![], vec![])).await;
    let mut peers: Vec<_> = listed.iter().map(|(liar, _)| liar.address.as_str()).collect();
    peers.extend([honest.address.as_str(), &withholding.address, &empty.address]);
    let node = lab.start(crate::lab::quiet(&lab.params), &peers, 0).await;
    for (liar, reason) in &listed {
        let error = until(&format!("a liar is listed with {reason:?}"), async || {
            node.error_of(&liar.address).await.filter(|error| error.contains("left alone"))
        })
        .await;
        assert!(error.contains(reason), "no {reason:?} in {error:?}");
    }
    honest.peers(json!({"add": [node.address]})).await;
    until("the honest are connected", async || {
        node.is_connected_to(&honest.address).await.and(honest.is_connected_to(&node.address).await)
    })
    .await;
    keeps_in_step(&node, &honest).await;
    assert_eq!(node.get(&format!("/block/{}", one.hash())).await.status, 404, "nothing of a lie is stored");
}

#[tokio::test]
async fn a_peer_that_never_answers_is_given_up_and_delays_no_block() {
    let lab = Lab::new("silence");
    let honest = lab.node(&[]).await;
    let silent = Liar::start(&lab, Lie::Silence).await;
    let node = lab.start(crate::lab::quiet(&lab.params), &[&silent.address, &honest.address], 0).await;
    honest.peers(json!({"add": [node.address]})).await;
    until("all are connected", async || {
        node.is_connected_to(&silent.address).await.and(honest.is_connected_to(&node.address).await)
    })
    .await;
    keeps_in_step(&node, &honest).await;
    let error = until("the silent one is given up", async || node.error_of(&silent.address).await).await;
    assert!(error.contains("too slow"), "{error}");
}

#[tokio::test]
async fn a_peer_that_never_sends_its_info_is_unreachable() {
    let lab = Lab::new("mute");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mute = listener.local_addr().unwrap().to_string();
    let node = lab.start(crate::lab::quiet(&lab.params), &[&mute], 0).await;
    let error = until("the mute one is noticed", async || {
        node.error_of(&mute).await.filter(|error| !error.contains("not asked yet"))
    })
    .await;
    assert!(error.contains("no answer in time"), "{error}");
    assert_eq!(node.mine(1).await.len(), 1);
}
