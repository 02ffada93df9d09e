//! The server kit over real sockets, with a small service and hand-written requests.

mod shares;

use super::*;
use bytes::Bytes;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use shared::block::{BlockHash, Timestamp};
use shared::params::Params;
use std::net::SocketAddr;
use std::time::Duration;
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

mod front;
mod half_closed;
mod readers;
mod subscribers;

/// Far more than any step takes; a test that waits so long has failed.
const SOON: Duration = Duration::from_secs(20);

#[derive(Deserialize, Serialize, utoipa::IntoParams, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Order {
    count: u64,
}

struct Sample;

impl Service for Sample {
    fn info(&self) -> Info {
        Identity::at("sample", &Params::default(), "127.0.0.1:1", Timestamp::EPOCH).info()
    }
}

fn router() -> Router<Sample> {
    let echo = |_, request: Request| async move {
        let [word] = request.params()?;
        Ok(reply::text(word.to_owned()))
    };
    let read_query = |_, request: Request| async move { reply::json(&request.query::<Order>()?) };
    let read_body = |_, mut request: Request| async move { reply::json(&request.json::<Order>(100).await?) };
    let endless = |_, request: Request| async move {
        let chunks = stream::repeat_with(|| Ok::<_, io::Error>(Bytes::from_static(&[b'x'; 1000])));
        reply::stream(&request, "text/plain", chunks)
    };
    let routes: [Route<Sample>; 12] = [
        get("/echo/{word}", "Returns the word", echo).returns(Shape::text("text/plain")),
        get("/order", "An order as a query", read_query).query::<Order>().returns(Shape::of::<Order>()),
        post("/order", "An order as a body", read_body).body::<Order>().returns(Shape::of::<Order>()),
        post("/steer", "Needs the token", |_, _| async { Ok(reply::text("steered")) }).needs_token(),
        get("/register", "Changes something", |_, _| async { Ok(reply::text("registered")) }).changes_state(),
        get("/events", "Events", |_, request: Request| async move { reply::events(&request, stream::pending()) }),
        get("/endless", "A stream", endless),
        get("/long", "Much text", |_, _| async { Ok(reply::text("x".repeat(LONG))) }),
        get("/slow", "Takes its time", |_, _| async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            Ok(reply::text("done"))
        }),
        get("/panic", "A defect", |_, _| async { panic!("on purpose") }),
        get("/sleep", "Never returns", |_, _| std::future::pending()),
        get("/params", "Expects a parameter", |_, request: Request| async move {
            request.params::<1>().map(|[word]| reply::text(word.to_owned()))
        }),
    ];
    Router::new("sample", "Has one of each.").token("The token").group("sample", "All of them", routes)
}

struct Server {
    address: SocketAddr,
    shutdown: CancellationToken,
    ended: JoinHandle<io::Result<()>>,
}

async fn start(settings: Settings) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let ended = tokio::spawn(serve(listener, Arc::new(Sample), router(), settings, shutdown.clone()));
    Server { address, shutdown, ended }
}

impl Server {
    async fn open(&self, bytes: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes.as_bytes()).await.unwrap();
        stream
    }

    /// Sends bytes and reads until the server closes.
    async fn raw(&self, bytes: &str) -> String {
        read_all(self.open(bytes).await).await
    }

    /// Sends one request; returns the status and the whole answer.
    async fn ask(&self, line: &str, headers: &str, body: &str) -> (u16, String) {
        let host = if headers.contains("Host:") { "" } else { "Host: localhost\r\n" };
        let length = body.len();
        let answer = self
            .raw(&format!(
                "{line} HTTP/1.1\r\n{host}{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            ))
            .await;
        let status = answer.get(9..12).and_then(|status| status.parse().ok());
        (status.unwrap_or_else(|| panic!("no answer to {line}: {answer:?}")), answer)
    }
}

async fn read_all(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    timeout(SOON, stream.read_to_end(&mut answer)).await.expect("the server closes").ok();
    String::from_utf8_lossy(&answer).into_owned()
}

/// Bytes of the answer of `/long`, more than a connection buffers.
const LONG: usize = 8 << 20;

const JSON: &str = "Content-Type: application/json; charset=utf-8\r\n";

#[tokio::test]
async fn common_endpoints_answer_and_carry_the_security_headers() {
    let server = start(Settings::default()).await;
    for (line, expected) in [
        ("GET /running", "\r\n\r\nrunning"),
        ("GET /running/", "\r\n\r\nrunning"),
        ("GET /info", "\"service\":\"sample\""),
        ("GET /metrics", "text/plain"),
        ("GET /openapi.json", "\"/order\""),
        ("GET /openapi.json", "\"/running\""),
        ("GET /openapi.json", "\"openapi\":\"3.1"),
        ("GET /docs", "swagger-ui"),
        ("GET /docs/", "swagger-ui"),
        ("GET /docs/swagger-initializer.js", "/openapi.json"),
        ("GET /docs/swagger-ui.css", "text/css"),
    ] {
        let (status, answer) = server.ask(line, "", "").await;
        assert_eq!(status, 200, "{line}");
        assert!(answer.contains(expected), "{line}: no {expected} in {answer}");
        assert!(answer.contains("x-content-type-options: nosniff"), "{line}");
        assert!(answer.contains("content-security-policy: default-src 'none'"), "{line}");
    }
    let (_, page) = server.ask("GET /docs", "", "").await;
    assert!(!page.contains("<script>"), "the policy blocks inline scripts");
    assert!(!page.contains("http://") && !page.contains("https://"), "the page loads something from elsewhere");
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let server = start(Settings::default()).await;
    let (status, answer) = server.ask("HEAD /running", "", "").await;
    assert_eq!(status, 200);
    assert!(answer.contains("content-length: 7") && answer.ends_with("\r\n\r\n"), "{answer}");
}

#[tokio::test]
async fn every_refusal_is_a_problem_with_its_reason() {
    let server = start(Settings { token: Some("secret".to_owned()), ..Settings::default() }).await;
    let long = format!("{{\"count\":{}}}", "1".repeat(200));
    for (line, headers, body, status, reason) in [
        ("GET /nothing", "", "", 404, "nothing at /nothing"),
        ("DELETE /order", JSON, "", 405, "does not take DELETE"),
        ("POST /running", JSON, "", 405, "does not take POST"),
        ("OPTIONS /order", "", "", 405, "allow: GET, HEAD, POST"),
        ("GET /running", "Host: evil.example\r\n", "", 403, "evil.example"),
        ("POST /order", "Content-Type: application/json\r\nOrigin: http://evil.example\r\n", "", 403, "evil.example"),
        ("GET /register", "Origin: http://evil.example\r\n", "", 403, "evil.example"),
        ("GET /register", "Sec-Fetch-Site: cross-site\r\n", "", 403, "cross-site"),
        ("POST /order", "Content-Type: text/plain\r\n", "{\"count\":1}", 415, "text/plain"),
        ("POST /order", "", "{\"count\":1}", 415, "application/json"),
        ("POST /order", JSON, &long, 413, "100 bytes"),
        ("POST /order", JSON, "{\"count\":\"x\"}", 400, "count: expected a whole number"),
        ("POST /order", JSON, "{\"count\":1,\"more\":2}", 400, "`more`"),
        ("POST /order", JSON, "{}", 400, "`count`"),
        ("POST /order", JSON, "[1]", 400, "sequence"),
        ("POST /order", JSON, "{\"count\":1} x", 400, "after the end"),
        ("POST /order", JSON, "", 400, "ends too early"),
        ("GET /order?count=x", "", "", 400, "count: expected a whole number"),
        ("GET /order?count=1&more=2", "", "", 400, "`more`"),
        ("GET /order?count=1&count=2", "", "", 400, "`count`"),
        ("GET /echo/%ff", "", "", 400, "UTF-8"),
        ("POST /steer", JSON, "", 401, "www-authenticate: Bearer"),
        ("POST /steer", "Content-Type: application/json\r\nAuthorization: Bearer secreT\r\n", "", 401, "not the token"),
        ("POST /steer", "Content-Type: application/json\r\nAuthorization: Bearer \r\n", "", 401, "token"),
        ("GET /panic", "", "", 500, "defect"),
        ("GET /params", "", "", 500, "other parameters"),
    ] {
        let (got, answer) = server.ask(line, headers, body).await;
        assert_eq!(got, status, "{line} {headers}{body}: {answer}");
        assert!(answer.contains("application/problem+json"), "{line}: {answer}");
        assert!(answer.replace("\\\"", "\"").contains(reason), "{line} {body}: no {reason} in {answer}");
        assert!(answer.contains("nosniff"), "{line}");
    }
}

#[tokio::test]
async fn allowed_requests_reach_their_handlers() {
    let settings =
        Settings { token: Some("secret".to_owned()), hosts: vec!["classroom:8100".to_owned()], ..Settings::default() };
    let server = start(settings).await;
    for (line, headers, body, expected) in [
        ("GET /running", "Host: CLASSROOM:99\r\n", "", "running"),
        ("GET /order?count=3", "", "", "{\"count\":3}"),
        ("POST /order", JSON, "{\"count\":4}", "{\"count\":4}"),
        (
            "POST /order",
            "Content-Type: application/json\r\nOrigin: http://localhost\r\n",
            "{\"count\":5}",
            "{\"count\":5}",
        ),
        ("POST /steer", "Content-Type: application/json\r\nAuthorization: bearer secret\r\n", "", "steered"),
        ("GET /echo/a%2Fb%20c", "", "", "a/b c"),
        ("GET /register", "Sec-Fetch-Site: none\r\n", "", "registered"),
    ] {
        let (status, answer) = server.ask(line, headers, body).await;
        assert_eq!(status, 200, "{line}: {answer}");
        assert!(answer.ends_with(expected), "{line}: {answer}");
    }
}

#[tokio::test]
async fn another_network_is_refused_by_name_but_may_read_info() {
    let (ours, theirs) = (BlockHash::of("ours"), BlockHash::of("theirs"));
    let server = start(Settings { network: Some(ours), ..Settings::default() }).await;
    let header = |id: &dyn std::fmt::Display| format!("Chainlab-Network: {id}\r\n");
    let (status, answer) = server.ask("GET /echo/a", &header(&theirs), "").await;
    assert_eq!(status, 409);
    assert!(answer.contains(&ours.to_string()) && answer.contains(&theirs.to_string()), "{answer}");
    assert_eq!(server.ask("GET /info", &header(&theirs), "").await.0, 200);
    assert_eq!(server.ask("GET /echo/a", &header(&ours), "").await.0, 200);
    assert_eq!(server.ask("GET /echo/a", &header(&"x"), "").await.0, 400);
}

#[tokio::test]
async fn a_header_that_trickles_in_is_given_up() {
    let limits = Limits { header: Duration::from_millis(200), ..Limits::default() };
    let server = start(Settings { limits, ..Settings::default() }).await;
    let mut stream = server.open("GET /running HTTP/1.1\r\n").await;
    let began = Instant::now();
    let trickle = async {
        // Each byte comes sooner than the timeout, which is for the whole header.
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
            assert!(began.elapsed() < SOON, "the connection is kept for ever");
        }
    };
    timeout(SOON, trickle).await.expect("the server closes");
}

#[tokio::test]
async fn a_body_that_trickles_in_is_refused() {
    let limits = Limits { body: Duration::from_millis(200), ..Limits::default() };
    let server = start(Settings { limits, ..Settings::default() }).await;
    let head = format!("POST /order HTTP/1.1\r\nHost: localhost\r\n{JSON}Content-Length: 11\r\n\r\n{{");
    let answer = server.raw(&head).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn a_chunked_body_is_measured_as_it_arrives() {
    let server = start(Settings::default()).await;
    let chunk = format!("40\r\n{}\r\n", "1".repeat(64));
    let head = format!("POST /order HTTP/1.1\r\nHost: localhost\r\n{JSON}Transfer-Encoding: chunked\r\n\r\n");
    let answer = server.raw(&format!("{head}{chunk}{chunk}")).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn a_handler_that_takes_too_long_is_dropped() {
    let limits = Limits { request: Duration::from_millis(100), ..Limits::default() };
    let server = start(Settings { limits, ..Settings::default() }).await;
    assert_eq!(server.ask("GET /sleep", "", "").await.0, 503);
}

#[tokio::test]
async fn one_connection_too_many_is_refused_until_another_ends() {
    let limits = Limits { max_connections: 1, half_closed: Duration::from_millis(100), ..Limits::default() };
    let server = start(Settings { limits, ..Settings::default() }).await;
    let holder = server.open("GET /sleep HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let (status, answer) = server.ask("GET /running", "", "").await;
    assert_eq!(status, 503);
    assert!(answer.contains("too many connections"), "{answer}");
    drop(holder);
    timeout(SOON, async { while server.ask("GET /running", "", "").await.0 != 200 {} })
        .await
        .expect("there is room again");
}

#[tokio::test]
async fn subscribers_are_capped_and_end_at_shutdown() {
    let limits = Limits { max_subscribers: 1, ..Limits::default() };
    let server = start(Settings { limits, ..Settings::default() }).await;
    let mut subscriber = server.open("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let mut head = [0; 1024];
    let mut seen = String::new();
    while !seen.contains("\n:\n\n") {
        let count = timeout(SOON, subscriber.read(&mut head)).await.expect("an answer at once").unwrap();
        seen.push_str(std::str::from_utf8(&head[..count]).unwrap());
    }
    assert!(seen.contains("text/event-stream"), "{seen}");
    assert_eq!(server.ask("GET /events", "", "").await.0, 503);
    server.shutdown.cancel();
    let rest = read_all(subscriber).await;
    assert!(rest.ends_with("0\r\n\r\n"), "the stream ends in order: {rest:?}");
    timeout(SOON, server.ended).await.expect("the server ends").unwrap().unwrap();
}

#[tokio::test]
async fn shutdown_takes_no_longer_than_the_grace() {
    let limits = Limits { grace: Duration::from_millis(100), ..Limits::default() };
    let server = start(Settings { limits, ..Settings::default() }).await;
    let sleeper = server.open("GET /sleep HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let idle = server.open("").await;
    // Both connections are accepted before this one is answered.
    assert_eq!(server.ask("GET /running", "", "").await.0, 200);
    server.shutdown.cancel();
    timeout(SOON, server.ended).await.expect("the server ends").unwrap().unwrap();
    drop((sleeper, idle));
}

#[tokio::test]
async fn a_stream_beyond_its_deadline_does_not_look_complete() {
    let limits = Limits { stream: Duration::from_millis(200), ..Limits::default() };
    let server = start(Settings { limits, ..Settings::default() }).await;
    let answer = server.raw("GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(answer.contains("xxx") && !answer.ends_with("0\r\n\r\n"), "{} bytes", answer.len());
}

#[tokio::test]
async fn a_client_that_does_not_read_is_disconnected() {
    let limits = Limits { stall: Duration::from_millis(200), max_streams: 1, ..Limits::default() };
    let server = start(Settings { limits, ..Settings::default() }).await;
    let stalled = server.open("GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    // The only place for a stream is free again although the client keeps the connection open.
    let busy = async {
        loop {
            let mut next = server.open("GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
            let mut status = [0; 12];
            next.read_exact(&mut status).await.unwrap();
            if &status == b"HTTP/1.1 200" {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(SOON, busy).await.expect("the place is free again");
    drop(stalled);
}

#[tokio::test]
async fn a_target_that_is_no_path_is_refused_and_harms_nothing() {
    let server = start(Settings::default()).await;
    for (line, status, reason) in [
        ("CONNECT a:1", 405, "CONNECT"),
        ("CONNECT /running", 0, ""),
        ("GET a:1", 400, "path"),
        ("GET running", 400, "path"),
        ("POST order", 400, "path"),
        ("OPTIONS *", 400, "path"),
        ("GET *", 400, "path"),
        ("GET http://evil.example/running", 403, "evil.example"),
        ("GET http://evil.example", 403, "evil.example"),
        ("GET http://localhost:1/running", 200, "running"),
        ("GET ?x=1", 0, ""),
        ("GET //running", 404, "nothing"),
        ("GET /%00", 404, "nothing"),
    ] {
        let answer = server.raw(&format!("{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")).await;
        let got: u16 = answer.get(9..12).and_then(|code| code.parse().ok()).unwrap_or_default();
        assert!(got == status || (status == 0 && got < 500), "{line}: {answer:?}");
        assert!(answer.contains(reason), "{line}: no {reason} in {answer}");
        assert!(status == 0 || answer.contains("nosniff"), "{line}: {answer}");
    }
    assert_eq!(server.ask("GET /running", "", "").await.0, 200);
}

#[tokio::test]
async fn only_checks_of_the_old_protocol_go_without_a_host() {
    let server = start(Settings::default()).await;
    for (request, status) in [
        ("GET /running HTTP/1.0", "200"),
        ("HEAD /running HTTP/1.0", "200"),
        ("GET /info HTTP/1.0", "400"),
        ("GET /running HTTP/1.1\r\nConnection: close", "400"),
        ("GET /running HTTP/1.0\r\nHost: evil.example", "403"),
    ] {
        let answer = server.raw(&format!("{request}\r\n\r\n")).await;
        assert_eq!(answer.get(9..12), Some(status), "{request}: {answer}");
    }
}
