//! A proxy between the browser and the explorer that does what bad networks and badly configured proxies do.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;

pub(crate) struct Proxy {
    /// `host:port` to open in the browser.
    pub(crate) address: String,
    /// While it is true, connections stay open, and nothing gets through.
    pub(crate) stall: watch::Sender<bool>,
}

/// What happens to the header `Host` of requests.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum HostHeader {
    Kept,
    /// Replaced by the address of the explorer, as proxies do unless they are told otherwise.
    Replaced,
}

impl Proxy {
    pub(crate) async fn to(explorer: &str, host: HostHeader) -> Self {
        let (listener, address) = testkit::listener().await;
        let (stall, is_stalled) = watch::channel(false);
        let (explorer, address) = (explorer.to_owned(), address.to_string());
        let replaced = (host == HostHeader::Replaced).then(|| (address.clone(), explorer.clone()));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (explorer, replaced, is_stalled) = (explorer.clone(), replaced.clone(), is_stalled.clone());
                tokio::spawn(async move {
                    let (from_server, to_server) = TcpStream::connect(explorer).await?.into_split();
                    let (from_client, to_client) = client.into_split();
                    let up = pass(from_client, to_server, is_stalled.clone(), replaced);
                    tokio::join!(up, pass(from_server, to_client, is_stalled, None));
                    Ok::<_, std::io::Error>(())
                });
            }
        });
        Self { address, stall }
    }
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut is_stalled: watch::Receiver<bool>,
    replaced: Option<(String, String)>,
) {
    let mut bytes = vec![0; 64 << 10];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        let mut sent = bytes[..count].to_vec();
        // The headers of a request come in one piece.
        if let (Some((from, to)), Ok(text)) = (&replaced, std::str::from_utf8(&sent)) {
            sent = text.replacen(&format!("Host: {from}\r\n"), &format!("Host: {to}\r\n"), 1).into_bytes();
        }
        let _ = is_stalled.wait_for(|is_stalled| !is_stalled).await;
        if to.write_all(&sent).await.is_err() {
            return;
        }
    }
}
