//! Scheduled events: a partition, hash rate that leaves or joins, slower links; each for a while or until the end.

/// When an event begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// When this many blocks have been found, the warm-up included.
    Block(u64),
    /// Milliseconds from genesis.
    Ms(u64),
}

/// Some of the nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// All of them, and the pool.
    All,
    /// Those of a region, by its place in the preset.
    Region(u8),
    /// This percentage of them. Nodes are numbered in no order, so the first ones are a random choice.
    Percent(u8),
    /// The miner with a strategy.
    Pool,
}

/// What an event changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Change {
    /// Nothing passes between these nodes and the others. The pool has links to both sides.
    Partition(Group),
    /// The hash rate of these nodes is this many times what it was at the start.
    HashRate(Group, f64),
    /// Messages take this many hundredths of the time that they took at the start.
    Latency(u64),
}

/// An event of the scenario.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scheduled {
    /// When it begins.
    pub at: At,
    /// What it changes.
    pub change: Change,
    /// After how long the change is undone; never without it.
    pub for_ms: Option<u64>,
}

impl Group {
    /// Whether `node` of `nodes` nodes, in `region`, belongs to it.
    pub fn contains(self, node: u32, nodes: usize, region: u8) -> bool {
        match self {
            Self::All => true,
            Self::Region(wanted) => region == wanted,
            Self::Percent(percent) => u64::from(node) * 100 < nodes as u64 * u64::from(percent),
            Self::Pool => false,
        }
    }
}

impl Change {
    /// The change that ends this one.
    pub(super) const fn undone(self) -> Option<Self> {
        match self {
            // Without a partition, nobody is apart.
            Self::Partition(_) => None,
            Self::HashRate(group, _) => Some(Self::HashRate(group, 1.0)),
            Self::Latency(_) => Some(Self::Latency(100)),
        }
    }
}

/// Begins and ends of events, in order.
#[derive(Debug)]
pub(super) struct Timeline {
    by_block: Vec<Scheduled>,
    /// Times with what happens then; `None` is the end of a partition.
    by_time: Vec<(u64, Option<Change>, Option<u64>)>,
}

impl Timeline {
    pub(super) fn new(events: &[Scheduled]) -> Self {
        let mut timeline = Self { by_block: Vec::new(), by_time: Vec::new() };
        for &event in events {
            match event.at {
                At::Block(_) => timeline.by_block.push(event),
                At::Ms(at_ms) => timeline.by_time.push((at_ms, Some(event.change), event.for_ms)),
            }
        }
        timeline
    }

    /// The time of the next timed event.
    pub(super) fn next_ms(&self) -> Option<u64> {
        self.by_time.iter().map(|(at_ms, ..)| *at_ms).min()
    }

    /// Whether an event waits for this number of blocks.
    pub(super) fn is_due(&self, found: u64) -> bool {
        self.by_block.iter().any(|event| matches!(event.at, At::Block(block) if block <= found))
    }

    /// Takes a change that is due: block `found` was found, and the time is `now_ms`. The inner `None` is the end of a
    /// partition.
    pub(super) fn due(&mut self, found: u64, now_ms: u64) -> Option<Option<Change>> {
        let by_block = self.by_block.iter().position(|event| matches!(event.at, At::Block(block) if block <= found));
        if let Some(place) = by_block {
            let event = self.by_block.remove(place);
            return Some(self.begin(event.change, event.for_ms, now_ms));
        }
        let next_ms = self.next_ms().filter(|at_ms| *at_ms <= now_ms)?;
        let place = self.by_time.iter().position(|(at_ms, ..)| *at_ms == next_ms)?;
        let (_, change, for_ms) = self.by_time.remove(place);
        Some(match change {
            Some(change) => self.begin(change, for_ms, now_ms),
            None => None,
        })
    }

    fn begin(&mut self, change: Change, for_ms: Option<u64>, now_ms: u64) -> Option<Change> {
        if let Some(for_ms) = for_ms {
            self.by_time.push((now_ms.saturating_add(for_ms), change.undone(), None));
        }
        Some(change)
    }
}

/// A change in words.
pub(super) fn words(change: Option<Change>) -> String {
    match change {
        None => "the partition ends".to_owned(),
        Some(Change::Partition(_)) => "a partition begins".to_owned(),
        Some(Change::HashRate(_, factor)) => format!("hash rate is {factor} of what it was at the start"),
        Some(Change::Latency(hundredths)) => format!("messages take {hundredths} % of the time"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_begin_by_block_or_time_and_end_after_their_while() {
        let event = |at, change, for_ms| Scheduled { at, change, for_ms };
        let (slow, split) = (Change::Latency(300), Change::Partition(Group::Percent(50)));
        let mut timeline = Timeline::new(&[event(At::Ms(50), slow, None), event(At::Block(2), split, Some(100))]);
        assert_eq!((timeline.next_ms(), timeline.due(1, 49)), (Some(50), None));
        assert_eq!((timeline.due(1, 50), timeline.due(1, 60)), (Some(Some(slow)), None));
        assert_eq!((timeline.due(2, 70), timeline.next_ms()), (Some(Some(split)), Some(170)));
        assert_eq!((timeline.due(9, 169), timeline.due(9, 170), timeline.due(9, 999)), (None, Some(None), None));
    }

    #[test]
    fn a_percentage_of_the_nodes_is_that_many() {
        let count = |percent| (0..200).filter(|&node| Group::Percent(percent).contains(node, 200, 0)).count();
        assert_eq!([0, 30, 50, 100].map(count), [0, 60, 100, 200]);
    }
}
