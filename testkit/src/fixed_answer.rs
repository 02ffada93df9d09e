//! A server that gives the same answer to every request, for programs that ask a service in a state that is hard to
//! reach.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The server; it stops when it is dropped.
#[derive(Debug)]
pub struct FixedAnswer {
    /// `host:port`.
    pub address: String,
    task: JoinHandle<()>,
}

impl FixedAnswer {
    /// Starts a server whose every answer has this status line, such as `200 OK`, and this JSON.
    pub async fn start(status: &str, json: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let kind = if status.starts_with('2') { "application/json" } else { "application/problem+json" };
        let head = format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n", json.len());
        let answer = format!("{head}Connection: close\r\n\r\n{json}");
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 4096];
                // The programs send their small requests in one piece.
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Self { address, task }
    }
}

impl Drop for FixedAnswer {
    fn drop(&mut self) {
        self.task.abort();
    }
}
