//! The chain's own thread: the only writer. It takes inputs in order, lets the core decide, and publishes what changed.

use super::courier::Courier;
use super::{Status, short};
use crate::clock::Clock;
use metrics::{counter, gauge};
use shared::block::Block;
use shared::chain::{Accepted, BlockError, Chain, ChainEntry};
use shared::sync::{Failure, PeerAddress, PeerResponse, PeerSource, RequestId, SyncOutput, Syncer};
use shared::wire::{BlockSource, NodeEvent, PeersUpdate, SyncReport, SyncResult};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;
use tokio::sync::{broadcast, oneshot, watch};

/// `POST /sync` answers after this long at the latest, milliseconds.
const SYNC_NOW_MS: u64 = 25_000;
/// Inputs that are handled before what is due, at the most.
const MAX_BEFORE_WAKEUP: usize = 256;
/// Most `POST /sync` that may wait.
const MAX_WAITING: usize = 64;

/// What the chain's thread is told.
pub(super) enum Input {
    Block {
        block: Block,
        source: BlockSource,
        from: Option<PeerAddress>,
        reply: oneshot::Sender<Result<Accepted, BlockError>>,
    },
    Response {
        id: RequestId,
        result: Result<PeerResponse, Failure>,
    },
    Offer {
        addresses: Vec<PeerAddress>,
        learnt: PeerSource,
    },
    Peers {
        update: PeersUpdate,
        reply: oneshot::Sender<Result<(), String>>,
    },
    Own(PeerAddress),
    SyncNow {
        reply: oneshot::Sender<SyncReport>,
    },
    Stop,
}

pub(super) struct Writer {
    chain: Chain,
    syncer: Syncer,
    clock: Clock,
    courier: Courier,
    events: broadcast::Sender<Arc<NodeEvent>>,
    status: watch::Sender<Arc<Status>>,
    waiting: Vec<Waiting>,
    told: Vec<Arc<NodeEvent>>,
    answers: Vec<Answer>,
    reorganisations: u64,
}

/// Tells somebody what came of what they asked. Given once the status shows it, as events are, so that whoever has an
/// answer sees the chain that it speaks of: a miner that went on from the old tip would fork itself.
type Answer = Box<dyn FnOnce() + Send>;

/// Somebody who asked for a sync, and how the chain stood then.
struct Waiting {
    reply: oneshot::Sender<SyncReport>,
    from: ChainEntry,
    until_ms: u64,
}

impl Writer {
    pub(super) fn new(
        chain: Chain,
        syncer: Syncer,
        clock: Clock,
        courier: Courier,
        events: broadcast::Sender<Arc<NodeEvent>>,
    ) -> (Self, watch::Receiver<Arc<Status>>) {
        let (status, watcher) = watch::channel(Arc::new(status_of(&chain, &syncer, 0)));
        let (waiting, told, answers) = (Vec::new(), Vec::new(), Vec::new());
        (Self { chain, syncer, clock, courier, events, status, waiting, told, answers, reorganisations: 0 }, watcher)
    }

    pub(super) fn run(mut self, queue: &Receiver<Input>) {
        let mut handled = 0;
        loop {
            let uptime_ms = self.clock.now().uptime_ms;
            let due_ms =
                self.waiting.iter().map(|waiting| waiting.until_ms).chain([self.syncer.next_wakeup_ms()]).min();
            let wait_ms = due_ms.unwrap_or(uptime_ms).saturating_sub(uptime_ms);
            let mut is_idle = false;
            match queue.recv_timeout(Duration::from_millis(wait_ms)) {
                Ok(Input::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(input) => {
                    self.handle(input);
                    handled += 1;
                }
                Err(RecvTimeoutError::Timeout) => is_idle = true,
            }
            // Answers that wait in the queue came in time: nobody is judged late before they have been looked at.
            let is_due = self.clock.now().uptime_ms >= self.syncer.next_wakeup_ms();
            if is_due && (is_idle || handled >= MAX_BEFORE_WAKEUP) {
                self.syncer.handle_wakeup(&mut self.chain, self.clock.now());
                handled = 0;
            }
            self.carry_out();
            self.answer_waiting();
            self.publish();
            for event in self.told.drain(..) {
                // Nobody listening is fine.
                let _ = self.events.send(event);
            }
            self.answers.drain(..).for_each(|answer| answer());
        }
        match self.chain.flush() {
            Ok(()) => tracing::debug!(height = self.chain.tip().index.0, "chain flushed"),
            Err(error) => tracing::error!(%error, "could not flush the chain; the next start replays what is missing"),
        }
    }

    fn handle(&mut self, input: Input) {
        let now = self.clock.now();
        match input {
            Input::Block { block, source, from, reply } => {
                let result = self.syncer.handle_block(block, source, from.as_ref(), &mut self.chain, now);
                if let Err(BlockError::Failed(error)) = &result {
                    tracing::error!(%error, "a block could not be stored");
                }
                self.answer(reply, result);
            }
            Input::Response { id, result } => self.syncer.handle_response(id, result, &mut self.chain, now),
            Input::Offer { addresses, learnt } => {
                self.syncer.add_peers(addresses, learnt, now);
                self.syncer.handle_wakeup(&mut self.chain, now);
            }
            Input::Peers { update, reply } => {
                let result = self.syncer.update_peers(&update, now);
                self.syncer.handle_wakeup(&mut self.chain, now);
                self.answer(reply, result);
            }
            Input::Own(address) => {
                self.courier.set_own_address(&address);
                self.syncer.set_own_address(address);
            }
            Input::SyncNow { reply } => {
                self.syncer.sync_now(now);
                self.syncer.handle_wakeup(&mut self.chain, now);
                if self.waiting.len() < MAX_WAITING {
                    let from = self.chain.tip().clone();
                    self.waiting.push(Waiting { reply, from, until_ms: now.uptime_ms + SYNC_NOW_MS });
                }
            }
            Input::Stop => {}
        }
    }

    fn carry_out(&mut self) {
        while let Some(output) = self.syncer.poll_output() {
            match output {
                SyncOutput::Request { id, peer, request, timeout_ms } => {
                    self.courier.carry(id, peer, request, timeout_ms)
                }
                SyncOutput::Event(event) => self.tell(event.into()),
                SyncOutput::Log(note) => tracing::debug!("{note}"),
            }
        }
    }

    fn tell(&mut self, event: NodeEvent) {
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
        self.told.push(Arc::new(event));
    }

    fn answer<T: Send + 'static>(&mut self, reply: oneshot::Sender<T>, answer: T) {
        self.answers.push(Box::new(move || {
            // Whoever asked may have gone away.
            let _ = reply.send(answer);
        }));
    }

    fn answer_waiting(&mut self) {
        let uptime_ms = self.clock.now().uptime_ms;
        let settled = self.syncer.is_settled();
        let (ready, waiting) =
            std::mem::take(&mut self.waiting).into_iter().partition(|waiting| settled || waiting.until_ms <= uptime_ms);
        self.waiting = waiting;
        let ready: Vec<Waiting> = ready;
        for Waiting { reply, from, .. } in ready {
            let to = self.chain.tip();
            let result = if to.hash() == from.hash() {
                SyncResult::Authoritative
            } else if self.chain.view().reader().and_then(|reader| reader.is_best(from.id())).unwrap_or(false) {
                SyncResult::Updated
            } else {
                SyncResult::Reorganised
            };
            let report = SyncReport { result, from: from.id(), to: to.id() };
            self.answer(reply, report);
        }
    }

    fn publish(&mut self) {
        if !self.chain.is_committed() {
            return;
        }
        let status = status_of(&self.chain, &self.syncer, self.reorganisations);
        gauge!("chainlab_height").set(status.tip.index.0 as f64);
        gauge!("chainlab_difficulty").set(status.next_difficulty.value() as f64);
        gauge!("chainlab_peers").set(status.connected as f64);
        self.status.send_if_modified(|current| {
            let changed = current.tip.hash() != status.tip.hash()
                || current.is_syncing != status.is_syncing
                || current.peers != status.peers
                || current.tips != status.tips;
            if changed {
                *current = Arc::new(status);
            }
            changed
        });
    }
}

fn status_of(chain: &Chain, syncer: &Syncer, reorganisations: u64) -> Status {
    Status {
        tip: chain.tip().clone(),
        next_difficulty: chain.next_difficulty(),
        is_syncing: syncer.is_syncing(chain),
        reorganisations,
        tips: chain.tips().into(),
        peers: syncer.peers().into(),
        connected: syncer.connected(),
    }
}
