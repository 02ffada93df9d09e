//! Fetches every block that a node reports and has [`crate::checker`] recompute it. Then goes down to the block's
//! parents, because some may not have been reported. So in the end the whole chain of the run has been checked.
//!
//! Independent of `shared`'s rules: of `shared` it may name only hashes, heights and block ids.

use crate::checker::{CheckedBlock, Mismatch, check, check_link, parse};
use crate::ledger::{BlockPayments, MoneyParams};
use crate::network::NodeList;
use crate::observer::{NodeObservation, Observation};
use runtime::client::{Client, Error};
use shared::block::{BlockHash, BlockId, Height};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;

/// Blocks that may wait to be checked; one that finds no room is reached from its children.
const QUEUE: usize = 4096;
/// Most blocks that are requested once more at the end.
const MAX_UNFETCHED: usize = 1000;
/// How many heights of checked blocks are kept as possible parents.
const REMEMBERED: u64 = 5000;
/// Rounds of requests to all nodes before a block counts as unfetched.
const TRIES: u32 = 3;

/// A handle to the task that fetches and checks.
#[derive(Debug)]
pub struct Inspector {
    /// `None` when nothing more is to be checked.
    requests: Option<Sender<(usize, BlockId)>>,
    checked: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Inspector {
    /// Starts the task. Blocks at `base` or below were there before the run and are not counted. Payments are read
    /// if `money` is given. Results go to `observations`.
    pub fn start(
        client: Client,
        nodes: NodeList,
        max_block_bytes: usize,
        base: u64,
        money: Option<MoneyParams>,
        observations: Sender<NodeObservation>,
    ) -> Self {
        let (requests, queue) = channel(QUEUE);
        let checked = Arc::new(AtomicU64::new(0));
        let task = InspectorTask {
            client,
            nodes,
            max_block_bytes,
            base,
            money,
            checked: checked.clone(),
            known: HashMap::new(),
            unfetched: Vec::new(),
            observations,
        };
        Self { requests: Some(requests), checked, task: tokio::spawn(task.run(queue)) }
    }

    /// Queues a block that the node of that number has reported.
    pub fn request(&self, node: usize, block: BlockId) {
        if let Some(requests) = &self.requests {
            let _ = requests.try_send((node, block));
        }
    }

    /// How many blocks were recomputed, bad ones included.
    pub fn checked(&self) -> u64 {
        self.checked.load(Ordering::Relaxed)
    }

    /// Waits at most `patience` until everything that was requested is checked, ends the task, and returns how many
    /// blocks were recomputed.
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
    nodes: NodeList,
    max_block_bytes: usize,
    base: u64,
    money: Option<MoneyParams>,
    checked: Arc<AtomicU64>,
    /// By hash.
    known: HashMap<String, CheckedBlock>,
    /// Blocks that no node gave, with the node that reported each; such a node may have been cut off from the
    /// simulator. They are requested once more at the end. At most [`MAX_UNFETCHED`].
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
                self.send(node, Observation::Fetched).await;
                self.inspect(node, block).await;
            }
        }
    }

    /// Checks a block and those below it, down to one that has been checked before.
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
                    if self.unfetched.len() < MAX_UNFETCHED {
                        self.unfetched.push((node, next));
                    }
                    return self.send(node, Observation::Unfetched(next, error.to_string())).await;
                }
            };
            let (checked, payments) = match self.check_block(&json, next.hash) {
                Ok(checked) => checked,
                Err(mismatch) => {
                    self.checked.fetch_add(1, Ordering::Relaxed);
                    return self.report_bad_block(node, next, &mismatch).await;
                }
            };
            if checked.index > self.base {
                self.checked.fetch_add(1, Ordering::Relaxed);
            }
            if let Some((payments, reward)) = payments {
                self.send(node, Observation::Payments(next, payments, reward)).await;
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

    /// Checks one block by itself, and returns its payments and its reward where there is money.
    fn check_block(
        &self,
        json: &[u8],
        expected: BlockHash,
    ) -> Result<(CheckedBlock, Option<(BlockPayments, u64)>), Mismatch> {
        let block = parse(json)?;
        let checked = expect_hash(check(&block)?, expected)?;
        let payments = match &self.money {
            Some(money) if checked.index > self.base => Some((money.payments(&block)?, money.reward(checked.index))),
            _ => None,
        };
        Ok((checked, payments))
    }

    /// Fetches a block from the node that reported it or, if that fails, from any other node.
    async fn fetch(&self, node: usize, block: BlockId) -> Result<Vec<u8>, Error> {
        let mut last = Error::Unreachable("no node was asked".to_owned());
        for _ in 0..TRIES {
            let nodes = self.nodes.all();
            for node in nodes.get(node).into_iter().chain(&nodes) {
                match self.client.block_json(&node.address, block.hash, self.max_block_bytes).await {
                    Ok(json) => return Ok(json.to_vec()),
                    Err(error) => last = error,
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(last)
    }

    async fn report_bad_block(&self, node: usize, block: BlockId, mismatch: &Mismatch) {
        self.send(node, Observation::BadBlock(block, mismatch.to_string())).await;
    }

    async fn send(&self, node: usize, observation: Observation) {
        // Fails only after the run has ended.
        let _ = self.observations.send(NodeObservation { node, observation }).await;
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

    /// A server that gives each of `blocks` for its hash, one request a connection.
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

    /// Serves `served` as block 1; returns the observations, and how many blocks were checked.
    async fn inspect(served: String) -> (Vec<Observation>, u64) {
        let (genesis, block) = honest();
        let genesis_json = serde_json::to_string(&genesis).unwrap();
        let address = node(vec![(genesis.hash(), genesis_json), (block.hash(), served)]).await;
        let (sender, mut queue) = channel(10);
        let client = Client::new(None, None).unwrap();
        let nodes = NodeList::default();
        nodes.add(address, None);
        let mut inspector = Inspector::start(client, nodes, 100_000, 0, None, sender);
        inspector.request(0, BlockId { index: Height(1), hash: block.hash() });
        let checked = inspector.finish(Duration::from_secs(20)).await;
        let mut all = Vec::new();
        while let Ok(NodeObservation { observation, .. }) = queue.try_recv() {
            all.push(observation);
        }
        (all, checked)
    }

    #[tokio::test]
    async fn an_honest_block_on_genesis_is_checked_without_complaint() {
        let (observations, checked) = inspect(serde_json::to_string(&honest().1).unwrap()).await;
        assert!(observations.is_empty() && checked == 1, "{observations:?} {checked}");
    }

    #[tokio::test]
    async fn a_node_that_serves_a_tampered_block_is_reported() {
        let mut tampered = serde_json::to_value(honest().1).unwrap();
        tampered["data"] = json!("forged");
        let (observations, _) = inspect(tampered.to_string()).await;
        let [Observation::BadBlock(block, reason)] = &observations[..] else { panic!("{observations:?}") };
        assert!(block.index == Height(1) && reason.contains("its fields hash to"), "{reason}");
    }

    #[tokio::test]
    async fn a_node_that_serves_another_block_is_reported() {
        let (observations, _) = inspect(serde_json::to_string(&honest().0).unwrap()).await;
        let [Observation::BadBlock(_, reason)] = &observations[..] else { panic!("{observations:?}") };
        assert!(reason.contains("was served"), "{reason}");
    }
}
