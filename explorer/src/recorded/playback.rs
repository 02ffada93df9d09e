//! The network at any moment of a recording: its events, fed to the reducer of live networks up to that moment.
//!
//! Checkpoints keep a jump short, and a cursor keeps steps forward short. Pure.

use super::blocks::{SeenBlocks, block_event};
use crate::names::{Cast, NameBook};
use crate::network::{BlockSummary, MAX_SERVICES, Reducer};
use crate::stage::film::Chapter;
use crate::stage::scene::{Act, Scene};
use crate::stage::standing::Standing;
use crate::stage::story::Story;
use laboratory::recording::{Head, Moment, RecordedNode, Recording};
use shared::block::{BlockHash, Timestamp};
use shared::params::Params;
use shared::sync::PeerInfo;
use shared::wire::{Info, MiningInfo, NodeEvent, Role};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// Most checkpoints.
const MAX_CHECKPOINTS: usize = 48;
/// Least moments between two checkpoints.
const MIN_BETWEEN: usize = 256;
/// Most chapters; splits and healings are kept before forks.
const MAX_CHAPTERS: usize = 40;

#[derive(Debug)]
pub(super) struct Playback {
    head: Head,
    moments: Vec<Moment>,
    params: Arc<Params>,
    names: Arc<NameBook>,
    blocks: SeenBlocks,
    start: Timestamp,
    length_ms: u64,
    /// Where something happened that the picture shows, in milliseconds from the start; ascending.
    stops: Vec<u64>,
    chapters: Vec<(u64, Chapter)>,
    /// The network before the moment of this number.
    checkpoints: Vec<(usize, Reducer)>,
    /// The network as it was shown last.
    cursor: Mutex<(usize, Reducer)>,
}

/// A moment of the recording.
#[derive(Debug)]
pub(super) struct Shown {
    /// Milliseconds from the start.
    pub(super) ms: u64,
    pub(super) scene: Scene,
}

/// What the first pass over a recording notes.
#[derive(Default)]
struct Notes {
    stops: BTreeSet<u64>,
    chapters: Vec<(u64, Chapter)>,
    /// How many nodes have told of each block.
    receipts: BTreeMap<BlockHash, usize>,
    is_forked: bool,
    is_healed: bool,
}

impl Playback {
    pub(super) fn new(recording: Recording, names: NameBook) -> Self {
        let Recording { head, moments } = recording;
        let start = moments.first().map_or(head.tip.timestamp, Moment::at);
        let length_ms = moments.last().map_or(0, |last| ms_between(start, last.at()));
        let blocks = SeenBlocks::of(&head, &moments);
        let params = Arc::new(head.network.clone());
        let mut reducer = beginning(&head, start, &names);
        let mut checkpoints = vec![(0, reducer.clone())];
        let between = (moments.len() / MAX_CHECKPOINTS + 1).max(MIN_BETWEEN);
        let mut notes = Notes { chapters: vec![(0, Chapter::Start)], ..Notes::default() };
        for (place, moment) in moments.iter().enumerate() {
            if place > 0 && place.is_multiple_of(between) {
                checkpoints.push((place, reducer.clone()));
            }
            apply(&mut reducer, &head, moment);
            notes.add(ms_between(start, moment.at()), moment, &reducer, head.nodes.len());
        }
        let stops = notes.stops.into_iter().collect();
        let chapters = fewer(notes.chapters);
        let cursor = Mutex::new((moments.len(), reducer));
        let names = Arc::new(names);
        Self { head, moments, params, names, blocks, start, length_ms, stops, chapters, checkpoints, cursor }
    }

    pub(super) const fn head(&self) -> &Head {
        &self.head
    }

    pub(super) const fn params(&self) -> &Arc<Params> {
        &self.params
    }

    pub(super) const fn blocks(&self) -> &SeenBlocks {
        &self.blocks
    }

    pub(super) fn chapters(&self) -> &[(u64, Chapter)] {
        &self.chapters
    }

    pub(super) const fn length_ms(&self) -> u64 {
        self.length_ms
    }

    /// How many of the nodes are drawn.
    pub(super) fn shown_nodes(&self) -> usize {
        self.head.nodes.len().min(MAX_SERVICES)
    }

    /// The moment that is `t` seconds after the start, within the recording.
    pub(super) fn clamped_ms(&self, t: f64) -> u64 {
        // A float that is too large or negative becomes the largest or smallest integer.
        ((t * 1000.0).round() as u64).min(self.length_ms)
    }

    /// The last stop before a moment.
    pub(super) fn stop_before(&self, ms: u64) -> Option<u64> {
        self.stops[..self.stops.partition_point(|stop| *stop < ms)].last().copied()
    }

    /// The first stop after a moment.
    pub(super) fn stop_after(&self, ms: u64) -> Option<u64> {
        self.stops.get(self.stops.partition_point(|stop| *stop <= ms)).copied()
    }

    /// The moments up to `ms`.
    pub(super) fn until(&self, ms: u64) -> &[Moment] {
        &self.moments[..self.moments.partition_point(|moment| ms_between(self.start, moment.at()) <= ms)]
    }

    pub(super) fn at(&self, ms: u64) -> Shown {
        let end = self.until(ms).len();
        let now = self.start.plus_ms(ms);
        let state = {
            let mut cursor = self.cursor.lock().unwrap_or_else(PoisonError::into_inner);
            let nearest = self.checkpoints.partition_point(|(place, _)| *place <= end);
            if let Some(checkpoint) = self.checkpoints[..nearest].last()
                && !(checkpoint.0..=end).contains(&cursor.0)
            {
                *cursor = checkpoint.clone();
            }
            let (place, reducer) = &mut *cursor;
            self.moments[*place..end].iter().for_each(|moment| apply(reducer, &self.head, moment));
            *place = end;
            Arc::new(reducer.state().clone())
        };
        let cast = Cast::new(self.names.clone(), &state);
        let standing = Standing::of(&state, None, self.params.block_interval_ms, now);
        let scene = Scene {
            now,
            params: self.params.clone(),
            standing,
            act: Act::None(""),
            story: Story::of(&state, &cast, &self.params),
            cast,
            making: Vec::new(),
            people: Vec::new(),
            purses: None,
            aftermath: None,
            waiting: None,
            thefts: None,
            is_recorded: true,
            state,
        };
        Shown { ms, scene }
    }
}

impl Notes {
    fn add(&mut self, ms: u64, moment: &Moment, reducer: &Reducer, nodes: usize) {
        let is_forked = reducer.is_forked();
        let is_healed = reducer.state().split.as_ref().is_some_and(|split| split.outcome.is_some());
        let is_seen = block_event(moment).is_some_and(|(_, _, event)| {
            let receipts = self.receipts.entry(event.hash).or_default();
            *receipts += 1;
            *receipts == 1 || *receipts == nodes
        });
        let is_reorg = matches!(moment, Moment::Node { told: NodeEvent::Reorg(_), .. });
        let chapter = match moment {
            Moment::Cut { .. } => Some(Chapter::Split),
            _ if is_healed && !self.is_healed => Some(Chapter::Healed),
            _ if is_forked
                && !self.is_forked
                && reducer.state().split.as_ref().is_none_or(|split| split.healed.is_some()) =>
            {
                Some(Chapter::Fork)
            }
            _ => None,
        };
        if is_seen || is_reorg || chapter.is_some() || !matches!(moment, Moment::Node { .. }) {
            self.stops.insert(ms);
        }
        self.chapters.extend(chapter.map(|chapter| (ms, chapter)));
        (self.is_forked, self.is_healed) = (is_forked, is_healed);
    }
}

/// At most [`MAX_CHAPTERS`]; forks, of which there may be many, go first.
fn fewer(mut chapters: Vec<(u64, Chapter)>) -> Vec<(u64, Chapter)> {
    let others = chapters.iter().filter(|(_, chapter)| *chapter != Chapter::Fork).count();
    let mut room = MAX_CHAPTERS.saturating_sub(others);
    chapters.retain(|(_, chapter)| {
        let is_kept = *chapter != Chapter::Fork || room > 0;
        room -= usize::from(*chapter == Chapter::Fork && room > 0);
        is_kept
    });
    chapters.truncate(MAX_CHAPTERS);
    chapters
}

/// The network before anything has happened. It shows the first nodes, as many as that of a live network.
fn beginning(head: &Head, start: Timestamp, names: &NameBook) -> Reducer {
    let mut reducer = Reducer::new("", &head.network, names.letters().clone());
    let shown = || head.nodes.iter().take(MAX_SERVICES);
    reducer.set_members(start, shown().map(|node| (Role::Node, node.address.clone())));
    for node in shown() {
        reducer.apply_info(start, Role::Node, &node.address, info(head, node, start));
        let peer = |other: &u32| {
            let address = head.nodes.get(*other as usize)?.address.clone();
            Some(PeerInfo { address, tip: None, last_seen: None, error: None })
        };
        reducer.apply_peers(start, &node.address, &node.links.iter().filter_map(peer).collect::<Vec<_>>());
    }
    let tip = BlockSummary {
        index: head.tip.index,
        hash: head.tip.hash,
        prev_hash: BlockHash::ZERO,
        timestamp: head.tip.timestamp,
        heard: head.tip.timestamp,
        difficulty: head.difficulty.value(),
        mined_by: None,
    };
    reducer.add_blocks([tip]);
    reducer
}

/// What a node would have answered.
fn info(head: &Head, node: &RecordedNode, started: Timestamp) -> Info {
    let address = node.earner.map(|earner| earner.to_string());
    Info {
        service: "node".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        network_id: head.network.network_id(),
        network: serde_json::to_value(&head.network).unwrap_or_default(),
        address: node.address.clone(),
        started,
        tip: Some(head.tip),
        peers: Some(node.links.len() as u64),
        mining: Some(MiningInfo { enabled: true, address, threads: 1, hashrate: node.hash_rate }),
        pool: None,
        members: None,
        health: None,
    }
}

fn apply(reducer: &mut Reducer, head: &Head, moment: &Moment) {
    match moment {
        Moment::Node { at, node, told } => {
            if let Some(node) = head.nodes.get(*node as usize) {
                reducer.apply_node_event(*at, &node.address, told);
            }
        }
        Moment::Cut { at, side } => {
            let side: BTreeSet<&str> =
                side.iter().filter_map(|node| Some(head.nodes.get(*node as usize)?.address.as_str())).collect();
            reducer.set_cut(*at, |one, other| side.contains(one) != side.contains(other));
        }
        Moment::Healed { at } => reducer.set_cut(*at, |_, _| false),
    }
}

fn ms_between(start: Timestamp, at: Timestamp) -> u64 {
    at.ms_since(start).max(0).unsigned_abs()
}

#[cfg(test)]
mod tests;
