//! The fork tree of a run as SVG: height from left to right, the best chain on top, branches below it.

use laboratory::model::Step;
use maud::{Markup, html};
use std::collections::HashMap;

const STEP: u32 = 22;
const SIDE: u32 = 12;

struct Placed {
    x: u32,
    y: u32,
    parent: Option<(u32, u32)>,
    is_first_miner: bool,
}

/// Draws the found blocks among `steps`.
pub(super) fn draw(steps: &[Step]) -> Markup {
    let placed = place(steps);
    let width = placed.iter().map(|block| block.x).max().unwrap_or(0) + 2 * STEP;
    let height = placed.iter().map(|block| block.y).max().unwrap_or(0) + 2 * STEP;
    html! {
        svg viewBox={ "0 0 " (width) " " (height) } role="img" width=(width) height=(height) {
            title { "Blocks and their parents" }
            @for block in &placed {
                @if let Some((x, y)) = block.parent {
                    line x1=(x + SIDE) y1=(y + SIDE / 2) x2=(block.x) y2=(block.y + SIDE / 2) stroke="#888888" {}
                }
            }
            @for block in &placed {
                rect x=(block.x) y=(block.y) width=(SIDE) height=(SIDE) stroke="#0072b2"
                    fill=(if block.is_first_miner { "#0072b2" } else { "#ffffff" }) {}
            }
        }
    }
}

fn place(steps: &[Step]) -> Vec<Placed> {
    let found: Vec<(u32, u32, u32, bool)> = steps
        .iter()
        .filter_map(|step| match step {
            Step::Found { block, parent, height, miner, .. } => Some((*block, *parent, *height, *miner == 0)),
            _ => None,
        })
        .collect();
    let by_number: HashMap<u32, (u32, u32)> =
        found.iter().map(|(block, parent, height, _)| (*block, (*parent, *height))).collect();
    // The chain of the highest block; of equal ones, the first.
    let mut best = Vec::new();
    let mut here = found.iter().rev().max_by_key(|(_, _, height, _)| *height).map(|(block, ..)| *block);
    while let Some(block) = here {
        best.push(block);
        here = by_number.get(&block).map(|(parent, _)| *parent).filter(|parent| by_number.contains_key(parent));
    }
    // Others go into the first free row below.
    let mut taken: HashMap<(u32, u32), u32> = HashMap::new();
    let mut placed = Vec::new();
    let mut places: HashMap<u32, (u32, u32)> = HashMap::new();
    for (block, parent, height, is_first_miner) in found {
        let mut row = u32::from(!best.contains(&block));
        while taken.contains_key(&(height, row)) {
            row += 1;
        }
        taken.insert((height, row), block);
        let (x, y) = (height * STEP, STEP / 2 + row * STEP);
        placed.push(Placed { x, y, parent: places.get(&parent).copied(), is_first_miner });
        places.insert(block, (x, y));
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_chain_is_one_row_and_rivals_stand_below_it() {
        let found = |block, parent, height, miner| Step::Found {
            at_ms: 0,
            block,
            parent,
            height,
            miner,
            node: None,
            difficulty: 1,
        };
        let steps = [found(1, 0, 1, 0), found(2, 0, 1, 1), found(3, 2, 2, 1), found(4, 2, 2, 1)];
        let rows: Vec<u32> = place(&steps).iter().map(|block| block.y / STEP).collect();
        assert_eq!(rows, [1, 0, 0, 1]);
        assert!(draw(&steps).into_string().contains("#0072b2"));
        assert!(place(&[]).is_empty());
    }
}
