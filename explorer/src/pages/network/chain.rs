//! The chain from left to right: the axis of time, lanes during a split, and the nodes at the tips.

use super::tile::{self, Size, age, badge};
use super::words::{counted, duration, letter, letters, owners};
use crate::names::colour;
use crate::stage::layout::{self, Scale, Spot, tenth};
use crate::stage::scene::Scene;
use crate::stage::story::{Branch, Fate, Lane, Story, Tile};
use crate::view::{money, thin};
use maud::{Markup, html};
use shared::block::BlockHash;
use std::collections::BTreeMap;

const HEIGHT: f64 = 344.0;
const BLOCK: Size = Size { width: 138.0, height: 100.0, lid: 32.0, digits: "" };
const SCALE: Scale = Scale { block: BLOCK.width, least: 16.0, decade: 40.0 };
/// Left of the first block.
const MARGIN: f64 = 8.0;
/// From here on a wait is said to be one, in milliseconds.
pub(super) const LONG_MS: u64 = 8000;
/// The letters of nodes stand in columns of this width.
const BADGE: f64 = 30.0;
/// Most letters at one tip.
const MAX_BADGES: usize = 8;

/// From the left end of a lane to its label.
const LABEL: f64 = 14.0;

/// Room for what became of the lost payments.
const NOTES: f64 = 340.0;

/// The columns of the letters at a tip: one row of two, two rows of more.
fn columns(nodes: usize) -> usize {
    match nodes {
        0..=2 => nodes.max(1),
        more => more.min(MAX_BADGES).div_ceil(2),
    }
}

pub(super) const fn top(lane: Lane) -> f64 {
    match lane {
        Lane::Trunk => 122.0,
        Lane::Upper => 38.0,
        Lane::Lower => 206.0,
    }
}

pub(super) fn draw(scene: &Scene) -> Markup {
    let story = &scene.story;
    if story.tiles.is_empty() {
        return html! {};
    }
    let spots = spots(story);
    let edges = layout::place(&spots, SCALE);
    let tips = tips(scene);
    let columns = tips.values().map(|nodes| columns(nodes.len())).max().unwrap_or(1);
    let letters_end = layout::now(&spots, &edges, SCALE, scene.now.as_ms()) + 6.0 + BADGE * columns as f64;
    let notes = scene.aftermath.as_ref().map_or(0.0, |_| NOTES);
    let lost_end = (0..edges.len()).filter(|place| story.tiles[*place].is_lost).map(|place| edges[place]);
    let lost_end = lost_end.fold(0.0, f64::max) + BLOCK.width + 20.0 + notes;
    let labels_end = labels_end(story, &edges, scene);
    let now = letters_end.max(if notes > 0.0 { lost_end } else { 0.0 }).max(labels_end) + 9.0;
    // The blocks stand at the end of the time that has passed.
    let shift = now - 9.0 - letters_end;
    let x = |place: usize| edges[place] + if story.branches.is_none() { shift } else { 0.0 };
    let width = tenth(now + MARGIN + 1.0);
    html! {
        svg.chain width=(width) height=(HEIGHT) viewBox=(format!("-{MARGIN} 0 {width} {HEIGHT}")) role="group"
            aria-label="The newest blocks, oldest on the left" {
            @if let Some(branches) = &story.branches {
                (lane(&branches[0], Lane::Upper, story, &x, now, scene))
                (lane(&branches[1], Lane::Lower, story, &x, now, scene))
            }
            // stage.js moves the past to the left, as the gap after the newest block grows.
            @let newest = story.tip_of(Lane::Trunk).filter(|_| story.branches.is_none());
            @let since = newest.map(|place| story.tiles[place].block.heard.as_ms());
            g.past data-since-tip=[since] data-drawn=(scene.now.as_ms()) data-decade=(SCALE.decade) {
                @for (place, tile) in story.tiles.iter().enumerate() { (link(story, place, tile, &x)) }
                @for (place, tile) in story.tiles.iter().enumerate() {
                    @let at = (x(place), top(tile.lane));
                    (tile::draw(tile, at, BLOCK, scene))
                    (age(tile, (at.0 + BLOCK.width / 2.0, at.1 + BLOCK.height + 25.0), "mid", scene))
                }
                (axis(story, &x))
                (reward(story, &x, scene))
            }
            (last_wait(story, &x, now, scene))
            @for (hash, nodes) in &tips { (badges(hash, nodes, story, &x, now, scene)) }
            @if let Some(aftermath) = &scene.aftermath {
                // In the lane that lost, in front of the current moment.
                @let lane = story.tiles.iter().find(|tile| tile.is_lost).map_or(Lane::Lower, |tile| tile.lane);
                (super::notes::draw(aftermath, (lost_end - notes).max(now - NOTES), top(lane), scene))
            }
            path.now d=(format!("M{} 8V336", tenth(now))) {}
            text.age.end x=(tenth(now - 9.0)) y="26" { "now" }
        }
    }
}

/// Where the labels of open lanes end, with room for "now" behind them: a lane without blocks is short.
fn labels_end(story: &Story, edges: &[f64], scene: &Scene) -> f64 {
    /// Of a letter, in units; and of " now".
    const LETTER: f64 = 9.0;
    const NOW: f64 = 48.0;
    let Some(branches) = &story.branches else { return 0.0 };
    let ends = branches.iter().zip([Lane::Upper, Lane::Lower]).filter(|(branch, _)| branch.fate == Fate::Open);
    let ends = ends.map(|(branch, lane)| {
        let letters = label(branch, scene).chars().count() as f64;
        lane_start(story, lane, &|place| edges[place]) + LABEL + LETTER * letters + NOW
    });
    ends.fold(0.0, f64::max)
}

/// The left end of a lane.
fn lane_start(story: &Story, lane: Lane, x: &dyn Fn(usize) -> f64) -> f64 {
    let first = story.tiles.iter().position(|tile| tile.lane == lane);
    let fork = story.tip_of(Lane::Trunk).map_or(0.0, |place| x(place) + BLOCK.width);
    first.map_or(fork + 50.0, x) - 24.0
}

/// `A and B: 2 blocks`.
fn label(branch: &Branch, scene: &Scene) -> String {
    let who =
        if branch.nodes.is_empty() { String::new() } else { format!("{}: ", letters(&branch.nodes, &scene.cast)) };
    who + &counted(branch.blocks, "block")
}

fn spots(story: &Story) -> Vec<Spot> {
    story.tiles.iter().map(|tile| Spot { at_ms: tile.block.heard.as_ms(), parent: tile.parent }).collect()
}

/// The nodes whose newest block each block is.
pub(super) fn tips(scene: &Scene) -> BTreeMap<BlockHash, Vec<String>> {
    let mut tips: BTreeMap<BlockHash, Vec<String>> = BTreeMap::new();
    for (node, tip) in scene.state.answering() {
        tips.entry(tip.hash).or_default().push(node.clone());
    }
    for nodes in tips.values_mut() {
        *nodes = scene.state.by_letter(nodes.iter()).into_iter().cloned().collect();
    }
    tips
}

/// The class of the colour of a side.
pub(super) fn side(branch: &Branch, lane: Lane) -> &'static str {
    match (branch.is_side, lane) {
        (true, Lane::Upper) => "s1",
        (true, Lane::Lower) => "s2",
        _ => "plain",
    }
}

fn lane(branch: &Branch, lane: Lane, story: &Story, x: &dyn Fn(usize) -> f64, now: f64, scene: &Scene) -> Markup {
    let own: Vec<usize> = (0..story.tiles.len()).filter(|place| story.tiles[*place].lane == lane).collect();
    let from = lane_start(story, lane, x);
    let won_end = own.get(branch.blocks.saturating_sub(1)).or(own.last()).map(|place| x(*place) + BLOCK.width + 16.0);
    let to = match branch.fate {
        Fate::Open => now + 400.0,
        Fate::Won => won_end.unwrap_or(now),
        Fate::Lost => now - 12.0,
    };
    let y = if lane == Lane::Upper { 6.0 } else { 174.0 };
    let (class, fate) = match branch.fate {
        Fate::Open => (side(branch, lane), String::new()),
        Fate::Won => (if branch.is_side { side(branch, lane) } else { "won" }, ", won".to_owned()),
        Fate::Lost => ("lost", ", undone".to_owned()),
    };
    // While both branches grow, a lecture names the nodes of each branch beside its newest block.
    let near = branch.fate == Fate::Open && !branch.nodes.is_empty();
    html! {
        rect.lane.(class) x=(tenth(from)) y=(y) width=(tenth((to - from).max(20.0))) height="164" rx="14" {}
        text.lane-label.far[near].(class) x=(tenth(from + LABEL)) y=(y + 20.0) { (label(branch, scene)) (fate) }
        @if near {
            text.lane-label.near.end.(class) x=(tenth(now - 56.0)) y=(y + 20.0) {
                (owners(&branch.nodes, &scene.cast)) ": " (counted(branch.blocks, "block"))
            }
        }
    }
}

/// The arrow to the block before.
fn link(story: &Story, place: usize, tile: &Tile, x: &dyn Fn(usize) -> f64) -> Markup {
    let Some(parent) = tile.parent else { return html! {} };
    let before = &story.tiles[parent];
    let (from, to) = (x(place), x(parent) + BLOCK.width);
    let (from_y, to_y) = (top(tile.lane) + 50.0, top(before.lane) + 50.0);
    let branch = story.branches.as_ref().map(|branches| match tile.lane {
        Lane::Lower => (&branches[1], Lane::Lower),
        _ => (&branches[0], Lane::Upper),
    });
    let class = match branch {
        _ if tile.is_lost => "lost",
        Some((branch, lane)) if tile.lane != Lane::Trunk && branch.fate == Fate::Open => side(branch, lane),
        _ => "plain",
    };
    let (start, end) = (tenth(from), tenth(to + 7.0));
    let bend = tenth((start + end) / 2.0);
    let line = if from_y == to_y {
        format!("M{start} {from_y}H{end}")
    } else {
        format!("M{start} {from_y}C{bend} {from_y} {bend} {to_y} {end} {to_y}")
    };
    let waited = tile.block.heard.ms_since(before.block.heard).max(0).unsigned_abs();
    html! {
        path.link.(class) d=(line) {}
        path.link.head.(class)
            d=(format!("M{} {}L{} {to_y}L{} {}", tenth(to + 11.0), to_y - 6.0, tenth(to + 3.0), tenth(to + 11.0), to_y
                + 6.0)) {}
        @if tile.lane != Lane::Trunk && before.lane == tile.lane && waited >= LONG_MS {
            text.gap.mid x=(bend) y=(from_y - 14.0) { (duration(waited)) }
        }
    }
}

/// A piece of the line below the trunk, with room for a text in its middle.
fn segment(from: f64, to: f64, text: &Markup) -> Markup {
    let half = 30.0_f64.min((to - from) / 2.0);
    let middle = (from + to) / 2.0;
    html! {
        path.axis d=(format!("M{} 300H{}M{} 300H{}", tenth(from), tenth(middle - half), tenth(middle + half),
            tenth(to))) {}
        (text)
    }
}

/// The time since the newest block. It goes on, so stage.js draws it anew.
fn last_wait(story: &Story, x: &dyn Fn(usize) -> f64, now: f64, scene: &Scene) -> Markup {
    let (None, Some(last)) = (&story.branches, story.tip_of(Lane::Trunk)) else { return html! {} };
    let (from, since) = (x(last) + BLOCK.width, story.tiles[last].block.heard);
    html! {
        g.last data-from=(tenth(from)) data-to=(tenth(now)) {
            (segment(from, now, &html! {
                text.gap.mid x=(tenth((from + now) / 2.0)) y="305" {
                    tspan data-since=(since.as_ms()) { (scene.now.ms_since(since).max(0) / 1000) } " s"
                }
            }))
        }
    }
}

/// The line below the trunk, with every wait.
fn axis(story: &Story, x: &dyn Fn(usize) -> f64) -> Markup {
    let trunk: Vec<usize> = (0..story.tiles.len()).filter(|place| story.tiles[*place].lane == Lane::Trunk).collect();
    html! {
        @for two in trunk.windows(2) {
            @let (before, after) = (&story.tiles[two[0]], &story.tiles[two[1]]);
            @let (from, to) = (x(two[0]) + BLOCK.width, x(two[1]) + BLOCK.width);
            @let waited = after.block.heard.ms_since(before.block.heard).max(0).unsigned_abs();
            path.axis d=(format!("M{} 294v12", tenth(to))) {}
            @if waited >= LONG_MS {
                @let middle = (from + to) / 2.0;
                path.axis d=(format!("M{} 300H{}M{} 300H{}", tenth(from), tenth(middle - 48.0), tenth(middle + 48.0),
                    tenth(to))) {}
                text.gap.mid x=(tenth(middle)) y="305" { (duration(waited)) " wait" }
            } @else {
                (segment(from, to, &html! { text.age.mid x=(tenth((from + to) / 2.0)) y="305" { (duration(waited)) } }))
            }
        }
    }
}

/// What the finder of the newest block earned.
fn reward(story: &Story, x: &dyn Fn(usize) -> f64, scene: &Scene) -> Markup {
    let newest = story.tip_of(Lane::Trunk).filter(|_| story.branches.is_none());
    let earned = newest.and_then(|place| Some((place, story.tiles[place].contents.as_ref()?.earned)));
    html! {
        @if let Some((place, earned)) = earned.filter(|(_, earned)| *earned > 0 && scene.params.layer.has_money()) {
            @let (whole, decimals, _) = money(earned);
            text.reward.mid x=(tenth(x(place) + BLOCK.width / 2.0)) y="106" { "+" (whole) "." (decimals) " LAB" }
        }
    }
}

/// The nodes at the end of the chain that they extend.
fn badges(
    hash: &BlockHash,
    nodes: &[String],
    story: &Story,
    x: &dyn Fn(usize) -> f64,
    now: f64,
    scene: &Scene,
) -> Markup {
    let Some(place) = story.tiles.iter().position(|tile| tile.block.hash == *hash) else { return html! {} };
    // In the lane that the nodes will extend: during a split without blocks yet, their own.
    let lane_of = |node: &String| match &story.branches {
        Some(branches) if story.tiles[place].lane == Lane::Trunk => {
            if branches[1].nodes.contains(node) {
                Lane::Lower
            } else {
                Lane::Upper
            }
        }
        _ => story.tiles[place].lane,
    };
    let mut lanes: Vec<(Lane, Vec<&String>)> = Vec::new();
    for node in nodes {
        let lane = lane_of(node);
        match lanes.iter_mut().find(|(known, _)| *known == lane) {
            Some((_, nodes)) => nodes.push(node),
            None => lanes.push((lane, vec![node])),
        }
    }
    html! {
        @for (lane, nodes) in &lanes {
            @let columns = columns(nodes.len());
            @let left = now - 9.0 - BADGE * columns as f64;
            @let middle = top(*lane) + 50.0;
            @let start = x(place) + BLOCK.width + 8.0;
            @if start < left - 6.0 && story.tiles[place].lane == *lane {
                path.wait data-from=(tenth(start)) data-to=(tenth(left - 6.0)) data-y=(middle)
                    d=(format!("M{} {middle}H{}", tenth(start), tenth(left - 6.0))) {}
            }
            @let is_one_row = nodes.len() <= 2;
            @for (number, node) in nodes.iter().take(MAX_BADGES).enumerate() {
                @let (column, row) = if is_one_row { (number, 0) } else { (number % columns, number / columns) };
                @let left = if is_one_row { now - 9.0 - BADGE * nodes.len() as f64 } else { left };
                @let y = if is_one_row { middle - 13.0 } else { middle - 28.0 + BADGE * row as f64 };
                @let name = letter(node, &scene.cast);
                (badge(name, colour(name), (left + BADGE * column as f64, y)))
            }
            @if nodes.len() > MAX_BADGES {
                text.age.end x=(tenth(now - 9.0)) y=(middle + 50.0)
                    { "and " (thin((nodes.len() - MAX_BADGES) as u64)) " more" }
            }
        }
    }
}
