//! The client against hand-written servers that answer badly, and against the server kit.

use super::*;
use crate::server::ServerEvent;
use crate::server::{self, Identity, Request, Router, Service, get, post, reply};
use futures_util::{StreamExt, stream};
use shared::block::{Block, DataHash, HeaderFields, Height, Nonce, Timestamp};
use shared::params::Params;
use shared::sync::PeerAddress;
use shared::wire::{BlocksRequest, MineRequest, NodeEvent, PeerChange, PeerEvent, Problem};
use shared::work::Difficulty;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Answers every connection with the same bytes and keeps it open; returns the address and all that was requested.
async fn answering(answer: impl Into<Vec<u8>>) -> (String, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (answer, asked) = (answer.into(), Arc::new(Mutex::new(String::new())));
    let heard = asked.clone();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let count = stream.read(&mut request).await.unwrap_or(0);
            heard.lock().unwrap().push_str(&String::from_utf8_lossy(&request[..count]));
            let _ = stream.write_all(&answer).await;
            open.push(stream);
        }
    });
    (address, asked)
}

fn json(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn client() -> Client {
    Client::new(None, None).unwrap()
}

#[tokio::test]
async fn an_oversized_answer_is_given_up_whether_it_is_announced_or_not() {
    let (announced, _) = answering("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n").await;
    let endless =
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{}", "8\r\n11111111\r\n".repeat(20_000));
    let (unannounced, _) = answering(endless).await;
    for address in [announced, unannounced] {
        let error = client().chain_length(&address).await.unwrap_err();
        assert_eq!(error, Error::Oversized { limit: 64 * 1024 });
    }
}

#[tokio::test]
async fn a_slow_answer_is_another_error_than_an_unreachable_server() {
    let within = Bounds { time: Duration::from_millis(200), bytes: 100 };
    for begun in ["", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12"] {
        let (address, _) = answering(begun).await;
        assert_eq!(client().get::<u64>(&address, "/chainlength", within).await, Err(Error::Slow), "{begun}");
    }
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
    let error = client().chain_length(&closed).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (target, asked_there) = answering(json("5")).await;
    let (address, _) =
        answering(format!("HTTP/1.1 302 Found\r\nLocation: http://{target}/chainlength\r\nContent-Length: 0\r\n\r\n"))
            .await;
    let error = client().chain_length(&address).await.unwrap_err();
    assert!(matches!(&error, Error::Malformed(reason) if reason.contains("302")), "{error:?}");
    assert_eq!(*asked_there.lock().unwrap(), "");
}

#[tokio::test]
async fn a_malformed_answer_or_address_is_an_error() {
    for answer in [json("five"), json("5 5"), json("-5"), json(""), "SSH-2.0-OpenSSH\r\n\r\n".to_owned()] {
        let (address, _) = answering(answer.clone()).await;
        let error = client().chain_length(&address).await.unwrap_err();
        assert!(matches!(error, Error::Malformed(_)), "{answer}: {error:?}");
    }
    for address in ["", "nowhere", "a:80/path", "user@a:80", "a:80?x="] {
        let error = client().chain_length(address).await.unwrap_err();
        assert!(matches!(error, Error::Malformed(_)), "{address}: {error:?}");
    }
}

#[tokio::test]
async fn a_refusal_keeps_its_status_and_reason() {
    let problem = Problem::new(200, "No", "because").with_rule("some-rule");
    let body = serde_json::to_string(&problem).unwrap();
    let (address, _) = answering(json(&body).replace("200 OK", "422 Unprocessable Entity")).await;
    let Err(Error::Refused(refusal)) = client().chain_length(&address).await else { panic!("a refusal") };
    assert_eq!(*refusal, Problem { status: 422, ..problem }, "the status line is believed");
    let (address, _) = answering(json("<h1>").replace("200 OK", "502 Bad Gateway")).await;
    assert_eq!(client().chain_length(&address).await.unwrap_err().status(), Some(502));
}

#[tokio::test]
async fn every_request_names_its_sender_and_network() {
    let (address, asked) = answering(json("5")).await;
    let id = BlockHash::of("network");
    let client = Client::new(Some(id), Some("127.0.0.1:8100")).unwrap();
    assert_eq!(client.chain_length(&address).await, Ok(5));
    let asked = asked.lock().unwrap().to_ascii_lowercase();
    assert!(asked.starts_with("get /chainlength http/1.1\r\n"), "{asked}");
    assert!(asked.contains(&format!("chainlab-network: {id}\r\n")), "{asked}");
    assert!(asked.contains("chainlab-node: 127.0.0.1:8100\r\n"), "{asked}");
}

fn block(data: &str) -> Block {
    let fields = HeaderFields {
        index: Height(1),
        prev_hash: BlockHash::ZERO,
        timestamp: Timestamp::EPOCH,
        difficulty: Difficulty::MIN,
        data_hash: DataHash::of(""),
    };
    Block::new(fields, Nonce(0), data.to_owned())
}

#[tokio::test]
async fn blocks_come_one_a_line_and_fit_their_hash() {
    let blocks = [block("a"), block("b\nb")];
    let lines: Vec<String> = blocks.iter().map(|block| serde_json::to_string(block).unwrap()).collect();
    let ask = BlocksRequest { hashes: blocks.iter().map(Block::hash).collect() };
    let (honest, _) = answering(json(&(lines.join("\n") + "\n"))).await;
    assert_eq!(client().blocks(&honest, &ask, 1000).await.unwrap(), blocks);
    let (liar, _) = answering(json(&lines.join("\n").replace("\"data\":\"a\"", "\"data\":\"x\""))).await;
    let error = client().blocks(&liar, &ask, 1000).await.unwrap_err();
    assert!(matches!(&error, Error::Malformed(reason) if reason.contains("hash")), "{error:?}");
}

/// A service on the server kit, to see that kit and client understand each other.
struct Sample;

impl Service for Sample {
    fn info(&self) -> Info {
        Identity::at("node", &Params::default(), "127.0.0.1:1", Timestamp::EPOCH).info()
    }
}

fn router() -> Router<Sample> {
    let events = |_, request: Request| async move {
        reply::events(&request, stream::iter([ServerEvent::try_from(&lost()).unwrap()]))
    };
    let mine = |_, _| async { reply::json(&serde_json::json!({"hashes": []})) };
    let routes = [get("/events", "Two events", events), post("/mine", "Mines nothing", mine).needs_token()];
    Router::new("sample", "").group("sample", "", routes)
}

fn lost() -> NodeEvent {
    NodeEvent::Peer(PeerEvent { address: "127.0.0.1:8101".to_owned(), change: PeerChange::Lost, reason: None })
}

#[tokio::test]
async fn kit_and_client_understand_each_other() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let socket = listener.local_addr().unwrap();
    let settings = server::Settings { token: Some("secret".to_owned()), ..server::Settings::default() };
    let stop = CancellationToken::new();
    let running = tokio::spawn(server::serve(listener, Arc::new(Sample), router(), settings, stop.clone()));
    let (client, address) = (client(), socket.to_string());

    assert_eq!(client.info(&address).await.unwrap().service, "node");
    assert_eq!(client.info(&format!("localhost:{}", socket.port())).await.unwrap().service, "node");
    assert_eq!(client.info_at(socket).await.unwrap().service, "node");
    let events: Vec<_> = client.events(&address).await.unwrap().collect().await;
    assert_eq!(events, [Ok(lost())]);
    let request = MineRequest { blocks: 1, data: None };
    assert!(client.mine(&address, "secret", &request).await.unwrap().hashes.is_empty());
    assert_eq!(client.mine(&address, "guess", &request).await.unwrap_err().status(), Some(401));
    assert_eq!(client.tips(&address).await.unwrap_err().status(), Some(404));
    stop.cancel();
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_peer_cannot_make_a_node_call_its_own_machine_by_a_name() {
    let (address, asked) = answering(json("5")).await;
    let (_, port) = address.rsplit_once(':').unwrap();
    let (trusted, named) = (TrustedHosts::default(), format!("evil.localhost:{port}"));
    let client = Client::for_peers(None, None, trusted.clone()).unwrap();
    let error = client.chain_length(&named).await.unwrap_err();
    assert!(matches!(&error, Error::Unreachable(reason) if reason.contains("may not name")), "{error:?}");
    assert_eq!(*asked.lock().unwrap(), "", "nothing was sent");
    trusted.add(&[PeerAddress::new(&named).unwrap()]);
    let answer = client.chain_length(&named).await;
    // Where the service listens on IPv4 only, an IPv6 address of the same name is tried first.
    assert_eq!(answer, Ok(5));
}
