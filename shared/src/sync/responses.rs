//! What responses and failures mean: for the peer that sent them, and for the download from it.

use super::download::DownloadEnd;
use super::peer::PeerState;
use super::requests::RequestKind;
use super::{Failure, Interest, Now, PeerAddress, PeerResponse, PeerSource, RequestId, Syncer};
use crate::chain::Chain;

/// Most addresses that are taken from one peer's list.
const MAX_LISTED_PEERS: usize = 64;

impl Syncer {
    pub(super) fn dispatch_response(
        &mut self,
        id: RequestId,
        address: PeerAddress,
        kind: RequestKind,
        response: PeerResponse,
        chain: &mut Chain,
        now: Now,
    ) {
        match (kind, response) {
            (RequestKind::Info, info @ PeerResponse::Info { .. }) => self.handle_info(&address, info, chain, now),
            (RequestKind::Peers, PeerResponse::Peers(mut peers)) => {
                // Loopback and link-local addresses mean something only on the machine itself.
                let local = address.is_local();
                peers.retain(|peer| local || !peer.is_local());
                self.random.shuffle(&mut peers);
                peers.truncate(MAX_LISTED_PEERS);
                self.add_peers(peers, PeerSource::Peers, now);
            }
            (RequestKind::Headers, PeerResponse::Headers(headers)) => {
                self.with_download(id, chain, now, |download, chain| download.handle_headers(headers, chain, now.time));
            }
            (RequestKind::Blocks, PeerResponse::Blocks(blocks)) => {
                self.with_download(id, chain, now, |download, _| download.handle_blocks(id, blocks));
            }
            (RequestKind::Repair, PeerResponse::Blocks(blocks)) => self.handle_repair(&blocks, chain),
            (RequestKind::Announce(hash), PeerResponse::Announced(interest)) => {
                self.handle_interest(&address, hash, interest, now);
            }
            (RequestKind::Push(hash), PeerResponse::Pushed { was_taken, missing }) => {
                if was_taken {
                    self.record_taken(hash);
                }
                if let Some(peer) = self.peers.known.get_mut(&address) {
                    peer.pushes = peer.pushes.saturating_sub(1);
                    peer.knows = Some(hash);
                }
                self.continue_backfill(&address, hash, missing, chain, now);
            }
            _ => self.penalise(&address, "its response is not one to the request".to_owned(), now),
        }
    }

    fn handle_info(&mut self, address: &PeerAddress, info: PeerResponse, chain: &Chain, now: Now) {
        let PeerResponse::Info { address: claimed, network, difference, tip, ip } = info else { return };
        let Some(peer) = self.peers.known.get_mut(address) else { return };
        peer.info = None;
        peer.sync_pending = false;
        if self.settings.own_address.as_ref().is_some_and(|own| own.as_str() == claimed) {
            self.peers.remove(address);
            return;
        }
        let ours = chain.rules().params().network_id();
        if network != ours {
            let detail = difference.map_or(String::new(), |difference| format!(": {difference}"));
            let reason = format!("another network, {network}; ours is {ours}{detail}");
            self.disconnect(address, PeerState::Foreign(reason), now);
            return;
        }
        if let Some(change) = self.peers.record_response(address, tip, ip, now) {
            self.discover_at_ms = self.discover_at_ms.min(now.uptime_ms);
            self.emit_peer_event(address.clone(), change, None);
        }
        self.resume_backfill(address, tip, chain, now);
    }

    pub(super) fn handle_failure(
        &mut self,
        id: RequestId,
        address: &PeerAddress,
        kind: RequestKind,
        failure: &Failure,
        chain: &mut Chain,
        now: Now,
    ) {
        if let Some(peer) = self.peers.known.get_mut(address) {
            match kind {
                RequestKind::Info => (peer.info, peer.sync_pending) = (None, false),
                RequestKind::Push(_) => peer.pushes = peer.pushes.saturating_sub(1),
                RequestKind::Headers
                | RequestKind::Blocks
                | RequestKind::Repair
                | RequestKind::Peers
                | RequestKind::Announce(_) => {}
            }
        }
        match (failure, kind) {
            (Failure::Misbehaved(reason), _) => self.penalise(address, reason.clone(), now),
            // Requests that fail together are one miss: only the first of them finds the peer connected.
            (
                Failure::Unreachable(_),
                RequestKind::Headers
                | RequestKind::Blocks
                | RequestKind::Repair
                | RequestKind::Peers
                | RequestKind::Announce(_)
                | RequestKind::Push(_),
            ) if !self.peers.is_connected(address) => {}
            (Failure::Unreachable(_), _) | (_, RequestKind::Info) => {
                self.disconnect(address, PeerState::Unreachable(failure.to_string()), now);
            }
            // It does not know the request, or has no time for it: it may still want the block.
            (Failure::Refused(_), RequestKind::Announce(hash)) => {
                self.handle_interest(address, hash, Interest::Wanted, now);
            }
            (Failure::Slow | Failure::Refused(_), _) => {}
        }
        let reason = failure.to_string();
        self.with_download(id, chain, now, |_, _| {
            Err(match failure {
                Failure::Unreachable(_) => DownloadEnd::Lost(reason),
                Failure::Slow => DownloadEnd::Undelivered("it was too slow".to_owned()),
                Failure::Refused(_) | Failure::Misbehaved(_) => DownloadEnd::Undelivered(reason),
            })
        });
    }
}
