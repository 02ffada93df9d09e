//! Fetching a better branch from one peer: headers first, bodies once the headers outweigh what we have.
//!
//! Memory is bounded whatever the peer does: a page of headers, 32 bytes for each header whose body is missing, and a
//! few answers of bodies, which are asked for ahead so that the peer reads while we connect.

use super::{PeerAddress, PeerRequest, RequestId};
use crate::block::{Block, BlockHash, Header, Timestamp};
use crate::chain::{BlockError, Branch, Chain, Origin, Tip};
use crate::store::StoreError;
use crate::work::Work;
use std::collections::VecDeque;

/// Most headers of one answer (docs/protocol.md §10).
pub const HEADERS_PER_REQUEST: usize = 2000;
/// Most blocks of one answer (docs/protocol.md §10).
pub const BLOCKS_PER_REQUEST: usize = 500;
/// Requests for bodies under way at a time: so many that the peer has work while we commit …
const MAX_REQUESTS_AHEAD: usize = 24;
/// … as long as answers, going by the largest so far, hold no more than so many bytes of data together. Answers that are
/// suddenly larger are bounded each by the protocol.
const BYTES_AHEAD: usize = 16 << 20;
/// No more headers are asked for while this many bodies are missing, once the branch outweighs the tip.
const ENOUGH_MISSING: usize = 4 * HEADERS_PER_REQUEST;
/// A branch that has not outweighed the tip after this many headers is given up: 32 MiB of hashes.
const MAX_BRANCH: usize = 1 << 20;
/// What is fetched is made durable after this many blocks or bytes of data at the latest.
const COMMIT_BLOCKS: usize = 10_000;
const COMMIT_BYTES: usize = 8 << 20;

/// How a download ends.
#[derive(Debug, thiserror::Error)]
pub(super) enum DownloadEnd {
    /// All that the peer had to offer is here.
    #[error("done")]
    Done,
    /// Nothing more can be had just now: no offence.
    #[error("{0}")]
    Unavailable(String),
    /// The peer does not have, or not deliver, what it claimed. Once, that may be bad luck.
    #[error("{0}")]
    BrokenPromise(String),
    /// The peer broke a rule.
    #[error("{0}")]
    Misbehaved(String),
    /// We failed.
    #[error(transparent)]
    Failed(#[from] StoreError),
}

pub(super) struct Download {
    pub(super) peer: PeerAddress,
    /// What the peer claims to have.
    pub(super) target: Tip,
    branch: Option<Branch>,
    headers: Option<RequestId>,
    more_headers: bool,
    /// Whether all headers up to now are of blocks that are here already.
    is_known_so_far: bool,
    bodies: VecDeque<Bodies>,
    /// Most bytes of data that an answer had; as many as it may have, until the first one is here.
    largest_answer: usize,
    uncommitted_blocks: usize,
    uncommitted_bytes: usize,
    /// Blocks that were taken since the last time anybody looked, and how many.
    taken: ConnectedBlocks,
    /// Whether it has brought any block at all.
    useful: bool,
    /// Whether headers were left out because they are too far ahead of our clock.
    has_future: bool,
    abandoned: bool,
    /// Uptime at which it gives way to another peer's offer, if there is one.
    pub(super) turn_ends_ms: u64,
}

/// Blocks taken by a download: their number, and the newest few.
#[derive(Default)]
pub(super) struct ConnectedBlocks {
    pub(super) count: usize,
    pub(super) newest: VecDeque<Header>,
}

/// One request for bodies, and its answer once that is here.
struct Bodies {
    id: RequestId,
    hashes: Vec<BlockHash>,
    blocks: Option<Vec<Block>>,
}

impl Download {
    pub(super) fn new(peer: PeerAddress, target: Tip, turn_ends_ms: u64) -> Self {
        Self {
            peer,
            target,
            branch: None,
            headers: None,
            more_headers: true,
            is_known_so_far: true,
            bodies: VecDeque::new(),
            largest_answer: BYTES_AHEAD,
            uncommitted_blocks: 0,
            uncommitted_bytes: 0,
            taken: ConnectedBlocks::default(),
            useful: false,
            has_future: false,
            abandoned: false,
            turn_ends_ms,
        }
    }

    /// The next request to send, if one is due; `id` is what it will be called.
    pub(super) fn next_request(&mut self, chain: &Chain, id: RequestId) -> Result<Option<PeerRequest>, DownloadEnd> {
        if self.abandoned {
            return Err(DownloadEnd::Unavailable("its peer was given up".to_owned()));
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
        if outweighs
            && !missing.is_empty()
            && self.bodies.len() < (BYTES_AHEAD / self.largest_answer.max(1)).clamp(2, MAX_REQUESTS_AHEAD)
        {
            let hashes: Vec<_> = missing.drain(..missing.len().min(BLOCKS_PER_REQUEST)).collect();
            self.bodies.push_back(Bodies { id, hashes: hashes.clone(), blocks: None });
            return Ok(Some(PeerRequest::Blocks { hashes }));
        }
        if self.more_headers && self.headers.is_none() && (!outweighs || missing.len() < ENOUGH_MISSING) {
            if missing.len() > MAX_BRANCH {
                return Err(DownloadEnd::BrokenPromise(format!(
                    "its branch has not outweighed ours after {MAX_BRANCH} headers"
                )));
            }
            self.headers = Some(id);
            let mut locator = vec![last, fork, chain.rules().params().network_id()];
            locator.dedup();
            return Ok(Some(PeerRequest::Headers { locator, limit: HEADERS_PER_REQUEST }));
        }
        let waiting = self.headers.is_some() || !self.bodies.is_empty();
        if waiting {
            return Ok(None);
        }
        let (all_here, offered) = (missing.is_empty(), branch.work());
        Err(self.end(offered, all_here, chain))
    }

    /// What it comes to when the peer has no more headers, and `all_here` says whether all bodies were taken.
    fn end(&self, offered: Work, all_here: bool, chain: &Chain) -> DownloadEnd {
        let claimed = self.target.work;
        if self.has_future {
            DownloadEnd::Unavailable("the rest of its chain is too far ahead of this clock".to_owned())
        } else if offered < claimed && chain.tip().work < claimed {
            DownloadEnd::BrokenPromise(format!("it claimed a chain of work {claimed} and has one of {offered}"))
        } else if all_here && chain.tip().work >= claimed {
            DownloadEnd::Done
        } else {
            DownloadEnd::Unavailable("its branch does not outweigh ours any more".to_owned())
        }
    }

    /// Whether its headers, all judged, have more work than `chain`.
    pub(super) fn outweighs(&self, chain: &Chain) -> bool {
        self.branch.as_ref().is_some_and(|branch| branch.work() > chain.tip().work)
    }

    pub(super) fn awaits(&self, id: RequestId) -> bool {
        self.headers == Some(id) || self.bodies.iter().any(|bodies| bodies.id == id)
    }

    pub(super) fn handle_headers(
        &mut self,
        headers: Vec<Header>,
        chain: &mut Chain,
        now: Timestamp,
    ) -> Result<(), DownloadEnd> {
        self.headers = None;
        // A peer may send shorter pages than were asked for; it has more as long as it is below what it claimed.
        let is_full = headers.len() == HEADERS_PER_REQUEST;
        self.more_headers = headers.last().is_some_and(|last| is_full || last.index < self.target.index);
        let Some(first) = headers.first() else {
            // Its tip is a block that we named, so there is nothing to build a branch of.
            return if self.branch.is_none() { Err(self.end(Work::default(), true, chain)) } else { Ok(()) };
        };
        if headers.len() > HEADERS_PER_REQUEST {
            return Err(DownloadEnd::Misbehaved("it sent more headers than were asked for".to_owned()));
        }
        let mut branch = match self.branch.take() {
            Some(branch) if branch.last().hash() == first.prev_hash => branch,
            Some(_) => return Err(DownloadEnd::Unavailable("its chain changed meanwhile".to_owned())),
            None => chain.branch_at(&first.prev_hash)?.ok_or_else(|| {
                DownloadEnd::Misbehaved("its headers do not follow any block that we named".to_owned())
            })?,
        };
        for header in headers {
            let hash = header.hash();
            if let Some(broken) = chain.known_invalid(&hash) {
                return Err(DownloadEnd::Misbehaved(format!("its chain has the invalid block {hash}: {broken}")));
            }
            // What stands on a block that is not here cannot be here: from the first such block on, nothing is looked up.
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

    /// Takes an answer of bodies.
    pub(super) fn handle_blocks(&mut self, id: RequestId, blocks: Vec<Block>) -> Result<(), DownloadEnd> {
        let Some(bodies) = self.bodies.iter_mut().find(|bodies| bodies.id == id) else { return Ok(()) };
        let in_flight = bodies.hashes.iter();
        if blocks.len() > bodies.hashes.len()
            || !blocks.iter().zip(in_flight).all(|(block, hash)| block.hash() == *hash)
        {
            return Err(DownloadEnd::Misbehaved("it sent other blocks than were asked for".to_owned()));
        }
        if blocks.is_empty() {
            return Err(DownloadEnd::BrokenPromise("it does not deliver the blocks of its branch".to_owned()));
        }
        let bytes = blocks.iter().map(|block| block.data().len()).sum();
        self.largest_answer = if self.useful { self.largest_answer.max(bytes) } else { bytes };
        bodies.blocks = Some(blocks);
        Ok(())
    }

    /// Connects what has arrived, in order. Answers a request for the rest of an answer that was cut short.
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
        // With no body under way nothing may come for a while, and what is not committed nobody sees.
        if is_much || (self.bodies.is_empty() && self.is_uncommitted()) {
            self.commit(chain)?;
        }
        Ok(rest)
    }

    fn connect_block(&mut self, block: Block, chain: &mut Chain, now: Timestamp) -> Result<(), DownloadEnd> {
        let (header, bytes) = (block.header().clone(), block.data().len());
        match chain.accept(block, now, Origin::Bulk) {
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
        self.taken.count += 1;
        self.useful = true;
        self.taken.newest.push_back(header);
        if self.taken.newest.len() > super::MAX_BLOCK_EVENTS {
            self.taken.newest.pop_front();
        }
        Ok(())
    }

    pub(super) fn commit(&mut self, chain: &mut Chain) -> Result<(), DownloadEnd> {
        (self.uncommitted_blocks, self.uncommitted_bytes) = (0, 0);
        chain.commit().inspect_err(|_| self.taken = ConnectedBlocks::default())?;
        Ok(())
    }

    /// Waits for nothing any more, so that the next look at it ends it.
    pub(super) fn abandon(&mut self) {
        self.headers = None;
        self.more_headers = false;
        self.bodies.clear();
        self.abandoned = true;
    }

    /// Whether it waits only for somebody to end it.
    pub(super) const fn is_abandoned(&self) -> bool {
        self.abandoned
    }

    /// Whether it has brought any block at all.
    pub(super) const fn was_useful(&self) -> bool {
        self.useful
    }

    /// Whether blocks are taken that are not durable yet.
    pub(super) const fn is_uncommitted(&self) -> bool {
        self.uncommitted_blocks > 0
    }

    pub(super) fn take_connected(&mut self) -> ConnectedBlocks {
        std::mem::take(&mut self.taken)
    }
}
