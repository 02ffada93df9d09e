//! A block of the picture: a box with the finder's lid, filled as far as the block is full.

use super::words::{ago, counted};
use crate::stage::layout::tenth;
use crate::stage::scene::Scene;
use crate::stage::story::Tile;
use maud::{Markup, html};
use shared::block::Height;

/// The size of a drawn block, in units.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) lid: f64,
    /// The class of the height's text.
    pub(super) digits: &'static str,
}

/// The radius of corners.
const R: f64 = 9.0;

pub(super) fn draw(tile: &Tile, (x, y): (f64, f64), size: Size, scene: &Scene) -> Markup {
    let Size { width, height, lid, digits } = size;
    let (x, y) = (tenth(x), tenth(y));
    let label = label(tile, scene);
    let hash = tile.block.hash.to_string();
    let full = f64::from(tile.full.unwrap_or(0)) / 100.0;
    let (inside, right) = (height - lid, x + width);
    let level = tenth(y + lid + inside * (1.0 - full));
    let water = tenth((y + height - level).max(0.0));
    let fill = format!(
        "M{x} {level}h{width}v{0}a{R} {R} 0 0 1 -{R} {R}h-{1}a{R} {R} 0 0 1 -{R} -{R}z",
        tenth(water - R),
        width - 2.0 * R
    );
    let lid_path = format!(
        "M{x} {}v-{}a{R} {R} 0 0 1 {R} -{R}h{}a{R} {R} 0 0 1 {R} {R}v{}z",
        y + lid,
        lid - R,
        width - 2.0 * R,
        lid - R
    );
    let strip = format!("M{} {y}h{}a{R} {R} 0 0 1 {R} {R}v{}h-34z", right - 34.0, 34.0 - R, lid - R);
    let (bar_top, bar) = (y + lid + 7.0, inside - 14.0);
    let finder = &tile.finder;
    let has_letter = !finder.letter.is_empty();
    let text_x = x + if has_letter { 41.0 } else { 12.0 };
    let low = y + height - 11.0;
    html! {
        a.block.(finder.class).lost[tile.is_lost] href={ "/block/" (hash) } data-key=(hash) aria-label=(label) {
            title { (label) }
            rect.depth x=(x) y=(y + 6.0) width=(width) height=(height) rx=(R) {}
            rect.body x=(x) y=(y) width=(width) height=(height) rx=(R) {}
            @if full > 0.0 { path.fill d=(fill) {} }
            rect.gauge x=(right - 15.0) y=(bar_top) width="8" height=(bar) rx="2" {}
            rect.level x=(right - 15.0) y=(tenth(bar_top + bar * (1.0 - full))) width="8" height=(tenth(bar * full))
                rx="2" {}
            path.lid d=(lid_path) {}
            @if has_letter && finder.class != "f-none"
                { path.pattern fill={ "url(#p-" (&finder.class[2..]) ")" } d=(strip) {} }
            @if has_letter {
                text.letter x=(x + 17.0) y=(y + lid / 2.0 + 7.0) { (finder.letter) }
                path.rule d=(format!("M{} {}v{}", x + 33.0, y + 5.0, lid - 10.0)) {}
            }
            text.finder.name x=(text_x) y=(y + lid / 2.0 + 6.0) { (finder.name) }
            text.finder.whole x=(text_x) y=(y + lid / 2.0 + 6.0) { (finder.digits) }
            rect.edge x=(x) y=(y) width=(width) height=(height) rx=(R) {}
            text.height.(digits) x=(x + 12.0) y=(y + lid + if digits.is_empty() { 31.0 } else { 22.0 })
                { (tile.block.index) }
            text.count x=(x + 12.0) y=(low) { (count(tile, scene)) }
        }
    }
}

/// The number of payments, or nothing while it is not known.
fn count(tile: &Tile, scene: &Scene) -> String {
    match &tile.contents {
        Some(contents) if scene.params.layer.has_money() => counted(contents.count, "payment"),
        _ => String::new(),
    }
}

/// The block in a sentence.
fn label(tile: &Tile, scene: &Scene) -> String {
    let mut label = format!("Block {}", tile.block.index);
    if tile.block.index == Height::GENESIS {
        label += ", the start of the chain";
    } else if !tile.finder.letter.is_empty() {
        label += &format!(", found by {}", tile.finder.sentence);
    }
    // Not a part of the key: browsers do not count it on.
    if tile.is_lost {
        label += ", undone";
    }
    if let Some(contents) = tile.contents.as_ref().filter(|_| scene.params.layer.has_money()) {
        label += &format!(", {}, {} % full", counted(contents.count, "payment"), tile.full.unwrap_or(0));
    }
    label
}

/// The age below or beside a block.
pub(super) fn age(tile: &Tile, (x, y): (f64, f64), class: &str, scene: &Scene) -> Markup {
    let (x, y) = (tenth(x), tenth(y));
    html! {
        @if tile.is_lost { text.age.lost.(class) x=(x) y=(y) { "undone" } }
        @else if tile.block.index != Height::GENESIS {
            text.age.(class) x=(x) y=(y) data-ago=(tile.block.heard.as_ms()) { (ago(tile.block.heard, scene.now)) }
        }
    }
}

/// The letter of a node, as a tile of 26 units.
pub(super) fn badge(letter: &str, class: &str, (x, y): (f64, f64)) -> Markup {
    let (x, y) = (tenth(x), tenth(y));
    html! {
        g.badge.(class) {
            rect x=(x) y=(y) width="26" height="26" rx="6" {}
            text.letter x=(x + 13.0) y=(y + 18.7) { (letter) }
        }
    }
}
