//! The choice of a moment: a slider that is a form, links to the moments before and after, and chapters. Without
//! JavaScript, each of them loads a page; `recording.js` exchanges the parts of the page instead.

use super::playback::Playback;
use crate::stage::film::Chapter;
use crate::view;
use maud::{Markup, html};

/// The query of a moment.
pub(super) fn query(ms: u64) -> String {
    format!("t={}", seconds(ms))
}

/// Seconds with as many decimals as needed.
fn seconds(ms: u64) -> String {
    let text = format!("{}.{:03}", ms / 1000, ms % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// 143 seconds as 2:23.
fn clock(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds / 3600 {
        0 => format!("{}:{:02}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}

/// `path` is that of the page, which stays the same at another moment.
pub(super) fn draw(playback: &Playback, ms: u64, path: &str) -> Markup {
    let head = playback.head();
    let (shown, nodes, length) = (playback.shown_nodes(), head.nodes.len(), playback.length_ms());
    let step = |label: &str, words: &str, to: Option<u64>| {
        html! {
            @if let Some(to) = to { a.button href={ (path) "?" (query(to)) } aria-label=(words) { (label) } }
            @else { span.button.muted aria-hidden="true" { (label) } }
        }
    };
    html! {
        section #recording aria-label="Recording" {
            p.rewind {
                b { "Recording" } span { (view::sanitized(&head.title)) }
                span.muted { "run " (head.run) ", in virtual time"
                    @if shown < nodes { "; the first " (shown) " of " (nodes) " nodes are shown" } }
            }
            form.rewind action=(path) {
                label for="recording-t" { "Moment" }
                span #recording-steps data-part {
                    (step("« earlier", "The moment before", playback.stop_before(ms))) " "
                    (step("later »", "The moment after", playback.stop_after(ms)))
                }
                input #recording-t name="t" type="range" min="0" max=(seconds(length)) step="any" value=(seconds(ms))
                    aria-describedby="recording-time";
                output #recording-time for="recording-t" data-part { (clock(ms)) " of " (clock(length)) }
                button #recording-show { "Show" }
                // Works with the script only.
                button #recording-play type="button" aria-pressed="false" hidden { "Play" }
                ol #recording-chapters data-part aria-label="Chapters" {
                    @for (at, chapter) in playback.chapters() {
                        li { a href={ (path) "?" (query(*at)) } { (name(*chapter)) " " (clock(*at)) } }
                    }
                }
            }
        }
    }
}

const fn name(chapter: Chapter) -> &'static str {
    match chapter {
        Chapter::Start => "Start",
        Chapter::Fork => "Fork",
        Chapter::Split => "Split",
        Chapter::Healed => "Healed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short_and_exact() {
        for (ms, in_links, for_people) in
            [(0, "t=0", "0:00"), (143_500, "t=143.5", "2:23"), (3_600_001, "t=3600.001", "1:00:00")]
        {
            assert_eq!((&*query(ms), &*clock(ms)), (in_links, for_people));
        }
    }
}
