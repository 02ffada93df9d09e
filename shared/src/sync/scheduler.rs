//! Which peers a better chain is downloaded from.
//!
//! A claim costs nothing, so it buys no precedence, and no peer holds up another: while a download lags, the next one
//! starts beside it. Peers that have delivered come first, then peers of the machine that waited longest.

use super::download::{Download, DownloadEnd};
use super::peer::Peer;
use super::{Now, PeerAddress, PeerRequest, RequestId, SyncOutput, Syncer};
use crate::chain::{Chain, Tip};
use crate::store::StoreError;

/// Most downloads at a time; one more from a peer that has delivered, if all are from others.
const MAX_DOWNLOADS: usize = 4;
/// Time without downloads after a failure of our own, such as a full disk, milliseconds.
const FAILURE_PAUSE_MS: u64 = 2_000;
/// Miners pause for this part of the block interval after each block of a better branch: one in ten.
const MINING_PAUSE: u64 = 10;

impl Syncer {
    /// Does whatever can be done without waiting: polls, requests of downloads, new downloads.
    pub(super) fn make_progress(&mut self, chain: &mut Chain, now: Now) {
        self.mining_pause_ends_ms = self.mining_pause_ends_ms.filter(|ends_ms| *ends_ms > now.uptime_ms);
        self.group_pauses.end_due(now.uptime_ms);
        self.fill_places(now);
        self.poll_peers(now);
        self.continue_relay(now);
        self.request_repair(chain, now);
        loop {
            let has_started = self.start_download(chain, now);
            let has_ended = self.advance_downloads(chain, now);
            if !has_started && !has_ended {
                return;
            }
        }
    }

    /// Advances each download, and returns whether one has ended.
    fn advance_downloads(&mut self, chain: &mut Chain, now: Now) -> bool {
        let (mut has_ended, mut index) = (false, 0);
        while index < self.downloads.len() {
            let mut download = self.downloads.remove(index);
            match self.advance_download(&mut download, chain, now) {
                Ok(()) => {
                    self.downloads.insert(index, download);
                    index += 1;
                }
                Err(end) => {
                    self.end_download(download, end, chain, now);
                    has_ended = true;
                }
            }
        }
        has_ended
    }

    /// Connects the blocks that have arrived, and sends the next requests.
    fn advance_download(&mut self, download: &mut Download, chain: &mut Chain, now: Now) -> Result<(), DownloadEnd> {
        let peer = download.peer.clone();
        let before = download.connected_count();
        while let Some(request) = download.connect(chain, now.time, self.next_id())? {
            self.send_request(&peer, request, now);
        }
        let delivered = download.connected_count() - before;
        if let Some(peer) = self.peers.known.get_mut(&peer).filter(|_| delivered > 0) {
            peer.record_delivered(delivered);
        }
        if delivered > 0 && download.outweighs(chain) {
            let pause_ms = chain.rules().params().block_interval_ms / MINING_PAUSE;
            self.mining_pause_ends_ms = Some(now.uptime_ms + pause_ms.max(1));
        }
        self.emit_reorganisation(chain);
        if !download.is_uncommitted() {
            self.emit_connected_blocks(download, chain);
        }
        while let Some(request) = download.next_request(chain, self.next_id())? {
            let is_due = matches!(request, PeerRequest::Headers { .. });
            let id = self.send_request(&peer, request, now);
            if is_due {
                self.expect_response(id, now);
            }
        }
        if let Some(due) = download.newly_due() {
            self.expect_response(due, now);
        }
        Ok(())
    }

    pub(super) fn with_download(
        &mut self,
        id: RequestId,
        chain: &mut Chain,
        now: Now,
        step: impl FnOnce(&mut Download, &mut Chain) -> Result<(), DownloadEnd>,
    ) {
        let Some(index) = self.downloads.iter().position(|download| download.awaits(id)) else { return };
        if let Err(end) = step(&mut self.downloads[index], chain) {
            let download = self.downloads.remove(index);
            self.end_download(download, end, chain, now);
        }
    }

    /// Starts a download if none runs that makes progress, or if a peer that has delivered offers more work while only
    /// others are asked. Returns whether it did.
    fn start_download(&mut self, chain: &Chain, now: Now) -> bool {
        self.downloads.iter_mut().for_each(|download| download.measure_pace(now.uptime_ms));
        let all_lag = match self.downloads.as_slice() {
            // One more is enough: several of the same branch fetch the same blocks.
            [only] => only.lags() || only.is_far_from_claim(),
            several => several.iter().all(Download::lags),
        };
        let proven = |address: &PeerAddress| self.peers.known.get(address).is_some_and(Peer::is_proven);
        let only_strangers = !self.downloads.iter().any(|download| proven(&download.peer));
        if now.uptime_ms < self.paused_until_ms || self.downloads.len() > MAX_DOWNLOADS {
            return false;
        }
        let is_full = self.downloads.len() >= MAX_DOWNLOADS;
        let offers: Vec<_> = self
            .offers(chain, now)
            .filter(|(_, peer, _)| (all_lag && !is_full) || (only_strangers && peer.is_proven()))
            .map(|(address, peer, tip)| (self.rank(peer), address.clone(), tip))
            .collect();
        let Some(first) = offers.iter().map(|(rank, ..)| *rank).min() else { return false };
        let mut best: Vec<_> = offers.into_iter().filter(|(rank, ..)| *rank == first).collect();
        let (_, address, target) = best.swap_remove(self.random.index(best.len()));
        self.downloads_started += 1;
        let number = self.downloads_started;
        if let Some(peer) = self.peers.known.get_mut(&address) {
            peer.last_download = number;
        }
        self.downloads.push(Download::new(address, target, now.uptime_ms));
        true
    }

    /// The order in which peers are asked: proven ones first, then those of the least busy group, then those of the
    /// group that waited longest.
    fn rank(&self, peer: &Peer) -> (bool, usize, u64, u64) {
        let same_group = || self.peers.known.iter().filter(|(_, other)| other.group == peer.group);
        let is_active = |address: &PeerAddress| self.downloads.iter().any(|download| download.peer == *address);
        let active = same_group().filter(|(address, _)| is_active(address)).count();
        let last_of_group = same_group().map(|(_, other)| other.last_download).max().unwrap_or(0);
        (!peer.is_proven(), active, last_of_group, peer.last_download)
    }

    /// Peers that claim more work than our chain has and from which no download runs. Peers and claims that rest after
    /// a failure are left out, and so are peers that have delivered nothing while their machine rests.
    fn offers<'a>(&'a self, chain: &'a Chain, now: Now) -> impl Iterator<Item = (&'a PeerAddress, &'a Peer, Tip)> {
        let tips = self.peers.connected().filter_map(|(address, peer)| Some((address, peer, peer.tip?)));
        tips.filter(move |(address, peer, tip)| {
            tip.work > chain.tip().work
                && peer.rest_until_ms <= now.uptime_ms
                && (peer.is_proven() || !self.group_pauses.holds(&peer.group))
                && !self.backoff.holds(address, tip.hash, now.uptime_ms)
                && !self.downloads.iter().any(|download| download.peer == **address)
                && chain.known_invalid(&tip.hash).is_none()
        })
    }

    pub(super) fn end_download(&mut self, mut download: Download, end: DownloadEnd, chain: &mut Chain, now: Now) {
        let (peer, target) = (download.peer.clone(), download.target.hash);
        self.cancel_requests(|id, _| download.awaits(id));
        // Evicts blocks of a branch that nobody completes, so it must come before the commit.
        let cleared = if self.downloads.is_empty() { chain.clear_wanted() } else { Ok(()) };
        let committed = cleared.map_err(DownloadEnd::from).and_then(|()| download.commit(chain));
        self.emit_reorganisation(chain);
        let has_failed = committed.is_err() || matches!(end, DownloadEnd::Failed(_));
        // After a failure of our own, the connected blocks may be gone again.
        if has_failed {
            self.paused_until_ms = now.uptime_ms + FAILURE_PAUSE_MS;
            self.downloads.iter_mut().for_each(Download::abandon);
        } else {
            self.emit_connected_blocks(&mut download, chain);
        }
        self.outputs.push_back(SyncOutput::Log(format!("the download from {peer} ended: {end}")));
        if !matches!(end, DownloadEnd::Done | DownloadEnd::Failed(_))
            && let Some(failed) = self.peers.known.get(&peer).filter(|failed| !failed.is_proven())
        {
            self.group_pauses.put(failed.group.clone(), now.uptime_ms);
        }
        match end {
            DownloadEnd::Done => {
                if let Some(peer) = self.peers.known.get_mut(&peer).filter(|_| download.was_useful()) {
                    peer.clear_penalties();
                    peer.poll_at_ms = now.uptime_ms;
                }
            }
            DownloadEnd::Unavailable(_) => self.backoff.put(&peer, target, now.uptime_ms),
            DownloadEnd::Undelivered(reason) => {
                self.backoff.put(&peer, target, now.uptime_ms);
                if self.peers.known.get_mut(&peer).is_some_and(|peer| peer.record_undelivered(now)) {
                    self.penalise(&peer, format!("it does not deliver what it offers: {reason}"), now);
                }
            }
            DownloadEnd::Lost(_) => {
                self.backoff.put(&peer, target, now.uptime_ms);
                if let Some(peer) = self.peers.known.get_mut(&peer) {
                    peer.record_undelivered(now);
                }
            }
            DownloadEnd::Misbehaved(reason) => self.penalise(&peer, reason, now),
            DownloadEnd::Failed(StoreError::DamagedBlock { id, .. }) => self.repair(id),
            DownloadEnd::Failed(_) => {}
        }
    }
}
