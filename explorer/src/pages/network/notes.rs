//! What became of the payments of a lost branch, in its lane.

use super::words::counted;
use crate::stage::aftermath::Aftermath;
use crate::stage::layout::tenth;
use crate::stage::scene::Scene;
use crate::view::money;
use maud::{Markup, html};

/// Most people whose loss is named.
const MAX_LOSERS: usize = 3;

/// A line, and whether it is bad news.
fn lines(aftermath: &Aftermath, scene: &Scene) -> Vec<(String, &'static str)> {
    let undone = match aftermath.undone {
        0 => "No payment was undone here".to_owned(),
        undone => format!("Of {} undone here", counted(undone, "payment")),
    };
    let mut lines = vec![(undone, "strong")];
    if aftermath.in_both > 0 {
        lines.push((format!("{} {} in the other branch too", aftermath.in_both, are(aftermath.in_both)), ""));
    }
    let back: usize = aftermath.back.values().sum();
    match aftermath.back.keys().collect::<Vec<_>>()[..] {
        [] => {}
        [one] => lines.push((format!("{back} went back and {} in block {one}", are(back)), "")),
        [first, .., last] => lines.push((format!("{back} went back and are in blocks {first} to {last}"), "")),
    }
    let names: Vec<String> = aftermath.losses.keys().map(|address| scene.cast.person(address)).collect();
    lines.extend(waiting(aftermath, scene).into_iter().map(|line| (line, "bad")));
    if aftermath.dropped > 0 {
        lines.push((format!("{} can never be paid", aftermath.dropped), "bad"));
    }
    let losses: Vec<String> = aftermath
        .losses
        .iter()
        .zip(&names)
        .take(MAX_LOSERS)
        .map(|((_, grains), name)| {
            let (whole, decimals, _) = money(*grains);
            format!("{name} −{whole}.{decimals}")
        })
        .collect();
    if !losses.is_empty() {
        lines.push((format!("{} LAB", losses.join(", ")), "strong"));
    }
    lines
}

const fn are(count: usize) -> &'static str {
    if count == 1 { "is" } else { "are" }
}

/// Which payments wait, and for which lost reward.
fn waiting(aftermath: &Aftermath, scene: &Scene) -> Vec<String> {
    let wait = |count: usize| if count == 1 { "waits" } else { "wait" };
    let unpaid: usize = aftermath.unpaid.values().sum();
    let mut lines = Vec::new();
    let others = aftermath.waiting.saturating_sub(unpaid);
    if others > 0 {
        lines.push(format!("{others} {} for a block", wait(others)));
    }
    for (sender, count) in aftermath.unpaid.iter().take(MAX_LOSERS - 1) {
        let name = scene.cast.person(sender);
        let lost = match aftermath.lost_blocks.get(sender).map(Vec::as_slice) {
            Some([one]) => format!("reward for block {one} was"),
            Some([first, .., last]) => format!("rewards for blocks {first} to {last} were"),
            _ => "reward was".to_owned(),
        };
        lines.push(format!("{count} {}: {name}’s {lost}", wait(*count)));
        lines.push(format!("undone, so {name} cannot pay"));
    }
    let more: usize = aftermath.unpaid.values().skip(MAX_LOSERS - 1).sum();
    if more > 0 {
        lines.push(format!("{more} more {} for lost rewards", wait(more)));
    }
    lines
}

pub(super) fn draw(aftermath: &Aftermath, x: f64, top: f64, scene: &Scene) -> Markup {
    html! {
        @for (place, (line, class)) in lines(aftermath, scene).iter().enumerate() {
            text.note.(class) x=(tenth(x)) y=(top + 4.0 + 21.0 * place as f64) { (line) }
        }
    }
}

/// The same as a list, for the narrow page.
pub(super) fn list(aftermath: &Aftermath, scene: &Scene) -> Markup {
    html! { ul.aftermath { @for (line, class) in lines(aftermath, scene) { li .(class) { (line) } } } }
}
