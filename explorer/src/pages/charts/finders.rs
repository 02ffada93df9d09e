//! Who found how many of the last blocks, in the colours of the finders.

use super::data::ChartData;
use super::sections::Section;
use crate::names::colour;
use crate::view;
use crate::view::chart;
use maud::{Markup, html};
use shared::ledger::Address;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Most finders that are listed; the others are counted together.
const MAX_SHOWN: usize = 10;
/// Most nodes that are named as a finder's way into the network.
const MAX_WAYS: usize = 2;

/// The finders of the shown blocks, the luckiest first.
pub(super) fn counts(data: &ChartData) -> Vec<(Address, usize)> {
    let mut counts: BTreeMap<Address, usize> = BTreeMap::new();
    for miner in data.last(&data.block_sizes).iter().filter_map(|(_, size)| size.miner) {
        *counts.entry(miner).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(miner, blocks)| (Reverse(*blocks), *miner));
    counts
}

pub(super) fn section(data: &ChartData) -> Section {
    Section { intro: list(data), drawing: None, below: html! {} }
}

/// How the blocks of a finder came into the network, if no node is the finder.
#[derive(Default)]
struct Way {
    nodes: BTreeSet<String>,
    is_browser: bool,
}

fn ways(data: &ChartData) -> BTreeMap<Address, Way> {
    let mut ways: BTreeMap<Address, Way> = BTreeMap::new();
    for (height, size) in data.last(&data.block_sizes) {
        let outside = data.header(*height).and_then(|header| data.outside.get(&header.hash()));
        if let (Some(miner), Some(outside)) = (size.miner, outside) {
            let way = ways.entry(miner).or_default();
            way.is_browser |= outside.is_browser;
            way.nodes.insert(outside.node.clone());
        }
    }
    ways
}

impl Way {
    /// `’s browser, by way of A and B`.
    fn words(&self) -> String {
        let cast = view::cast();
        let nodes: Vec<String> = self.nodes.iter().take(MAX_WAYS).map(|node| cast.node(node)).collect();
        let more = if self.nodes.len() > MAX_WAYS { " and others" } else { "" };
        let browser = if self.is_browser { "’s browser" } else { "" };
        format!("{browser}, by way of {}{more}", nodes.join(" and "))
    }
}

fn list(data: &ChartData) -> Markup {
    let (counts, ways) = (counts(data), ways(data));
    let all: usize = counts.iter().map(|(_, blocks)| blocks).sum();
    let most = counts.first().map_or(1, |(_, blocks)| *blocks).max(1);
    let others: usize = counts.iter().skip(MAX_SHOWN).map(|(_, blocks)| blocks).sum();
    html! {
        p { "A miner with a third of the hash rate finds a third of the blocks, in the long run. In a short run, luck \
            decides." }
        @if all == 0 { p.muted { "There are no blocks yet." } }
        ul.shares {
            @for (miner, blocks) in counts.iter().take(MAX_SHOWN) {
                @let class = view::cast().miner_letter(miner).map_or("f-none", colour);
                li {
                    span.finder { (view::address(miner)) @if let Some(way) = ways.get(miner) { (way.words()) } }
                    span.part { (blocks) " (" (blocks * 100 / all.max(1)) " %)" }
                    svg.share.(class) viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" {
                        rect width=(blocks * 100 / most) height="8" {}
                    }
                }
            }
        }
        @if others > 0 { p { "Others found " (others) "." } }
        @if all > 0 { p.muted { "Blocks counted: " (all) "." } }
    }
}

/// The height of a finder in the drawing that stands alone.
const ROW: f64 = 28.0;
/// Where bars begin and how long the longest is, in the same drawing.
const BAR_LEFT: f64 = 190.0;
const BAR_LENGTH: f64 = 230.0;
const WIDTH: f64 = 520.0;

/// The same as a file.
pub(super) fn svg(data: &ChartData) -> String {
    let (counts, ways) = (counts(data), ways(data));
    let all: usize = counts.iter().map(|(_, blocks)| blocks).sum();
    let most = counts.first().map_or(1, |(_, blocks)| *blocks).max(1);
    let shown = &counts[..counts.len().min(MAX_SHOWN)];
    let cast = view::cast();
    let inside = html! {
        @for (place, (miner, blocks)) in shown.iter().enumerate() {
            @let top = place as f64 * ROW + 8.0;
            @let length = (*blocks as f64 / most as f64 * BAR_LENGTH).round();
            @let letter = cast.miner_letter(miner).map(|letter| format!(" ({letter})")).unwrap_or_default();
            text.label x="10" y=(top + 14.0) { (cast.person(miner)) (letter)
                @if ways.get(miner).is_some_and(|way| way.is_browser) { "’s browser" } }
            rect.bar x=(BAR_LEFT) y=(top) width=(length) height="18" {}
            text.label x=(BAR_LEFT + length + 8.0) y=(top + 14.0) { (blocks) " (" (blocks * 100 / all.max(1)) " %)" }
        }
    };
    let height = shown.len() as f64 * ROW + 16.0;
    chart::alone(WIDTH, height, "Who found the blocks", "One bar per finder, the luckiest first.", &inside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block_sizes::BlockSize;
    use crate::names::{Cast, NameBook};
    use crate::network::NetworkState;
    use crate::pages::charts::tests::data;
    use crate::view::with_cast;
    use shared::keys::KeyPair;
    use std::sync::Arc;

    #[test]
    fn a_finder_who_is_no_node_has_a_share_like_the_others() {
        let mallory = KeyPair::from_seed("mallory 0").address();
        let mut data = data(&[1000, 2000, 3000, 4000]);
        for (_, size) in &mut data.block_sizes[1..] {
            *size = BlockSize { miner: Some(mallory), ..*size };
        }
        let mut book = NameBook::default();
        book.add_person(mallory, "Mallory".to_owned()).unwrap();
        let cast = Cast::new(Arc::new(book), &NetworkState::default());
        let page = with_cast(cast, || list(&data).into_string());
        assert_eq!(counts(&data)[0], (mallory, 3));
        assert!(page.contains("Mallory") && page.contains("3 (75 %)"), "{page}");
    }
}
