//! What one source may take of the pools that all share, and how long a slow reader may keep its part.

use super::*;
use tokio::net::TcpSocket;

/// Connects from `from`, an address of this machine, and sends bytes.
async fn open_from(server: &Server, from: &str, bytes: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(from.parse().unwrap(), 0)).unwrap();
    let mut stream = socket.connect(server.address).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    stream
}

fn get_line(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

/// The status of an answer whose body is not read.
async fn status(stream: &mut TcpStream) -> u16 {
    let mut line = [0; 12];
    timeout(SOON, stream.read_exact(&mut line)).await.expect("an answer").unwrap();
    std::str::from_utf8(&line[9..]).unwrap().parse().unwrap()
}

/// Asks for `path` again and again, and keeps all answers open, until one is refused.
async fn take_all(server: &Server, from: &str, path: &str) -> Vec<TcpStream> {
    let mut taken = Vec::new();
    loop {
        let mut stream = open_from(server, from, &get_line(path)).await;
        match status(&mut stream).await {
            200 => taken.push(stream),
            503 => return taken,
            other => panic!("{other} for {path}"),
        }
        assert!(taken.len() < 100, "one source takes all of {path}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn one_source_cannot_take_every_place() {
    let limits = Limits { max_subscribers: 4, max_streams: 4, max_answer_bytes: 4 * LONG, ..Limits::default() };
    let server = start(Settings { limits, ..Settings::default() }).await;
    for path in ["/events", "/endless", "/long"] {
        let taken = take_all(&server, "127.0.0.1", path).await;
        assert_eq!(taken.len(), 3, "three quarters of {path} for a source on this machine");
        let mut other = open_from(&server, "127.0.0.2", &get_line(path)).await;
        assert_eq!(status(&mut other).await, 200, "{path} has a place for another source");
        let mut third = open_from(&server, "127.0.0.3", &get_line(path)).await;
        assert_eq!(status(&mut third).await, 503, "{path} has no more than it has");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn bodies_that_drip_from_one_source_leave_connections_to_others() {
    let limits = Limits { max_connections: 8, ..Limits::default() };
    let server = start(Settings { limits, ..Settings::default() }).await;
    let head = format!("POST /order HTTP/1.1\r\nHost: localhost\r\n{JSON}Content-Length: 11\r\n\r\n{{");
    let mut dripping = Vec::new();
    for _ in 0..8 {
        dripping.push(open_from(&server, "127.0.0.1", &head).await);
    }
    let refused = open_from(&server, "127.0.0.1", &get_line("/running")).await;
    let answer = read_all(refused).await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("Retry-After: 1"), "{answer}");
    let mut other = open_from(&server, "127.0.0.2", &get_line("/running")).await;
    assert_eq!(status(&mut other).await, 200);
}

#[tokio::test]
async fn long_answers_wait_for_their_bytes_and_are_then_complete() {
    let limits = Limits { max_answer_bytes: 2 * LONG, ..Limits::default() };
    let server = start(Settings { limits, ..Settings::default() }).await;
    let slow = take_all(&server, "127.0.0.1", "/long").await;
    assert_eq!(slow.len(), 1);
    let (status, answer) = server.ask("GET /long", "", "").await;
    assert!(status == 503 && answer.contains("retry-after: 1"), "{answer}");
    assert_eq!(server.ask("GET /running", "", "").await.0, 200, "short answers need no room");
    let waiting = server.ask("GET /long", "", "");
    let ((status, answer), ()) = tokio::join!(waiting, async { drop(slow) });
    assert_eq!(status, 200);
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(body.len() == LONG && body.bytes().all(|c| c == b'x'), "{} bytes", body.len());
}

#[tokio::test]
async fn the_memory_of_many_slow_readers_is_bounded() {
    let limits = Limits { max_answer_bytes: 8 * LONG, ..Limits::default() };
    let server = start(Settings { limits, ..Settings::default() }).await;
    let mut readers: Vec<_> = Vec::new();
    for _ in 0..60 {
        readers.push(server.open(&get_line("/long")).await);
    }
    let mut served = 0;
    for reader in &mut readers {
        served += usize::from(status(reader).await == 200);
    }
    assert!((1..=6).contains(&served), "{served} of 60 answers are sent at a time, 6 fit into the bytes of one source");
}
