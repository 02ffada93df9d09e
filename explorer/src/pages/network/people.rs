//! The people and what they have; during a split, what each side says that they have.

use super::words::letters;
use crate::names::colour;
use crate::stage::scene::{Person, Scene};
use crate::stage::story::Tile;
use crate::view::{digits, money, thin};
use maud::{Markup, html};
use shared::layer::transaction::RewardSchedule;
use shared::ledger::Amount;

/// Most people that are shown.
const MAX_SHOWN: usize = 24;

pub(super) fn draw(scene: &Scene) -> Markup {
    if !scene.params.layer.has_money() {
        return html! { h2 #folk-title { "No money" } p.muted
        { "The blocks of this network carry text (layer " code { "data" } ")." } };
    }
    let richest = scene.people.iter().map(|person| person.grains).max().unwrap_or(0).max(1);
    let is_named = scene.people.iter().any(|person| scene.cast.name(&person.address).is_some());
    html! {
        h2 #folk-title { @if is_named || scene.people.is_empty() { "People " } @else { "The richest addresses " }
            small { (sum(scene)) } }
        @if !is_named {
            p.muted { "Nobody has a name yet. " a href="/wallet" { "Make a wallet" } " and sign one in, or start the \
                explorer with a file of names." }
        }
        ol.people {
            @for person in scene.people.iter().take(MAX_SHOWN) { (card(person, richest, scene)) }
        }
        @if !scene.people.is_empty() {
            p.more {
                @if scene.people.len() > MAX_SHOWN { "And " (scene.people.len() - MAX_SHOWN) " more. " }
                a href="/people.csv" { "Balances as CSV" }
            }
        }
    }
}

/// Where all money came from, and whether it is all here; during a split, whose truths these are.
fn sum(scene: &Scene) -> Markup {
    if scene.people.iter().any(|person| person.two.is_some())
        && let Some(branches) = &scene.story.branches
    {
        let [one, other] = [0, 1].map(|place| letters(&branches[place].nodes, &scene.cast));
        return html! { "Two truths for now: " b.s1 { (one) "’s" } " balance and " b.s2 { (other) "’s" } "." };
    }
    let height = scene.purses.as_ref().and_then(|purses| scene.state.blocks.get(&purses.at)).map(|block| block.index);
    let Some(height) = height else { return html! {} };
    if height.0 == 0 {
        return html! { "0 LAB so far. Every coin will come from a block." };
    }
    let schedule = RewardSchedule::of(&scene.params);
    let (all, first) = (schedule.total(height), schedule.at(shared::block::Height(1)).grains());
    let held: i128 = scene.people.iter().map(|person| person.grains).sum();
    let whole = |grains: u128| thin(u64::try_from(grains / u128::from(Amount::GRAINS_PER_LAB)).unwrap_or(u64::MAX));
    let is_even = all == u128::from(first) * u128::from(height.0) && scene.params.new_address_balance == 0;
    html! {
        @if scene.params.new_address_balance > 0 {}
        @else if i128::try_from(all) == Ok(held) {
            (whole(all)) " LAB in all"
            @if is_even { ": " (height) " blocks × " (money(first).0) ", none missing." } @else { ", none missing." }
        } @else {
            "they hold " (whole(held.max(0).unsigned_abs())) " of " (whole(all)) " LAB."
        }
    }
}

fn card(person: &Person, richest: i128, scene: &Scene) -> Markup {
    let name = scene.cast.person(&person.address);
    let miner = scene.cast.miner_letter(&person.address);
    let share = (person.grains.max(0) as f64 / richest as f64 * 100.0).round();
    let class = miner.map_or("", colour);
    html! {
        li.(class).miner[miner.is_some()] data-key=(person.address) {
            a.who href={ "/address/" (person.address) } title=(person.address) {
                (avatar(&name, miner, class))
                span.label { span.name { (name) }
                    @if scene.cast.name(&person.address).is_some()
                        { " " small.digits { (digits(&person.address)) } }
                    span.whole { (crate::view::short(person.address.as_str())) } }
            }
            @match person.two {
                Some([one, other]) => span.two {
                    span.s1 { (balance(one, false)) } span.s2 { (balance(other, false)) }
                },
                None => span.balance { (balance(person.grains, true)) },
            }
            svg.wealth.(class) width="100%" height="6" viewBox="0 0 100 6" preserveAspectRatio="none"
                aria-hidden="true" {
                rect width="100" height="6" {} rect.have width=(share) height="6" {}
            }
            @if person.two.is_none() { span.job { (job(person, scene)) } }
        }
    }
}

fn balance(grains: i128, has_unit: bool) -> Markup {
    let size = u64::try_from(grains.unsigned_abs()).unwrap_or(u64::MAX);
    let (whole, decimals, _) = money(size);
    html! { span.sum { @if grains < 0 { "−" } (whole) } span.part { "." (decimals) } @if has_unit
    { " " small { "LAB" } } }
}

fn job(person: &Person, scene: &Scene) -> Markup {
    let found = |tile: &&Tile| {
        !tile.is_lost && tile.contents.as_ref().is_some_and(|contents| contents.miner == Some(person.address))
    };
    let found = scene.story.tiles.iter().filter(found).count();
    html! {
        @if found > 0 { span title="of the blocks in the picture" { (super::words::counted(found, "block")) } }
        @if let Some(earned) = person.earned {
            @let (whole, decimals, _) = money(earned);
            span.change.up { "+" (whole) "." (decimals) }
        }
    }
}

/// A square with the letter of their node, or a circle with their initial.
fn avatar(name: &str, miner: Option<&str>, class: &str) -> Markup {
    html! {
        svg.avatar.(class) width="30" height="30" viewBox="0 0 30 30" aria-hidden="true" {
            @match miner {
                Some(letter) => {
                    rect.tile width="30" height="30" rx="7" {}
                    rect.pattern fill={ "url(#p-" (&class[2..]) ")" } x="4" y="20" width="22" height="7" {}
                    text.letter x="15" y="17" { (letter) }
                }
                None => {
                    circle cx="15" cy="15" r="14" {}
                    text x="15" y="20.5" { (name.chars().next().unwrap_or('?').to_uppercase()) }
                }
            }
        }
    }
}
