//! What the first page shows of some networks.

mod newcomer;

use super::*;
use crate::names::{Cast, NameBook};
use crate::network::samples::{contents, cut, hash, mining_for, put_node_at, summary};
use crate::network::{NetworkState, Side, Split};
use crate::stage::aftermath::{Aftermath, Branches};
use crate::stage::making::Making;
use crate::stage::purse::Purses;
use crate::stage::scene::Act;
use crate::stage::standing::Standing;
use crate::stage::story::{Lane, Story};
use crate::steering::SplitEnd;
use crate::view::{snapshot, with_cast};
use shared::block::{BlockId, Height, Timestamp};
use shared::keys::KeyPair;
use shared::ledger::Address;
use shared::params::{LayerName, Params};
use shared::wire::Health;

const NOW: Timestamp = Timestamp::from_ms(8_000);
const NAMES: [&str; 4] = ["Ada", "Ben", "Cleo", "Dan"];

fn address(seed: &str) -> Address {
    KeyPair::from_seed(seed).address()
}

// 0 ─ 1 ─ 2 ─ 3 ─ 4    ada, ben
//         └── 3'       cleo, dan
fn state(tips: [(u64, &str); 4]) -> NetworkState {
    let mut state = NetworkState { tracker: "127.0.0.1:8090".to_owned(), ..NetworkState::default() };
    for (index, name, parent) in
        [(0, "0", ""), (1, "1", "0"), (2, "2", "1"), (3, "3", "2"), (4, "4", "3"), (3, "3'", "2")]
    {
        state.blocks.insert(hash(name), summary(index, name, parent));
    }
    for ((index, name), (number, person)) in tips.into_iter().zip((0..).zip(NAMES)) {
        let node = format!("127.0.0.1:{}", 8100 + u16::from(number));
        put_node_at(&mut state, &node, index, name);
        mining_for(&mut state, &node, &address(&person.to_lowercase()));
        state.letters.insert(node, char::from(b'A' + number).to_string());
    }
    contents(&mut state, "1", "ada", &[]);
    contents(&mut state, "2", "ben", &[("eve", 1)]);
    contents(&mut state, "3", "ada", &[("eve", 2)]);
    contents(&mut state, "4", "ben", &[]);
    contents(&mut state, "3'", "cleo", &[("eve", 2), ("cleo", 3)]);
    state
}

const AGREED: [(u64, &str); 4] = [(4, "4"); 4];
const PARTED: [(u64, &str); 4] = [(4, "4"), (4, "4"), (3, "3'"), (3, "3'")];

fn cast(state: &NetworkState) -> Cast {
    let mut book = NameBook::default();
    for name in NAMES {
        book.add_person(address(&name.to_lowercase()), name.to_owned()).unwrap();
    }
    Cast::new(Arc::new(book), state)
}

fn scene(state: NetworkState) -> Scene {
    let cast = cast(&state);
    let params = Params { max_transactions: 10, block_interval_ms: 3000, ..Params::default() };
    let standing = Standing::of(&state, None, 3000, NOW);
    let story = Story::of(&state, &cast, &params);
    let purses = state.tip().map(|tip| {
        let grains =
            NAMES.iter().zip([150, 100, 0, 0]).map(|(name, lab)| (address(&name.to_lowercase()), lab * 100_000_000));
        Arc::new(Purses { at: tip.hash, grains: grains.collect() })
    });
    let making = state.tip().map(|tip| Making {
        lane: Lane::Trunk,
        height: tip.index.next(),
        since: Timestamp::from_ms(4000),
        by_fee: [2, 2, 1],
        oldest: 1,
        full: 60,
        waiting: 6,
    });
    let people = Scene::people_of(purses.as_deref(), &state, None);
    let halves = [vec!["127.0.0.1:8100".to_owned()], vec!["127.0.0.1:8101".to_owned()]];
    Scene {
        now: NOW,
        params: Arc::new(params),
        cast,
        standing,
        act: Act::Split { halves },
        story,
        making: making.into_iter().collect(),
        people,
        purses,
        aftermath: None,
        waiting: Some(6),
        thefts: None,
        is_recorded: false,
        state: Arc::new(state),
    }
}

fn parted() -> NetworkState {
    let mut state = state(PARTED);
    for one in ["127.0.0.1:8100", "127.0.0.1:8101"] {
        for other in ["127.0.0.1:8102", "127.0.0.1:8103"] {
            cut(&mut state, one, other);
        }
    }
    let side = |nodes: [u16; 2], blocks: &[&str], tip: (u64, &str)| Side {
        nodes: nodes.map(|port| format!("127.0.0.1:{port}")).to_vec(),
        blocks: blocks.iter().map(|name| hash(name)).collect(),
        tip: Some(BlockId { index: Height(tip.0), hash: hash(tip.1) }),
    };
    state.split = Some(Split {
        sides: vec![side([8100, 8101], &["3", "4"], (4, "4")), side([8102, 8103], &["3'"], (3, "3'"))],
        base: Some(BlockId { index: Height(2), hash: hash("2") }),
        since: Timestamp::from_ms(2000),
        healed: None,
        outcome: None,
    });
    state
}

/// The text of a part, without its tags.
fn text(scene: &Scene, draw: fn(&Scene) -> Markup) -> String {
    let html = with_cast(scene.cast.clone(), || draw(scene).into_string());
    let mut text = String::new();
    let mut is_tag = false;
    for c in html.chars() {
        match c {
            '<' => is_tag = true,
            '>' => is_tag = false,
            c if !is_tag => text.push(c),
            _ => {}
        }
    }
    text
}

fn heads(scene: &Scene) -> String {
    text(scene, head::draw)
}

#[test]
fn a_calm_network() {
    let scene = scene(state(AGREED));
    snapshot("network", &with_cast(scene.cast.clone(), || render(&scene)));
    let said = heads(&scene);
    assert!(said.contains("All 4 nodes agree: block 4 is the newest."), "{said}");
    assert!(said.contains("Ben found it 4 s ago. 6 payments are waiting for the next one."), "{said}");
    assert!(said.contains("Split the network for 20 s"), "{said}");
}

#[test]
fn the_headline_is_never_green_while_the_network_is_cut() {
    let state = parted();
    let halves = state.split.as_ref().unwrap().sides.iter().map(|side| side.nodes.clone()).collect::<Vec<_>>();
    let mut scene = scene(state);
    scene.standing = Standing::Parted { sides: halves, until: Some(SplitEnd::At(NOW.plus_ms(11_500))) };
    let said = heads(&scene);
    assert!(said.contains("Split in two: A, B | C, D. 12 s to go."), "{said}");
    assert!(
        said.contains("A and B have found 2 blocks, C and D 1. Neither side can see the other’s blocks."),
        "{said}"
    );
    let html = head::draw(&scene).into_string();
    assert!(html.contains("class=\"head split\"") && !html.contains("calm"), "{html}");
    let drawn = chain::draw(&scene).into_string();
    assert_eq!((drawn.matches("class=\"lane s1\"").count(), drawn.matches("class=\"lane s2\"").count()), (1, 1));
    assert!(!drawn.contains(" lost\""), "before healing, nobody has lost: {drawn}");
}

#[test]
fn after_healing_the_page_says_who_won_and_what_became_of_the_payments() {
    let mut state = parted();
    state.nodes.values_mut().for_each(|node| node.refused.clear());
    for node in ["127.0.0.1:8102", "127.0.0.1:8103"] {
        put_node_at(&mut state, node, 4, "4");
        mining_for(&mut state, node, &address("cleo"));
    }
    if let Some(split) = &mut state.split {
        split.healed = Some(NOW);
        split.outcome = Some((NOW, Some(0)));
    }
    let lost = [hash("3'")];
    let branches = Branches { lost: &lost, won: &[hash("3"), hash("4")], tip: hash("4") };
    let aftermath = Aftermath::of(&state, branches, |_| false, |_| Some(0));
    let scene = Scene { aftermath, ..scene(state) };
    let said = heads(&scene);
    assert!(said.contains("Healed: A and B’s branch won, 2 blocks to 1."), "{said}");
    assert!(
        said.contains("Cleo lost 50.00 LAB. Of 2 payments undone, 1 is back in the chain, 1 is waiting."),
        "{said}"
    );
    let drawn = text(&scene, chain::draw);
    for words in [
        "Of 2 payments undone here",
        "1 is in the other branch too",
        "1 waits: Cleo’s reward for block 3 was",
        "undone, so Cleo cannot pay",
        "C and D: 1 block, undone",
    ] {
        assert!(drawn.contains(words), "{words}: {drawn}");
    }
}

#[test]
fn a_split_that_undid_nothing_is_not_blamed_for_another_fork() {
    let mut state = state(AGREED);
    let side = |nodes: [u16; 2], blocks: &[&str]| Side {
        nodes: nodes.map(|port| format!("127.0.0.1:{port}")).to_vec(),
        blocks: blocks.iter().map(|name| hash(name)).collect(),
        tip: None,
    };
    state.split = Some(Split {
        sides: vec![side([8100, 8101], &["4"]), side([8102, 8103], &[])],
        base: Some(BlockId { index: Height(3), hash: hash("3") }),
        since: NOW,
        healed: Some(NOW),
        outcome: Some((NOW, Some(0))),
    });
    // The stale block 3' is of an earlier fork.
    let lost = [hash("3'")];
    let branches = Branches { lost: &lost, won: &[hash("3")], tip: hash("4") };
    let aftermath = Aftermath::of(&state, branches, |_| false, |_| None);
    let scene = Scene { aftermath, ..scene(state) };
    assert!(scene.aftermath.is_some() && scene.story.tiles.iter().any(|tile| tile.is_lost));
    let said = heads(&scene);
    assert!(said.contains("1 block to none.") && said.contains("nothing was undone"), "{said}");
    assert!(!said.contains("Cleo lost"), "{said}");
}

#[test]
fn other_states_have_their_headlines() {
    let said = |tips: [(u64, &str); 4]| heads(&scene(state(tips)));
    assert!(said([(0, "0"); 4]).contains("4 nodes are mining the first block."));
    assert!(said(PARTED).contains("Two branches since block 2: A, B | C, D."));
    let behind = said([(4, "4"), (4, "4"), (4, "4"), (3, "3")]);
    assert!(behind.contains("3 of 4 nodes have block 4.") && behind.contains("D is catching up"), "{behind}");
    let mut found = scene(state(AGREED));
    found.now = Timestamp::from_ms(5000);
    found.standing = Standing::of(&found.state, None, 3000, found.now);
    assert!(heads(&found).contains("Ben found block 4. All 4 nodes have it."), "{}", heads(&found));
    assert!(heads(&found).contains("It took 1.0 s and holds no payments. Ben earned 50.00 LAB, safe once 6"));
    let mut long = scene(state(AGREED));
    long.now = Timestamp::from_ms(16_000);
    long.standing = Standing::of(&long.state, None, 3000, long.now);
    assert!(heads(&long).contains("12 s so far. 3 s is usual; 1 wait in 55 is longer than this."), "{}", heads(&long));
    let mut cut_once = state(AGREED);
    cut(&mut cut_once, "127.0.0.1:8100", "127.0.0.1:8102");
    assert!(heads(&scene(cut_once)).contains("1 of 6 links is cut (A–C)."));
    let nobody = scene(NetworkState { tracker_error: Some("unreachable".to_owned()), ..NetworkState::default() });
    assert!(heads(&nobody).contains("No node answers."));
    assert!(text(&nobody, notice::draw).contains("target/release/tracker"));
    let alone = scene(NetworkState { tracker: "127.0.0.1:8090".to_owned(), ..NetworkState::default() });
    assert!(text(&alone, notice::draw).contains("No node is here yet"));
    assert_eq!(text(&scene(state(AGREED)), notice::draw), "");
}

#[test]
fn two_scenes_that_differ_by_the_clock_alone_are_the_same_to_a_reader() {
    let now = scene(state(AGREED));
    let later = Scene { now: NOW.plus_ms(500), ..now.clone() };
    for part in PARTS {
        let draw = |scene: &Scene| (part.draw)(&scene.without_clock()).into_string();
        assert_eq!(draw(&now), draw(&later), "{}", part.id);
    }
}

#[test]
fn people_are_named_and_all_money_is_there() {
    let scene = scene(state(AGREED));
    let said = text(&scene, people::draw);
    assert!(said.contains("they hold 250 of 200 LAB.") || said.contains("200 LAB in all: 4 blocks × 50"), "{said}");
    assert!(said.contains("Ada") && said.contains("150.00 LAB"), "{said}");
    let graph = with_cast(scene.cast.clone(), || graph::draw(&scene).into_string());
    assert!(graph.contains("aria-label=\"Node A (Ada), at 4\"") && !graph.contains(">127.0.0.1:8100<"), "{graph}");
}

#[test]
fn without_money_nobody_is_shown_rich() {
    let mut scene = scene(state(AGREED));
    scene.params = Arc::new(Params { layer: LayerName::Data, ..Params::default() });
    (scene.making, scene.waiting) = (Vec::new(), None);
    let page = render(&scene).into_string();
    assert!(!page.contains("payment") && !page.contains("LAB"), "{page}");
}

#[test]
fn a_node_that_is_kept_from_its_work_is_told() {
    let mut state = state(AGREED);
    state.nodes.get_mut("127.0.0.1:8101").unwrap().info.as_mut().unwrap().health = Some(vec![Health::CannotStore]);
    let said = text(&scene(state), notice::draw);
    assert!(said.contains("B (Ben)") && said.contains("cannot store"), "{said}");
}

#[test]
fn hostile_names_and_errors_stay_text() {
    const HOSTILE: &str = "<script>alert(1)</script>\"'";
    let mut state = state(AGREED);
    let (_, mut service) = state.nodes.pop_first().unwrap();
    service.error = Some(HOSTILE.to_owned());
    state.nodes.insert(HOSTILE.to_owned(), service.clone());
    state.mempools.insert(HOSTILE.to_owned(), service);
    state.tracker_error = Some(HOSTILE.to_owned());
    state.blocks.get_mut(&hash("4")).unwrap().mined_by = Some(HOSTILE.to_owned());
    state.contents.remove(&hash("4"));
    let shown = render(&scene(state)).into_string();
    assert!(!shown.contains("<script>alert"), "{shown}");
}

#[test]
fn nothing_on_the_page_is_styled_inline() {
    let page = render(&scene(parted())).into_string();
    assert!(!page.contains(" style=") && !page.contains("<style"), "{page}");
}

#[test]
fn a_headline_names_a_finder_in_full_and_a_block_what_fits() {
    let mut state = state(AGREED);
    contents(&mut state, "4", "mallory 1", &[]);
    state.blocks.get_mut(&hash("4")).unwrap().heard = NOW;
    let mut book = NameBook::default();
    book.add_person(address("mallory 1"), "Mallory 2".to_owned()).unwrap();
    let mut scene = scene(state);
    scene.cast = Cast::new(Arc::new(book), &scene.state);
    scene.story = Story::of(&scene.state, &scene.cast, &scene.params);
    assert!(heads(&scene).starts_with("Mallory 2 found block 4."), "{}", heads(&scene));
    assert!(text(&scene, chain::draw).contains("Mallory…"), "{}", text(&scene, chain::draw));
}

#[test]
fn nobody_can_steal_while_no_node_answers() {
    let thefts = crate::thefts::Thefts::new("Mallory", "Ben").0.news();
    let button = |state: NetworkState| {
        let scene = Scene { thefts: Some(thefts.clone()), ..scene(state) };
        head::draw(&scene).into_string()
    };
    assert!(button(state(AGREED)).contains("data-steal=\"open\""));
    let alone = button(NetworkState::default());
    assert!(alone.contains("Try to steal") && !alone.contains("data-steal"), "{alone}");
}
