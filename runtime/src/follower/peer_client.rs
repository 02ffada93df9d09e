//! Sends the syncer's requests over HTTP, and returns the results to the chain's thread as commands.

use super::command::Command;
use crate::client::{Client, Error};
use crate::dns::TrustedHosts;
use bytes::Bytes;
use shared::block::{Block, BlockHash};
use shared::chain::Rules;
use shared::sync::{Failure, PeerAddress, PeerRequest, PeerResponse, RequestId};
use shared::wire::{BlockResponse, BlockStatus, BlocksRequest, HeadersRequest, Info};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

/// Least time between two reports of a response's progress: the syncer judges by seconds.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);

pub(super) struct PeerClient {
    client: Client,
    trusted: TrustedHosts,
    commands: SyncSender<Command>,
    rules: Arc<Rules>,
    network: BlockHash,
    runtime: Handle,
    /// The last pushed block as JSON, since one block is pushed to many peers.
    pushed: Option<(BlockHash, Bytes)>,
    running: HashMap<RequestId, AbortHandle>,
}

impl PeerClient {
    /// Must be called on a tokio runtime.
    pub(super) fn new(client: Client, trusted: TrustedHosts, commands: SyncSender<Command>, rules: Arc<Rules>) -> Self {
        let network = rules.params().network_id();
        Self {
            client,
            trusted,
            commands,
            rules,
            network,
            runtime: Handle::current(),
            pushed: None,
            running: HashMap::new(),
        }
    }

    /// From now on, requests name the service at `own` as their sender.
    pub(super) fn set_own_address(&mut self, own: &PeerAddress) {
        match Client::for_peers(Some(self.network), Some(own.as_str()), self.trusted.clone()) {
            Ok(client) => self.client = client,
            Err(error) => tracing::warn!(%error, "peers will not learn the address {own}"),
        }
    }

    /// Starts a request and returns at once. The syncer decides how long it may take.
    pub(super) fn send(&mut self, id: RequestId, peer: PeerAddress, request: PeerRequest, timeout_ms: u64) {
        let commands = self.commands.clone();
        let call = Call {
            client: self.client.clone(),
            rules: self.rules.clone(),
            network: self.network,
            timeout: Duration::from_millis(timeout_ms),
            progress: Progress { id, commands: commands.clone(), reported: Mutex::new(Instant::now()) },
        };
        let pushed = match &request {
            PeerRequest::Push(block) => self.json_of(block),
            _ => Bytes::new(),
        };
        let task = self.runtime.spawn(async move {
            let result = match tokio::time::timeout(call.timeout, call.run(peer.as_str(), request, pushed)).await {
                Ok(result) => result.map_err(failure),
                Err(_) => Err(Failure::Slow),
            };
            // The queue is much longer than there are requests at a time. If it is full, the syncer's own deadline ends
            // the request.
            let _ = commands.try_send(Command::Response { id, result });
        });
        self.running.insert(id, task.abort_handle());
    }

    /// Ends a request whose response does not matter any more.
    pub(super) fn cancel(&mut self, id: RequestId) {
        if let Some(task) = self.running.remove(&id) {
            task.abort();
        }
    }

    /// The response to a request is here.
    pub(super) fn finish(&mut self, id: RequestId) {
        self.running.remove(&id);
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

/// Reports to the syncer how much of a response has arrived.
struct Progress {
    id: RequestId,
    commands: SyncSender<Command>,
    reported: Mutex<Instant>,
}

impl Progress {
    fn report(&self, bytes: usize) {
        // The value is replaced as a whole, so a lock that a panic poisoned is still usable.
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        if reported.elapsed() >= PROGRESS_EVERY {
            *reported = Instant::now();
            // If the queue is full, a later report tells the same.
            let _ = self.commands.try_send(Command::Progress { id: self.id, bytes: bytes as u64 });
        }
    }
}

/// One request, apart from the client, which may get another address meanwhile.
struct Call {
    client: Client,
    rules: Arc<Rules>,
    network: BlockHash,
    timeout: Duration,
    progress: Progress,
}

impl Call {
    async fn run(&self, peer: &str, request: PeerRequest, pushed: Bytes) -> Result<PeerResponse, Error> {
        let Self { client, rules, timeout, .. } = self;
        let on_progress = |bytes| self.progress.report(bytes);
        Ok(match request {
            PeerRequest::Info => {
                let (info, ip) = client.info_with_ip(peer).await?;
                let Info { address, network_id, network: params, tip, .. } = info;
                let difference = || {
                    let (name, ours, theirs) = rules.params().first_difference(&params)?;
                    Some(format!("{name} is {ours} here and {theirs} there"))
                };
                let difference = if network_id == self.network { None } else { difference() };
                PeerResponse::Info { address, network: network_id, difference, tip, ip }
            }
            PeerRequest::Peers => {
                let peers = client.node_peers(peer).await?;
                let answering = peers.iter().filter(|peer| peer.error.is_none());
                PeerResponse::Peers(answering.filter_map(|peer| PeerAddress::new(&peer.address)).collect())
            }
            PeerRequest::Headers { locator, limit } => {
                let ask = HeadersRequest { locator, limit: limit as u64 };
                PeerResponse::Headers(client.headers_watched(peer, &ask, *timeout, &on_progress).await?)
            }
            PeerRequest::Blocks { hashes } => {
                let max_block_bytes = rules.params().max_block_json();
                let ask = BlocksRequest { hashes };
                let blocks = client.blocks_watched(peer, &ask, max_block_bytes, *timeout, &on_progress).await?;
                PeerResponse::Blocks(blocks)
            }
            PeerRequest::Announce(hash) => PeerResponse::Announced(client.announce(peer, hash).await?),
            PeerRequest::Push(_) => {
                let BlockResponse { status, missing, .. } = client.push_block(peer, pushed).await?;
                PeerResponse::Pushed { was_taken: status == BlockStatus::Taken, missing }
            }
        })
    }
}

fn failure(error: Error) -> Failure {
    match error {
        Error::Unreachable(reason) => Failure::Unreachable(reason),
        Error::Slow => Failure::Slow,
        Error::Oversized { .. } | Error::Malformed(_) => Failure::Misbehaved(error.to_string()),
        Error::Refused(problem) => Failure::Refused(problem.to_string()),
    }
}
