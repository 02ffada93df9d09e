//! Words that several parts of the first page share: nodes by their letters, people by their names, times that browsers
//! count.

use crate::names::Cast;
use crate::view::{chip, thin};
use maud::{Markup, html};
use shared::block::Timestamp;

/// Most nodes that are named; the others are counted.
const MAX_NAMED: usize = 6;

/// `A and B`, or `A, B and 3 more`.
pub(super) fn letters(nodes: &[String], cast: &Cast) -> String {
    let letters: Vec<&str> = nodes.iter().map(|node| letter(node, cast)).collect();
    listed(&letters)
}

/// `A (Ada) and B (Ben)`: at most as many as fit into a lane, the others are counted.
pub(super) fn owners(nodes: &[String], cast: &Cast) -> String {
    const MAX_OWNERS: usize = 3;
    if nodes.len() > MAX_OWNERS {
        return letters(nodes, cast);
    }
    let names: Vec<String> = nodes.iter().map(|node| cast.node(node)).collect();
    listed(&names.iter().map(String::as_str).collect::<Vec<_>>())
}

/// `A`, or the `host:port` of a node that has no letter.
pub(super) fn letter<'a>(node: &'a str, cast: &'a Cast) -> &'a str {
    match cast.letter(node) {
        "" => node,
        letter => letter,
    }
}

/// `A`, `A and B`, `A, B and C`.
pub(super) fn listed(words: &[&str]) -> String {
    let (named, more) = words.split_at(words.len().min(MAX_NAMED));
    match (named, more.len()) {
        ([], _) => String::new(),
        ([one], 0) => (*one).to_owned(),
        ([most @ .., last], 0) => format!("{} and {last}", most.join(", ")),
        (named, more) => format!("{} and {more} more", named.join(", ")),
    }
}

/// The letters of nodes on their colours.
pub(super) fn chips(nodes: &[String], cast: &Cast) -> Markup {
    html! {
        @for (place, node) in nodes.iter().take(MAX_NAMED).enumerate() {
            @if place > 0 { ", " }
            (chip(letter(node, cast)))
        }
        @if nodes.len() > MAX_NAMED { " and " (nodes.len() - MAX_NAMED) " more" }
    }
}

/// `1 block`, `2 blocks`.
pub(super) fn counted(count: usize, thing: &str) -> String {
    match count {
        1 => format!("1 {thing}"),
        0 => format!("no {thing}s"),
        _ => format!("{} {thing}s", thin(count as u64)),
    }
}

/// How long ago something was, in words. Browsers count on.
pub(super) fn ago(at: Timestamp, now: Timestamp) -> String {
    match now.ms_since(at).max(0) / 1000 {
        seconds @ ..60 => format!("{seconds} s ago"),
        seconds @ 60..6000 => format!("{} min ago", seconds / 60),
        seconds => format!("{} h ago", seconds / 3600),
    }
}

/// A duration: tenths of seconds below eight seconds.
pub(super) fn duration(ms: u64) -> String {
    match ms {
        ..7_950 => format!("{:.1} s", ms as f64 / 1000.0),
        7_950..100_000 => format!("{:.0} s", ms as f64 / 1000.0),
        _ => format!("{} min", ms / 60_000),
    }
}

/// The whole seconds since `at`; browsers count on.
pub(super) fn so_far(at: Timestamp, now: Timestamp) -> Markup {
    html! { span data-since=(at.as_ms()) { (now.ms_since(at).max(0) / 1000) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_counts_read_as_a_person_would_say_them() {
        assert_eq!([&["A"][..], &["A", "B"], &["A", "B", "C"]].map(listed), ["A", "A and B", "A, B and C"]);
        assert_eq!(listed(&["A", "B", "C", "D", "E", "F", "G", "H"]), "A, B, C, D, E, F and 2 more");
        assert_eq!([0, 1, 2].map(|count| counted(count, "block")), ["no blocks", "1 block", "2 blocks"]);
        assert_eq!([400, 3100, 8600, 120_000].map(duration), ["0.4 s", "3.1 s", "9 s", "2 min"]);
        let at = Timestamp::from_ms;
        assert_eq!(
            [(at(9), at(5)), (at(0), at(4900)), (at(0), at(120_000))].map(|(at, now)| ago(at, now)),
            ["0 s ago", "4 s ago", "2 min ago"]
        );
    }
}
