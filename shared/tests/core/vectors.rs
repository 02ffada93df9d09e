//! Known answers that were computed apart from this code: blocks of two networks, and difficulties by retarget rule.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests: this is how they fail

use serde::Deserialize;
use serde_json::Value;
use shared::block::{Block, BlockHash, Header, HeaderFields, Height, Nonce};
use shared::chain::{Accepted, Branch, Chain, Origin, Rules, SideLimits};
use shared::params::{LayerName, Params, RetargetRule};
use shared::store::MemoryStore;
use shared::work::retarget::replay;
use shared::work::{Difficulty, Work};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Blocks stay JSON here, so that reading them is tested, too.
#[derive(Deserialize)]
struct Blocks {
    params: Value,
    blocks: Vec<Value>,
    work: u64,
}

#[derive(Deserialize)]
struct History {
    rule: RetargetRule,
    window: u64,
    block_interval_ms: u64,
    initial_difficulty: Difficulty,
    shape: String,
    times_ms: Vec<u64>,
    difficulties: Vec<u64>,
}

fn data() -> Blocks {
    serde_json::from_str(include_str!("../vectors/blocks_data.json")).unwrap()
}

fn transaction() -> Blocks {
    serde_json::from_str(include_str!("../vectors/blocks_transaction.json")).unwrap()
}

impl Blocks {
    /// The parameters as far as the mining level needs them: the layer is `data` whatever the file says.
    fn mining_params(&self) -> Params {
        let mut params = self.params.clone();
        params["layer"] = serde_json::to_value(LayerName::Data).unwrap();
        let params: Params = serde_json::from_value(params).unwrap();
        params.check().unwrap();
        params
    }

    /// Sorted keys and no white space, written by a map that sorts and not by [`Params`].
    fn canonical_params(&self) -> String {
        let sorted: BTreeMap<String, Value> = serde_json::from_value(self.params.clone()).unwrap();
        serde_json::to_string(&sorted).unwrap()
    }

    fn parsed(&self) -> Vec<Block> {
        self.blocks.iter().map(|json| Block::from_json(json.to_string().as_bytes()).unwrap()).collect()
    }
}

#[test]
fn every_block_is_read_with_its_hash_and_written_as_it_was() {
    for file in [data(), transaction()] {
        for (json, block) in file.blocks.iter().zip(file.parsed()) {
            assert_eq!(block.hash().to_string(), json["hash"], "block {}", json["index"]);
            assert_eq!(serde_json::to_value(&block).unwrap(), *json, "written back");
            let HeaderFields { index, prev_hash, timestamp, difficulty, data_hash } = **block.header();
            let text = format!("{index} {prev_hash} {timestamp} {difficulty} {data_hash}");
            let seal = shared::block::Seal::of(text);
            assert_eq!(block.header().seal(), seal, "the seal covers another text than §3 says");
            let hash = BlockHash::of(format!("{seal}{}", json["nonce"].as_str().unwrap()));
            assert_eq!(block.hash(), hash, "the hash covers another text than §3 says");
            let header: Header = serde_json::from_value(serde_json::to_value(block.header()).unwrap()).unwrap();
            assert_eq!(header, *block.header());
        }
    }
}

#[test]
fn genesis_commits_to_the_parameters_and_names_the_network() {
    let file = data();
    let params = file.mining_params();
    assert_eq!(params.genesis(), file.parsed()[0]);
    assert_eq!(params.network_id().to_string(), file.blocks[0]["hash"]);

    for file in [data(), transaction()] {
        let genesis = &file.parsed()[0];
        assert_eq!(genesis.data(), file.canonical_params(), "canonical JSON of the parameters");
        let rebuilt = Block::new(
            HeaderFields {
                index: Height::GENESIS,
                prev_hash: BlockHash::ZERO,
                ..**file.mining_params().genesis().header()
            },
            Nonce(0),
            file.canonical_params(),
        );
        assert_eq!(rebuilt, *genesis);
    }
}

/// Whether the file's blocks keep stage 2 one after another, by the headers alone.
fn check_headers(file: &Blocks) {
    let rules = Rules::new(file.mining_params());
    let blocks = file.parsed();
    let mut work = blocks[0].header().difficulty.work();
    let mut ancestors = Vec::new();
    for pair in blocks.windows(2) {
        let [parent, header] = [pair[0].header(), pair[1].header()];
        ancestors.push(shared::work::retarget::Ancestor { timestamp: parent.timestamp, difficulty: parent.difficulty });
        let verdict = rules.header_follows(header, parent, &ancestors, header.timestamp);
        assert_eq!(verdict, Ok(()), "block {}", header.index);
        assert_eq!(header.prev_hash, parent.hash());
        work = work + header.difficulty.work();
    }
    assert_eq!(work, Work(u128::from(file.work)));
}

#[test]
fn headers_follow_one_another_and_their_work_adds_up() {
    check_headers(&data());
    check_headers(&transaction());
}

#[test]
fn a_whole_chain_connects_and_has_its_work() {
    let file = data();
    let blocks = file.parsed();
    let rules = Arc::new(Rules::new(file.mining_params()));
    let mut chain = Chain::open(rules, Arc::new(MemoryStore::default()), SideLimits::default()).unwrap();
    let mut branch: Branch = chain.branch_at(&blocks[0].hash()).unwrap().unwrap();
    for block in &blocks[1..] {
        let now = block.header().timestamp;
        branch.extend(block.header().clone(), chain.rules(), now, false).unwrap();
        assert_eq!(chain.next_difficulty(), block.header().difficulty);
        assert_eq!(chain.accept(block.clone(), now, Origin::Single), Ok(Accepted::Best), "block {}", block.index());
    }
    assert_eq!(chain.tip().work, Work(u128::from(file.work)));
    assert_eq!(branch.last(), chain.tip());
    let hashes: Vec<_> = blocks[1..].iter().map(Block::hash).collect();
    assert_eq!(*branch.missing(), hashes);
    let stored = chain.view().reader().unwrap().blocks(Height::GENESIS, usize::MAX, usize::MAX).unwrap();
    assert_eq!(stored, blocks);
}

#[test]
fn difficulties_follow_the_retarget_rule() {
    let histories: Vec<History> = serde_json::from_str(include_str!("../vectors/retarget.json")).unwrap();
    for rule in [RetargetRule::Fixed, RetargetRule::Epoch, RetargetRule::Lwma] {
        assert!(histories.iter().any(|history| history.rule == rule), "no vector for {rule:?}");
    }
    for history in histories {
        let params = Params {
            retarget: history.rule,
            retarget_window: history.window,
            block_interval_ms: history.block_interval_ms,
            initial_difficulty: history.initial_difficulty,
            ..Params::default()
        };
        let rule = RetargetRule::build(&params);
        let difficulties: Vec<_> = replay(rule.as_ref(), &history.times_ms).iter().map(|d| d.value()).collect();
        let History { rule, window, shape, .. } = history;
        assert_eq!(difficulties, history.difficulties, "{rule:?}, window {window}, {shape}");
    }
}
