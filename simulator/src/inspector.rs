//! Fetches every block that was told of and has [`crate::checker`] recompute it; walks down to the parents that nobody
//! told of, so that in the end the whole chain of the run was checked.

use crate::checker::{CheckedBlock, Mismatch, check, check_link, parse};
use crate::observer::{NodeObservation, Observation};
use crate::replayed_ledger::{BlockPayments, MoneyParams};
use runtime::client::{Client, Error};
use shared::block::{BlockHash, Height};
use shared::wire::BlockId;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;

/// Blocks that may wait to be checked; what finds no room is reached from its children.
const QUEUE: usize = 4096;
/// Most blocks that are asked for once more.
const MOST_MISSED: usize = 1000;
/// How many heights of checked blocks are remembered as parents.
const REMEMBERED: u64 = 5000;
/// How often a node is asked for a block before it is given up.
const TRIES: u32 = 3;

/// A handle to the task that checks.
#[derive(Debug)]
pub struct Inspector {
    /// None when nothing more is to be checked.
    requests: Option<Sender<(usize, BlockId)>>,
    addresses: Arc<RwLock<Vec<String>>>,
    checked: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Inspector {
    /// Starts to check what the nodes at `addresses` (by number) serve; what lies at `base` or below was there before the run. Where
    /// there are `rules` of money, payments are read, too. Complaints, and what blocks confirm, go to `seen`.
    pub fn start(
        client: Client,
        addresses: Vec<String>,
        max_block_bytes: usize,
        base: u64,
        rules: Option<MoneyParams>,
        observations: Sender<NodeObservation>,
    ) -> Self {
        let (requests, queue) = channel(QUEUE);
        let checked = Arc::new(AtomicU64::new(0));
        let known = HashMap::new();
        let addresses = Arc::new(RwLock::new(addresses));
        let nodes = addresses.clone();
        let task = InspectorTask {
            client,
            addresses: nodes,
            max_block_bytes,
            base,
            rules,
            checked: checked.clone(),
            known,
            unfetched: Vec::new(),
            observations,
        };
        Self { requests: Some(requests), addresses, checked, task: tokio::spawn(task.run(queue)) }
    }

    /// One more node, which gets the next number.
    pub fn add(&self, address: String) {
        self.addresses.write().unwrap_or_else(PoisonError::into_inner).push(address);
    }

    /// Has a block checked, fetched from the node of that number.
    pub fn ask(&self, node: usize, block: BlockId) {
        if let Some(requests) = &self.requests {
            let _ = requests.try_send((node, block));
        }
    }

    /// How many blocks were recomputed, the bad ones included.
    pub fn checked(&self) -> u64 {
        self.checked.load(Ordering::Relaxed)
    }

    /// Waits until everything asked for is checked, but not longer than `patience`; nothing is checked after that.
    pub async fn finish(&mut self, patience: Duration) -> u64 {
        self.requests = None;
        if tokio::time::timeout(patience, &mut self.task).await.is_err() {
            self.task.abort();
        }
        self.checked()
    }
}

struct InspectorTask {
    client: Client,
    addresses: Arc<RwLock<Vec<String>>>,
    max_block_bytes: usize,
    base: u64,
    rules: Option<MoneyParams>,
    checked: Arc<AtomicU64>,
    known: HashMap<String, CheckedBlock>,
    /// What nobody could give, as while its node was cut off: asked for once more at the end. At most [`MOST_MISSED`].
    unfetched: Vec<(usize, BlockId)>,
    observations: Sender<NodeObservation>,
}

impl InspectorTask {
    async fn run(mut self, mut queue: Receiver<(usize, BlockId)>) {
        let mut highest = 0;
        while let Some((node, block)) = queue.recv().await {
            self.inspect(node, block).await;
            highest = highest.max(block.index.0);
            if self.known.len() as u64 > 2 * REMEMBERED {
                self.known.retain(|_, checked| checked.index + REMEMBERED >= highest);
            }
        }
        for (node, block) in std::mem::take(&mut self.unfetched) {
            if self.fetch(node, block).await.is_ok() {
                let _ = self.observations.send(NodeObservation { node, what: Observation::Fetched }).await;
                self.inspect(node, block).await;
            }
        }
    }

    /// Checks a block, and below it whatever was not checked yet.
    async fn inspect(&mut self, node: usize, block: BlockId) {
        let mut above: Option<CheckedBlock> = None;
        let mut next = block;
        loop {
            if let Some(parent) = self.known.get(&next.hash.to_string()) {
                if let Some(child) = &above
                    && let Err(mismatch) = check_link(parent, child)
                {
                    self.report_bad_block(node, block, &mismatch).await;
                }
                return;
            }
            let json = match self.fetch(node, next).await {
                Ok(json) => json,
                Err(error) => {
                    if self.unfetched.len() < MOST_MISSED {
                        self.unfetched.push((node, next));
                    }
                    let _ = self
                        .observations
                        .send(NodeObservation { node, what: Observation::Unfetched(next, error.to_string()) })
                        .await;
                    return;
                }
            };
            let (checked, bundle) = match self.check_block(&json, next.hash) {
                Ok(judged) => judged,
                Err(mismatch) => {
                    self.checked.fetch_add(1, Ordering::Relaxed);
                    self.report_bad_block(node, next, &mismatch).await;
                    return;
                }
            };
            if checked.index > self.base {
                self.checked.fetch_add(1, Ordering::Relaxed);
            }
            if let Some((bundle, reward)) = bundle {
                let _ = self
                    .observations
                    .send(NodeObservation { node, what: Observation::Payments(next, bundle, reward) })
                    .await;
            }
            if let Some(child) = &above
                && let Err(mismatch) = check_link(&checked, child)
            {
                self.report_bad_block(node, block, &mismatch).await;
            }
            self.known.insert(checked.hash.clone(), checked.clone());
            let Ok(parent) = checked.prev_hash.parse::<BlockHash>() else { return };
            if checked.index <= self.base {
                return;
            }
            next = BlockId { index: Height(checked.index - 1), hash: parent };
            above = Some(checked);
        }
    }

    /// What a block says, if it is what it says and the one that was told of; and its payments with its reward.
    fn check_block(
        &self,
        json: &[u8],
        expected: BlockHash,
    ) -> Result<(CheckedBlock, Option<(BlockPayments, u64)>), Mismatch> {
        let block = parse(json)?;
        let checked = expect_hash(check(&block)?, expected)?;
        let bundle = match &self.rules {
            Some(rules) if checked.index > self.base => Some((rules.bundle(&block)?, rules.reward(checked.index))),
            _ => None,
        };
        Ok((checked, bundle))
    }

    /// From the node that told of it, else from any other.
    async fn fetch(&self, node: usize, block: BlockId) -> Result<Vec<u8>, Error> {
        let mut last = Error::Unreachable("nobody was asked".to_owned());
        for _ in 0..TRIES {
            let addresses = self.addresses.read().unwrap_or_else(PoisonError::into_inner).clone();
            for address in addresses.get(node).into_iter().chain(&addresses) {
                match self.client.block_json(address, block.hash, self.max_block_bytes).await {
                    Ok(json) => return Ok(json.to_vec()),
                    Err(error) => last = error,
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(last)
    }

    async fn report_bad_block(&self, node: usize, block: BlockId, mismatch: &Mismatch) {
        let _ = self
            .observations
            .send(NodeObservation { node, what: Observation::BadBlock(block, mismatch.to_string()) })
            .await;
    }
}

fn expect_hash(checked: CheckedBlock, expected: BlockHash) -> Result<CheckedBlock, Mismatch> {
    let expected = expected.to_string();
    if checked.hash == expected { Ok(checked) } else { Err(Mismatch::OtherBlock { expected, served: checked.hash }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use shared::block::{Block, DataHash, HeaderFields, Nonce, Timestamp};
    use shared::params::Params;
    use shared::work::Difficulty;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// A block on genesis, of difficulty 1 so that any nonce will do.
    fn honest() -> (Block, Block) {
        let genesis = Params::default().genesis();
        let fields = HeaderFields {
            index: Height(1),
            prev_hash: genesis.hash(),
            timestamp: Timestamp::from_ms(1_795_231_740_123),
            difficulty: Difficulty::MIN,
            data_hash: DataHash::of(""),
        };
        let block = Block::new(fields, Nonce(7), "honest".to_owned());
        (genesis, block)
    }

    /// Serves `blocks` by the hash that is asked for, one request a connection.
    async fn node(blocks: Vec<(BlockHash, String)>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = vec![0; 4096];
                let length = stream.read(&mut request).await.unwrap();
                let request = String::from_utf8_lossy(&request[..length]).into_owned();
                let body = blocks.iter().find(|(hash, _)| request.contains(&hash.to_string())).map(|(_, json)| json);
                let (status, body) = body.map_or(("404 Not Found", "{}"), |body| ("200 OK", body.as_str()));
                let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
                stream.write_all((head + body).as_bytes()).await.unwrap();
            }
        });
        address
    }

    /// What is complained of when block 1 is `served`, and how many blocks were checked.
    async fn inspected(served: String) -> (Vec<Observation>, u64) {
        let (genesis, block) = honest();
        let genesis_json = serde_json::to_string(&genesis).unwrap();
        let address = node(vec![(genesis.hash(), genesis_json), (block.hash(), served)]).await;
        let (observations, mut complaints) = channel(10);
        let client = Client::new(None, None).unwrap();
        let mut inspector = Inspector::start(client, vec![address], 100_000, 0, None, observations);
        inspector.ask(0, BlockId { index: Height(1), hash: block.hash() });
        let checked = inspector.finish(Duration::from_secs(20)).await;
        let mut all = Vec::new();
        while let Ok(NodeObservation { what, .. }) = complaints.try_recv() {
            all.push(what);
        }
        (all, checked)
    }

    #[tokio::test]
    async fn an_honest_block_on_genesis_is_checked_without_complaint() {
        let (complaints, checked) = inspected(serde_json::to_string(&honest().1).unwrap()).await;
        assert!(complaints.is_empty() && checked == 1, "{complaints:?} {checked}");
    }

    #[tokio::test]
    async fn a_node_that_serves_a_tampered_block_is_told_of() {
        let mut tampered = serde_json::to_value(honest().1).unwrap();
        tampered["data"] = json!("forged");
        let (complaints, _) = inspected(tampered.to_string()).await;
        let [Observation::BadBlock(block, reason)] = &complaints[..] else { panic!("{complaints:?}") };
        assert!(block.index == Height(1) && reason.contains("its fields hash to"), "{reason}");
    }

    #[tokio::test]
    async fn a_node_that_serves_another_block_is_told_of() {
        let (complaints, _) = inspected(serde_json::to_string(&honest().0).unwrap()).await;
        let [Observation::BadBlock(_, reason)] = &complaints[..] else { panic!("{complaints:?}") };
        assert!(reason.contains("was served"), "{reason}");
    }
}
