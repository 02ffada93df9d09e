//! The blocks of the picture: the newest of the best chain, and beside them one other branch, if there is one.
//!
//! During a split each side has its lane. After it, winner and loser keep their places until the fork has left the
//! picture. Other forks are drawn in the same way.

use crate::names::{Cast, colour};
use crate::network::{Agreement, BlockContents, BlockSummary, NetworkState, Split};
use shared::block::{BlockHash, Height};
use shared::params::Params;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Most blocks that are drawn.
const MAX_TILES: usize = 12;
/// Most blocks of the best chain after a fork that is drawn.
const MAX_SINCE_FORK: usize = 8;
/// Most blocks of a lane.
const MAX_IN_LANE: usize = 8;
/// Longest name that is drawn, in characters.
const NAME_CHARS: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// What all have in common.
    Trunk,
    Upper,
    Lower,
}

#[derive(Debug, Clone)]
pub(crate) struct Tile {
    pub(crate) block: BlockSummary,
    pub(crate) contents: Option<Arc<BlockContents>>,
    pub(crate) finder: Finder,
    /// How full it is, in percent; `None` if that is not known yet.
    pub(crate) full: Option<u8>,
    pub(crate) lane: Lane,
    /// The network has abandoned it.
    pub(crate) is_lost: bool,
    /// The place in the list of the block before.
    pub(crate) parent: Option<usize>,
}

/// Who found a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finder {
    /// Empty if nobody found it: the first block.
    pub(crate) letter: String,
    /// A name that fits on a block, or the first digits.
    pub(crate) name: String,
    /// The same, whole: for sentences.
    pub(crate) whole_name: String,
    /// The beginning of the address, where names are switched off.
    pub(crate) digits: String,
    pub(crate) class: &'static str,
    /// For sentences: `A (Ada)`, or `Kim’s browser, by way of A (Ada)`.
    pub(crate) sentence: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Open,
    Won,
    Lost,
}

#[derive(Debug, Clone)]
pub(crate) struct Branch {
    /// The nodes on it, by `host:port`; empty if they are not known.
    pub(crate) nodes: Vec<String>,
    /// The number of its blocks since the fork.
    pub(crate) blocks: usize,
    pub(crate) fate: Fate,
    /// Whether its colour is that of a side of a split.
    pub(crate) is_side: bool,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Story {
    /// In the order of time, parents first.
    pub(crate) tiles: Vec<Tile>,
    /// The branches of the upper and the lower lane.
    pub(crate) branches: Option<[Branch; 2]>,
}

/// Two branches that are to be drawn: their blocks since the fork, oldest first.
struct Fork {
    lanes: [(Branch, Vec<BlockHash>); 2],
    base: Height,
    /// The best chain up to this tip is drawn too; `None` if only the lanes are.
    trunk: Option<BlockHash>,
}

impl Story {
    pub(crate) fn of(state: &NetworkState, cast: &Cast, params: &Params) -> Self {
        let Some(tip) = state.tip() else { return Self::default() };
        let fork = of_split(state).or_else(|| of_agreement(state)).or_else(|| stale(state));
        let tile = |hash: &BlockHash, lane, is_lost| tile(state, cast, params, hash, lane, is_lost);
        let mut tiles = Vec::new();
        let mut branches = None;
        match fork {
            None => {
                let chain: Vec<_> = state.chain(tip.hash).take(MAX_TILES).map(|block| block.hash).collect();
                tiles.extend(chain.iter().filter_map(|hash| tile(hash, Lane::Trunk, false)));
            }
            Some(Fork { lanes: [upper, lower], base, trunk }) => {
                for ((branch, hashes), lane) in [(&upper, Lane::Upper), (&lower, Lane::Lower)] {
                    let is_lost = branch.fate == Fate::Lost;
                    let newest = hashes.iter().skip(hashes.len().saturating_sub(MAX_IN_LANE));
                    tiles.extend(newest.filter_map(|hash| tile(hash, lane, is_lost)));
                }
                let room = MAX_TILES.saturating_sub(tiles.len()).max(3);
                let below = trunk.into_iter().flat_map(|tip| state.chain(tip)).filter(|block| block.index <= base);
                let below: Vec<_> = below.take(room).map(|block| block.hash).collect();
                tiles.extend(below.iter().filter_map(|hash| tile(hash, Lane::Trunk, false)));
                branches = Some([upper.0, lower.0]);
            }
        }
        tiles.sort_by_key(|tile| (tile.block.index, tile.block.heard));
        // Parents first, and otherwise in the order of time.
        for later in 1..tiles.len() {
            let mut place = later;
            while place > 0
                && tiles[place].block.heard < tiles[place - 1].block.heard
                && tiles[place].block.prev_hash != tiles[place - 1].block.hash
            {
                tiles.swap(place, place - 1);
                place -= 1;
            }
        }
        for place in 0..tiles.len() {
            let before = tiles[place].block.prev_hash;
            tiles[place].parent = tiles[..place].iter().position(|tile| tile.block.hash == before);
        }
        Self { tiles, branches }
    }

    /// The last block of a lane, or of the trunk.
    pub(crate) fn tip_of(&self, lane: Lane) -> Option<usize> {
        self.tiles.iter().rposition(|tile| tile.lane == lane)
    }
}

/// The two sides of a split that goes on, or whose branches are still near.
fn of_split(state: &NetworkState) -> Option<Fork> {
    let split = state.split.as_ref()?;
    let [upper, lower] = &*split.sides else { return None };
    let base = split.base?.index;
    let tip = state.tip()?;
    let best: Vec<_> = state.chain(tip.hash).take_while(|block| block.index > base).map(|block| block.hash).collect();
    let fate = |place: usize| match split.outcome {
        None => Fate::Open,
        Some((_, Some(winner))) if winner == place => Fate::Won,
        Some(_) => Fate::Lost,
    };
    if split.outcome.is_some() && (best.len() > MAX_SINCE_FORK || split.lost().all(|side| side.blocks.is_empty())) {
        return None;
    }
    let lane = |place: usize, side: &crate::network::Side| {
        let branch = Branch { nodes: side.nodes.clone(), blocks: side.blocks.len(), fate: fate(place), is_side: true };
        let hashes = if branch.fate == Fate::Won { best.iter().rev().copied().collect() } else { side.blocks.clone() };
        (branch, hashes)
    };
    Some(Fork { lanes: [lane(0, upper), lane(1, lower)], base, trunk: Some(trunk_tip(split, tip.hash)) })
}

fn trunk_tip(split: &Split, best: BlockHash) -> BlockHash {
    split.base.map_or(best, |base| base.hash)
}

/// The two best of several branches that nodes follow now.
fn of_agreement(state: &NetworkState) -> Option<Fork> {
    let agreement = Agreement::of(state);
    let (fork, [first, second, ..]) = (agreement.fork?, &*agreement.branches) else { return None };
    let lane = |branch: &shared::agreement::FollowedBranch<String>| {
        let hashes = above(state, branch.tip.hash, fork.index);
        let nodes = [&*branch.at_tip, &*branch.behind].concat();
        (Branch { nodes, blocks: hashes.len(), fate: Fate::Open, is_side: false }, hashes)
    };
    Some(Fork { lanes: [lane(first), lane(second)], base: fork.index, trunk: Some(fork.hash) })
}

/// The newest branch that nobody follows any more, if it is near enough.
fn stale(state: &NetworkState) -> Option<Fork> {
    let tip = state.tip()?;
    let best: Vec<_> = state.chain(tip.hash).take(MAX_SINCE_FORK + 1).collect();
    let on_best: BTreeSet<BlockHash> = state.chain(tip.hash).map(|block| block.hash).collect();
    let lowest = best.last()?.index;
    let side = state.blocks.values().filter(|block| !on_best.contains(&block.hash) && block.index > lowest);
    let side_tip = side.max_by_key(|block| (block.index, block.heard))?;
    let branch: Vec<_> = state.chain(side_tip.hash).take_while(|block| !on_best.contains(&block.hash)).collect();
    let parent = branch.last()?.prev_hash;
    let base = best.iter().find(|block| block.hash == parent)?;
    let winner: Vec<_> = above(state, tip.hash, base.index);
    let lost: Vec<_> = branch.iter().rev().map(|block| block.hash).collect();
    let of = |blocks, fate| Branch { nodes: Vec::new(), blocks, fate, is_side: false };
    let lanes = [(of(winner.len(), Fate::Won), winner), (of(lost.len(), Fate::Lost), lost)];
    Some(Fork { lanes, base: base.index, trunk: Some(base.hash) })
}

/// The blocks of a branch above `base`, oldest first.
fn above(state: &NetworkState, tip: BlockHash, base: Height) -> Vec<BlockHash> {
    let mut blocks: Vec<_> = state.chain(tip).take_while(|block| block.index > base).map(|block| block.hash).collect();
    blocks.reverse();
    blocks
}

fn tile(
    state: &NetworkState,
    cast: &Cast,
    params: &Params,
    hash: &BlockHash,
    lane: Lane,
    is_lost: bool,
) -> Option<Tile> {
    let block = state.blocks.get(hash)?.clone();
    let contents = state.contents.get(hash).cloned();
    let is_browser = state.from_browsers.contains(hash);
    let finder = Finder::of(&block, contents.as_deref(), is_browser, cast);
    let percent = |part: usize, whole: u64| (part as u64).saturating_mul(100).checked_div(whole).unwrap_or(0).min(100);
    let full = contents.as_deref().map(|contents| {
        let most = percent(contents.count, params.max_transactions).max(percent(contents.bytes, params.max_data_bytes));
        u8::try_from(most).unwrap_or(100)
    });
    Some(Tile { block, contents, finder, full, lane, is_lost, parent: None })
}

impl Finder {
    /// `is_browser`: a browser found it, and a node passed it on.
    pub(crate) fn of(block: &BlockSummary, contents: Option<&BlockContents>, is_browser: bool, cast: &Cast) -> Self {
        let none = |name: &str| Self {
            letter: String::new(),
            name: name.to_owned(),
            whole_name: name.to_owned(),
            digits: name.to_owned(),
            class: "f-none",
            sentence: name.to_owned(),
        };
        if block.index == Height::GENESIS {
            return none("the start");
        }
        let node = block.mined_by.as_deref();
        let miner = contents.and_then(|contents| contents.miner).or_else(|| cast.earner(node?).copied());
        let Some(miner) = miner else {
            return match node.map(|node| (node, cast.letter(node))) {
                Some((node, "")) => none(node),
                Some((node, letter)) => Self {
                    letter: letter.to_owned(),
                    name: String::new(),
                    whole_name: String::new(),
                    digits: String::new(),
                    class: colour(letter),
                    sentence: cast.node(node),
                },
                None => none("a node"),
            };
        };
        let named = cast.name(&miner);
        let digits = format!("{}…", crate::view::digits(&miner));
        let whole_name = named.map_or_else(|| digits.clone(), ToString::to_string);
        let name = named.map_or_else(|| digits.clone(), |name| clipped(name.as_str()));
        match cast.miner_letter(&miner) {
            Some(letter) => Self {
                sentence: named.map_or_else(|| letter.to_owned(), |name| format!("{letter} ({name})")),
                letter: letter.to_owned(),
                name: if named.is_some() { name } else { String::new() },
                whole_name: if named.is_some() { whole_name } else { String::new() },
                digits,
                class: colour(letter),
            },
            // Not a node of this network: a browser, or a program, that handed its block in at a node.
            None => Self {
                letter: named.map_or_else(|| "?".to_owned(), crate::names::Name::initial),
                sentence: {
                    let browser = if is_browser { "’s browser" } else { "" };
                    let way =
                        node.map_or_else(|| "from outside".to_owned(), |node| format!("by way of {}", cast.node(node)));
                    format!("{}{browser}, {way}", cast.person(&miner))
                },
                name,
                whole_name,
                digits,
                class: "f-h",
            },
        }
    }
}

/// A name that fits on a block.
fn clipped(name: &str) -> String {
    match name.char_indices().nth(NAME_CHARS) {
        Some(_) => format!("{}…", name.chars().take(NAME_CHARS - 1).collect::<String>()),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::samples::{cut, hash, put_node_at, summary};

    fn state(blocks: &[(u64, &str, &str)], tips: &[(&str, u64, &str)]) -> NetworkState {
        let mut state = NetworkState::default();
        for (index, name, parent) in blocks {
            state.blocks.insert(hash(name), summary(*index, name, parent));
        }
        tips.iter().for_each(|(node, index, name)| put_node_at(&mut state, node, *index, name));
        state
    }

    /// The heights with a letter for the lane, in the order of the picture; `x` for lost ones.
    fn drawn(state: &NetworkState) -> Vec<String> {
        let story = Story::of(state, &Cast::default(), &Params::default());
        assert!(story.tiles.iter().enumerate().all(|(place, tile)| tile.parent.is_none_or(|parent| parent < place)));
        let lane = |tile: &Tile| match (tile.lane, tile.is_lost) {
            (_, true) => "x",
            (Lane::Trunk, _) => "",
            (Lane::Upper, _) => "u",
            (Lane::Lower, _) => "l",
        };
        story.tiles.iter().map(|tile| format!("{}{}", tile.block.index, lane(tile))).collect()
    }

    // 1 ─ 2 ─ 3      a
    //     └── 3'     b
    const FORK: [(u64, &str, &str); 4] = [(1, "1", "0"), (2, "2", "1"), (3, "3", "2"), (3, "3'", "2")];

    #[test]
    fn branches_that_nodes_follow_are_both_open() {
        let state = state(&FORK, &[("a", 3, "3"), ("b", 3, "3'")]);
        let mut drawn = drawn(&state);
        drawn.sort();
        assert_eq!(drawn, ["1", "2", "3l", "3u"]);
    }

    #[test]
    fn a_branch_that_nobody_follows_is_lost_and_stays_until_it_is_far() {
        let mut blocks = FORK.to_vec();
        blocks.push((4, "4", "3"));
        let mut sorted = drawn(&state(&blocks, &[("a", 4, "4")]));
        sorted.sort();
        assert_eq!(sorted, ["1", "2", "3u", "3x", "4u"]);
        let names: Vec<String> = (4..14).map(|index| index.to_string()).collect();
        for (index, name) in (5..14).zip(&names[1..]) {
            blocks.push((index, name, &names[usize::try_from(index).unwrap() - 5]));
        }
        let far = drawn(&state(&blocks, &[("a", 13, "13")]));
        assert_eq!((far.len(), far.first().map(String::as_str)), (MAX_TILES, Some("2")));
    }

    #[test]
    fn a_split_without_blocks_has_two_empty_lanes() {
        let mut state = state(&FORK[..2], &[("a", 2, "2"), ("b", 2, "2")]);
        cut(&mut state, "a", "b");
        state.split = Some(Split {
            sides: ["a", "b"]
                .map(|node| crate::network::Side { nodes: vec![node.to_owned()], ..Default::default() })
                .to_vec(),
            base: state.tip().map(|tip| tip.id()),
            since: shared::block::Timestamp::from_ms(0),
            healed: None,
            outcome: None,
        });
        let story = Story::of(&state, &Cast::default(), &Params::default());
        assert!(story.branches.is_some() && story.tiles.len() == 2 && story.tip_of(Lane::Upper).is_none());
    }

    #[test]
    fn long_names_are_cut() {
        assert_eq!((clipped("Cleo"), clipped("Bartholomew")), ("Cleo".to_owned(), "Barthol…".to_owned()));
    }
}
