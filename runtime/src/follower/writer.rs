//! The chain's thread, the only writer: executes commands in order, lets the core decide, and publishes what changed.

use super::command::Command;
use super::peer_client::PeerClient;
use super::{Status, short};
use crate::clock::Clock;
use metrics::{counter, gauge};
use shared::block::BlockId;
use shared::chain::{BlockError, Chain, ChainEntry};
use shared::store::StoreError;
use shared::sync::{SyncOutput, Syncer};
use shared::wire::{BlockSource, NodeEvent, SyncReport, SyncResult};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;
use tokio::sync::{broadcast, oneshot, watch};

/// Longest time that `POST /sync` waits, in milliseconds.
const SYNC_NOW_MS: u64 = 25_000;
/// Most commands that are handled before the syncer's due work.
const MAX_BEFORE_WAKEUP: usize = 256;
/// A command that takes this long delays responses noticeably, in milliseconds.
const DELAY_MS: u64 = 100;
/// Most requests of `POST /sync` that wait at a time.
const MAX_SYNC_WAITERS: usize = 64;

pub(super) struct Writer {
    chain: Chain,
    syncer: Syncer,
    clock: Clock,
    peer_client: PeerClient,
    event_sender: broadcast::Sender<Arc<NodeEvent>>,
    status: watch::Sender<Arc<Status>>,
    sync_waiters: Vec<SyncWaiter>,
    events: Vec<Arc<NodeEvent>>,
    replies: Vec<Reply>,
    reorganisations: u64,
    /// What the chain is stored in.
    file: String,
    /// Damaged blocks that were logged and are not whole again.
    damaged: Vec<BlockId>,
}

/// A deferred reply. Replies and events are sent only after the new status is published, so that their receivers see
/// the chain that they are about: a miner that continued on the old tip would fork itself.
type Reply = Box<dyn FnOnce() + Send>;

/// A request of `POST /sync`, and the tip when it came.
struct SyncWaiter {
    reply: oneshot::Sender<Option<SyncReport>>,
    from: ChainEntry,
    until_ms: u64,
}

impl Writer {
    pub(super) fn new(
        chain: Chain,
        syncer: Syncer,
        clock: Clock,
        peer_client: PeerClient,
        event_sender: broadcast::Sender<Arc<NodeEvent>>,
        file: String,
    ) -> (Self, watch::Receiver<Arc<Status>>) {
        let (status, watcher) = watch::channel(Arc::new(status_of(&chain, &syncer, 0, clock)));
        let (sync_waiters, events, replies) = (Vec::new(), Vec::new(), Vec::new());
        (
            Self {
                chain,
                syncer,
                clock,
                peer_client,
                event_sender,
                status,
                sync_waiters,
                events,
                replies,
                reorganisations: 0,
                file,
                damaged: Vec::new(),
            },
            watcher,
        )
    }

    pub(super) fn run(mut self, queue: &Receiver<Command>) {
        let mut handled = 0;
        loop {
            let uptime_ms = self.clock.now().uptime_ms;
            let due_ms =
                self.sync_waiters.iter().map(|waiter| waiter.until_ms).chain([self.syncer.next_wakeup_ms()]).min();
            let wait_ms = due_ms.unwrap_or(uptime_ms).saturating_sub(uptime_ms);
            let mut is_idle = false;
            match queue.recv_timeout(Duration::from_millis(wait_ms)) {
                Ok(Command::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(command) => {
                    let began_ms = self.clock.now().uptime_ms;
                    self.handle(command);
                    let took_ms = self.clock.now().uptime_ms.saturating_sub(began_ms);
                    if took_ms >= DELAY_MS {
                        self.syncer.handle_delay(took_ms);
                    }
                    handled += 1;
                }
                Err(RecvTimeoutError::Timeout) => is_idle = true,
            }
            // Answers in the queue came in time, so they are handled before the syncer judges which peers are late.
            let is_due = self.clock.now().uptime_ms >= self.syncer.next_wakeup_ms();
            if is_due && (is_idle || handled >= MAX_BEFORE_WAKEUP) {
                self.syncer.handle_wakeup(&mut self.chain, self.clock.now());
                handled = 0;
            }
            self.process_outputs();
            self.log_damage();
            self.reply_to_sync_waiters();
            self.publish();
            // Until it is durable, a better branch is published nowhere, so only events of peers are sent.
            let is_committed = self.chain.is_committed();
            let is_due = |event: &mut Arc<NodeEvent>| is_committed || matches!(**event, NodeEvent::Peer(_));
            for event in self.events.extract_if(.., is_due) {
                // Without subscribers, sending fails, which does not matter.
                let _ = self.event_sender.send(event);
            }
            self.replies.drain(..).for_each(|reply| reply());
        }
        match self.chain.flush() {
            Ok(()) => tracing::debug!(height = self.chain.tip().index.0, "the chain is flushed"),
            Err(error) => {
                tracing::error!(%error, "the chain could not be flushed; the next start replays the missing blocks")
            }
        }
    }

    fn handle(&mut self, command: Command) {
        let now = self.clock.now();
        match command {
            Command::Block { block, source, from, reply } => {
                let result = self.syncer.handle_block(block, source, from.as_ref(), &mut self.chain, now);
                if let Err(BlockError::Failed(error)) = &result {
                    self.note_failure(error);
                }
                self.defer_reply(reply, result);
            }
            Command::Response { id, result } => {
                self.peer_client.finish(id);
                self.syncer.handle_response(id, result, &mut self.chain, now);
            }
            Command::Progress { id, bytes } => self.syncer.handle_progress(id, bytes, now),
            Command::Hint(address) => self.syncer.handle_hint(&address, now),
            Command::Offer { addresses, learnt } => {
                self.syncer.add_peers(addresses, learnt, now);
                self.syncer.handle_wakeup(&mut self.chain, now);
            }
            Command::Peers { update, reply } => {
                let result = self.syncer.update_peers(&update, now);
                self.syncer.handle_wakeup(&mut self.chain, now);
                self.defer_reply(reply, result);
            }
            Command::Own(address) => {
                self.peer_client.set_own_address(&address);
                self.syncer.set_own_address(address);
            }
            Command::SyncNow { reply } => {
                self.syncer.sync_now(now);
                self.syncer.handle_wakeup(&mut self.chain, now);
                if self.sync_waiters.len() < MAX_SYNC_WAITERS {
                    let from = self.chain.tip().clone();
                    self.sync_waiters.push(SyncWaiter { reply, from, until_ms: now.uptime_ms + SYNC_NOW_MS });
                } else {
                    self.defer_reply(reply, None);
                }
            }
            Command::Damaged(id) => {
                self.syncer.repair(id);
                self.syncer.handle_wakeup(&mut self.chain, now);
            }
            Command::Flush => {
                if let Err(error) = self.chain.flush() {
                    self.note_failure(&error);
                }
            }
            Command::Stop => {}
        }
    }

    /// The store has logged its failures itself, once each.
    fn note_failure(&mut self, error: &StoreError) {
        match error {
            StoreError::DamagedBlock { id, .. } => self.syncer.repair(*id),
            error => tracing::debug!(%error, "the chain could not be read or written"),
        }
    }

    fn log_damage(&mut self) {
        for id in self.syncer.take_damaged() {
            self.damaged.push(id);
            tracing::error!(
                file = self.file,
                height = id.index.0,
                hash = short(&id.hash),
                "the disk has changed a stored block; it is fetched again from peers. If no peer has it, stop the \
                 program, put the file back from a copy, or move it and its .used away to fetch the whole chain again"
            );
        }
        let (damaged, whole): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.damaged).into_iter().partition(|id| self.syncer.is_damaged(id));
        self.damaged = damaged;
        for id in whole {
            tracing::info!(height = id.index.0, hash = short(&id.hash), "a damaged block is whole again");
        }
    }

    fn process_outputs(&mut self) {
        while let Some(output) = self.syncer.poll_output() {
            match output {
                SyncOutput::Request { id, peer, request, timeout_ms } => {
                    self.peer_client.send(id, peer, request, timeout_ms)
                }
                SyncOutput::Event(event) => self.record_event(event.into()),
                SyncOutput::Cancel(id) => self.peer_client.cancel(id),
                SyncOutput::Warning(note) => tracing::warn!("{note}"),
                SyncOutput::Log(note) => tracing::debug!("{note}"),
            }
        }
    }

    fn record_event(&mut self, event: NodeEvent) {
        match &event {
            NodeEvent::Block(block) => {
                let source = match block.source {
                    BlockSource::Mined => "mined",
                    BlockSource::Pushed => "pushed",
                    BlockSource::Synced => "synced",
                };
                counter!("chainlab_blocks_total", "source" => source).increment(1);
                let from = block.from.as_deref().unwrap_or("-");
                tracing::info!(height = block.index.0, hash = short(&block.hash), source, from, "block");
            }
            NodeEvent::Reorg(reorg) => {
                self.reorganisations += 1;
                counter!("chainlab_reorganisations_total").increment(1);
                tracing::info!(
                    undone = reorg.undone,
                    applied = reorg.applied,
                    fork = reorg.fork.index.0,
                    tip = short(&reorg.to.hash),
                    "reorganised"
                );
            }
            NodeEvent::Peer(peer) => {
                let reason = peer.reason.as_deref().unwrap_or("-");
                tracing::info!(peer = peer.address, change = ?peer.change, reason, "peer");
            }
            NodeEvent::Mining(_) => {}
        }
        self.events.push(Arc::new(event));
    }

    fn defer_reply<T: Send + 'static>(&mut self, reply: oneshot::Sender<T>, answer: T) {
        self.replies.push(Box::new(move || {
            // Sending fails if the request was dropped meanwhile.
            let _ = reply.send(answer);
        }));
    }

    fn reply_to_sync_waiters(&mut self) {
        let uptime_ms = self.clock.now().uptime_ms;
        let settled = self.syncer.is_settled();
        let (ready, sync_waiters) = std::mem::take(&mut self.sync_waiters)
            .into_iter()
            .partition(|waiter| settled || waiter.until_ms <= uptime_ms);
        self.sync_waiters = sync_waiters;
        let ready: Vec<SyncWaiter> = ready;
        for SyncWaiter { reply, from, .. } in ready {
            let to = self.chain.tip();
            let result = if to.hash() == from.hash() {
                SyncResult::Authoritative
            } else if self.chain.view().reader().and_then(|reader| reader.is_best(from.id())).unwrap_or(false) {
                SyncResult::Updated
            } else {
                SyncResult::Reorganised
            };
            let report = SyncReport { result, from: from.id(), to: to.id() };
            self.defer_reply(reply, Some(report));
        }
    }

    fn publish(&mut self) {
        if !self.chain.is_committed() {
            // Readers see only what is durable, but miners must not be idle for longer than the syncer wants.
            let is_syncing = self.syncer.is_syncing(self.clock.now());
            return self.publish_pause(is_syncing);
        }
        let status = status_of(&self.chain, &self.syncer, self.reorganisations, self.clock);
        gauge!("chainlab_height").set(status.tip.index.0 as f64);
        gauge!("chainlab_difficulty").set(status.next_difficulty.value() as f64);
        gauge!("chainlab_peers").set(status.connected as f64);
        self.status.send_if_modified(|current| {
            let changed = current.tip.hash() != status.tip.hash()
                || current.is_syncing != status.is_syncing
                || current.peers != status.peers
                || current.blocked_ips != status.blocked_ips
                || current.tips != status.tips;
            if changed {
                *current = Arc::new(status);
            }
            changed
        });
    }

    fn publish_pause(&self, is_syncing: bool) {
        self.status.send_if_modified(|current| {
            let changed = current.is_syncing != is_syncing;
            if changed {
                *current = Arc::new(Status { is_syncing, ..Status::clone(current) });
            }
            changed
        });
    }
}

fn status_of(chain: &Chain, syncer: &Syncer, reorganisations: u64, clock: Clock) -> Status {
    Status {
        tip: chain.tip().clone(),
        next_difficulty: chain.next_difficulty(),
        is_syncing: syncer.is_syncing(clock.now()),
        reorganisations,
        tips: chain.tips().into(),
        peers: syncer.peers().into(),
        connected: syncer.connected(),
        blocked_ips: syncer.blocked_ips().into(),
    }
}
