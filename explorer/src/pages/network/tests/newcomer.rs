//! What a newcomer asked of the first page: what a split waits for, who mines, who paid whom, what calls a program.

use super::*;
use crate::network::{NewsItem, Paid, Topic, Words};
use shared::ledger::{AccountId, Amount, TransactionId};

/// The scene of a split whose order was given before any side found a block.
fn quiet_split() -> NetworkState {
    let mut state = state([(2, "2"); 4]);
    let parted = parted().split.unwrap();
    let base = parted.base;
    let sides = parted.sides.into_iter().map(|side| Side { blocks: Vec::new(), tip: base, ..side }).collect();
    for one in ["127.0.0.1:8100", "127.0.0.1:8101"] {
        for other in ["127.0.0.1:8102", "127.0.0.1:8103"] {
            cut(&mut state, one, other);
        }
    }
    state.split = Some(Split { sides, base, since: NOW, healed: None, outcome: None });
    state
}

fn waiting_until(ms: u64, state: NetworkState) -> Scene {
    let sides = state.split.as_ref().unwrap().sides.iter().map(|side| side.nodes.clone()).collect();
    let until = Some(SplitEnd::AtFork { latest: NOW.plus_ms(ms) });
    Scene { standing: Standing::Parted { sides, until }, ..scene(state) }
}

#[test]
fn a_split_that_lasts_longer_says_what_it_waits_for() {
    let said = heads(&waiting_until(39_500, quiet_split()));
    assert!(said.contains("It heals after each side’s first block, at most 40 s from now."), "{said}");
    let mut state = quiet_split();
    state.split.as_mut().unwrap().sides[0].blocks = vec![hash("3"), hash("4")];
    let said = heads(&waiting_until(12_000, state));
    assert!(said.contains("A and B have found 2 blocks, C and D none."), "{said}");
    assert!(said.contains("It heals after C’s or D’s first block, at most 12 s from now."), "{said}");
}

#[test]
fn the_label_of_an_empty_lane_is_whole_and_not_below_now() {
    let drawn = chain::draw(&scene(quiet_split())).into_string();
    let x = |words: &str| -> f64 {
        let (before, _) = drawn.split_once(words).unwrap_or_else(|| panic!("{words}: {drawn}"));
        let (_, after) = before.rsplit_once(" x=\"").unwrap();
        after.split('"').next().unwrap().parse().unwrap()
    };
    let (label, now) = (x("A and B: no blocks"), x(">now<"));
    // 18 letters, and "now" ends at its place.
    assert!(label + 18.0 * 8.5 < now - 30.0, "{label} {now}");
}

#[test]
fn a_network_whose_nodes_do_not_mine_says_so() {
    let mut idle = state(AGREED);
    for node in idle.nodes.values_mut() {
        node.info.as_mut().unwrap().mining.as_mut().unwrap().enabled = false;
    }
    let mut scene = scene(idle);
    scene.now = Timestamp::from_ms(193_000);
    scene.standing = Standing::of(&scene.state, None, 3000, scene.now);
    let said = heads(&scene);
    assert!(said.contains("Nobody mines. user mine 1, or the button on a node’s page, makes block 5."), "{said}");
    assert!(!said.contains("Everyone is mining"), "{said}");
}

#[test]
fn a_chance_beyond_one_in_a_thousand_is_said_in_words() {
    let mut scene = scene(state(AGREED));
    scene.now = Timestamp::from_ms(193_000);
    scene.standing = Standing::of(&scene.state, None, 3000, scene.now);
    let said = heads(&scene);
    assert!(said.contains("3 s is usual; a wait is almost never longer than this."), "{said}");
}

/// A report about the payment with this number: a new one, or that it is in a block.
fn report(number: u32, at_ms: u64, paid: Option<(&str, Address, u64)>) -> Arc<NewsItem> {
    let amount = |lab: u64| Amount::new(lab * Amount::GRAINS_PER_LAB).unwrap();
    Arc::new(NewsItem {
        at: Timestamp::from_ms(at_ms),
        topic: Topic::Payment,
        text: Words::new(),
        block: None,
        payment: Some(TransactionId::of(number.to_string())),
        paid: paid.map(|(from, to, lab)| Paid { from: address(from), to, amount: amount(lab) }),
    })
}

#[test]
fn one_payment_a_second_is_told_in_full_and_calls_are_calls() {
    let program = Address::of_program(AccountId([0xa0; 20]));
    let mut state = state(AGREED);
    state.news = [
        report(5, 9000, Some(("dan", Address::nobody(), 0))),
        report(4, 8000, Some(("dan", program, 0))),
        report(3, 7500, Some(("ada", program, 2))),
        report(2, 7000, Some(("ada", address("cleo"), 3))),
        report(1, 5000, Some(("ben", address("cleo"), 47))),
    ]
    .into();
    let scene = scene(state);
    let said = text(&scene, events::draw);
    for words in [
        "Dan deployed a program",
        "Dan called program 0xa0a0a0…",
        "Ada paid 3.00 LAB; 1 transaction to programs",
        "Ben paid Cleo 47.00 LAB",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!said.contains("0.00 LAB") && !said.contains("qqqq"), "{said}");
    let drawn = text(&scene, making::draw);
    assert!(drawn.contains("Dan deploys a program") && drawn.contains("Dan calls 0xa0a0a0…"), "{drawn}");
    assert!(!drawn.contains("0.00"), "{drawn}");
}

#[test]
fn only_payments_that_wait_fall_into_the_box() {
    let mut state = state(AGREED);
    state.news = [
        report(2, 7000, None),
        report(3, 6000, Some(("ada", address("ben"), 5))),
        report(2, 5000, Some(("ben", address("cleo"), 47))),
    ]
    .into();
    let drawn = text(&scene(state), making::draw);
    assert!(drawn.contains("Ada → Ben5.00") && !drawn.contains("Ben → Cleo"), "{drawn}");
}

#[test]
fn without_names_the_richest_addresses_are_shown() {
    let mut scene = scene(state(AGREED));
    scene.cast = Cast::new(Arc::new(NameBook::default()), &scene.state);
    let said = text(&scene, people::draw);
    assert!(said.contains("The richest addresses") && said.contains("Nobody has a name yet."), "{said}");
    assert!(said.contains(&address("ada").short()) && said.contains("150.00 LAB"), "{said}");
}

#[test]
fn a_narrow_page_without_money_has_the_block_in_the_making_too() {
    let mut scene = scene(state(AGREED));
    scene.params = Arc::new(Params { layer: LayerName::Data, ..Params::default() });
    (scene.making, scene.waiting) = (Vec::new(), None);
    let drawn = making::draw(&scene).into_string();
    assert!(drawn.contains("class=\"making narrow\""), "{drawn}");
}
