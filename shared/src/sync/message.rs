//! What a syncer requests from peers, what comes back, and the two clocks that it is given.

use super::{Interest, PeerAddress, SyncEvent};
use crate::block::{Block, BlockHash, Header, Timestamp};
use crate::chain::Tip;
use core::net::IpAddr;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// The present.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// The time of the wall clock, which may jump: timestamps are judged by it.
    pub time: Timestamp,
    /// Milliseconds since some moment, never going back: waiting is measured by it.
    pub uptime_ms: u64,
}

/// The name of a request until its response is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// A request to a peer.
#[derive(Debug, Clone)]
pub enum PeerRequest {
    /// `GET /info`: its network and tip.
    Info,
    /// `GET /peers`: its peers.
    Peers,
    /// `POST /sync/headers`.
    Headers {
        /// Newest first, ending with genesis.
        locator: Vec<BlockHash>,
        /// Most headers to send.
        limit: usize,
    },
    /// `POST /sync/blocks`.
    Blocks {
        /// In the order that the blocks should come in.
        hashes: Vec<BlockHash>,
    },
    /// `POST /announce`: a block that the peer may lack.
    Announce(BlockHash),
    /// `POST /block`: a block that the peer may lack.
    Push(Arc<Block>),
}

/// A peer's response, well-formed.
#[derive(Debug, Clone)]
pub enum PeerResponse {
    /// To [`PeerRequest::Info`].
    Info {
        /// The address that it says it has.
        address: String,
        /// Its network.
        network: BlockHash,
        /// How its network differs from ours, in words, if it does.
        difference: Option<String>,
        /// Its best block.
        tip: Option<Tip>,
        /// The IP address that the response came from, if that is known.
        ip: Option<IpAddr>,
    },
    /// To [`PeerRequest::Peers`].
    Peers(Vec<PeerAddress>),
    /// To [`PeerRequest::Headers`].
    Headers(Vec<Header>),
    /// To [`PeerRequest::Blocks`].
    Blocks(Vec<Block>),
    /// To [`PeerRequest::Announce`].
    Announced(Interest),
    /// To [`PeerRequest::Push`].
    Pushed {
        /// The peer lacked the block and has it now.
        was_taken: bool,
        /// The block's parent, if the peer lacks it and cannot fetch it from us.
        missing: Option<BlockHash>,
    },
}

/// Why there is no response to work with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Connecting failed, or the connection broke.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// The response did not arrive in time.
    #[error("no answer in time")]
    Slow,
    /// The response is too large, or not what the protocol says.
    #[error("{0}")]
    Misbehaved(String),
    /// The response is an error.
    #[error("refused: {0}")]
    Refused(String),
}

/// What the syncer wants done.
#[derive(Debug, Clone)]
pub enum SyncOutput {
    /// Send a request, report to `Syncer::handle_progress` while the response arrives, and hand that to
    /// `Syncer::handle_response`.
    Request {
        /// Names the request.
        id: RequestId,
        /// The receiver.
        peer: PeerAddress,
        /// The request.
        request: PeerRequest,
        /// Milliseconds after which no response is accepted any more. The syncer may give up earlier.
        timeout_ms: u64,
    },
    /// Give up a request: its response does not matter any more.
    Cancel(RequestId),
    /// Tell subscribers.
    Event(SyncEvent),
    /// Something that the operator should know and do something about.
    Warning(String),
    /// A detail for those who look into what the syncer does.
    Log(String),
}

/// Body of `POST /peers` on a node: changes of its peers.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PeersUpdate {
    /// Addresses to connect to.
    pub add: Vec<String>,
    /// Addresses to forget.
    pub remove: Vec<String>,
    /// Addresses to have nothing to do with, either way, until unblocked.
    pub block: Vec<String>,
    /// Addresses to allow again.
    pub unblock: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_host_and_port_and_nothing_else() {
        for right in ["127.0.0.1:8100", "node-1:80", "[::1]:8100", "a.b.example:65535"] {
            assert!(PeerAddress::new(right).is_some(), "{right}");
        }
        for wrong in [
            "a..b:80",
            "127.1:80",
            "-a:80",
            "a:080",
            "",
            ":80",
            "a:0",
            "a:65536",
            "a:+80",
            "http://a:80",
            "a:80/x",
            "u@h:80",
            "::1:80",
            "a b:80",
            "a",
        ] {
            assert!(PeerAddress::new(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn local_addresses_are_known_in_every_spelling() {
        for local in [
            "127.9.9.9:1",
            "localhost:1",
            "LOCALHOST:1",
            "[::1]:1",
            "169.254.1.1:1",
            "[fe80::1]:1",
            "0.0.0.0:1",
            "[::ffff:127.0.0.1]:1",
        ] {
            assert!(PeerAddress::new(local).is_some_and(|address| address.is_local()), "{local}");
        }
        for remote in ["10.0.0.1:1", "node:1", "[2001:db8::1]:1"] {
            assert!(PeerAddress::new(remote).is_some_and(|address| !address.is_local()), "{remote}");
        }
    }
}
