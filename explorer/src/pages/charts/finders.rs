//! Who found how many of the last blocks, in the colours of the finders.

use super::data::ChartData;
use crate::names::colour;
use crate::view;
use maud::{Markup, html};
use shared::ledger::Address;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Most finders that are listed; the others are counted together.
const MAX_SHOWN: usize = 10;

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

pub(super) fn draw(data: &ChartData) -> Markup {
    let counts = counts(data);
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
                    span.finder { (view::address(miner)) }
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
        let page = with_cast(cast, || draw(&data).into_string());
        assert_eq!(counts(&data)[0], (mallory, 3));
        assert!(page.contains("Mallory") && page.contains("3 (75 %)"), "{page}");
    }
}
