//! `user mine`: makes a node mine blocks now.
//!
//! Steering a node needs its token. A node keeps its token in its data folder. The token is read from there only if the
//! node's address is on this machine, so that it is never sent to another one.

use crate::console::{Console, Output, Style};
use crate::services::{Context, RemoteService};
use crate::{Error, keys};
use runtime::data_dir;
use runtime::dns::Resolver;
use serde::Serialize;
use shared::block::BlockHash;
use shared::config::Config;
use shared::sync::PeerAddress;
use shared::wire::MineRequest;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Longest wait for the mempool to have the new blocks.
const MAX_WAIT: Duration = Duration::from_secs(3);
/// Time between two requests to the mempool.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Make a node mine blocks now
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// How many blocks, 1 to 1000
    #[arg(value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1000))]
    blocks: u64,
    /// The node, host:port [default: one that the tracker lists]
    #[arg(long, value_name = "HOST:PORT")]
    node: Option<PeerAddress>,
    /// The node's token
    #[arg(long)]
    token: Option<String>,
    /// File with the node's token [default: the one in the data folder, for a node on this machine]
    #[arg(long, value_name = "FILE", conflicts_with = "token")]
    token_file: Option<PathBuf>,
    /// The node's data folder [default: chaindata]
    #[arg(short, long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// Text to put into the blocks; only on networks of the layer data
    #[arg(long)]
    data: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  user mine 3                      in the folder that the node was started in
  user mine 1 --node 127.0.0.1:8101 -d /var/lib/chainlab/chaindata";

#[derive(Debug, Serialize)]
struct MinedBlocks {
    node: String,
    hashes: Vec<BlockHash>,
}

impl Output for MinedBlocks {
    fn text(&self, style: Style) -> String {
        let hashes: Vec<_> = self.hashes.iter().map(|hash| style.strong(hash)).collect();
        hashes.join("\n")
    }
}

/// # Errors
/// Fails if there is no node or no token, or if the node refuses.
pub async fn run(args: Args, context: &Context, console: &mut Console) -> Result<(), Error> {
    let Args { blocks, node, token, token_file, data_dir, data } = args;
    let node = context.node(node.as_ref()).await?;
    let (address, token) = match (token, token_file) {
        (Some(token), _) => (node.address.clone(), token),
        (None, Some(file)) => (node.address.clone(), keys::read_secret(&file, console)?.trim_end().to_owned()),
        (None, None) => find_token(&node, &context.config, data_dir.as_deref(), console).await?,
    };
    let mined = node.client.mine(&address, &token, &MineRequest { blocks, data }).await;
    let hashes = mined.map_err(node.request_error("mine"))?.hashes;
    console.print(&MinedBlocks { node: node.address.clone(), hashes })?;
    wait_for_mempool(context, &node, &address).await;
    Ok(())
}

/// Waits until the mempool has the node's blocks, so that the next command finds what they contain; at most
/// [`MAX_WAIT`], since the blocks are mined whatever the mempool does.
async fn wait_for_mempool(context: &Context, node: &RemoteService, address: &str) {
    if !node.params.layer.has_money() {
        return;
    }
    let follows = async {
        let mined = node.client.info(address).await.ok()?.tip?.work;
        let mempool = context.mempool().await.ok().filter(|mempool| mempool.network_id == node.network_id)?;
        while mempool.client.info(&mempool.address).await.ok()?.tip?.work < mined {
            sleep(POLL_INTERVAL).await;
        }
        Some(())
    };
    // However it ends, the blocks are mined.
    let _ = timeout(MAX_WAIT, follows).await;
}

/// The token from the configuration, or from the data folder of a node on this machine; and the address to send it to,
/// which has been checked to be on this machine.
async fn find_token(
    node: &RemoteService,
    config: &Config,
    folder: Option<&Path>,
    console: &mut Console,
) -> Result<(String, String), Error> {
    let no_token = |hint| Error::NoToken { at: node.address.clone(), hint };
    let Some(address) = local_address(&node.address).await else {
        return Err(no_token(
            "it is on another machine. Copy the file `token` from its data folder and name the copy with --token-file"
                .to_owned(),
        ));
    };
    if let Some(token) = &config.node.token {
        return Ok((address.to_string(), token.expose().to_owned()));
    }
    let root = folder.unwrap_or(&config.node.data_dir);
    let path = data_dir::folder(root, &node.params, "node", address.port()).join("token");
    let token = keys::read_secret(&path, console).map_err(|error| {
        no_token(format!(
            "{error}. If the node was started in another folder, name its data folder with -d, or its token file with \
             --token-file"
        ))
    })?;
    Ok((address.to_string(), token.trim_end().to_owned()))
}

/// The address of a node as numbers, if all of its addresses are this machine's own.
async fn local_address(at: &str) -> Option<SocketAddr> {
    let at: PeerAddress = at.parse().ok()?;
    let addresses = Resolver::default().addresses(at.host()).await.ok()?;
    let is_local = !addresses.is_empty() && addresses.iter().all(is_own);
    is_local.then(|| SocketAddr::new(addresses[0], at.port()))
}

/// Whether an address is one of this machine's: only then can a socket have it.
fn is_own(address: &IpAddr) -> bool {
    address.is_loopback() || !address.is_unspecified() && UdpSocket::bind((*address, 0)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tokens_go_to_this_machine_only() {
        for (at, expected) in [
            ("127.0.0.1:8100", true),
            ("localhost:8100", true),
            ("[::1]:8100", true),
            ("203.0.113.1:8100", false),
            ("0.0.0.0:8100", false),
            ("localhost.invalid:8100", false),
            ("nonsense", false),
        ] {
            assert_eq!(local_address(at).await.is_some(), expected, "{at}");
        }
    }

    #[tokio::test]
    async fn an_address_of_this_machine_on_its_network_is_its_own() {
        // Connecting a datagram socket sends nothing, and shows the address that the system would send from.
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        if socket.connect("203.0.113.1:9").is_ok() {
            let own = socket.local_addr().unwrap().ip();
            assert_eq!(local_address(&format!("{own}:8100")).await, Some(SocketAddr::new(own, 8100)));
        }
    }
}
