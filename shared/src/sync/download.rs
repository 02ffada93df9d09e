//! Fetching a better branch from one peer: headers first, bodies once the headers outweigh our chain.
//!
//! Several downloads may run at a time, also of the same branch: a block that another one brought is not requested
//! again. Memory is bounded whatever the peer does: a page of headers, 32 bytes for each header whose body is missing,
//! and a few responses with bodies, which are requested ahead so that the peer reads while we connect.

use super::pace::Pace;
use super::{PeerAddress, PeerRequest, RequestId};
use crate::block::{Block, BlockHash, Header, Timestamp};
use crate::chain::{Accepted, BlockError, Branch, Chain, Origin, Tip};
use crate::store::StoreError;
use crate::work::Work;
use std::collections::VecDeque;

/// Most headers in one response (docs/protocol.md §10).
pub const HEADERS_PER_REQUEST: usize = 2000;
/// Most blocks in one response (docs/protocol.md §10).
pub const BLOCKS_PER_REQUEST: usize = 500;
/// Most requests for bodies at a time, so that the peer has work while we commit …
const MAX_REQUESTS_AHEAD: usize = 24;
/// … as long as the responses, each as large as the largest so far, hold at most this many bytes of data together. The
/// protocol bounds a response that is suddenly larger.
const BYTES_AHEAD: usize = 16 << 20;
/// No more headers are requested while this many bodies are missing, once the branch outweighs the tip.
const ENOUGH_MISSING: usize = 4 * HEADERS_PER_REQUEST;
/// A branch that has not outweighed the tip after this many headers is given up: 32 MiB of hashes.
const MAX_BRANCH: usize = 1 << 20;
/// Downloaded blocks are made durable after this many blocks or bytes of data at the latest.
const COMMIT_BLOCKS: usize = 10_000;
const COMMIT_BYTES: usize = 8 << 20;
/// A header or a block counts as at least this many bytes of progress.
const HEADER_BYTES: u64 = 300;

/// How a download ends.
#[derive(Debug, thiserror::Error)]
pub(super) enum DownloadEnd {
    /// All that the peer offered is here.
    #[error("done")]
    Done,
    /// Nothing more is available at the moment: no offence.
    #[error("{0}")]
    Unavailable(String),
    /// The peer does not deliver what it offered, whatever the reason.
    #[error("{0}")]
    Undelivered(String),
    /// The connection to the peer broke, which need not be the peer's fault.
    #[error("{0}")]
    Lost(String),
    /// The peer broke a rule.
    #[error("{0}")]
    Misbehaved(String),
    /// We failed.
    #[error(transparent)]
    Failed(#[from] StoreError),
}

pub(super) struct Download {
    pub(super) peer: PeerAddress,
    /// The tip that the peer claims.
    pub(super) target: Tip,
    branch: Option<Branch>,
    /// The work of the block that the branch stands on.
    fork_work: Work,
    headers: Option<RequestId>,
    more_headers: bool,
    /// Whether the blocks of all headers so far are here already.
    is_known_so_far: bool,
    bodies: VecDeque<Bodies>,
    /// The oldest request for bodies, whose response is due.
    due: Option<RequestId>,
    /// Most bytes of data in a response; until the first one is here, [`BYTES_AHEAD`].
    largest_response: usize,
    uncommitted_blocks: usize,
    uncommitted_bytes: usize,
    /// The newest blocks that it connected and that no event told of yet.
    connected: VecDeque<Header>,
    connected_count: u64,
    /// Whether it has brought any block.
    useful: bool,
    /// Whether headers were left out because they are too far ahead of our clock.
    has_future: bool,
    abandoned: bool,
    pace: Pace,
}

/// One request for bodies, and its response once that is here.
struct Bodies {
    id: RequestId,
    hashes: Vec<BlockHash>,
    blocks: Option<Vec<Block>>,
}

impl Download {
    pub(super) fn new(peer: PeerAddress, target: Tip, now_ms: u64) -> Self {
        Self {
            peer,
            target,
            branch: None,
            fork_work: Work::default(),
            headers: None,
            more_headers: true,
            is_known_so_far: true,
            bodies: VecDeque::new(),
            largest_response: BYTES_AHEAD,
            uncommitted_blocks: 0,
            uncommitted_bytes: 0,
            connected: VecDeque::new(),
            connected_count: 0,
            useful: false,
            has_future: false,
            abandoned: false,
            due: None,
            pace: Pace::new(now_ms),
        }
    }

    /// The next request to send, if one is due; `id` will be its name.
    pub(super) fn next_request(&mut self, chain: &Chain, id: RequestId) -> Result<Option<PeerRequest>, DownloadEnd> {
        if self.abandoned {
            return Err(DownloadEnd::Unavailable("its peer was dropped or removed".to_owned()));
        }
        let is_idle = self.headers.is_none() && self.bodies.is_empty();
        if is_idle && chain.tip().work >= self.target.work && !self.outweighs(chain) {
            // Other peers were faster.
            return Err(DownloadEnd::Done);
        }
        let Some(branch) = &mut self.branch else {
            if self.headers.is_some() {
                return Ok(None);
            }
            self.headers = Some(id);
            let locator = chain.view().reader()?.locator()?;
            return Ok(Some(PeerRequest::Headers { locator, limit: HEADERS_PER_REQUEST }));
        };
        let outweighs = branch.work() > chain.tip().work;
        let (fork, last, missing) = (branch.fork().hash, branch.last().hash(), branch.missing());
        // Headers first, so that the next page is here before the bodies of this one have all arrived.
        if self.more_headers && self.headers.is_none() && (!outweighs || missing.len() < ENOUGH_MISSING) {
            if missing.len() > MAX_BRANCH {
                return Err(DownloadEnd::Undelivered(format!(
                    "its branch has not outweighed ours after {MAX_BRANCH} headers"
                )));
            }
            self.headers = Some(id);
            let mut locator = vec![last, fork, chain.rules().params().network_id()];
            locator.dedup();
            return Ok(Some(PeerRequest::Headers { locator, limit: HEADERS_PER_REQUEST }));
        }
        if outweighs
            && !missing.is_empty()
            && self.bodies.len() < max_requests(self.largest_response, self.useful)
            && let Some(hashes) = next_hashes(missing, chain)?
        {
            self.bodies.push_back(Bodies { id, hashes: hashes.clone(), blocks: None });
            return Ok(Some(PeerRequest::Blocks { hashes }));
        }
        let waiting = self.headers.is_some() || !self.bodies.is_empty();
        if waiting {
            return Ok(None);
        }
        let (all_here, offered) = (missing.is_empty(), branch.work());
        Err(self.end(offered, all_here, chain))
    }

    /// How it ends when the peer has no more headers; `all_here` says whether all bodies were requested.
    fn end(&self, offered: Work, all_here: bool, chain: &Chain) -> DownloadEnd {
        let claimed = self.target.work;
        if all_here && chain.tip().work >= claimed {
            DownloadEnd::Done
        } else if self.has_future {
            DownloadEnd::Unavailable("the rest of its chain is too far ahead of this clock".to_owned())
        } else if offered < claimed && chain.tip().work < claimed {
            DownloadEnd::Undelivered(format!("it claimed a chain of work {claimed} and has one of {offered}"))
        } else {
            DownloadEnd::Unavailable("its branch does not outweigh ours any more".to_owned())
        }
    }

    /// Whether its headers, all judged, have more work than `chain` has.
    pub(super) fn outweighs(&self, chain: &Chain) -> bool {
        self.branch.as_ref().is_some_and(|branch| branch.work() > chain.tip().work)
    }

    pub(super) fn awaits(&self, id: RequestId) -> bool {
        self.headers == Some(id) || self.bodies.iter().any(|bodies| bodies.id == id)
    }

    /// The request for bodies whose response is due, if that changed since the last call.
    pub(super) fn newly_due(&mut self) -> Option<RequestId> {
        let due = self.bodies.front().filter(|bodies| bodies.blocks.is_none()).map(|bodies| bodies.id);
        if std::mem::replace(&mut self.due, due) == due { None } else { due }
    }

    /// Bytes of headers or blocks have arrived.
    pub(super) const fn record_bytes(&mut self, bytes: u64) {
        self.pace.record_bytes(bytes);
    }

    /// Whether it makes too little progress for other peers to wait.
    pub(super) const fn lags(&self) -> bool {
        self.pace.lags()
    }

    /// Whether it proves its peer's claim so slowly that one other peer should be tried.
    pub(super) const fn is_far_from_claim(&self) -> bool {
        self.pace.is_far_from_claim()
    }

    pub(super) fn measure_pace(&mut self, now_ms: u64) {
        let reached = self.branch.as_ref().map_or(self.fork_work, Branch::work);
        let (done, left) = (reached.saturating_sub(self.fork_work), self.target.work.saturating_sub(reached));
        self.pace.measure(done, left, now_ms);
    }

    /// Uptime at which its pace is measured next.
    pub(super) const fn next_measure_ms(&self) -> u64 {
        if self.abandoned { 0 } else { self.pace.next_measure_ms() }
    }

    pub(super) fn handle_headers(
        &mut self,
        headers: Vec<Header>,
        chain: &mut Chain,
        now: Timestamp,
    ) -> Result<(), DownloadEnd> {
        self.headers = None;
        self.record_bytes(HEADER_BYTES * headers.len() as u64);
        // A peer may send shorter pages than requested; it has more as long as it is below the tip that it claimed.
        let is_full = headers.len() == HEADERS_PER_REQUEST;
        self.more_headers = headers.last().is_some_and(|last| is_full || last.index < self.target.index);
        let Some(first) = headers.first() else {
            // Its tip is a block of our locator, so there is no branch.
            return if self.branch.is_none() { Err(self.end(Work::default(), true, chain)) } else { Ok(()) };
        };
        if headers.len() > HEADERS_PER_REQUEST {
            return Err(DownloadEnd::Misbehaved("it sent more headers than were requested".to_owned()));
        }
        let mut branch = match self.branch.take() {
            Some(branch) if branch.last().hash() == first.prev_hash => branch,
            Some(_) => return Err(DownloadEnd::Undelivered("its chain changed meanwhile".to_owned())),
            None => {
                let branch = chain.branch_at(&first.prev_hash)?.ok_or_else(|| {
                    DownloadEnd::Misbehaved("its headers do not follow any block that we named".to_owned())
                })?;
                self.fork_work = branch.work();
                branch
            }
        };
        for header in headers {
            let hash = header.hash();
            if let Some(broken) = chain.known_invalid(&hash) {
                return Err(DownloadEnd::Misbehaved(format!("its chain has the invalid block {hash}: {broken}")));
            }
            // No block is here whose parent is not: after the first missing block, no look-up is needed.
            let have = self.is_known_so_far && chain.contains(&hash)?;
            self.is_known_so_far = have;
            match branch.extend(header, chain.rules(), now, have) {
                Ok(()) => {}
                Err(BlockError::Invalid(broken)) => {
                    return Err(DownloadEnd::Misbehaved(format!(
                        "its header {hash} breaks rule {}: {broken}",
                        broken.name()
                    )));
                }
                Err(BlockError::NotYet(_)) => {
                    (self.more_headers, self.has_future) = (false, true);
                    break;
                }
                Err(BlockError::Failed(error)) => return Err(error.into()),
            }
        }
        self.branch = Some(branch);
        Ok(())
    }

    /// Takes a response with bodies.
    pub(super) fn handle_blocks(&mut self, id: RequestId, blocks: Vec<Block>) -> Result<(), DownloadEnd> {
        let Some(bodies) = self.bodies.iter_mut().find(|bodies| bodies.id == id) else { return Ok(()) };
        let in_flight = bodies.hashes.iter();
        if blocks.len() > bodies.hashes.len()
            || !blocks.iter().zip(in_flight).all(|(block, hash)| block.hash() == *hash)
        {
            return Err(DownloadEnd::Misbehaved("it sent other blocks than were requested".to_owned()));
        }
        if blocks.is_empty() {
            return Err(DownloadEnd::Undelivered("it does not deliver the blocks of its branch".to_owned()));
        }
        let bytes: usize = blocks.iter().map(|block| block.data().len()).sum();
        self.pace.record_bytes(bytes as u64 + HEADER_BYTES * blocks.len() as u64);
        self.largest_response = if self.useful { self.largest_response.max(bytes) } else { bytes };
        bodies.blocks = Some(blocks);
        Ok(())
    }

    /// Connects the blocks that have arrived, in order. Returns a request for the rest of a response that was cut.
    pub(super) fn connect(
        &mut self,
        chain: &mut Chain,
        now: Timestamp,
        id: RequestId,
    ) -> Result<Option<PeerRequest>, DownloadEnd> {
        let mut rest = None;
        while rest.is_none() && self.bodies.front().is_some_and(|bodies| bodies.blocks.is_some()) {
            let Some(Bodies { mut hashes, blocks, .. }) = self.bodies.pop_front() else { break };
            let blocks = blocks.unwrap_or_default();
            hashes.drain(..blocks.len());
            for block in blocks {
                self.connect_block(block, chain, now)?;
            }
            if !hashes.is_empty() {
                self.bodies.push_front(Bodies { id, hashes: hashes.clone(), blocks: None });
                rest = Some(PeerRequest::Blocks { hashes });
            }
        }
        let is_much = self.uncommitted_blocks >= COMMIT_BLOCKS || self.uncommitted_bytes >= COMMIT_BYTES;
        // Readers see only committed blocks, and without a request under way the next ones may take a while.
        if is_much || (self.bodies.is_empty() && self.is_uncommitted()) {
            self.commit(chain)?;
        }
        Ok(rest)
    }

    fn connect_block(&mut self, block: Block, chain: &mut Chain, now: Timestamp) -> Result<(), DownloadEnd> {
        let (header, bytes) = (block.header().clone(), block.data().len());
        match chain.accept(block, now, Origin::Bulk) {
            // Another download was faster.
            Ok(Accepted::Known) => return Ok(()),
            Ok(_) => {}
            Err(BlockError::Invalid(broken)) => {
                let reason = format!("its block {} breaks rule {}: {broken}", header.hash(), broken.name());
                return Err(DownloadEnd::Misbehaved(reason));
            }
            Err(BlockError::NotYet(reason)) => return Err(DownloadEnd::Unavailable(reason.to_string())),
            Err(BlockError::Failed(error)) => return Err(error.into()),
        }
        self.uncommitted_blocks += 1;
        self.uncommitted_bytes += bytes;
        self.connected_count += 1;
        self.useful = true;
        self.connected.push_back(header);
        if self.connected.len() > super::MAX_BLOCK_EVENTS {
            self.connected.pop_front();
        }
        Ok(())
    }

    pub(super) fn commit(&mut self, chain: &mut Chain) -> Result<(), DownloadEnd> {
        (self.uncommitted_blocks, self.uncommitted_bytes) = (0, 0);
        chain.commit().inspect_err(|_| self.connected.clear())?;
        Ok(())
    }

    /// Number of blocks that it has connected.
    pub(super) const fn connected_count(&self) -> u64 {
        self.connected_count
    }

    /// Drops all that it waits for, so that the next step ends it.
    pub(super) fn abandon(&mut self) {
        self.connected.clear();
        self.headers = None;
        self.more_headers = false;
        self.bodies.clear();
        self.abandoned = true;
    }

    /// Whether it has brought any block.
    pub(super) const fn was_useful(&self) -> bool {
        self.useful
    }

    /// Whether it has connected blocks that are not durable yet.
    pub(super) const fn is_uncommitted(&self) -> bool {
        self.uncommitted_blocks > 0
    }

    pub(super) fn take_connected(&mut self) -> VecDeque<Header> {
        std::mem::take(&mut self.connected)
    }
}

/// Most requests for bodies at a time; a single one until the peer has delivered a block.
fn max_requests(largest_response: usize, is_useful: bool) -> usize {
    if is_useful { (BYTES_AHEAD / largest_response.max(1)).clamp(2, MAX_REQUESTS_AHEAD) } else { 1 }
}

/// Takes the hashes of the next request from `missing`, without those that another download brought meanwhile.
fn next_hashes(missing: &mut VecDeque<BlockHash>, chain: &Chain) -> Result<Option<Vec<BlockHash>>, StoreError> {
    // No block is here whose parent is not.
    while let Some(hash) = missing.front() {
        if !chain.contains(hash)? {
            let hashes: Vec<_> = missing.drain(..missing.len().min(BLOCKS_PER_REQUEST)).collect();
            return Ok(Some(hashes));
        }
        missing.pop_front();
    }
    Ok(None)
}
