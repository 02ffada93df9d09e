//! Hand-written HTTP: requests that no client library would send.

use crate::lab::DEADLINE;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Sends bytes and reads until the server closes the connection, or the longest wait of a test is over.
pub(crate) async fn send(at: &str, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(at).await.unwrap();
    // A server that refuses early may close the connection before everything is sent.
    let sent = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let read = timeout(DEADLINE, stream.read_to_end(&mut answer)).await;
    assert!(read.is_ok(), "the server neither answers nor closes; it took {} bytes: {sent:?}", bytes.len());
    String::from_utf8_lossy(&answer).into_owned()
}

/// Sends a request on a new connection.
pub(crate) fn request(line: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head =
        format!("{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

/// The status of an answer.
#[track_caller]
pub(crate) fn status(answer: &str) -> u16 {
    let status = answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).and_then(|code| code.parse().ok());
    status.unwrap_or_else(|| panic!("no answer: {answer:?}"))
}
