//! The nodes and the links between them: on an ellipse, the sides of a split apart, with a crack between them.

use super::words::letter;
use crate::names::colour;
use crate::network::NetworkState;
use crate::stage::layout::tenth;
use crate::stage::scene::Scene;
use crate::stage::standing::Standing;
use maud::{Markup, html};
use std::collections::BTreeMap;
use std::f64::consts::PI;

const WIDTH: f64 = 340.0;
const HEIGHT: f64 = 236.0;
const TILE: f64 = 44.0;
/// Most nodes that are drawn; the others are listed below.
const MAX_NODES: usize = 12;
/// Most nodes on the ellipse with room for words beside each.
const MAX_BESIDE: usize = 5;
/// Most links that are drawn.
const MAX_LINKS: usize = 66;

pub(super) fn draw(scene: &Scene) -> Markup {
    let state = &scene.state;
    let nodes = state.by_letter(state.nodes.keys());
    let places = places(&nodes, scene);
    let (linked, cut) = links(&nodes, state);
    let heading = match (linked.len(), cut.len()) {
        _ if nodes.len() < 2 => String::new(),
        (_, 1) => format!("1 of {} links is cut", linked.len() + 1),
        (linked, cut) if cut > 0 => format!("{cut} of {} links are cut", linked + cut),
        (all, _) if all == nodes.len() * (nodes.len() - 1) / 2 => "everyone talks to everyone".to_owned(),
        (some, _) => format!("{some} links"),
    };
    // Beside a tile on top there is then another one.
    let is_crowded = nodes.len() > MAX_BESIDE && !matches!(scene.standing, Standing::Parted { .. });
    html! {
        h2 #links-title { "Nodes " small { (heading) } }
        svg.graph width=(WIDTH) height=(HEIGHT) viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="group"
            aria-label="Which nodes talk to each other" {
            @if let Standing::Parted { sides, .. } = &scene.standing {
                @if sides.len() == 2 {
                    rect.lane.s1 x="6" y="6" width="134" height="224" rx="12" {}
                    rect.lane.s2 x="200" y="6" width="134" height="224" rx="12" {}
                    path.crack d="M172 10L164 48L178 82L164 118L178 156L166 190L172 228" {}
                }
            }
            @for ([one, other], class) in
                linked.iter().map(|pair| (pair, "open")).chain(cut.iter().map(|pair| (pair, "cut"))).take(MAX_LINKS) {
                @if let (Some((x, y)), Some((to_x, to_y))) = (places.get(one), places.get(other)) {
                    path.wire.(class) d=(format!("M{x} {y}L{to_x} {to_y}")) {}
                }
            }
            @for node in nodes.iter().take(MAX_NODES) {
                @if let Some(at) = places.get(node.as_str()) { (self::node(node, *at, is_crowded, scene)) }
            }
        }
        @if nodes.len() > MAX_NODES {
            p.more { "And " @for (place, node) in nodes[MAX_NODES..].iter().enumerate() {
                @if place > 0 { ", " } a href={ "/node/" (node) } { (letter(node, &scene.cast)) } } "." }
        }
        @if nodes.is_empty() { p.muted { "No node is known yet." } }
        (mempools(scene))
    }
}

/// The middle of each node.
fn places<'a>(nodes: &[&'a String], scene: &Scene) -> BTreeMap<&'a str, (f64, f64)> {
    let shown: Vec<&'a str> = nodes.iter().take(MAX_NODES).map(|node| node.as_str()).collect();
    if let Standing::Parted { sides, .. } = &scene.standing
        && let [left, right] = &**sides
    {
        let column = |x: f64, members: &[String]| -> Vec<(&'a str, (f64, f64))> {
            let own: Vec<&'a str> =
                shown.iter().copied().filter(|node| members.iter().any(|member| member == node)).collect();
            let step = (HEIGHT - 60.0) / own.len().max(1) as f64;
            let y = |place: usize| tenth(30.0 + step * (place as f64 + 0.5));
            own.into_iter().enumerate().map(|(place, node)| (node, (x, y(place)))).collect()
        };
        return column(104.0, left).into_iter().chain(column(236.0, right)).collect();
    }
    // Two nodes beside each other, more on an ellipse that begins top left.
    let count = shown.len();
    let at = |place: usize| {
        let turn = match count {
            4 => [0.0, 0.75, 0.25, 0.5][place],
            _ => place as f64 / count.max(1) as f64,
        };
        let (start, reach) = if count == 4 { (-0.75 * PI, (73.5, 79.2)) } else { (-0.5 * PI, (84.0, 82.0)) };
        let angle = start + 2.0 * PI * turn;
        match count {
            1 => (WIDTH / 2.0, HEIGHT / 2.0),
            _ => (tenth(WIDTH / 2.0 + reach.0 * angle.cos()), tenth(HEIGHT / 2.0 + reach.1 * angle.sin())),
        }
    };
    shown.into_iter().enumerate().map(|(place, node)| (node, at(place))).collect()
}

type Pairs<'a> = Vec<[&'a str; 2]>;

/// The links that are open, and those that are cut.
fn links<'a>(nodes: &[&'a String], state: &NetworkState) -> (Pairs<'a>, Pairs<'a>) {
    let (mut open, mut cut) = (Vec::new(), Vec::new());
    for (place, one) in nodes.iter().enumerate() {
        for other in &nodes[place + 1..] {
            if state.is_cut(one, other) {
                cut.push([one.as_str(), other.as_str()]);
            } else if state.is_linked(one, other) {
                open.push([one.as_str(), other.as_str()]);
            }
        }
    }
    (open, cut)
}

/// `is_crowded`: on top and at the bottom of the ellipse, words stand above and below the tile, not beside it.
fn node(node: &str, (x, y): (f64, f64), is_crowded: bool, scene: &Scene) -> Markup {
    let service = &scene.state.nodes[node];
    let letter = letter(node, &scene.cast);
    let class = if service.error.is_some() { "f-none" } else { colour(letter) };
    let height = service.tip().map(|tip| tip.index);
    let standing = match (&service.error, height) {
        (Some(_), _) => "no answer".to_owned(),
        (None, Some(height)) => format!("at {height}"),
        (None, None) => "starting".to_owned(),
    };
    let name = scene.cast.owner(node).map(ToString::to_string).unwrap_or_default();
    let is_left = x < WIDTH / 2.0;
    let (text_x, anchor) = if is_left { (x - TILE / 2.0 - 10.0, "end") } else { (x + TILE / 2.0 + 10.0, "") };
    let (left, top) = (tenth(x - TILE / 2.0), tenth(y - TILE / 2.0));
    html! {
        a.node.(class).silent[service.error.is_some()] href={ "/node/" (node) } data-key=(node)
            aria-label={ "Node " (scene.cast.node(node)) ", " (standing) } {
            rect.tile x=(left) y=(top) width=(TILE) height=(TILE) rx="9" {}
            @if class != "f-none" {
                rect.pattern fill={ "url(#p-" (&class[2..]) ")" } x=(left + 5.0) y=(top + 28.0) width="34" height="12"
                    {}
            }
            text.letter x=(x) y=(tenth(y + 2.0)) { (letter.chars().take(3).collect::<String>()) }
        }
        @if is_crowded && (x - WIDTH / 2.0).abs() < TILE {
            @let below = if y < HEIGHT / 2.0 { -TILE / 2.0 - 4.0 } else { TILE / 2.0 + 13.0 };
            text.age.mid x=(x) y=(tenth(y + below)) { @if !name.is_empty() { (name) " " } (standing) }
        } @else {
            @if !name.is_empty() { text.who.(anchor) x=(tenth(text_x)) y=(tenth(y - 2.0)) { (name) } }
            text.age.(anchor) x=(tenth(text_x)) y=(tenth(y + if name.is_empty() { 5.0 } else { 17.0 })) { (standing) }
        }
    }
}

/// A line about the mempools, where there is money. A recording has none.
fn mempools(scene: &Scene) -> Markup {
    let mempools = &scene.state.mempools;
    html! {
        @if scene.params.layer.has_money() && !scene.is_recorded {
            p #mempools .more {
                @if mempools.is_empty() { "No mempool is known. Payments need one." }
                @for (place, (address, service)) in mempools.iter().enumerate() {
                    @if place > 0 { " " }
                    "Mempool " code { (address) } ": "
                    @match (&service.error, service.info.as_ref().and_then(|info| info.pool.as_ref())) {
                        (Some(_), _) => span.bad { "does not answer" },
                        (None, Some(_)) => { a href="/transactions" { "the payments that wait" } }
                        (None, None) => "is being asked",
                    }
                    "."
                }
            }
        }
    }
}
