//! Sends the syncer's requests over HTTP, and returns the results to the chain's thread as commands.

use super::writer::Command;
use crate::client::{Client, Error};
use crate::dns::TrustedHosts;
use bytes::Bytes;
use shared::block::{Block, BlockHash};
use shared::chain::Rules;
use shared::sync::{Failure, PeerAddress, PeerRequest, PeerResponse, RequestId};
use shared::wire::{BlocksRequest, HeadersRequest, Info};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;
use tokio::runtime::Handle;

/// JSON may write one byte of data as six (`\u0000`), and a block has other fields too (docs/protocol.md §8).
const fn max_block_json(max_data_bytes: u64) -> usize {
    6 * max_data_bytes as usize + 4096
}

pub(super) struct PeerClient {
    client: Client,
    trusted: TrustedHosts,
    commands: SyncSender<Command>,
    rules: Arc<Rules>,
    network: BlockHash,
    runtime: Handle,
    /// The last pushed block as JSON, since one block is pushed to many peers.
    pushed: Option<(BlockHash, Bytes)>,
}

impl PeerClient {
    /// Must be called on a tokio runtime.
    pub(super) fn new(client: Client, trusted: TrustedHosts, commands: SyncSender<Command>, rules: Arc<Rules>) -> Self {
        let network = rules.params().network_id();
        Self { client, trusted, commands, rules, network, runtime: Handle::current(), pushed: None }
    }

    /// From now on, requests name the service at `own` as their sender.
    pub(super) fn set_own_address(&mut self, own: &PeerAddress) {
        match Client::for_peers(Some(self.network), Some(own.as_str()), self.trusted.clone()) {
            Ok(client) => self.client = client,
            Err(error) => tracing::warn!(%error, "peers will not learn the address {own}"),
        }
    }

    /// Starts a request and returns at once.
    pub(super) fn send(&mut self, id: RequestId, peer: PeerAddress, request: PeerRequest, timeout_ms: u64) {
        let (client, commands, rules, network) =
            (self.client.clone(), self.commands.clone(), self.rules.clone(), self.network);
        let pushed = match &request {
            PeerRequest::Push(block) => self.json_of(block),
            _ => Bytes::new(),
        };
        self.runtime.spawn(async move {
            let call = call(&client, peer.as_str(), request, pushed, &rules, network);
            let result = match tokio::time::timeout(Duration::from_millis(timeout_ms), call).await {
                Ok(result) => result.map_err(failure),
                Err(_) => Err(Failure::Slow),
            };
            // The queue is much longer than there are requests at a time. If it is full, the syncer's own deadline ends
            // the request.
            let _ = commands.try_send(Command::Response { id, result });
        });
    }

    fn json_of(&mut self, block: &Block) -> Bytes {
        if let Some((hash, json)) = &self.pushed
            && *hash == block.hash()
        {
            return json.clone();
        }
        let json = Bytes::from(serde_json::to_vec(block).unwrap_or_default());
        self.pushed = Some((block.hash(), json.clone()));
        json
    }
}

async fn call(
    client: &Client,
    peer: &str,
    request: PeerRequest,
    pushed: Bytes,
    rules: &Rules,
    network: BlockHash,
) -> Result<PeerResponse, Error> {
    Ok(match request {
        PeerRequest::Info => {
            let Info { address, network_id, network: params, tip, .. } = client.info(peer).await?;
            let difference = || {
                let (name, ours, theirs) = rules.params().first_difference(&params)?;
                Some(format!("{name} is {ours} here and {theirs} there"))
            };
            let difference = if network_id == network { None } else { difference() };
            PeerResponse::Info { address, network: network_id, difference, tip }
        }
        PeerRequest::Peers => {
            let peers = client.node_peers(peer).await?;
            let answering = peers.iter().filter(|peer| peer.error.is_none());
            PeerResponse::Peers(answering.filter_map(|peer| PeerAddress::new(&peer.address)).collect())
        }
        PeerRequest::Headers { locator, limit } => {
            let ask = HeadersRequest { locator, limit: limit as u64 };
            PeerResponse::Headers(client.headers(peer, &ask).await?)
        }
        PeerRequest::Blocks { hashes } => {
            let max_block_bytes = max_block_json(rules.params().max_data_bytes);
            PeerResponse::Blocks(client.blocks(peer, &BlocksRequest { hashes }, max_block_bytes).await?)
        }
        PeerRequest::Push(_) => {
            client.push_block(peer, pushed).await?;
            PeerResponse::Pushed
        }
    })
}

fn failure(error: Error) -> Failure {
    match error {
        Error::Unreachable(reason) => Failure::Unreachable(reason),
        Error::Slow => Failure::Slow,
        Error::Oversized { .. } | Error::Malformed(_) => Failure::Misbehaved(error.to_string()),
        Error::Refused(problem) => Failure::Refused(problem.to_string()),
    }
}
