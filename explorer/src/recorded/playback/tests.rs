//! A small recording at its moments.

use super::*;
use crate::network::Agreement;
use laboratory::plan::Plan;
use shared::sync::BlockSource;

/// Four real nodes whose network is cut in two halves, by block 12, for 200 seconds.
const SCENARIO: &str = "title = \"A cut\"\nmodel = \"core\"\nseed = 7\nblocks = 40\n[consensus]\n\
    block_interval_ms = 20_000\ninitial_difficulty = 50\n[network]\nnodes = 4\npreset = \"lan\"\ngraph = \"full\"\n\
    [[event]]\nat = \"block 12\"\npartition = { half = \"50 %\", for = \"200 s\" }\n";

fn recorded(scenario: &str) -> Recording {
    let mut text = String::new();
    let plan = Plan::read(scenario, &[], None).unwrap();
    assert!(plan.record(0, &mut |line| text += &(line + "\n")));
    Recording::read(&text).unwrap()
}

fn playback() -> Playback {
    Playback::new(recorded(SCENARIO), NameBook::default())
}

fn chapter(playback: &Playback, wanted: Chapter) -> u64 {
    let found = playback.chapters().iter().find(|(_, chapter)| *chapter == wanted);
    found.unwrap_or_else(|| panic!("no {wanted:?} in {:?}", playback.chapters())).0
}

#[test]
fn the_headline_of_each_chapter_is_that_of_a_live_network() {
    let playback = playback();
    assert!(matches!(playback.at(0).scene.standing, Standing::Empty { nodes: 4 }));
    let split = playback.at(chapter(&playback, Chapter::Split)).scene;
    let Standing::Parted { sides, .. } = &split.standing else { panic!("{:?}", split.standing) };
    assert_eq!(sides.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2]);
    let healed = playback.at(chapter(&playback, Chapter::Healed)).scene;
    assert!(matches!(healed.standing, Standing::Healed { .. }), "{:?}", healed.standing);
    let end = playback.at(playback.length_ms()).scene;
    let Standing::Agreed { tip, behind, .. } = &end.standing else { panic!("{:?}", end.standing) };
    assert!(tip.index.0 >= 30 && behind.is_empty(), "{tip:?}");
}

#[test]
fn a_moment_is_the_same_however_it_is_reached() {
    let playback = playback();
    let mut stop = Some(0);
    let mut seen = Vec::new();
    while let Some(ms) = stop {
        seen.push((ms, format!("{:?}", playback.at(ms).scene.state)));
        stop = playback.stop_after(ms);
    }
    assert!(seen.len() > 60, "{}", seen.len());
    for (ms, state) in seen.iter().rev() {
        assert_eq!(format!("{:?}", playback.at(*ms).scene.state), *state, "{ms}");
    }
    let of_stops: Vec<u64> = seen.iter().map(|(ms, _)| *ms).collect();
    assert_eq!(playback.stop_before(of_stops[9]), Some(of_stops[8]));
    assert_eq!(playback.stop_before(of_stops[0]), None);
}

#[test]
fn checkpoints_change_nothing() {
    // Enough moments for several checkpoints.
    let scenario = SCENARIO.replace("blocks = 40", "blocks = 300");
    let playback = Playback::new(recorded(&scenario), NameBook::default());
    assert!(playback.checkpoints.len() > 3, "{}", playback.checkpoints.len());
    let at = |ms: u64| format!("{:?}", playback.at(ms).scene.state);
    let end = at(playback.length_ms());
    let middle = playback.length_ms() / 2;
    let from_a_checkpoint = at(middle);
    *playback.cursor.lock().unwrap() = playback.checkpoints[0].clone();
    assert_eq!(at(middle), from_a_checkpoint);
    assert_eq!(at(playback.length_ms()), end);
}

#[test]
fn what_lies_in_the_future_is_not_known() {
    let playback = playback();
    let ms = chapter(&playback, Chapter::Split);
    let now = playback.at(ms).scene.now;
    let known = playback.blocks().known(now).count();
    assert!(known > 10 && known < 20, "{known}");
    assert_eq!(playback.blocks().known(playback.at(playback.length_ms()).scene.now).count(), 41);
    let tip = playback.at(ms).scene.state.tip().unwrap();
    assert_eq!(playback.blocks().chain(tip.hash, now).count() as u64, tip.index.0 + 1);
}

#[test]
fn times_outside_of_the_recording_are_its_ends() {
    let playback = playback();
    for (t, ms) in
        [(-5.0, 0), (0.0, 0), (1.2345, 1235), (1e300, playback.length_ms()), (f64::MAX, playback.length_ms())]
    {
        assert_eq!(playback.clamped_ms(t), ms, "{t}");
    }
}

#[test]
fn more_nodes_than_a_page_shows_are_counted_but_not_drawn() {
    let scenario = SCENARIO.replace("nodes = 4", "nodes = 80").replace("graph = \"full\"\n", "").replace("40", "10");
    let playback = Playback::new(recorded(&scenario), NameBook::default());
    let end = playback.at(playback.length_ms()).scene;
    assert_eq!((playback.head().nodes.len(), playback.shown_nodes(), end.state.nodes.len()), (80, 64, 64));
    assert!(!Agreement::of(&end.state).is_forked());
}

/// A recording that says anything, which its format allows.
#[test]
fn a_recording_that_lies_is_shown_without_a_panic() {
    let Recording { head, moments } = recorded(SCENARIO);
    let lies = moments.iter().cloned().enumerate().map(|(place, mut moment)| {
        if let Moment::Node { told: NodeEvent::Block(event), .. } = &mut moment {
            match place % 5 {
                0 => event.index = shared::block::Height(u64::MAX),
                1 => event.prev_hash = event.hash,
                2 => event.work = shared::work::Work(u128::MAX),
                3 => event.timestamp = Timestamp::from_ms(0),
                _ => event.source = BlockSource::Synced,
            }
        }
        moment
    });
    let mut moments: Vec<Moment> = lies.collect();
    let last = moments.last().unwrap().at();
    moments.push(Moment::Healed { at: last });
    moments.push(Moment::Cut { at: last, side: vec![0, 0, 3] });
    moments.push(Moment::Cut { at: last, side: Vec::new() });
    let playback = Playback::new(Recording { head, moments }, NameBook::default());
    let mut stop = Some(0);
    while let Some(ms) = stop {
        let shown = playback.at(ms);
        crate::view::with_cast(shown.scene.cast.clone(), || {
            crate::pages::network::render_recorded(&shown.scene).into_string()
        });
        stop = playback.stop_after(ms);
    }
}

#[test]
fn a_recording_without_moments_is_a_page_too() {
    let Recording { head, .. } = recorded(SCENARIO);
    let playback = Playback::new(Recording { head, moments: Vec::new() }, NameBook::default());
    assert_eq!((playback.length_ms(), playback.stop_after(0), playback.stop_before(0)), (0, None, None));
    assert!(matches!(playback.at(0).scene.standing, Standing::Empty { .. }));
}

#[test]
fn there_are_few_chapters_and_forks_go_first() {
    let forks = (0..100).map(|ms| (ms, Chapter::Fork));
    let all: Vec<_> = forks.chain([(200, Chapter::Split), (300, Chapter::Healed)]).collect();
    let kept = fewer(all);
    assert_eq!(
        (kept.len(), kept[MAX_CHAPTERS - 2..].to_vec()),
        (MAX_CHAPTERS, vec![(200, Chapter::Split), (300, Chapter::Healed)])
    );
    let splits = (0..100).map(|ms| (ms, Chapter::Split)).collect();
    assert_eq!(fewer(splits).len(), MAX_CHAPTERS);
}
