//! The attacker's two chains: a secret branch is kept and published as the strategy says, and blocks are valid.

use super::*;
use laboratory::scenario::attacker;
use shared::block::Nonce;
use shared::keys::KeyPair;
use shared::params::Params;
use shared::params::RetargetRule;
use shared::random::Random;
use shared::work::{Difficulty, search};

fn rules() -> Arc<Rules> {
    let params = Params {
        retarget: RetargetRule::Fixed,
        initial_difficulty: Difficulty::clamped(4),
        block_interval_ms: 1000,
        ..Params::default()
    };
    Arc::new(Rules::new(params))
}

/// A node with the same rules, the attacker, and the time.
struct Scene {
    node: Chain,
    branches: Branches,
    now: Timestamp,
}

impl Scene {
    fn new(strategy: &str) -> Self {
        let rules = rules();
        let node = open(&rules).unwrap();
        let mut branches = Branches::new(rules.clone()).unwrap();
        branches.begin(&attacker(strategy).unwrap().0).unwrap();
        Self { node, branches, now: rules.params().genesis_time }
    }

    /// The attacker finds a block; returns how many it publishes.
    fn we_find(&mut self) -> usize {
        self.now = self.now.plus_ms(1000);
        let (fields, data) = self.branches.job(KeyPair::from_seed("mallory").address(), &[]).unwrap();
        let nonce = search(&fields.seal(), &fields.difficulty.target(), Nonce(0), u64::MAX).unwrap();
        let published = self.branches.found(Header::new(fields, nonce), data, self.now).unwrap();
        self.receive(published)
    }

    /// The node finds a block and the attacker hears of it; returns how many it publishes.
    fn they_find(&mut self) -> usize {
        self.now = self.now.plus_ms(1000);
        let miner = Some(KeyPair::from_seed("ada").address());
        let data = self.node.template(&TemplateRequest { miner, ..TemplateRequest::default() }).unwrap();
        let tip = self.node.tip();
        let fields = HeaderFields {
            index: tip.header.index.next(),
            prev_hash: tip.hash(),
            timestamp: self.now,
            difficulty: self.node.next_difficulty(),
            data_hash: DataHash::of(&data),
        };
        let nonce = search(&fields.seal(), &fields.difficulty.target(), Nonce(0), u64::MAX).unwrap();
        let block = Block::new(fields, nonce, data);
        self.node.accept(block.clone(), self.now, Origin::Single).unwrap();
        let published = self.branches.hear(block, self.now).unwrap();
        self.receive(published)
    }

    fn receive(&mut self, published: Vec<Block>) -> usize {
        for block in &published {
            self.node.accept(block.clone(), self.now, Origin::Single).unwrap();
        }
        published.len()
    }

    fn height(&self) -> u64 {
        self.node.tip().header.index.0
    }
}

#[test]
fn an_honest_attacker_publishes_what_it_finds_and_follows_the_others() {
    let mut scene = Scene::new("honest:0.5");
    assert_eq!([scene.we_find(), scene.they_find(), scene.we_find(), scene.they_find()], [1, 0, 1, 0]);
    assert_eq!((scene.height(), scene.branches.public_tip().hash()), (4, scene.node.tip().hash()));
}

#[test]
fn a_selfish_attacker_keeps_a_lead_and_publishes_it_when_others_catch_up() {
    let mut scene = Scene::new("selfish:0.4");
    assert_eq!([scene.we_find(), scene.we_find()], [0, 0]);
    assert_eq!((scene.height(), scene.branches.lengths()), (0, (2, 0)));
    assert_eq!(scene.they_find(), 2, "within one block: everything");
    assert_eq!(scene.height(), 2);
    // Without a lead it follows the others.
    assert_eq!([scene.they_find(), scene.they_find(), scene.we_find()], [0, 0, 0]);
    assert_eq!((scene.they_find(), scene.branches.lengths()), (1, (1, 1)));
}

#[test]
fn a_thief_replaces_the_confirmed_branch_or_gives_up() {
    let mut scene = Scene::new("double-spend:0.4,confirmations=2,give_up=2");
    assert_eq!([scene.they_find(), scene.we_find(), scene.we_find()], [0, 0, 0]);
    assert_eq!(
        [scene.we_find(), scene.they_find()],
        [0, 3],
        "with two confirmations and three secret blocks it has won"
    );
    assert_eq!((scene.height(), scene.branches.thefts()), (3, Thefts { tried: 1, managed: 1 }));
    assert_eq!([scene.they_find(), scene.they_find()], [0, 0]);
    assert_eq!(scene.branches.thefts(), Thefts { tried: 2, managed: 1 });
    assert_eq!(scene.branches.lengths_before, (0, 2));
}

#[test]
fn blocks_before_the_attack_and_from_below_its_root_do_no_harm() {
    let mut scene = Scene::new("selfish:0.4");
    for _ in 0..5 {
        scene.they_find();
    }
    scene.branches.begin(&StrategySetting::Selfish).unwrap();
    assert_eq!((scene.we_find(), scene.we_find(), scene.they_find()), (0, 0, 2));
    assert_eq!(scene.height(), 7);
}

/// One theft with real blocks by a thief of 30 % of the hash rate: whether it succeeds, and whether the first public
/// block, which holds the payment, is still on the node's chain.
fn theft(confirmations: u32, seed: u64) -> (bool, bool) {
    let mut scene = Scene::new(&format!("double-spend:0.3,confirmations={confirmations},give_up=10"));
    let mut random = Random::new(seed);
    let mut payment = None;
    while scene.branches.thefts().tried == 0 {
        if random.below(10) < 3 {
            scene.we_find();
        } else {
            // Where the public chain is before it may be replaced.
            let height = scene.height();
            if scene.they_find() == 0 && height == 0 {
                payment = Some(scene.node.tip().hash());
            }
        }
    }
    let reader = scene.node.view().reader().unwrap();
    let first = reader.best_at(shared::block::Height(1)).unwrap().map(|block| block.hash);
    (scene.branches.thefts().managed == 1, first == payment)
}

#[test]
fn a_theft_succeeds_with_2_confirmations_and_the_same_luck_fails_with_20() {
    let outcomes: Vec<_> = (0..60).map(|seed| (theft(2, seed), theft(20, seed))).collect();
    // A theft that succeeds undoes the payment, and one that fails leaves it.
    assert!(outcomes.iter().all(|(two, twenty)| two.0 != two.1 && twenty.0 != twenty.1), "{outcomes:?}");
    let [two, twenty] =
        [outcomes.iter().filter(|(two, _)| two.0).count(), outcomes.iter().filter(|(_, t)| t.0).count()];
    // Exactly 0.233 and 0.005 of all thefts succeed.
    assert!((6..25).contains(&two) && twenty <= 2, "{two} and {twenty} of 60");
    assert!(outcomes.iter().any(|(two, twenty)| two.0 && !twenty.0));
}
