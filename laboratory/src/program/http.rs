//! The few requests that freezing a network takes: GET over plain HTTP, without a library.

use anyhow::{Context, anyhow, bail};
use serde::de::DeserializeOwned;
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

/// How long a node may take to accept a connection, and to go on with its answer.
const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(30);
/// The largest answer: a chain.
const MOST_BYTES: u64 = 1 << 30;

/// Opens a connection to `host:port`; returns it and how long that took, which is one round trip.
pub(super) fn connect(address: &str) -> anyhow::Result<(TcpStream, Duration)> {
    let mut resolved = address.to_socket_addrs().with_context(|| format!("{address}: expected host:port"))?;
    let at = resolved.next().with_context(|| format!("{address}: the name has no address"))?;
    let start = Instant::now();
    let stream =
        TcpStream::connect_timeout(&at, CONNECT).map_err(|error| failed(address, "does not answer", &error))?;
    let took = start.elapsed();
    stream.set_read_timeout(Some(ANSWER))?;
    Ok((stream, took))
}

/// A failure of a connection, as words: as an error it could be taken for one of standard output.
fn failed(address: &str, what: &str, error: &std::io::Error) -> anyhow::Error {
    anyhow!("{address} {what}: {error}")
}

/// The JSON at a path.
pub(super) fn json<T: DeserializeOwned>(address: &str, path: &str) -> anyhow::Result<T> {
    let body = get(address, path)?;
    serde_json::from_slice(&body).with_context(|| format!("http://{address}{path}: not what a node answers"))
}

fn get(address: &str, path: &str) -> anyhow::Result<Vec<u8>> {
    let (mut stream, _) = connect(address)?;
    // With HTTP/1.0 the answer is in one piece, and ends with the connection.
    let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\nAccept: application/json\r\n\r\n");
    let mut answer = Vec::new();
    let answered = stream.write_all(request.as_bytes());
    let answered = answered.and_then(|()| stream.take(MOST_BYTES).read_to_end(&mut answer));
    answered.map_err(|error| failed(address, &format!("broke off at {path}"), &error))?;
    body(answer).with_context(|| format!("http://{address}{path}"))
}

/// What follows the head of an answer whose status is 200.
fn body(mut answer: Vec<u8>) -> anyhow::Result<Vec<u8>> {
    const END: &[u8] = b"\r\n\r\n";
    let Some(end) = answer.windows(END.len()).position(|bytes| bytes == END) else { bail!("it is no HTTP answer") };
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.lines().next().unwrap_or_default();
    if status.split(' ').nth(1) != Some("200") {
        bail!("it answers {status:?}; expected a node of Chainlab");
    }
    let lengths = head.lines().filter_map(|line| line.split_once(':'));
    let length = lengths.filter(|(name, _)| name.eq_ignore_ascii_case("content-length")).map(|(_, value)| value.trim());
    let body = answer.split_off(end + END.len());
    for length in length {
        if length.parse() != Ok(body.len()) {
            bail!("the answer broke off after {} of {length} bytes", body.len());
        }
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_taken_whole_or_not_at_all() {
        let of = |text: &str| body(text.as_bytes().to_vec()).map_err(|error| error.to_string());
        assert_eq!(of("HTTP/1.0 200 OK\r\nA: b\r\n\r\n[1]").as_deref(), Ok("[1]".as_bytes()));
        assert!(of("HTTP/1.0 200 OK\r\ncontent-length: 9\r\n\r\n[1]").unwrap_err().contains("3 of 9 bytes"));
        assert!(of("HTTP/1.0 404 Not Found\r\n\r\n{}").unwrap_err().contains("404"));
        assert!(of("SSH-2.0").is_err());
    }
}
