//! What is missing, and how to start it.

use crate::stage::scene::Scene;
use crate::view::copyable;
use maud::{Markup, html};

pub(super) fn draw(scene: &Scene) -> Markup {
    let state = &scene.state;
    let nobody = state.nodes.is_empty() && state.mempools.is_empty();
    html! {
        @if let Some(error) = &state.tracker_error {
            div.card.notice {
                h2 { "The tracker does not answer" }
                p { "The tracker keeps the list of nodes and mempools. This page asked the one at " code {
                    (state.tracker) } ": " (error) "." }
                @if nobody {
                    p { "Start a whole network, tracker included, in the folder of Chainlab:" }
                    (copyable("cargo run --release"))
                    p { "Or start a tracker and then a node, each in its own terminal:" }
                    (copyable("target/release/tracker\ntarget/release/node"))
                    p { "This page updates by itself." }
                } @else {
                    p { "The nodes and mempools that were known before are still shown." }
                }
            }
        } @else if nobody {
            div.card.notice {
                h2 { "No node is here yet" }
                p { "The tracker at " code { (state.tracker) } " lists no node or mempool of this network. Start a \
                    node:" }
                (copyable("target/release/node"))
                p {
                    "If nodes are already running, they may belong to another network. A network is defined by the \
                        rules in "
                    code { "Config.toml" } ", so start this program with the same file."
                }
            }
        }
        @for (node, service) in &state.nodes {
            @if !service.health().is_empty() {
                div.card.notice { p { b { (scene.cast.node(node)) } ": " (super::super::health::badges(service)) } }
            }
        }
    }
}
