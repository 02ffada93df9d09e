//! Long chains made in bulk. Their difficulty is 1, so that every nonce is valid; they pass the same rules as any
//! chain.

use anyhow::Result;
use runtime::data_dir::DataDir;
use runtime::store::RedbStore;
use shared::block::{Block, DataHash, Header, HeaderFields, Nonce, Timestamp};
use shared::chain::{Chain, Origin, Rules, SideLimits};
use shared::config::Config;
use shared::params::{LayerName, Params, RetargetRule};
use shared::store::Store;
use shared::work::Difficulty;
use std::path::Path;
use std::sync::Arc;

/// Blocks in one commit.
const COMMIT: u64 = 10_000;

/// A network of difficulty 1, on which every nonce is valid.
pub(crate) fn easy_params(name: &str) -> Params {
    Params {
        name: name.to_owned(),
        layer: LayerName::Data,
        initial_difficulty: Difficulty::MIN,
        retarget: RetargetRule::Fixed,
        ..Params::default()
    }
}

/// The configuration of a measured node, which mines only on request.
pub(crate) fn config(params: Params, dir: &Path) -> Config {
    let mut config = Config { network: params, ..Config::default() };
    config.node.data_dir = dir.to_owned();
    config.node.mine = false;
    config.node.poll_ms = 500;
    config
}

/// The block of difficulty 1 with this data on top of `parent`, a second later; it is the parent of the next.
pub(crate) fn next_block(parent: &mut Header, data: String) -> Block {
    let fields = HeaderFields {
        index: parent.index.next(),
        prev_hash: parent.hash(),
        timestamp: parent.timestamp.plus_ms(1000),
        difficulty: Difficulty::MIN,
        data_hash: DataHash::of(""),
    };
    let block = Block::new(fields, Nonce(0), data);
    *parent = block.header().clone();
    block
}

/// `count` blocks on top of genesis with 200 bytes of data each, about 400 bytes a block.
pub(crate) fn blocks(params: &Params, count: u64) -> impl Iterator<Item = Block> {
    let mut parent = params.genesis().header().clone();
    (1..=count).map(move |number| next_block(&mut parent, format!("{number:0>200}")))
}

/// Stores a chain of `count` blocks in a node's data directory, as the node itself would.
pub(crate) fn store_chain(params: &Params, data: &DataDir, count: u64) -> Result<()> {
    let store: Arc<dyn Store> = Arc::new(RedbStore::open(data.path().join("chain.redb"))?);
    let mut chain = Chain::open(Arc::new(Rules::new(params.clone())), store, SideLimits::default())?;
    for (block, number) in blocks(params, count).zip(1..) {
        chain.accept(block, Timestamp::MAX, Origin::Bulk)?;
        if number % COMMIT == 0 {
            chain.commit()?;
        }
    }
    Ok(chain.flush()?)
}
