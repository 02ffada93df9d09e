//! An explorer that starts after the network, or before it.

use crate::lab::client;
use crate::visitor::shows;
use runtime::data_dir::DataDir;
use shared::block::{Block, DataHash, Header, HeaderFields, Nonce};
use shared::config::Config;
use shared::params::{LayerName, Params, RetargetRule};
use shared::work::{Difficulty, search};
use testkit::until;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Nothing listens there: the port of the discard service, which is no longer used.
const UNUSED: &str = "127.0.0.1:9";

async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap().to_string();
    (listener, at)
}

fn config() -> Config {
    let network = Params {
        name: "late".to_owned(),
        layer: LayerName::Data,
        initial_difficulty: Difficulty::new(50).unwrap(),
        retarget: RetargetRule::Fixed,
        ..Params::default()
    };
    let mut config = Config { network, ..Config::default() };
    config.node.mine = false;
    config.explorer.tracker = UNUSED.to_owned();
    config
}

/// Returns the explorer's address, and a guard that stops it.
async fn explorer(config: Config) -> (String, DropGuard) {
    let (listener, at) = listener().await;
    let stop = CancellationToken::new();
    let (tokens, names) = Default::default();
    let settings = explorer::Settings { config, tokens, names, thefts: None, metrics: None };
    tokio::spawn(explorer::run(listener, settings, stop.clone()));
    (at, stop.drop_guard())
}

fn block_on(parent: &Header, data: &str) -> Block {
    let fields = HeaderFields {
        index: parent.index.next(),
        prev_hash: parent.hash(),
        timestamp: parent.timestamp.plus_ms(1),
        difficulty: Difficulty::new(50).unwrap(),
        data_hash: DataHash::of(data),
    };
    let nonce = search(&fields.seal(), &fields.difficulty.target(), Nonce(0), u64::MAX).unwrap();
    Block::new(fields, nonce, data.to_owned())
}

#[tokio::test]
async fn without_a_tracker_the_page_says_how_to_start_one() {
    let (at, _stop) = explorer(config()).await;
    shows(&at, &["The tracker does not answer", UNUSED, "target/release/tracker"]).await;
}

// 0 ─ … ─ 44 ─ 45
//          └── 45'
#[tokio::test]
async fn a_late_explorer_shows_the_last_blocks_and_side_branches() {
    let mut config = config();
    let stop = CancellationToken::new();
    let _stop_all = stop.clone().drop_guard();
    let (tracker, tracker_at) = listener().await;
    let settings = tracker::Settings { network: config.network.clone(), ..tracker::Settings::default() };
    tokio::spawn(tracker::run(tracker, settings, stop.clone()));
    config.node.tracker.clone_from(&tracker_at);
    let (listener, node) = listener().await;
    let root = tempfile::tempdir().unwrap();
    let data = DataDir::open(root.path(), &config.network, "node", 1).unwrap();
    let settings =
        node::Settings { config: config.clone(), data, peers: Vec::new(), clock_offset_ms: 0, metrics: None };
    tokio::spawn(node::run(listener, settings, stop));
    let genesis = until("the node answers", async || client().block(&node, 0, 1 << 20).await.ok()).await;
    let mut chain = vec![genesis.header().clone()];
    let push = async |block: &Block| {
        let json = serde_json::to_vec(block).unwrap();
        client().push_block(&node, json.into()).await.unwrap();
    };
    for _ in 1..=45 {
        let block = block_on(chain.last().unwrap(), "");
        push(&block).await;
        chain.push(block.header().clone());
    }
    let side = block_on(&chain[44], "<script>alert(1)</script>");
    push(&side).await;

    config.explorer.tracker = tracker_at;
    let (at, _stop) = explorer(config).await;
    let side = format!("href=\"/block/{}\"", side.header().hash());
    let newest = format!("href=\"/block/{}\"", chain[45].hash());
    let page = shows(&at, &["block 45", "The only node", &side, &newest, "1 block, undone"]).await;
    assert!(!page.contains(&chain[30].hash().to_string()), "older blocks are not shown");
}
