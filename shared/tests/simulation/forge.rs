//! Making blocks: what honest miners find, what was mined before a run begins, and what liars make up.

use crate::economy::counterfeit;
use shared::block::{Block, DataHash, Header, HeaderFields, Nonce, Timestamp};
use shared::chain::{Chain, Rules};
use shared::params::LayerName;
use shared::work::retarget::Ancestor;
use shared::work::{Difficulty, search};

/// What is wrong with a made-up block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spoil {
    Nothing,
    /// It is easier than the retarget rule demands; the work for that is done.
    Difficulty,
    /// Its hash misses the target.
    Work,
    /// A stateless rule of the layer is broken.
    BadLabel,
    /// A stateful one: every block of the branch has the same label.
    SameLabel,
    /// An hour ahead.
    Future,
}

/// A branch that grows block by block from a block of some chain.
pub struct Forge {
    last: Header,
    ancestors: Vec<Ancestor>,
}

impl Forge {
    /// On the best chain of `chain`, at the block `below` under its tip.
    pub fn on(chain: &Chain, below: u64) -> Self {
        let reader = chain.view().reader().unwrap();
        let tip = reader.tip().unwrap().index.minus(below);
        let reach = chain.rules().retarget().reach() as u64;
        let headers = reader.headers(tip.minus(reach), (tip.0 - tip.minus(reach).0 + 1) as usize).unwrap();
        Self { last: headers.last().unwrap().clone(), ancestors: headers.iter().map(ancestor).collect() }
    }

    /// On genesis.
    pub fn on_genesis(rules: &Rules) -> Self {
        let genesis = rules.params().genesis().header().clone();
        Self { ancestors: vec![ancestor(&genesis)], last: genesis }
    }

    pub fn next(&mut self, rules: &Rules, now: Timestamp, label: String, spoil: Spoil, first: Nonce) -> Block {
        let index = self.last.index.next();
        let mut difficulty = rules.retarget().next(index, &self.ancestors);
        let mut timestamp = now.max(self.last.timestamp.plus_ms(1));
        let mut data = label;
        match spoil {
            Spoil::Nothing | Spoil::Work => {}
            Spoil::Difficulty => difficulty = easier(difficulty),
            Spoil::BadLabel => data = format!("bad {data}"),
            Spoil::SameLabel => "same".clone_into(&mut data),
            Spoil::Future => timestamp = timestamp.plus_ms(3_600_000),
        }
        // Honest miners bring a bundle; a label is a liar's.
        if rules.params().layer == LayerName::Transaction && !data.starts_with('{') {
            data = counterfeit(rules.params(), &data);
        }
        let data_hash = DataHash::of(&data);
        let fields = HeaderFields { index, prev_hash: self.last.hash(), timestamp, difficulty, data_hash };
        let nonce = match spoil {
            Spoil::Work => missing(&fields),
            _ => search(&fields.seal(), &difficulty.target(), first, u64::MAX).unwrap(),
        };
        let block = Block::new(fields, nonce, data);
        self.last = block.header().clone();
        self.ancestors.push(ancestor(&self.last));
        block
    }
}

fn easier(difficulty: Difficulty) -> Difficulty {
    Difficulty::new(difficulty.value() / 2).unwrap_or(Difficulty::clamped(2))
}

fn missing(fields: &HeaderFields) -> Nonce {
    let (seal, target) = (fields.seal(), fields.difficulty.target());
    (0..10_000).map(Nonce).find(|&nonce| !target.is_met_by(&seal.block_hash(nonce))).expect("a difficulty above 1")
}

fn ancestor(header: &Header) -> Ancestor {
    Ancestor { timestamp: header.timestamp, difficulty: header.difficulty }
}
