//! The same picture for narrow pages: time runs up, the box is on top, lanes are columns.

use super::chain::{LONG_MS, side, tips};
use super::making::{Cup, cup};
use super::tile::{self, Size, age, badge};
use super::words::{counted, duration, letter, letters};
use crate::names::colour;
use crate::stage::layout::{self, Scale, Spot, tenth};
use crate::stage::scene::Scene;
use crate::stage::story::{Fate, Lane};
use crate::view::thin;
use maud::{Markup, html};

const WIDTH: f64 = 358.0;
const BLOCK: Size = Size { width: 164.0, height: 80.0, lid: 30.0, digits: "small" };
const SCALE: Scale = Scale { block: BLOCK.height, least: 24.0, decade: 22.0 };
/// Where the line of the current moment is.
const NOW: f64 = 196.0;
/// Room for the letters of nodes above the newest block.
const BADGES: f64 = 40.0;
/// Most blocks that are drawn, the newest.
const MAX_BLOCKS: usize = 7;
/// Most letters at a tip.
const MAX_BADGES: usize = 4;

const fn left(lane: Lane) -> f64 {
    match lane {
        Lane::Trunk => 97.0,
        Lane::Upper => 5.0,
        Lane::Lower => 189.0,
    }
}

pub(super) fn draw(scene: &Scene) -> Markup {
    let story = &scene.story;
    let skipped = story.tiles.len().saturating_sub(MAX_BLOCKS);
    let tiles = &story.tiles[skipped..];
    if tiles.is_empty() {
        return html! {};
    }
    let parent = |place: usize| tiles[place].parent.and_then(|parent| parent.checked_sub(skipped));
    let spots: Vec<Spot> =
        (0..tiles.len()).map(|place| Spot { at_ms: tiles[place].block.heard.as_ms(), parent: parent(place) }).collect();
    let edges = layout::place(&spots, SCALE);
    let end = layout::now(&spots, &edges, SCALE, scene.now.as_ms()) + BADGES;
    // Time runs up.
    let y = |place: usize| NOW + end - edges[place] - BLOCK.height;
    let height = tenth(NOW + end + 16.0);
    let fork = tiles.iter().rposition(|tile| tile.lane == Lane::Trunk);
    html! {
        svg.tall width=(WIDTH) height=(height) viewBox=(format!("0 0 {WIDTH} {height}")) role="group"
            aria-label="The newest blocks, newest on top" {
            @if let Some(branches) = &story.branches {
                @for (branch, lane) in branches.iter().zip([Lane::Upper, Lane::Lower]) {
                    @let class = match branch.fate { Fate::Lost => "lost", _ => side(branch, lane) };
                    @let bottom = fork.map_or(height, |place| y(place) - 14.0);
                    rect.lane.(class) x=(left(lane) - 5.0) y="4" width="174" height=(tenth(bottom - 4.0)) rx="14" {}
                }
            }
            (boxes(scene))
            path.now d=(format!("M0 {NOW}H{WIDTH}")) {}
            text.age.end x="354" y=(NOW + 18.0) { "now" }
            @for place in 0..tiles.len() {
                @if let Some(before) = parent(place) {
                    @let (x, to) = (left(tiles[place].lane) + 82.0, left(tiles[before].lane) + 82.0);
                    @let (from_y, to_y) = (y(place) + BLOCK.height + 7.0, y(before) - 6.0);
                    @let bend = tenth((from_y + to_y) / 2.0);
                    @let class = if tiles[place].is_lost { "lost" } else { "plain" };
                    path.link.(class) d=(format!("M{x} {}C{x} {bend} {to} {bend} {to} {}", tenth(from_y), tenth(to_y)))
                        {}
                    path.link.head.(class)
                        d=(format!("M{} {}L{to} {}L{} {}", to - 6.0, tenth(to_y - 4.0), tenth(to_y + 4.0), to + 6.0,
                            tenth(to_y - 4.0))) {}
                    @let waited = tiles[place].block.heard.ms_since(tiles[before].block.heard).max(0).unsigned_abs();
                    @if waited >= LONG_MS && tiles[place].lane == Lane::Trunk {
                        text.gap x=(to + 14.0) y=(bend) { (duration(waited)) }
                    }
                }
            }
            @for (place, tile) in tiles.iter().enumerate() {
                (tile::draw(tile, (left(tile.lane), y(place)), BLOCK, scene))
                @if tile.lane == Lane::Trunk { (age(tile, (272.0, y(place) + 38.0), "", scene)) }
            }
            @for (hash, nodes) in &tips(scene) {
                @if let Some(place) = tiles.iter().position(|tile| tile.block.hash == *hash) {
                    @let lane = tiles[place].lane;
                    @let is_trunk = lane == Lane::Trunk;
                    @let (x, top) = if is_trunk { (4.0, y(place) + 4.0) } else { (left(lane) + 3.0, y(place) - 32.0) };
                    @for (number, node) in nodes.iter().take(MAX_BADGES).enumerate() {
                        @let (column, row) = if is_trunk { (number % 2, number / 2) } else { (number, 0) };
                        @let name = letter(node, &scene.cast);
                        (badge(name, colour(name), (x + 30.0 * column as f64, top + 30.0 * row as f64)))
                    }
                    @if nodes.len() > MAX_BADGES {
                        text.age x=(x) y=(tenth(top + 76.0)) { "+ " (thin((nodes.len() - MAX_BADGES) as u64)) }
                    }
                }
            }
        }
        @if let Some(aftermath) = &scene.aftermath { (super::notes::list(aftermath, scene)) }
    }
}

/// The boxes on top.
fn boxes(scene: &Scene) -> Markup {
    html! {
        @match (&*scene.making, &scene.story.branches) {
            ([one, other], Some(branches)) => {
                @for ((making, branch), x) in [one, other].iter().zip(branches).zip([0.0, 184.0]) {
                    text.lane-label x=(x + 7.0) y="24" { (letters(&branch.nodes, &scene.cast)) }
                    text.age x=(x + 7.0) y="46" { (making.height) ": " (counted(making.count(), "payment")) }
                    (cup(making, Cup { x: x + 10.0, y: 58.0, width: 154.0, height: 72.0 }))
                }
            }
            ([making, ..], _) => {
                text.make-title x="8" y="24" { "Block " (making.height) " in the making" }
                text.age x="8" y="46" {
                    tspan data-since=(making.since.as_ms()) { (scene.now.ms_since(making.since).max(0) / 1000) }
                        " s so far; "
                    (duration(scene.params.block_interval_ms).replace(".0 ", " ")) " is usual"
                }
                (cup(making, Cup { x: 30.0, y: 66.0, width: 298.0, height: 92.0 }))
                text.age.strong x="30" y="182" { (counted(making.count(), "payment")) " · " (making.full) " % full" }
            }
            _ => {}
        }
    }
}
