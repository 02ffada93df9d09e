//! The headline: one truth over the whole width, what it means, and the button that splits or heals the network.

use super::words::{ago, chips, counted, letter, letters, listed, so_far};
use crate::network::{ServiceState, Split};
use crate::stage::aftermath::Aftermath;
use crate::stage::scene::{Act, Scene};
use crate::stage::standing::{CutLinks, Phase, Standing};
use crate::stage::story::Tile;
use crate::steering::{SPLIT_TIME, SplitEnd};
use crate::view::money;
use maud::{Markup, html};
use shared::block::{BlockHash, BlockId, Timestamp};

/// Confirmations after which a reward counts as safe.
const SAFE: u64 = 6;

struct Headline {
    class: &'static str,
    title: Markup,
    below: Markup,
    /// For screen readers: the state without ages and countdowns.
    spoken: String,
}

pub(super) fn draw(scene: &Scene) -> Markup {
    let Headline { class, title, below, spoken } = headline(scene);
    html! {
        section.head.(class) data-speak=(spoken) aria-label="State of the network" {
            (sign(class))
            div.says { h1 { (title) } p { (below) } }
            (button(scene))
        }
    }
}

fn sign(class: &str) -> Markup {
    let path = match class {
        "split" => "M12 21V13M12 13C12 9 6 9 6 4M12 13C12 9 18 9 18 4",
        "empty" | "dead" => "M12 7v6M12 17v.5",
        _ => "M5 13l5 5L20 7",
    };
    html! { svg.sign width="44" height="44" viewBox="0 0 24 24" aria-hidden="true" { path d=(path) {} } }
}

fn headline(scene: &Scene) -> Headline {
    let cast = &scene.cast;
    match &scene.standing {
        Standing::Nobody => Headline {
            class: "dead",
            title: html! { "No node answers." },
            below: html! { "As soon as one does, its chain appears here." },
            spoken: "No node answers.".to_owned(),
        },
        Standing::Empty { nodes } => empty(*nodes, scene),
        Standing::Agreed { tip, at_tip, behind, phase, cut } => {
            agreed(tip, [at_tip, behind], *phase, cut.as_ref(), scene)
        }
        Standing::Forked { branches, since } => {
            let title = html! {
                (number_word(branches.len())) " branches" @if let Some(since) = since { " since block " (since) } ": "
                (sides(branches, scene))
            };
            Headline {
                class: "split",
                title,
                below: html! { "Two nodes found a block at almost the same time. The next block decides which branch \
                wins." },
                spoken: "The chain has forked.".to_owned(),
            }
        }
        Standing::Parted { sides, until } => parted(sides, *until, scene),
        Standing::Switching { sides: groups } => Headline {
            class: "split",
            title: html! { "Talking again: " (sides(groups, scene)) },
            below: html! { "Both sides compare their branches. The one with the most work wins." },
            spoken: format!(
                "{} talk again.",
                groups.iter().map(|side| letters(side, cast)).collect::<Vec<_>>().join(" and ")
            ),
        },
        Standing::Healed { split, tip } => healed(split, tip, scene),
    }
}

fn number_word(count: usize) -> String {
    match count {
        2 => "Two".to_owned(),
        3 => "Three".to_owned(),
        4 => "Four".to_owned(),
        more => more.to_string(),
    }
}

fn sides(sides: &[Vec<String>], scene: &Scene) -> Markup {
    html! {
        @for (place, side) in sides.iter().take(4).enumerate() {
            @if place > 0 { " | " }
            (chips(side, &scene.cast))
        }
        "."
    }
}

fn empty(nodes: usize, scene: &Scene) -> Headline {
    let reward = shared::layer::transaction::RewardSchedule::of(&scene.params).at(shared::block::Height(1));
    let (whole, decimals, _) = money(reward.grains());
    let is_idle = nobody_mines(scene);
    let title = match nodes {
        _ if is_idle => "Nobody mines the first block yet.".to_owned(),
        1 => "1 node is mining the first block.".to_owned(),
        _ => format!("{nodes} nodes are mining the first block."),
    };
    Headline {
        class: "empty",
        below: html! {
            @if is_idle { code { "user mine 1" } ", or the button on a node’s page, makes it." }
            @else { "They begin from block 0, which everyone has." }
            @if scene.params.layer.has_money() {
                " The finder of block 1 earns the first " (whole) @if decimals != "00" { "." (decimals) } " LAB."
            }
        },
        spoken: title.clone(),
        title: html! { (title) },
    }
}

fn agreed(
    tip: &BlockId,
    [at_tip, behind]: [&Vec<String>; 2],
    phase: Phase,
    cut: Option<&CutLinks>,
    scene: &Scene,
) -> Headline {
    let tile = scene.story.tiles.iter().find(|tile| tile.block.hash == tip.hash);
    let finder = tile.map_or_else(String::new, finder);
    let have = match (at_tip.len(), behind.len()) {
        (1, 0) => "The only node has it.".to_owned(),
        (2, 0) => "Both nodes have it.".to_owned(),
        (all, 0) => format!("All {all} nodes have it."),
        _ => {
            let (has, are) =
                (if at_tip.len() == 1 { "has" } else { "have" }, if behind.len() == 1 { "is" } else { "are" });
            format!("{} {has} it; {} {are} catching up.", letters(at_tip, &scene.cast), letters(behind, &scene.cast))
        }
    };
    let title = if let Some(CutLinks { cut, all, example: [one, other] }) = cut {
        let pair = format!("{}–{}", letter(one, &scene.cast), letter(other, &scene.cast));
        let are = if *cut == 1 { "is" } else { "are" };
        format!("{cut} of {all} links {are} cut ({pair}{}).", if *cut > 1 { ", …" } else { "" })
    } else if phase == Phase::Found && !finder.is_empty() {
        format!("{finder} found block {}. {have}", tip.index)
    } else {
        match (at_tip.len(), behind.len()) {
            (1, 0) => format!("The only node is at block {}.", tip.index),
            (2, 0) => format!("Both nodes agree: block {} is the newest.", tip.index),
            (all, 0) => format!("All {all} nodes agree: block {} is the newest.", tip.index),
            (some, _) => format!("{some} of {} nodes have block {}.", some + behind.len(), tip.index),
        }
    };
    let spoken = match cut {
        Some(_) => title.clone(),
        None if behind.is_empty() => "All nodes agree.".to_owned(),
        None => "Some nodes are catching up.".to_owned(),
    };
    let below = html! {
        @if cut.is_some() { "Blocks still reach everyone through the other links. " }
        @else if !behind.is_empty() && phase != Phase::Found { (have) " " }
        @match (phase, tile) {
            (Phase::Found, Some(tile)) if cut.is_none() => (found(tile, scene)),
            (Phase::Long, _) if nobody_mines(scene) => {
                "Nobody mines. " code { "user mine 1" } ", or the button on a node’s page, makes block "
                (tip.index.next()) "."
            }
            (Phase::Long, Some(tile)) => (long(tile, scene)),
            (_, Some(tile)) => (usual(tile, &finder, scene)),
            (_, None) => {}
        }
    };
    Headline { class: if cut.is_some() { "split" } else { "calm" }, title: html! { (title) }, below, spoken }
}

/// The name of the finder, for a sentence; empty if it is not known.
fn finder(tile: &Tile) -> String {
    match (&*tile.finder.whole_name, &*tile.finder.letter) {
        (_, "") => String::new(),
        ("", letter) => letter.to_owned(),
        (name, _) => name.to_owned(),
    }
}

fn found(tile: &Tile, scene: &Scene) -> Markup {
    let before = tile.parent.and_then(|parent| scene.story.tiles.get(parent));
    let took = before.map(|before| tile.block.heard.ms_since(before.block.heard).max(0).unsigned_abs());
    html! {
        @if let Some(took) = took { "It took " (super::words::duration(took)) }
        @if let Some(contents) = tile.contents.as_deref().filter(|_| scene.params.layer.has_money()) {
            @if took.is_some() { " and holds " } @else { "It holds " } (counted(contents.count, "payment")) ". "
            @let (whole, decimals, _) = money(contents.earned);
            (finder(tile)) " earned " (whole) "." (decimals) " LAB, safe once " (SAFE) " blocks are on top."
        } @else { "." }
    }
}

fn long(tile: &Tile, scene: &Scene) -> Markup {
    let usual = scene.params.block_interval_ms;
    let waited = scene.now.ms_since(tile.block.heard).max(0) as f64;
    html! {
        "Everyone is mining block " (tile.block.index.next()) ": " (so_far(tile.block.heard, scene.now)) " s so far. "
        (super::words::duration(usual).replace(".0", "")) " is usual; "
        span data-rare=(tile.block.heard.as_ms()) data-usual=(usual) { (rarity(waited / usual.max(1) as f64)) } "."
    }
}

/// How rare a wait of `times` usual times is. live.js has the same words.
fn rarity(times: f64) -> String {
    /// Rarer than one in a thousand is said in words.
    const MOST: f64 = 1000.0;
    match times.min(30.0).exp().round() {
        rare if rare <= MOST => format!("1 wait in {rare} is longer than this"),
        _ => "a wait is almost never longer than this".to_owned(),
    }
}

/// Whether the nodes answer, but none of them mines. Of a recording it is not known which nodes mined.
fn nobody_mines(scene: &Scene) -> bool {
    let mut nodes = scene.state.nodes.values().filter(|node| node.error.is_none()).peekable();
    !scene.is_recorded && nodes.peek().is_some() && !nodes.any(ServiceState::is_mining)
}

fn usual(tile: &Tile, finder: &str, scene: &Scene) -> Markup {
    html! {
        @if finder.is_empty() { "It was found " } @else { (finder) " found it " }
        span data-ago=(tile.block.heard.as_ms()) { (ago(tile.block.heard, scene.now)) } ". "
        @match scene.waiting {
            Some(0) => "No payment is waiting.",
            Some(1) => "1 payment is waiting for the next one.",
            Some(count) => { (count) " payments are waiting for the next one." }
            None => {}
        }
    }
}

fn parted(groups: &[Vec<String>], until: Option<SplitEnd>, scene: &Scene) -> Headline {
    let title = html! {
        "Split in " (number_word(groups.len()).to_lowercase()) ": " (sides(groups, scene))
        @if let Some(SplitEnd::At(until)) = until { " " (seconds_to(until, scene)) " s to go." }
    };
    let record = scene.state.split.as_ref().filter(|split| split.healed.is_none());
    let found = |place: usize| record.and_then(|split| split.sides.get(place)).map_or(0, |side| side.blocks.len());
    let said: Vec<String> = groups
        .iter()
        .enumerate()
        .map(|(place, side)| match (place, found(place)) {
            (0, count) => {
                let have = if side.len() == 1 { "has" } else { "have" };
                format!("{} {have} found {}", letters(side, &scene.cast), counted(count, "block"))
            }
            (_, 0) => format!("{} none", letters(side, &scene.cast)),
            (_, count) => format!("{} {count}", letters(side, &scene.cast)),
        })
        .collect();
    let is_quiet = (0..groups.len()).all(|place| found(place) == 0);
    let named: Vec<String> = groups.iter().map(|side| letters(side, &scene.cast)).collect();
    let without: Vec<&Vec<String>> =
        groups.iter().enumerate().filter(|(place, _)| found(*place) == 0).map(|(_, side)| side).collect();
    Headline {
        class: "split",
        title,
        below: html! {
            @if is_quiet { "Neither side has found a block yet." } @else { (said.join(", ")) "." }
            @if let Some(SplitEnd::AtFork { latest }) = until {
                " It heals after " (first_blocks(&without, scene)) ", at most " (seconds_to(latest, scene))
                " s from now."
            } @else { " Neither side can see the other’s blocks." }
        },
        spoken: format!("The network is split: {} cannot talk to {}.", named[0], named[1..].join(" or ")),
    }
}

/// Whole seconds until then; browsers count on.
fn seconds_to(then: Timestamp, scene: &Scene) -> Markup {
    html! { span data-until=(then.as_ms()) { (then.ms_since(scene.now).max(0).unsigned_abs().div_ceil(1000)) } }
}

/// What a split waits for: `C’s or D’s first block`.
fn first_blocks(without: &[&Vec<String>], scene: &Scene) -> String {
    match without {
        [side] if side.len() <= 3 => {
            let owners: Vec<String> = side.iter().map(|node| format!("{}’s", letter(node, &scene.cast))).collect();
            format!("{} first block", owners.join(" or "))
        }
        _ => "each side’s first block".to_owned(),
    }
}

fn healed(split: &Split, tip: &BlockId, scene: &Scene) -> Headline {
    let Some(winner) = split.outcome.and_then(|(_, winner)| split.sides.get(winner?)) else {
        let title = "Healed: neither side had found a block.".to_owned();
        let below = html! { "Nothing was undone. Block " (tip.index) " is the newest." };
        return Headline { class: "healed", spoken: title.clone(), title: html! { (title) }, below };
    };
    let won = winner.blocks.len();
    let lost = split.lost().map(|side| side.blocks.len()).max().unwrap_or(0);
    let name = letters(&winner.nodes, &scene.cast);
    let score = if won > lost {
        format!(", {} to {}", counted(won, "block"), if lost == 0 { "none".to_owned() } else { lost.to_string() })
    } else {
        " with more work".to_owned()
    };
    let title = format!("Healed: {name}’s branch won{score}.");
    // The picture may show another lost branch, of a fork that had nothing to do with the split.
    let is_shown = |block: &BlockHash| scene.story.tiles.iter().any(|tile| tile.is_lost && tile.block.hash == *block);
    let aftermath = scene.aftermath.as_ref().filter(|_| split.lost().flat_map(|side| &side.blocks).any(is_shown));
    let below = html! {
        @match (lost, aftermath) {
            (0, _) => "The other side had found no block, so nothing was undone.",
            (_, Some(aftermath)) => (losses(aftermath, scene)),
            (_, None) => { "The other branch does not count any more. Block " (tip.index) " is the newest." }
        }
    };
    Headline { class: "healed", spoken: title.clone(), title: html! { (title) }, below }
}

fn losses(aftermath: &Aftermath, scene: &Scene) -> Markup {
    let lost: Vec<String> = aftermath
        .losses
        .iter()
        .map(|(address, grains)| {
            let (whole, decimals, _) = money(*grains);
            format!("{} lost {whole}.{decimals} LAB", scene.cast.person(address))
        })
        .collect();
    let lost: Vec<&str> = lost.iter().map(String::as_str).collect();
    html! {
        @if !lost.is_empty() { (listed(&lost)) ". " }
        @match aftermath.undone {
            0 => "No payment was undone.",
            undone => {
                "Of " (counted(undone, "payment")) " undone, " (aftermath.in_chain()) " "
                @if aftermath.in_chain() == 1 { "is" } @else { "are" } " back in the chain"
                @if aftermath.waiting > 0 { ", " (aftermath.waiting) @if aftermath.waiting == 1 { " is" } @else
                    { " are" }
                    " waiting" }
                @if aftermath.dropped > 0 { ", " (aftermath.dropped) " can never be paid" }
                "."
            }
        }
    }
}

fn button(scene: &Scene) -> Markup {
    let side = |nodes: &[String]| letters(nodes, &scene.cast);
    html! {
        div.act.two[scene.thefts.is_some()] {
            (super::theft::button(scene))
            @match &scene.act {
                Act::Split { halves: [one, other] } => {
                    // Enabled by the script, which it needs.
                    button.primary type="button" data-split="split" disabled { "Split the network for "
                        (SPLIT_TIME.as_secs()) " s" }
                    p { (side(one)) " stop" @if one.len() == 1 { "s" } " talking to " (side(other)) }
                }
                Act::Heal => {
                    button.primary type="button" data-split="heal" disabled { "Heal now" }
                    p { "or it heals automatically" }
                }
                Act::None("") => {}
                Act::None(reason) => {
                    button.primary type="button" disabled { "Split the network" }
                    p { (reason) }
                }
            }
            @if !matches!(scene.act, Act::None(_))
                { noscript { p { "The button needs JavaScript. " a href="/" { "Reload" } } } }
            p #split-result .hidden {}
        }
    }
}
