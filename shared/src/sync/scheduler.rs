//! Whom to fetch a better chain from, and for how long: one download at a time, and everybody gets a turn.

use super::download::{Download, DownloadEnd};
use super::peers::Peer;
use super::{Now, PeerAddress, RequestId, SyncOutput, Syncer};
use crate::chain::{Chain, Tip};
use crate::store::StoreError;
use std::cmp::Reverse;

/// How long to wait before fetching anything more after a failure of our own, such as a full disk.
const PAUSE_MS: u64 = 2_000;

impl Syncer {
    /// Does whatever can be done without waiting: polls, a download's next requests, a new download.
    pub(super) fn make_progress(&mut self, chain: &mut Chain, now: Now) {
        self.poll_peers(now);
        self.relay_to_remaining(now);
        self.request_repair(chain, now);
        loop {
            if self.download.is_none() {
                self.start_download(chain, now);
            }
            let Some(mut download) = self.download.take() else { return };
            let driven = if self.should_yield(&mut download, chain, now) {
                Err(DownloadEnd::Unavailable("it takes long, and others have something to offer".to_owned()))
            } else {
                self.advance_download(&mut download, chain, now)
            };
            match driven {
                Ok(()) => {
                    self.download = Some(download);
                    return;
                }
                Err(end) => {
                    self.download = Some(download);
                    self.end_download(end, chain, now);
                }
            }
        }
    }

    /// Connects what has arrived and asks for what comes next.
    pub(super) fn advance_download(
        &mut self,
        download: &mut Download,
        chain: &mut Chain,
        now: Now,
    ) -> Result<(), DownloadEnd> {
        let peer = download.peer.clone();
        while let Some(request) = download.connect(chain, now.time, self.next_id())? {
            self.send_request(&peer, request, now);
        }
        self.emit_reorganisation(chain);
        if !download.is_uncommitted() {
            self.emit_connected_blocks(download, chain);
        }
        while let Some(request) = download.next_request(chain, self.next_id())? {
            self.send_request(&peer, request, now);
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
        let Some(download) = self.download.as_mut().filter(|download| download.awaits(id)) else { return };
        if let Err(end) = step(download, chain) {
            self.end_download(end, chain, now);
        }
    }

    /// Starts fetching from a peer whose chain claims more work than ours has.
    ///
    /// Claims cost nothing, so they buy no precedence: whoever waited longest is asked first, and only among those who
    /// waited equally long the largest claim.
    pub(super) fn start_download(&mut self, chain: &Chain, now: Now) {
        if now.uptime_ms < self.paused_until_ms {
            return;
        }
        let rank = |peer: &Peer, tip: &Tip| (peer.last_download, Reverse(tip.work));
        let offers = self.offers(chain, now);
        let mut offers: Vec<_> =
            offers.map(|(address, peer, tip)| (rank(peer, &tip), address.clone(), tip, peer.turn_ms)).collect();
        let Some(first) = offers.iter().map(|(rank, ..)| *rank).min() else { return };
        offers.retain(|(rank, ..)| *rank == first);
        let (_, address, target, turn_ms) = offers.swap_remove(self.random.index(offers.len()));
        let download = Download::new(address.clone(), target, now.uptime_ms + turn_ms);
        self.downloads += 1;
        if let Some(peer) = self.peers.known.get_mut(&address) {
            peer.last_download = self.downloads;
        }
        self.download = Some(download);
    }

    /// Peers that claim more work than we have, and whose claim does not rest on the shelf.
    pub(super) fn offers<'a>(
        &'a self,
        chain: &'a Chain,
        now: Now,
    ) -> impl Iterator<Item = (&'a PeerAddress, &'a Peer, Tip)> {
        let tips = self.peers.connected().filter_map(|(address, peer)| Some((address, peer, peer.tip?)));
        tips.filter(move |(address, _, tip)| {
            tip.work > chain.tip().work
                && !self.backoff.holds(address, tip.hash, now.uptime_ms)
                && chain.known_invalid(&tip.hash).is_none()
        })
    }

    /// Whether a download has had its time and somebody else offers more than we have.
    pub(super) fn should_yield(&mut self, download: &mut Download, chain: &Chain, now: Now) -> bool {
        if now.uptime_ms < download.turn_ends_ms {
            return false;
        }
        let waiting = self.offers(chain, now).any(|(address, ..)| *address != download.peer);
        let turn_ms = self.peers.known.get_mut(&download.peer).map_or(0, |peer| {
            peer.extend_turn();
            peer.turn_ms
        });
        download.turn_ends_ms = now.uptime_ms + turn_ms.max(1);
        waiting
    }

    pub(super) fn end_download(&mut self, end: DownloadEnd, chain: &mut Chain, now: Now) {
        let Some(mut download) = self.download.take() else { return };
        let Download { peer, target, .. } = &download;
        let (peer, target) = (peer.clone(), target.hash);
        // Evicts what nobody completes, so it must come before the commit.
        let committed = chain.clear_wanted().map_err(DownloadEnd::from).and_then(|()| download.commit(chain));
        self.emit_reorganisation(chain);
        // After a failure of our own, what was taken may be gone again.
        if committed.is_ok() && !matches!(end, DownloadEnd::Failed(_)) {
            self.emit_connected_blocks(&mut download, chain);
        }
        self.outputs.push_back(SyncOutput::Log(format!("fetching from {peer} ended: {end}")));
        match end {
            DownloadEnd::Done => {
                if let Some(peer) = self.peers.known.get_mut(&peer).filter(|_| download.was_useful()) {
                    peer.clear_penalties();
                    peer.poll_at_ms = now.uptime_ms;
                }
            }
            DownloadEnd::Unavailable(_) => self.backoff.put(&peer, target, now.uptime_ms),
            DownloadEnd::BrokenPromise(reason) => {
                self.backoff.put(&peer, target, now.uptime_ms);
                if self.peers.known.get_mut(&peer).is_some_and(|peer| peer.record_broken_promise(now)) {
                    self.penalise(&peer, format!("time and again {reason}"), now);
                }
            }
            DownloadEnd::Failed(error) => {
                self.paused_until_ms = now.uptime_ms + PAUSE_MS;
                if let StoreError::DamagedBlock { id, .. } = error {
                    self.repair(id);
                }
            }
            DownloadEnd::Misbehaved(reason) => self.penalise(&peer, reason, now),
        }
        if committed.is_err() {
            self.paused_until_ms = now.uptime_ms + PAUSE_MS;
        }
    }
}
