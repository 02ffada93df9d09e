//! Whom to fetch a better chain from, and for how long: one download at a time, and everybody gets a turn.

use super::download::{Download, End};
use super::peers::Peer;
use super::{Now, Output, PeerAddress, RequestId, Syncer, next_chance};
use crate::chain::Chain;
use crate::wire;
use std::cmp::Reverse;

/// How long to wait before fetching anything more after a failure of our own, such as a full disk.
const REST_MS: u64 = 2_000;

impl Syncer {
    /// Does whatever can be done without waiting: polls, a download's next requests, a new download.
    pub(super) fn go_on(&mut self, chain: &mut Chain, now: Now) {
        self.poll_peers(now);
        self.relay_rest(now);
        loop {
            if self.download.is_none() {
                self.start_download(chain, now);
            }
            let Some(mut download) = self.download.take() else { return };
            let driven = if self.is_anothers_turn(&mut download, chain, now) {
                Err(End::Nothing("it takes long, and others have something to offer".to_owned()))
            } else {
                self.drive(&mut download, chain, now)
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
    pub(super) fn drive(&mut self, download: &mut Download, chain: &mut Chain, now: Now) -> Result<(), End> {
        let peer = download.peer.clone();
        while let Some(request) = download.connect(chain, now.time, self.next_id())? {
            self.ask(&peer, request, now);
        }
        self.tell_reorganisation(chain);
        if !download.is_uncommitted() {
            self.tell_taken(download, chain);
        }
        while let Some(request) = download.next_request(chain, self.next_id())? {
            self.ask(&peer, request, now);
        }
        Ok(())
    }

    pub(super) fn with_download(
        &mut self,
        id: RequestId,
        chain: &mut Chain,
        now: Now,
        step: impl FnOnce(&mut Download, &mut Chain) -> Result<(), End>,
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
        if now.uptime_ms < self.rest_until_ms {
            return;
        }
        let rank = |peer: &Peer, tip: &wire::Tip| (peer.last_download, Reverse(tip.work));
        let offers: Vec<_> = self.offers(chain, now).collect();
        let first = offers.iter().map(|(_, peer, tip)| rank(peer, tip)).min();
        let best: Vec<_> = offers.iter().filter(|(_, peer, tip)| Some(rank(peer, tip)) == first).collect();
        if best.is_empty() {
            return;
        }
        let chance = next_chance(self.chance);
        let (address, peer, target) = best[(chance >> 33) as usize % best.len()];
        let (address, turn_ends_ms) = ((*address).clone(), now.uptime_ms + peer.turn_ms);
        let download = Download::new(address.clone(), *target, turn_ends_ms);
        self.chance = chance;
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
    ) -> impl Iterator<Item = (&'a PeerAddress, &'a Peer, wire::Tip)> {
        let tips = self.peers.connected().filter_map(|(address, peer)| Some((address, peer, peer.tip?)));
        tips.filter(move |(address, _, tip)| {
            tip.work > chain.tip().work
                && !self.shelf.holds(address, tip.hash, now.uptime_ms)
                && chain.known_invalid(&tip.hash).is_none()
        })
    }

    /// Whether a download has had its time and somebody else offers more than we have.
    pub(super) fn is_anothers_turn(&mut self, download: &mut Download, chain: &Chain, now: Now) -> bool {
        if now.uptime_ms < download.turn_ends_ms {
            return false;
        }
        let waiting = self.offers(chain, now).any(|(address, ..)| *address != download.peer);
        let turn_ms = self.peers.known.get_mut(&download.peer).map_or(0, |peer| {
            peer.took_long();
            peer.turn_ms
        });
        download.turn_ends_ms = now.uptime_ms + turn_ms.max(1);
        waiting
    }

    pub(super) fn end_download(&mut self, end: End, chain: &mut Chain, now: Now) {
        let Some(mut download) = self.download.take() else { return };
        let Download { peer, target, .. } = &download;
        let (peer, target) = (peer.clone(), target.hash);
        // Evicts what nobody completes, so it must come before the commit.
        chain.shelve_branches();
        let committed = download.commit(chain);
        self.tell_reorganisation(chain);
        // After a failure of our own, what was taken may be gone again.
        if committed.is_ok() && !matches!(end, End::Failed(_)) {
            self.tell_taken(&mut download, chain);
        }
        self.outputs.push_back(Output::Note(format!("fetching from {peer} ended: {end}")));
        match end {
            End::Done => {
                if let Some(peer) = self.peers.known.get_mut(&peer).filter(|_| download.was_useful()) {
                    peer.forgive();
                    peer.poll_at_ms = now.uptime_ms;
                }
            }
            End::Nothing(_) => self.shelf.put(&peer, target, now.uptime_ms),
            End::Unkept(reason) => {
                self.shelf.put(&peer, target, now.uptime_ms);
                if self.peers.known.get_mut(&peer).is_some_and(|peer| peer.disappointed(now)) {
                    self.punish(&peer, format!("time and again {reason}"), now);
                }
            }
            End::Failed(_) => self.rest_until_ms = now.uptime_ms + REST_MS,
            End::Misbehaved(reason) => self.punish(&peer, reason, now),
        }
        if committed.is_err() {
            self.rest_until_ms = now.uptime_ms + REST_MS;
        }
    }
}
