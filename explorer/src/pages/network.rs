//! The first page: the stage. The chain by time, the block in the making, the nodes, the people, and what happens.
//!
//! Each part has an id and is rendered from a [`Scene`] alone, so that `routes::live` can send it when it changes. A
//! position is an attribute of SVG: there is no style on any page.

mod chain;
mod events;
mod graph;
mod head;
mod making;
mod notes;
mod notice;
mod now;
mod people;
mod tall;
mod theft;
mod tile;
mod words;

pub(crate) use now::{outline_now, scene_now};

use crate::stage::scene::Scene;
use crate::state::ExplorerState;
use crate::view::Page;
use maud::{Markup, html};
use runtime::server::{Request, Response};
use shared::wire::Problem;
use std::sync::Arc;

/// A part of the page that changes while it is open.
pub(crate) struct Part {
    pub(crate) id: &'static str,
    /// Changes with every payment.
    pub(crate) is_busy: bool,
    pub(crate) draw: fn(&Scene) -> Markup,
}

pub(crate) const PARTS: [Part; 9] = [
    Part { id: "head", is_busy: false, draw: head::draw },
    Part { id: "theft", is_busy: false, draw: theft::draw },
    Part { id: "chain", is_busy: false, draw: chain::draw },
    Part { id: "making", is_busy: true, draw: making::draw },
    Part { id: "tall", is_busy: true, draw: tall::draw },
    Part { id: "nodes", is_busy: false, draw: graph::draw },
    Part { id: "people", is_busy: true, draw: people::draw },
    Part { id: "events", is_busy: true, draw: events::draw },
    Part { id: "notice", is_busy: false, draw: notice::draw },
];

pub(crate) async fn page(explorer: Arc<ExplorerState>, _: Request) -> Result<Response, Problem> {
    let main = render(&scene_now(&explorer).await);
    Ok(Page { title: "Network", place: "/", scripts: &["stage.js", "theft.js"], main }.response())
}

fn render(scene: &Scene) -> Markup {
    html! {
        // The clock of the server, so that ages do not depend on that of the browser.
        div #stage data-now=(scene.now.as_ms()) {
            (patterns())
            div #head data-part { (head::draw(scene)) }
            // Opened by the script.
            div #theft-drawer hidden { div #theft data-part { (theft::draw(scene)) } }
            // Speaks when the state changes, and only then.
            p #spoken .hidden role="status" {}
            div #notice data-part { (notice::draw(scene)) }
            section.stage aria-label="The chain" {
                a.older href="/blocks" { "← older" }
                div #chain .scroll data-part tabindex="0" role="region"
                    aria-label="Newest blocks. Arrow keys go from block to block" { (chain::draw(scene)) }
                div #making data-part { (making::draw(scene)) }
                div #tall data-part { (tall::draw(scene)) }
                p #then role="status" hidden {}
            }
            (rewind())
            (strip(scene))
            div.cast {
                section.links aria-labelledby="links-title" { div #nodes data-part { (graph::draw(scene)) } }
                section.folk aria-labelledby="folk-title" { div #people data-part { (people::draw(scene)) } }
            }
            p.keys aria-hidden="true" {
                span { kbd { "S" } " split" } span { kbd { "H" } " heal" }
                @if scene.thefts.is_some() { span { kbd { "T" } " steal" } }
                span { kbd { "Space" } " pause" }
                span { kbd { "←" } " " kbd { "→" } " chapters" } span { kbd { "N" } " now" }
                span { kbd { "L" } " leave" }
            }
            section.live aria-labelledby="live-title" {
                header { h2 #live-title { "Live events" }
                    button #pause .quiet type="button" aria-pressed="false" hidden { "Pause" } }
                div #events data-part { (events::draw(scene)) }
            }
        }
    }
}

/// The parts that a recording has: nobody has money, no block is filled with payments, and nothing can be done.
pub(crate) fn render_recorded(scene: &Scene) -> Markup {
    html! {
        div #stage {
            (patterns())
            div #head { (head::draw(scene)) }
            section.stage aria-label="The chain" {
                a.older href="/blocks" { "← older" }
                div #chain .scroll tabindex="0" role="region" aria-label="Newest blocks" { (chain::draw(scene)) }
                div #tall { (tall::draw(scene)) }
            }
            div.cast {
                section.links aria-labelledby="links-title" { div #nodes { (graph::draw(scene)) } }
                section.folk aria-labelledby="events-title" {
                    h2 #events-title { "What happened" }
                    (events::network(scene))
                }
            }
        }
    }
}

/// A slider through the moments that the explorer has kept. The script shows it.
fn rewind() -> Markup {
    html! {
        div #rewind .rewind role="group" aria-label="Rewind" hidden {
            label for="rewind-at" { "Rewind" }
            button #rewind-before .quiet type="button" aria-label="Previous chapter" { "«" }
            input #rewind-at type="range" min="0" max="1000" value="1000" aria-describedby="rewind-time";
            button #rewind-after .quiet type="button" aria-label="Next chapter" { "»" }
            output #rewind-time for="rewind-at" { "now" }
            button #rewind-live .quiet type="button" disabled { "Back to now" }
            ol #rewind-chapters aria-label="Chapters" {}
        }
    }
}

/// The eight patterns of finders, which all drawings of the page share.
fn patterns() -> Markup {
    let pattern = |letter: &str, (width, height): (u8, u8), is_turned: bool, inner: Markup| {
        html! {
            pattern id={ "p-" (letter) } class={ "f-" (letter) } width=(width) height=(height)
                patternUnits="userSpaceOnUse" patternTransform=[is_turned.then_some("rotate(45)")] { (inner) }
        }
    };
    let line = |d: &str, width: &str| html! { path d=(d) stroke-width=(width) {} };
    html! {
        svg.defs width="0" height="0" aria-hidden="true" focusable="false" {
            defs {
                (pattern("a", (12, 12), false, html! {}))
                (pattern("b", (9, 9), true, line("M0 0V9", "7")))
                (pattern("c", (9, 9), false, html! { circle cx="4.5" cy="4.5" r="2.3" {} }))
                (pattern("d", (8, 8), false, line("M0 4H8", "3")))
                (pattern("e", (8, 8), false, line("M4 0V8", "3")))
                (pattern("f", (9, 9), true, line("M0 4.5H9M4.5 0V9", "2.2")))
                (pattern("g", (12, 9), false, line("M0 7L6 2L12 7", "2.4")))
                (pattern("h", (12, 12), false, html! { path.solid d="M0 0h6v6H0zM6 6h6v6H6z" {} }))
            }
        }
    }
}

/// First steps, and what the picture means.
fn strip(scene: &Scene) -> Markup {
    let has_money = scene.params.layer.has_money();
    let steps: &[(&str, &str, &str)] = if has_money {
        &[
            ("watch", "#chain", "Watch a block arrive"),
            ("wallet", "/wallet", "Make a wallet"),
            ("pay", "/wallet#send-form", "Pay somebody"),
            ("split", "#head", "Split the network"),
            ("break", "/learn", "Break a chain"),
        ]
    } else {
        &[
            ("watch", "#chain", "Watch a block arrive"),
            ("split", "#head", "Split the network"),
            ("break", "/learn", "Break a chain"),
        ]
    };
    html! {
        div.strip {
            nav #steps .steps aria-label="First steps" {
                strong { "New here?" }
                ol {
                    @for (place, (name, path, words)) in steps.iter().enumerate() {
                        li data-step=(name) { a href=(path) { span.tick aria-hidden="true" { (place + 1) } (words)
                            span.hidden data-done {} } }
                    }
                }
                button #steps-hide .quiet type="button" hidden { "Hide" }
            }
            details.what {
                summary { "What am I looking at?" }
                div {
                    p { b { "Each tile is a block" } ": a page in a ledger that everyone shares. The colour, letter \
                        and pattern show who found it; the water line shows how full it is. The arrow points to the \
                        block before it." }
                    p { b { "Time runs to the right." } " A wide gap was a long wait. Right of the dashed line is the \
                        block that everyone is mining now"
                        @if has_money { "; payments drop in, the highest fee at the bottom, and a fifth of the room is \
                            for those that have waited longest" } "." }
                    p { b { "The letters at the end of the chain" } " are the nodes whose chain ends there. If they \
                        end at different blocks, the chain has forked: the branch with the most work wins." }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
