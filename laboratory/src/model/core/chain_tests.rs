//! Runs that go on from a chain with money.

use super::tests::core;
use super::*;
use crate::strategy::StrategySetting;
use shared::block::{Block, DataHash, HeaderFields, Nonce};
use shared::chain::{Chain, Origin, Rules, SideLimits};
use shared::keys::KeyPair;
use shared::layer::TemplateRequest;
use shared::ledger::Address;
use shared::params::{LayerName, RetargetRule};
use shared::store::MemoryStore;
use shared::work::{Difficulty, search};
use std::sync::Arc;

const REWARD: u64 = 50 * 100_000_000;

fn address(seed: &str) -> Address {
    KeyPair::from_seed(seed).address()
}

fn params() -> Params {
    Params {
        layer: LayerName::Transaction,
        retarget: RetargetRule::Lwma,
        retarget_window: 10,
        block_interval_ms: 10_000,
        initial_difficulty: Difficulty::clamped(200),
        ..Params::default()
    }
}

/// A chain of this many blocks, which Ada has found, as a file.
fn file(blocks: u64) -> String {
    let params = params();
    let rules = Arc::new(Rules::new(params.clone()));
    let mut chain = Chain::open(rules, Arc::new(MemoryStore::default()), SideLimits::default()).unwrap();
    let mut lines = vec![serde_json::to_string(&params).unwrap()];
    for _ in 0..blocks {
        let tip = &chain.tip().header;
        let wanted = TemplateRequest { message: "", miner: Some(address("ada")), candidates: &[] };
        let data = chain.template(&wanted).unwrap();
        let fields = HeaderFields {
            index: tip.index.next(),
            prev_hash: tip.hash(),
            timestamp: tip.timestamp.plus_ms(7000),
            difficulty: chain.next_difficulty(),
            data_hash: DataHash::of(&data),
        };
        let nonce = search(&fields.seal(), &fields.difficulty.target(), Nonce(0), u64::MAX).unwrap();
        let block = Block::new(fields, nonce, data);
        lines.push(serde_json::to_string(&block).unwrap());
        chain.accept(block, fields.timestamp, Origin::Single).unwrap();
    }
    lines.join("\n")
}

fn on(file: &str, until: Option<u64>) -> Core {
    let chain = Arc::new(GivenChain::read(file, until).unwrap());
    let mut core = core(3, 10_000);
    core.params = chain.params().clone();
    core.blocks = 40;
    core.frozen = Frozen {
        // 20 hashes per second find a block of difficulty 200 in ten seconds.
        hash_rates: vec![10, 6, 4],
        chain: Some(chain),
        earners: ["ada", "ben", "cleo"].map(address).to_vec(),
        ..Frozen::default()
    };
    core
}

#[test]
fn a_run_goes_on_from_the_chain_with_its_money_and_its_difficulty() {
    let file = file(30);
    let core = on(&file, None);
    let outcome = core.run(1);
    assert_eq!((outcome.main(), core.run(1).digest), (40, outcome.digest));
    let sum: u64 = outcome.balances.iter().map(|(_, grains)| grains).sum();
    assert_eq!(sum, (30 + 40) * REWARD, "{:?}", outcome.balances);
    assert!(outcome.balances[0].0 == address("ada") && outcome.balances[0].1 > 30 * REWARD);
    // The difficulty that seven seconds a block had made falls again to what the hash rates make.
    let mut last = 0;
    core.run_watched(
        1,
        Some(&mut |step: &crate::model::Step| {
            if let crate::model::Step::Found { difficulty, .. } = step {
                last = *difficulty;
            }
        }),
    );
    assert!((100..400).contains(&last), "{last}");
    let earlier = on(&file, Some(12)).run(1);
    assert_ne!(earlier.digest, outcome.digest);
    assert_eq!(earlier.balances.iter().map(|(_, grains)| grains).sum::<u64>(), (12 + 40) * REWARD);
}

#[test]
fn a_miner_may_start_in_the_middle_of_the_chain() {
    let mut core = on(&file(20), Some(15));
    core.blocks = 300;
    core.pool = Some(super::super::relay::Pool { share: 0.35, strategy: StrategySetting::Honest, link_ms: 0 });
    let outcome = core.run(2);
    let share = outcome.share().unwrap();
    assert!((0.25..0.45).contains(&share), "{share}");
    // What it earned is real money, and comes first.
    assert_eq!(outcome.balances[0].1, outcome.miners[0].main * REWARD);
}

#[test]
fn a_chain_that_is_none_is_refused_with_its_line() {
    let whole = file(4);
    let lines: Vec<&str> = whole.lines().collect();
    let error = |text: &str, until| GivenChain::read(text, until).unwrap_err();
    assert!(error("", None).starts_with("line 1: expected the network's parameters"));
    assert!(error(&[lines[0], lines[1], lines[3]].join("\n"), None).starts_with("line 3: "));
    assert!(error(&whole.replace("\"nonce\":", "\"nonse\":"), None).starts_with("line 2: "));
    assert_eq!(error(&whole, Some(5)), "the chain has 4 blocks, so it cannot be taken up to block 5");
    let other = lines[0].replace("\"name\":\"chainlab\"", "\"name\":\"other\"");
    assert!(error(&[&other, lines[1]].join("\n"), None).starts_with("line 2: "));
}
