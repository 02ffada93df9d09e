//! The block in the making: an open box that fills with payments. During a split each side fills its own.

use super::words::{counted, duration};
use crate::network::Paid;
use crate::stage::layout::tenth;
use crate::stage::making::Making;
use crate::stage::scene::Scene;
use crate::stage::story::Lane;
use crate::view::money;
use maud::{Markup, html};
use shared::ledger::{AddressKind, Amount};
use std::collections::BTreeSet;

/// Most bricks of a column; more are drawn flatter.
const MAX_ROWS: usize = 40;

/// A box that is drawn: its inner left edge, rim, inner width and height.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cup {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

pub(super) fn draw(scene: &Scene) -> Markup {
    html! {
        @match &*scene.making {
            [] => (nothing(scene)),
            [one] => { (whole(one, scene)) (narrow(one, scene)) }
            boxes => { (both(boxes, 292.0, 244.0, "", scene)) (both(boxes, 176.0, 132.0, "narrow", scene)) }
        }
    }
}

/// Without a mempool, or without money.
fn nothing(scene: &Scene) -> Markup {
    let tip = scene.story.tiles.last();
    html! {
        svg.making.narrow width="176" height="344" viewBox="0 0 176 344" role="img"
            aria-label="The block in the making" {
            @if let Some(tip) = tip {
                text.make-title x="22" y="28" { "Block " (tip.block.index.next()) }
                text.age x="22" y="50" { (so_far_tspan(tip.block.heard, scene)) " s so far" }
            }
            (empty_cup(Cup { x: 22.0, y: 134.0, width: 132.0, height: 156.0 }))
        }
        svg.making width="292" height="344" viewBox="0 0 292 344" role="img" aria-label="The block in the making" {
            @if let Some(tip) = tip {
                text.make-title x="24" y="28" { "Block " (tip.block.index.next()) " in the making" }
                text.age x="24" y="48" { (so_far_tspan(tip.block.heard, scene)) " s so far; " (usual(scene))
                    " is usual" }
            }
            (empty_cup(Cup { x: 24.0, y: 134.0, width: 244.0, height: 156.0 }))
            @if scene.params.layer.has_money() {
                text.age x="24" y="312" { "No mempool answers." }
            }
        }
    }
}

fn usual(scene: &Scene) -> String {
    duration(scene.params.block_interval_ms).replace(".0 ", " ")
}

fn so_far_tspan(at: shared::block::Timestamp, scene: &Scene) -> Markup {
    html! { tspan data-since=(at.as_ms()) { (scene.now.ms_since(at).max(0) / 1000) } }
}

fn label(making: &Making) -> String {
    format!("Block {} in the making: {}, {} % full", making.height, counted(making.count(), "payment"), making.full)
}

fn whole(making: &Making, scene: &Scene) -> Markup {
    html! {
        svg.making width="292" height="344" viewBox="0 0 292 344" role="img" aria-label=(label(making)) {
            text.make-title x="24" y="28" { "Block " (making.height) " in the making" }
            text.age x="24" y="48" { (so_far_tspan(making.since, scene)) " s so far; " (usual(scene)) " is usual" }
            (cup(making, Cup { x: 24.0, y: 134.0, width: 244.0, height: 156.0 }))
            (pills(scene))
            text.age.strong x="24" y="312" { (fill_words(making)) }
            text.age x="24" y="332" { "highest fee first" }
            text.age.end x="268" y="332" { "waited longest" }
        }
    }
}

fn narrow(making: &Making, scene: &Scene) -> Markup {
    html! {
        svg.making.narrow width="176" height="344" viewBox="0 0 176 344" role="img" aria-label=(label(making)) {
            text.make-title x="22" y="28" { "Block " (making.height) }
            text.age x="22" y="50" { (so_far_tspan(making.since, scene)) " s so far" }
            (cup(making, Cup { x: 22.0, y: 134.0, width: 132.0, height: 156.0 }))
            text.age.strong x="22" y="312" { (counted(making.count(), "payment")) }
        }
    }
}

fn fill_words(making: &Making) -> String {
    match making.count() {
        0 => "No payments yet".to_owned(),
        count if making.full == 0 => format!("{} · under 1 % full", counted(count, "payment")),
        count => format!("{} · {} % full", counted(count, "payment"), making.full),
    }
}

/// One box a lane.
fn both(boxes: &[Making], width: f64, inner: f64, class: &str, scene: &Scene) -> Markup {
    html! {
        svg.making.(class) width=(width) height="344" viewBox=(format!("0 0 {width} 344")) role="img"
            aria-label="The two blocks in the making" {
            @if let Some(branches) = &scene.story.branches {
                rect.lane.(super::chain::side(&branches[0], Lane::Upper)) x="-20" y="6" width=(width + 12.0)
                    height="164" rx="14" {}
                rect.lane.(super::chain::side(&branches[1], Lane::Lower)) x="-20" y="174" width=(width + 12.0)
                    height="164" rx="14" {}
            }
            @for making in boxes {
                @let top = if making.lane == Lane::Lower { 174.0 } else { 6.0 };
                text.make-title x="20" y=(top + 21.0)
                    { "Block " (making.height) @if class.is_empty() { " in the making" } }
                (cup(making, Cup { x: 26.0, y: top + 36.0, width: inner - 34.0, height: 88.0 }))
                text.age x="20" y=(top + 150.0) {
                    @if class.is_empty() { (fill_words(making)) } @else { (counted(making.count(), "payment")) }
                }
            }
        }
    }
}

fn outline(cup: Cup, is_closed: bool) -> String {
    let Cup { x, y, width, height } = cup;
    let end = if is_closed { "z" } else { "" };
    format!("M{x} {y}v{0}a12 12 0 0 0 12 12h{1}a12 12 0 0 0 12 -12v-{0}{end}", height - 12.0, width - 24.0)
}

fn empty_cup(cup: Cup) -> Markup {
    let Cup { x, y, width, .. } = cup;
    html! {
        path.cup-back d=(outline(cup, true)) {}
        path.cup d=(outline(cup, false)) {}
        path.rim d=(format!("M{} {y}h7M{} {y}h7", x - 7.0, x + width)) {}
    }
}

/// A box with its bricks: four columns by fee, the highest at the bottom, and a fifth by age.
pub(super) fn cup(making: &Making, cup: Cup) -> Markup {
    let Cup { x, y, width, height } = cup;
    let column = (width - 24.0) / 5.0;
    let fees: usize = making.by_fee.iter().sum();
    let rows = fees.div_ceil(4).max(making.oldest).clamp(1, MAX_ROWS);
    // Bricks are as high as they can be, and never taller than wide.
    let step = ((height - 14.0) / rows as f64).min(18.0).min(height / 6.0);
    let brick = (step * 0.83).max(1.0);
    let bottom = y + height - 7.0;
    let class = |number: usize| match number {
        n if n < making.by_fee[0] => "p3",
        n if n < making.by_fee[0] + making.by_fee[1] => "p2",
        _ => "p1",
    };
    let at = |column_number: usize, row: usize| {
        let gap = if column_number == 4 { 10.0 } else { 0.0 };
        (tenth(x + 7.0 + gap + column * column_number as f64), tenth(bottom - step * (row + 1) as f64 + (step - brick)))
    };
    html! {
        path.cup-back d=(outline(cup, true)) {}
        @for number in 0..fees.min(4 * MAX_ROWS) {
            @let (left, top) = at(number % 4, number / 4);
            rect.brick.(class(number)) x=(left) y=(top) width=(tenth(column - 3.0)) height=(tenth(brick)) rx="3" {}
        }
        @for number in 0..making.oldest.min(MAX_ROWS) {
            @let (left, top) = at(4, number);
            rect.brick.pw x=(left) y=(top) width=(tenth(column - 3.0)) height=(tenth(brick)) rx="3" {}
        }
        path.fifth d=(format!("M{} {}v{}", tenth(x + 11.0 + column * 4.0), y + 6.0, height - 14.0)) {}
        path.cup d=(outline(cup, false)) {}
        path.rim d=(format!("M{} {y}h7M{} {y}h7", x - 7.0, x + width)) {}
    }
}

/// The newest pending payment, which falls into the box, and the one before.
fn pills(scene: &Scene) -> Markup {
    /// The picture is 292 wide.
    const RIGHT: f64 = 288.0;
    // The newest report of a payment says whether it still waits.
    let mut told = BTreeSet::new();
    let newest = scene.state.news.iter().filter(|item| item.payment.is_some_and(|id| told.insert(id)));
    let pending = newest.filter_map(|item| Some((item.paid.as_ref()?, item.payment?)));
    let newest: Vec<_> = pending.take(2).collect();
    html! {
        @for ((paid, id), (x, y, class)) in newest.iter().zip([(84.0, 96.0, "k1"), (34.0, 60.0, "k2")]) {
            @let (words, sum) = pill_words(paid, scene);
            @let width = tenth(30.0 + 8.6 * (words.chars().count() + sum.chars().count()) as f64);
            @let x = tenth((RIGHT - width).clamp(4.0, x));
            g.pill.(class) data-key=(id) {
                rect x=(x) y=(y) width=(width) height="26" rx="13" {}
                text x=(x + 13.0) y=(y + 18.0) { (words) }
                @if !sum.is_empty() { text.amt.end x=(tenth(x + width - 13.0)) y=(y + 18.0) { (sum) } }
            }
        }
    }
}

/// Who pays whom, or calls a program, and the amount; calls usually have none.
fn pill_words(Paid { from, to, amount }: &Paid, scene: &Scene) -> (String, String) {
    let (whole, decimals, _) = money(amount.grains());
    let from = short(scene, from);
    let words = match to.kind() {
        AddressKind::Key => return (format!("{from} → {}", short(scene, to)), format!("{whole}.{decimals}")),
        AddressKind::Program(_) => format!("{from} calls {}…", short(scene, to)),
        AddressKind::Nobody => format!("{from} deploys a program"),
    };
    (words, if *amount == Amount::ZERO { String::new() } else { format!("{whole}.{decimals}") })
}

/// A name, cut, or the first digits.
fn short(scene: &Scene, address: &shared::ledger::Address) -> String {
    let name = scene.cast.name(address).map_or_else(|| crate::view::digits(address), ToString::to_string);
    name.chars().take(8).collect()
}
