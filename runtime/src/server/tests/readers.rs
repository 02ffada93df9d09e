//! Pages of other origins may read what is public, and nothing that needs a token.

use super::{JSON, Settings, start};

const PAGE: &str = "Origin: http://localhost:5500\r\nSec-Fetch-Site: cross-site\r\n";
const ALLOWED: &str = "access-control-allow-origin: *";

#[tokio::test]
async fn a_page_of_another_origin_may_read_but_not_write() {
    let server = start(Settings { token: Some("secret".to_owned()), ..Settings::default() }).await;
    for line in ["GET /echo/word", "GET /order?count=1", "GET /info", "GET /running", "HEAD /running"] {
        let (status, answer) = server.ask(line, PAGE, "").await;
        assert!(status == 200 && answer.contains(ALLOWED), "{line}: {answer}");
    }
    // The reason of a refusal is readable too.
    let (status, answer) = server.ask("GET /order?count=x", PAGE, "").await;
    assert!(status == 400 && answer.contains(ALLOWED), "{answer}");
    let steer = format!("{JSON}Authorization: Bearer secret\r\n");
    for (line, headers) in [
        ("POST /steer", &*steer),
        ("POST /order", &format!("{JSON}{PAGE}")),
        ("GET /register", ""),
        ("GET /metrics", PAGE),
        ("GET /docs", PAGE),
        ("OPTIONS /order", PAGE),
    ] {
        let (_, answer) = server.ask(line, headers, "{\"count\":1}").await;
        assert!(!answer.contains("access-control-"), "{line}: {answer}");
    }
}
