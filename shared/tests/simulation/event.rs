//! What can happen in the world, and what can be done to it.

use shared::sync::{Failure, PeerRequest, PeerResponse, RequestId};
use shared::wire::PeersUpdate;
use std::collections::BTreeSet;

/// Something that happens.
pub enum Event {
    Wake {
        node: usize,
        life: u32,
    },
    /// `named` is the sender that the request names, which a liar may choose.
    Request {
        from: usize,
        named: usize,
        life: u32,
        to: usize,
        id: RequestId,
        request: PeerRequest,
    },
    Response {
        to: usize,
        life: u32,
        id: RequestId,
        result: Result<PeerResponse, Failure>,
    },
    Progress {
        to: usize,
        life: u32,
        id: RequestId,
        bytes: u64,
    },
    Mine {
        node: usize,
    },
    Lie {
        node: usize,
    },
    Pay,
    Fault(Fault),
}

/// Something that is done to the world.
#[derive(Clone)]
pub enum Fault {
    Partition { left: BTreeSet<usize>, silently: bool },
    Rejoin,
    Crash(usize),
    Start(usize),
    DiskFull(usize, bool),
    Unreachable(usize, bool),
    Steer(usize, PeersUpdate),
}
