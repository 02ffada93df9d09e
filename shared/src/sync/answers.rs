//! What answers and failures mean: for the peer that gave them, and for what is being fetched from it.

use super::download::End;
use super::peers::Standing;
use super::{Failure, Kind, Learnt, Now, PeerAddress, RequestId, Response, Syncer};
use crate::block::BlockHash;
use crate::chain::Chain;
use crate::wire;

impl Syncer {
    pub(super) fn handle_answer(
        &mut self,
        id: RequestId,
        address: PeerAddress,
        kind: Kind,
        response: Response,
        chain: &mut Chain,
        now: Now,
    ) {
        match (kind, response) {
            (Kind::Info, Response::Info { address: said, network, difference, tip }) => {
                self.handle_info(&address, &said, network, difference, tip, chain, now);
            }
            (Kind::Peers, Response::Peers(peers)) => {
                // Loopback and link-local addresses mean something only to whoever shares the machine.
                let local = address.is_local();
                self.add_peers(peers.into_iter().filter(|peer| local || !peer.is_local()), Learnt::FromPeers, now);
            }
            (Kind::Headers, Response::Headers(headers)) => {
                self.with_download(id, chain, now, |download, chain| download.handle_headers(headers, chain, now.time));
            }
            (Kind::Blocks, Response::Blocks(blocks)) => {
                self.with_download(id, chain, now, |download, _| download.handle_blocks(id, blocks));
            }
            (Kind::Push(hash), Response::Pushed) => {
                if let Some(peer) = self.peers.known.get_mut(&address) {
                    peer.pushes = peer.pushes.saturating_sub(1);
                    peer.knows = Some(hash);
                }
            }
            _ => self.punish(&address, "it answered something else than was asked".to_owned(), now),
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the fields of one answer, and the two that everything here gets")]
    pub(super) fn handle_info(
        &mut self,
        address: &PeerAddress,
        said: &str,
        network: BlockHash,
        difference: Option<String>,
        tip: Option<wire::Tip>,
        chain: &Chain,
        now: Now,
    ) {
        let Some(peer) = self.peers.known.get_mut(address) else { return };
        peer.info = None;
        peer.owes_answer = false;
        if self.settings.own_address.as_ref().is_some_and(|own| own.as_str() == said) {
            self.peers.remove(address);
            return;
        }
        let ours = chain.rules().params().network_id();
        if network != ours {
            let detail = difference.map_or(String::new(), |difference| format!(": {difference}"));
            let reason = format!("another network, {network}; ours is {ours}{detail}");
            self.lose(address, Standing::Foreign(reason), now);
            return;
        }
        if let Some(change) = self.peers.answered(address, tip, now) {
            self.ask_peers_at_ms = self.ask_peers_at_ms.min(now.uptime_ms);
            self.tell_peer(address.clone(), change, None);
        }
    }

    pub(super) fn handle_failure(
        &mut self,
        id: RequestId,
        address: &PeerAddress,
        kind: Kind,
        failure: &Failure,
        chain: &mut Chain,
        now: Now,
    ) {
        if let Some(peer) = self.peers.known.get_mut(address) {
            match kind {
                Kind::Info => (peer.info, peer.owes_answer) = (None, false),
                Kind::Push(_) => peer.pushes = peer.pushes.saturating_sub(1),
                _ => {}
            }
        }
        match (failure, kind) {
            (Failure::Misbehaved(reason), _) => self.punish(address, reason.clone(), now),
            (Failure::Slow, Kind::Headers | Kind::Blocks) => {
                self.punish(address, "it was too slow".to_owned(), now);
            }
            // Requests that fail together are one miss: only the first of them finds the peer connected.
            (Failure::Unreachable(_), Kind::Headers | Kind::Blocks | Kind::Peers | Kind::Push(_))
                if !self.peers.is_connected(address) => {}
            (Failure::Unreachable(_), _) | (_, Kind::Info) => {
                self.lose(address, Standing::Unreachable(failure.to_string()), now);
            }
            (Failure::Slow | Failure::Refused(_), _) => {}
        }
        if self.download.as_ref().is_some_and(|download| download.awaits(id)) {
            self.end_download(End::Nothing(failure.to_string()), chain, now);
        }
    }
}
