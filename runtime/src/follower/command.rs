//! What the chain's thread can be asked to do.

use shared::block::{Block, BlockId};
use shared::chain::{Accepted, BlockError};
use shared::sync::{Failure, PeerAddress, PeerResponse, PeerSource, RequestId};
use shared::wire::{BlockSource, PeersUpdate, SyncReport};
use tokio::sync::oneshot;

/// A task for the chain's thread.
pub(super) enum Command {
    Block {
        block: Block,
        source: BlockSource,
        from: Option<PeerAddress>,
        reply: oneshot::Sender<Result<Accepted, BlockError>>,
    },
    Response {
        id: RequestId,
        result: Result<PeerResponse, Failure>,
    },
    Progress {
        id: RequestId,
        bytes: u64,
    },
    /// A caller that names itself so has news.
    Hint(PeerAddress),
    Offer {
        addresses: Vec<PeerAddress>,
        learnt: PeerSource,
    },
    Peers {
        update: PeersUpdate,
        reply: oneshot::Sender<Result<(), String>>,
    },
    Own(PeerAddress),
    SyncNow {
        /// Gets `None` if too many wait already.
        reply: oneshot::Sender<Option<SyncReport>>,
    },
    /// A reader found that a stored block is damaged.
    Damaged(BlockId),
    Flush,
    Stop,
}
