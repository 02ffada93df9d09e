//! Clients that close their sending side, and go on reading or not.

use super::{LONG, Limits, Settings, read_all, start};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test]
async fn a_client_that_has_closed_its_sending_side_is_answered() {
    let limits = Limits { half_closed: Duration::from_secs(60), ..Limits::default() };
    let server = start(Settings { limits, ..Settings::default() }).await;
    for (path, end) in [("/running", "running"), ("/slow", "done"), ("/long", "xxx")] {
        let mut client = server.open(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await;
        client.shutdown().await.unwrap();
        let answer = read_all(client).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with(end), "{path}: {} bytes", answer.len());
        assert!(path != "/long" || answer.len() > LONG, "{} bytes", answer.len());
    }
}

#[tokio::test]
async fn a_subscriber_that_has_gone_gives_its_place_back() {
    let limits = Limits { half_closed: Duration::from_millis(100), max_subscribers: 1, ..Limits::default() };
    let server = start(Settings { limits, ..Settings::default() }).await;
    let mut subscriber = server.open("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    subscriber.read_exact(&mut [0; 12]).await.unwrap();
    assert_eq!(server.ask("GET /events", "", "").await.0, 503);
    subscriber.shutdown().await.unwrap();
    assert!(!read_all(subscriber).await.ends_with("0\r\n\r\n"), "it is cut off");
    let mut next = server.open("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let mut status = [0; 12];
    next.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 200");
}
