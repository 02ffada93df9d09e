//! What answers and failures mean: for the peer that gave them, and for what is being fetched from it.

use super::download::DownloadEnd;
use super::peers::PeerState;
use super::{Failure, Now, PeerAddress, PeerResponse, PeerSource, RequestId, RequestKind, Syncer};
use crate::block::BlockHash;
use crate::chain::{Chain, Tip};

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
            (RequestKind::Info, PeerResponse::Info { address: said, network, difference, tip }) => {
                self.handle_info(&address, &said, network, difference, tip, chain, now);
            }
            (RequestKind::Peers, PeerResponse::Peers(peers)) => {
                // Loopback and link-local addresses mean something only to whoever shares the machine.
                let local = address.is_local();
                self.add_peers(peers.into_iter().filter(|peer| local || !peer.is_local()), PeerSource::Peers, now);
            }
            (RequestKind::Headers, PeerResponse::Headers(headers)) => {
                self.with_download(id, chain, now, |download, chain| download.handle_headers(headers, chain, now.time));
            }
            (RequestKind::Blocks, PeerResponse::Blocks(blocks)) => {
                self.with_download(id, chain, now, |download, _| download.handle_blocks(id, blocks));
            }
            (RequestKind::Repair, PeerResponse::Blocks(blocks)) => self.handle_repair(&blocks, chain),
            (RequestKind::Push(hash), PeerResponse::Pushed) => {
                if let Some(peer) = self.peers.known.get_mut(&address) {
                    peer.pushes = peer.pushes.saturating_sub(1);
                    peer.knows = Some(hash);
                }
            }
            _ => self.penalise(&address, "it answered something else than was asked".to_owned(), now),
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the fields of one answer, and the two that everything here gets")]
    pub(super) fn handle_info(
        &mut self,
        address: &PeerAddress,
        said: &str,
        network: BlockHash,
        difference: Option<String>,
        tip: Option<Tip>,
        chain: &Chain,
        now: Now,
    ) {
        let Some(peer) = self.peers.known.get_mut(address) else { return };
        peer.info = None;
        peer.sync_pending = false;
        if self.settings.own_address.as_ref().is_some_and(|own| own.as_str() == said) {
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
        if let Some(change) = self.peers.record_response(address, tip, now) {
            self.discover_at_ms = self.discover_at_ms.min(now.uptime_ms);
            self.emit_peer_event(address.clone(), change, None);
        }
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
                RequestKind::Headers | RequestKind::Blocks | RequestKind::Repair | RequestKind::Peers => {}
            }
        }
        match (failure, kind) {
            (Failure::Misbehaved(reason), _) => self.penalise(address, reason.clone(), now),
            (Failure::Slow, RequestKind::Headers | RequestKind::Blocks) => {
                self.penalise(address, "it was too slow".to_owned(), now);
            }
            // Requests that fail together are one miss: only the first of them finds the peer connected.
            (
                Failure::Unreachable(_),
                RequestKind::Headers
                | RequestKind::Blocks
                | RequestKind::Repair
                | RequestKind::Peers
                | RequestKind::Push(_),
            ) if !self.peers.is_connected(address) => {}
            (Failure::Unreachable(_), _) | (_, RequestKind::Info) => {
                self.disconnect(address, PeerState::Unreachable(failure.to_string()), now);
            }
            (Failure::Slow | Failure::Refused(_), _) => {}
        }
        if self.download.as_ref().is_some_and(|download| download.awaits(id)) {
            self.end_download(DownloadEnd::Unavailable(failure.to_string()), chain, now);
        }
    }
}
