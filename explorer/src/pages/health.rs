//! What keeps a service from its work, in words.

use crate::network::ServiceState;
use maud::{Markup, html};
use shared::wire::Health;

/// In a few words, for a card. Nothing about a service that does not answer: what it said last is old.
pub(super) fn badges(service: &ServiceState) -> Markup {
    html! {
        @for health in service.health() {
            " " span.bad[is_severe(*health)].warn[!is_severe(*health)] {
                (match health {
                    Health::Alone => "alone",
                    Health::Behind => "behind",
                    Health::CannotStore => "cannot store",
                    Health::WaitsForClock => "waits for its clock",
                })
            }
        }
    }
}

/// In a sentence each, for a page.
pub(super) fn sentences(service: &ServiceState) -> Markup {
    html! {
        @for health in service.health() {
            p.bad[is_severe(*health)].warn[!is_severe(*health)] {
                (match health {
                    Health::Alone => "No other node answers this node, so it receives no blocks from others.",
                    Health::Behind => "Another node has a chain with more work, which this node does not have yet.",
                    Health::CannotStore => {
                        "This node cannot write to its disk, so it neither mines nor keeps new blocks. Its log says \
                         why."
                    }
                    Health::WaitsForClock => {
                        "The newest block is ahead of this node's clock, so no next block would be valid yet. The node \
                         continues by itself once its clock gets there."
                    }
                })
            }
        }
    }
}

/// Whether it keeps a node from mining.
const fn is_severe(health: Health) -> bool {
    matches!(health, Health::CannotStore | Health::WaitsForClock)
}
