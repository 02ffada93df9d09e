//! What happens, in two streams: the network, and payments, which are folded by the second.

use super::words::counted;
use crate::network::{NewsItem, Paid, Topic};
use crate::stage::scene::Scene;
use crate::view::{money, words};
use maud::{Markup, html};
use shared::block::Timestamp;
use shared::ledger::AddressKind;
use std::sync::Arc;

/// Most items of each stream.
const MAX_SHOWN: usize = 9;
/// Forks, splits and healings stay at least this long.
const CARD_MS: i64 = 60_000;
/// Most payers of one second who are named.
const MAX_PAYERS: usize = 2;

pub(super) fn draw(scene: &Scene) -> Markup {
    html! {
        div.streams {
            div { h3 { "Network" } (network(scene)) }
            @if scene.params.layer.has_money() { div { h3 { "Payments" } (payments(scene)) } }
        }
    }
}

pub(super) fn network(scene: &Scene) -> Markup {
    let items = scene.state.news.iter().filter(|item| item.topic != Topic::Payment);
    // The newest first; a card that is younger than a minute is not pushed out by blocks.
    let mut shown: Vec<&Arc<NewsItem>> = Vec::new();
    let newest = scene.state.news.front().map_or(scene.now, |item| item.at);
    for item in items {
        let is_card = matches!(item.topic, Topic::Fork | Topic::Healed) && newest.ms_since(item.at) < CARD_MS;
        if shown.len() < MAX_SHOWN || (is_card && shown.len() < 2 * MAX_SHOWN) {
            shown.push(item);
        }
    }
    html! {
        @if shown.is_empty() { p.muted { "Nothing has happened yet." } }
        ol.events {
            @for item in shown {
                li .(class(item.topic)) data-key=(format!("{} {}", item.at.as_ms(), item.text)) {
                    (clock(item.at)) div { (words(&item.text)) "." }
                }
            }
        }
    }
}

const fn class(topic: Topic) -> &'static str {
    match topic {
        Topic::Block => "found",
        Topic::Fork => "card",
        Topic::Healed => "card good",
        Topic::Service => "service",
        Topic::Payment => "payment",
    }
}

/// The time of day; browsers write it in their own zone.
fn clock(at: Timestamp) -> Markup {
    let text = at.to_string();
    let of_day = text.split_once('T').map_or("", |(_, time)| time.get(..8).unwrap_or_default());
    html! { time.clock datetime=(text) { (of_day) } }
}

/// The payments of one second.
struct Second<'a> {
    at: Timestamp,
    items: Vec<(&'a NewsItem, &'a Paid)>,
}

fn payments(scene: &Scene) -> Markup {
    let mut seconds: Vec<Second<'_>> = Vec::new();
    for item in &scene.state.news {
        let Some(paid) = &item.paid else { continue };
        let is_full = seconds.len() == MAX_SHOWN;
        match seconds.last_mut() {
            Some(second) if second.at.as_ms() / 1000 == item.at.as_ms() / 1000 => {
                second.items.push((item.as_ref(), paid))
            }
            _ if is_full => break,
            _ => seconds.push(Second { at: item.at, items: vec![(item.as_ref(), paid)] }),
        }
    }
    html! {
        @if seconds.is_empty() { p.muted { "Nobody has paid anything yet." } }
        ol.events.pays {
            @for second in &seconds {
                li data-key=(second.at.as_ms() / 1000) { (clock(second.at)) (fold(second, scene)) }
            }
        }
    }
}

/// One transaction in full; of several, who paid how much, and the number of those that are no payments.
fn summary(second: &Second<'_>, scene: &Scene) -> String {
    if let [(_, paid)] = &*second.items {
        return deed(paid, scene);
    }
    let payments: Vec<&Paid> = second.items.iter().map(|(_, paid)| *paid).filter(|paid| paid.to.is_key()).collect();
    let mut payers: Vec<String> = payments.iter().map(|paid| scene.cast.person(&paid.from)).collect();
    payers.dedup();
    let sum = payments.iter().fold(0_u64, |sum, paid| sum.saturating_add(paid.amount.grains()));
    let more = payers.len().saturating_sub(MAX_PAYERS);
    let named = payers[..payers.len().min(MAX_PAYERS)].join(if more == 0 { " and " } else { ", " });
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let calls = match second.items.len() - payments.len() {
        0 => None,
        calls => Some(counted(calls, "transaction") + " to programs"),
    };
    let paid = (!payments.is_empty()).then(|| format!("{named}{more} paid {}", lab(sum)));
    [paid, calls].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// `Ben paid Cleo 47.72 LAB`, `Dan called program 0xa0d5ab…`.
fn deed(Paid { from, to, amount }: &Paid, scene: &Scene) -> String {
    let (from, amount) = (scene.cast.person(from), amount.grains());
    let with = if amount == 0 { String::new() } else { format!(" with {}", lab(amount)) };
    match to.kind() {
        AddressKind::Key => format!("{from} paid {} {}", scene.cast.person(to), lab(amount)),
        AddressKind::Program(_) => format!("{from} called program {}{with}", scene.cast.person(to)),
        AddressKind::Nobody => format!("{from} deployed a program{with}"),
    }
}

fn lab(grains: u64) -> String {
    let (whole, decimals, _) = money(grains);
    format!("{whole}.{decimals} LAB")
}

fn fold(second: &Second<'_>, scene: &Scene) -> Markup {
    html! {
        details {
            summary { (summary(second, scene)) }
            ul {
                @for (item, _) in &second.items {
                    li { (words(&item.text)) @if let Some(id) = item.payment
                        { " " a href={ "/transaction/" (id) } { "look" } } }
                }
            }
        }
    }
}
