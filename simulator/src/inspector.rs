//! Fetches every block that was told of and has [`crate::checker`] recompute it; walks down to the parents that nobody
//! told of, so that in the end the whole chain of the run was checked.

use crate::checker::{Facts, Mismatch, check, check_link};
use crate::network::Network;
use crate::observer::{Seen, What};
use runtime::client::{Client, Error};
use shared::block::{BlockHash, Height};
use shared::wire::BlockId;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;

/// Blocks that may wait to be checked; what finds no room is reached from its children.
const QUEUE: usize = 4096;
/// How many heights of checked blocks are remembered as parents.
const REMEMBERED: u64 = 5000;
/// How often a node is asked for a block before it is given up.
const TRIES: u32 = 3;

/// A handle to the task that checks.
#[derive(Debug)]
pub struct Inspector {
    /// None when nothing more is to be checked.
    asks: Option<Sender<(usize, BlockId)>>,
    checked: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Inspector {
    /// Starts to check; what lies at `base` or below was there before the run. Complaints go to `seen`.
    pub fn start(network: &Network, base: u64, seen: Sender<Seen>) -> Self {
        let (asks, queue) = channel(QUEUE);
        let checked = Arc::new(AtomicU64::new(0));
        let task = Task {
            client: network.client.clone(),
            addresses: network.nodes.iter().map(|node| node.member.address.clone()).collect(),
            max_block_bytes: network.max_block_bytes,
            base,
            checked: checked.clone(),
            known: HashMap::new(),
            seen,
        };
        Self { asks: Some(asks), checked, task: tokio::spawn(task.run(queue)) }
    }

    /// Has a block checked, fetched from the node of that number.
    pub fn ask(&self, node: usize, block: BlockId) {
        if let Some(asks) = &self.asks {
            let _ = asks.try_send((node, block));
        }
    }

    /// How many blocks were recomputed, the bad ones included.
    pub fn checked(&self) -> u64 {
        self.checked.load(Ordering::Relaxed)
    }

    /// Waits until everything asked for is checked, but not longer than `patience`; nothing is checked after that.
    pub async fn finish(&mut self, patience: Duration) -> u64 {
        self.asks = None;
        if tokio::time::timeout(patience, &mut self.task).await.is_err() {
            self.task.abort();
        }
        self.checked()
    }
}

struct Task {
    client: Client,
    addresses: Vec<String>,
    max_block_bytes: usize,
    base: u64,
    checked: Arc<AtomicU64>,
    known: HashMap<String, Facts>,
    seen: Sender<Seen>,
}

impl Task {
    async fn run(mut self, mut queue: Receiver<(usize, BlockId)>) {
        let mut highest = 0;
        while let Some((node, block)) = queue.recv().await {
            self.inspect(node, block).await;
            highest = highest.max(block.index.0);
            if self.known.len() as u64 > 2 * REMEMBERED {
                self.known.retain(|_, facts| facts.index + REMEMBERED >= highest);
            }
        }
    }

    /// Checks a block, and below it whatever was not checked yet.
    async fn inspect(&mut self, node: usize, block: BlockId) {
        let mut above: Option<Facts> = None;
        let mut next = block;
        loop {
            if let Some(parent) = self.known.get(&next.hash.to_string()) {
                if let Some(child) = &above
                    && let Err(mismatch) = check_link(parent, child)
                {
                    self.complain(node, block, &mismatch).await;
                }
                return;
            }
            let json = match self.fetch(node, next).await {
                Ok(json) => json,
                Err(error) => {
                    let _ = self.seen.send(Seen { node, what: What::Unfetched(next, error.to_string()) }).await;
                    return;
                }
            };
            let facts = match check(&json).and_then(|facts| is_that(facts, next.hash)) {
                Ok(facts) => facts,
                Err(mismatch) => {
                    self.checked.fetch_add(1, Ordering::Relaxed);
                    self.complain(node, next, &mismatch).await;
                    return;
                }
            };
            if facts.index > self.base {
                self.checked.fetch_add(1, Ordering::Relaxed);
            }
            if let Some(child) = &above
                && let Err(mismatch) = check_link(&facts, child)
            {
                self.complain(node, block, &mismatch).await;
            }
            self.known.insert(facts.hash.clone(), facts.clone());
            let Ok(parent) = facts.prev_hash.parse::<BlockHash>() else { return };
            if facts.index <= self.base {
                return;
            }
            next = BlockId { index: Height(facts.index - 1), hash: parent };
            above = Some(facts);
        }
    }

    /// From the node that told of it, else from any other.
    async fn fetch(&self, node: usize, block: BlockId) -> Result<Vec<u8>, Error> {
        let mut last = Error::Unreachable("nobody was asked".to_owned());
        for _ in 0..TRIES {
            for address in [&self.addresses[node]].into_iter().chain(&self.addresses) {
                match self.client.block_json(address, block.hash, self.max_block_bytes).await {
                    Ok(json) => return Ok(json.to_vec()),
                    Err(error) => last = error,
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(last)
    }

    async fn complain(&self, node: usize, block: BlockId, mismatch: &Mismatch) {
        let _ = self.seen.send(Seen { node, what: What::BadBlock(block, mismatch.to_string()) }).await;
    }
}

fn is_that(facts: Facts, told: BlockHash) -> Result<Facts, Mismatch> {
    let told = told.to_string();
    if facts.hash == told { Ok(facts) } else { Err(Mismatch::Another { told, served: facts.hash }) }
}
