//! The block tree as SVG: the newest blocks on the right, the best chain on top, other branches below it, and the names
//! of nodes at their tips. `layout` computes positions; this file draws.

mod layout;

use super::parts::short;
use crate::network::BlockSummary;
use layout::{Layout, Placed};
use maud::{Markup, html};
use shared::block::{BlockHash, Height};
use std::collections::BTreeMap;

const BLOCK_WIDTH: usize = 84;
const BLOCK_HEIGHT: usize = 46;
const GAP: usize = 22;
/// Around the drawing; also the room for edges from unknown parents.
const MARGIN: usize = 14;
/// Height of a line of names.
const LINE: usize = 15;
/// Most names below a block.
const NAMES: usize = 4;
/// Longest name, in characters.
const NAME_CHARS: usize = 15;

#[derive(Debug)]
pub(crate) struct BlockTree<'a> {
    pub(crate) blocks: &'a BTreeMap<BlockHash, BlockSummary>,
    /// The tip of the best chain.
    pub(crate) best: Option<BlockHash>,
    /// The nodes whose tip each block is.
    pub(crate) tips: &'a BTreeMap<BlockHash, Vec<String>>,
    /// Short names of services, by address.
    pub(crate) names: &'a BTreeMap<String, String>,
}

impl BlockTree<'_> {
    pub(crate) fn render(&self) -> Markup {
        let layout = Layout::of(self.blocks, self.best);
        let lane_tops = self.lane_tops(&layout);
        let width = 2 * MARGIN + layout.columns * (BLOCK_WIDTH + GAP);
        let height = lane_tops.last().copied().unwrap_or_default();
        let places: BTreeMap<_, _> = layout.placed.iter().map(|placed| (placed.block.hash, placed)).collect();
        html! {
            svg.tree role="group" aria-label="The newest blocks and their branches" width=(width) height=(height)
                viewBox=(format!("0 0 {width} {height}")) {
                @for placed in layout.placed.iter().rev() {
                    @let from = places.get(&placed.block.prev_hash).filter(|parent| is_parent(parent, placed));
                    (edge(from.copied(), placed, &lane_tops))
                }
                @for placed in &layout.placed { (self.block(placed, &lane_tops)) }
            }
            @if layout.left_out > 0 { p.muted { (layout.left_out) " more blocks on other branches are not shown: there \
                is no room." } }
        }
    }

    /// The top of each lane, and the bottom of the last one.
    fn lane_tops(&self, layout: &Layout<'_>) -> Vec<usize> {
        let lines_of = |placed: &Placed<'_>| match self.tips.get(&placed.block.hash).map_or(0, Vec::len) {
            names if names > NAMES => NAMES + 1,
            names => names,
        };
        let mut top = MARGIN;
        let mut lane_tops = vec![top];
        for lane in 0..layout.lanes {
            let lines = layout.placed.iter().filter(|placed| placed.lane == lane).map(lines_of).max();
            top += BLOCK_HEIGHT + lines.unwrap_or(0) * LINE + MARGIN;
            lane_tops.push(top);
        }
        lane_tops
    }

    fn block(&self, placed: &Placed<'_>, lane_tops: &[usize]) -> Markup {
        let BlockSummary { index, hash, mined_by, .. } = placed.block;
        let hash = hash.to_string();
        let (x, y) = corner(placed, lane_tops);
        let middle = x + BLOCK_WIDTH / 2;
        let nodes_here = self.tips.get(&placed.block.hash).map_or(&[][..], Vec::as_slice);
        let description = self.description(placed, nodes_here);
        html! {
            a.block.best[placed.is_best()].stale[!placed.is_best()] href={ "/block/" (hash) } data-key=(hash)
                aria-label=(description) {
                title { (description) }
                rect x=(x) y=(y) width=(BLOCK_WIDTH) height=(BLOCK_HEIGHT) rx="7" {}
                text.height x=(middle) y=(y + 19) { (index) }
                text.tail x=(middle) y=(y + 36) {
                    @match mined_by {
                        Some(miner) => { "by " (clipped(self.name(miner), NAME_CHARS - 3)) }
                        None => { "…" (&hash[hash.len() - 6..]) }
                    }
                }
            }
            @for (line, node) in nodes_here.iter().take(NAMES).enumerate() {
                text.at x=(middle) y=(y + BLOCK_HEIGHT + 1 + LINE * (line + 1) - 3) { (clipped(self.name(node),
                    NAME_CHARS)) }
            }
            @if nodes_here.len() > NAMES {
                text.at x=(middle) y=(y + BLOCK_HEIGHT + 1 + LINE * (NAMES + 1) - 3) { "and " (nodes_here.len() - NAMES)
                    " more" }
            }
        }
    }

    fn description(&self, placed: &Placed<'_>, nodes_here: &[String]) -> String {
        let block = placed.block;
        let place = if placed.is_best() { "on the best chain" } else { "on another branch" };
        let mut words = format!("Block {}, {}, {place}", block.index, short(&block.hash.to_string()));
        if let Some(miner) = &block.mined_by {
            words += &format!(", found by {miner}");
        }
        if !nodes_here.is_empty() {
            let names: Vec<_> = nodes_here.iter().take(NAMES).map(String::as_str).collect();
            let more = nodes_here.len().saturating_sub(NAMES);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            words += &format!(", tip of {}{more}", names.join(", "));
        }
        words
    }

    fn name<'b>(&'b self, address: &'b str) -> &'b str {
        self.names.get(address).map_or(address, String::as_str)
    }
}

fn is_parent(parent: &Placed<'_>, child: &Placed<'_>) -> bool {
    parent.block.index < child.block.index && parent.column + 1 == child.column
}

fn corner(placed: &Placed<'_>, lane_tops: &[usize]) -> (usize, usize) {
    (MARGIN + GAP + placed.column * (BLOCK_WIDTH + GAP), lane_tops.get(placed.lane).copied().unwrap_or_default())
}

/// A curve from the parent to the block; a short line from the left if the parent is not known.
fn edge(parent: Option<&Placed<'_>>, child: &Placed<'_>, lane_tops: &[usize]) -> Markup {
    let (x, y) = corner(child, lane_tops);
    let y = y + BLOCK_HEIGHT / 2;
    match parent {
        Some(parent) => {
            let (from_x, from_y) = corner(parent, lane_tops);
            let (from_x, from_y) = (from_x + BLOCK_WIDTH, from_y + BLOCK_HEIGHT / 2);
            let bend = (from_x + x) / 2;
            let path = format!("M{from_x} {from_y}C{bend} {from_y} {bend} {y} {x} {y}");
            html! { path.edge.best[child.is_best()] d=(path) {} }
        }
        None if child.block.index == Height::GENESIS => html! {},
        None => html! { path.edge.best[child.is_best()].unknown d=(format!("M{} {y}H{x}", x - GAP + 2)) {} },
    }
}

/// The end of a name, since ports are at the end.
fn clipped(name: &str, chars: usize) -> String {
    let length = name.chars().count();
    if length <= chars {
        return name.to_owned();
    }
    format!("…{}", name.chars().skip(length - chars + 1).collect::<String>())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use shared::block::Timestamp;

    pub(crate) fn hash(name: &str) -> BlockHash {
        BlockHash::of(name)
    }

    pub(crate) fn blocks(blocks: &[(u64, &str, &str)]) -> BTreeMap<BlockHash, BlockSummary> {
        let block = |(index, name, parent): &(u64, &str, &str)| BlockSummary {
            index: Height(*index),
            hash: hash(name),
            prev_hash: hash(parent),
            timestamp: Timestamp::from_ms(index * 1000),
            difficulty: 1,
            mined_by: None,
        };
        blocks.iter().map(block).map(|block| (block.hash, block)).collect()
    }

    fn draw(blocks: &BTreeMap<BlockHash, BlockSummary>, tips: &[(&str, &[&str])]) -> String {
        let of = |(block, nodes): &(&str, &[&str])| (hash(block), nodes.iter().map(ToString::to_string).collect());
        let tips: BTreeMap<_, _> = tips.iter().map(of).collect();
        BlockTree { blocks, best: Some(hash("2")), tips: &tips, names: &BTreeMap::new() }.render().into_string()
    }

    #[test]
    fn each_block_is_a_link_with_its_description_and_its_edge() {
        let blocks = blocks(&[(0, "0", ""), (1, "1", "0"), (2, "2", "1"), (2, "2'", "1")]);
        let drawn = draw(&blocks, &[("2", &["a:1", "b:1"]), ("2'", &["c:1"])]);
        assert_eq!((drawn.matches("<a class=\"block best\"").count(), drawn.matches("<path").count()), (3, 3));
        assert!(drawn.contains(&format!("href=\"/block/{}\"", hash("2'"))));
        assert!(drawn.contains(", on another branch, tip of c:1\""), "{drawn}");
        assert!(!drawn.contains("unknown") && drawn.contains(">b:1</text>"));
    }

    #[test]
    fn an_unknown_parent_is_drawn_as_unknown() {
        assert!(draw(&blocks(&[(2, "2", "1")]), &[]).contains("edge unknown best"));
        // A parent whose height is not one less counts as unknown.
        assert!(draw(&blocks(&[(1, "1", "?"), (2, "2", "1"), (9, "9", "1")]), &[]).contains("class=\"edge unknown\""));
    }

    #[test]
    fn many_nodes_on_a_block_are_counted_and_hostile_names_stay_text() {
        let mut blocks = blocks(&[(2, "2", "1")]);
        blocks.values_mut().for_each(|block| block.mined_by = Some("<script>alert(1)</script>\"'".to_owned()));
        let drawn = draw(&blocks, &[("2", &["a:1", "b:1", "c:1", "d:1", "e:1", "f:1"])]);
        assert!(drawn.contains("and 2 more") && !drawn.contains("<script") && !drawn.contains(">e:1<"));
    }

    #[test]
    fn the_end_of_a_long_name_is_kept() {
        assert_eq!(clipped("a-very-long-host.classroom:8101", 10), "…room:8101");
        assert_eq!(clipped("é:8101", 10), "é:8101");
    }
}
