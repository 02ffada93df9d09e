//! Blocks on their way: which nodes have requested a block, and which have it. A block's memory is reused once no
//! message about it is on its way.

use crate::tree::BlockId;

/// A block on its way, by its place.
pub(super) type FlightId = u32;

/// Later than any time: nobody has asked.
const NEVER: u32 = u32::MAX;
/// Bytes of one flight for each node.
const BYTES_PER_NODE: usize = 6;
/// The most bytes that flights take together, and the most flights: an event has 21 bits for one.
const MOST_BYTES: usize = 128 << 20;
const MOST_FLIGHTS: usize = 1 << 20;

/// One block on its way.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) block: BlockId,
    pub(super) published_ms: u64,
    /// Events that name it.
    pub(super) events: u32,
    /// Whether the block had been on its way before.
    pub(super) is_repeated: bool,
    /// By node: when the first announcement arrives, in milliseconds from publication.
    heard_at: Vec<u32>,
    /// By node: whether it has asked, whether it has the block.
    asked: Vec<bool>,
    has: Vec<bool>,
}

impl Flight {
    /// Whether an announcement at `at_ms` would be the first to arrive.
    #[inline]
    pub(super) fn would_be_first(&self, node: u32, at_ms: u64) -> bool {
        at_ms - self.published_ms < u64::from(self.heard_at[node as usize])
    }

    /// Notes when the first announcement arrives.
    #[inline]
    pub(super) fn hears(&mut self, node: u32, at_ms: u64) {
        self.heard_at[node as usize] = u32::try_from(at_ms - self.published_ms).unwrap_or(NEVER - 1);
    }

    /// Notes that the node asks; returns whether it does so for the first time.
    #[inline]
    pub(super) fn asks(&mut self, node: u32) -> bool {
        !std::mem::replace(&mut self.asked[node as usize], true)
    }

    /// Notes that the node has the block; returns whether it is new to it.
    #[inline]
    pub(super) fn gets(&mut self, node: u32) -> bool {
        self.heard_at[node as usize] = 0;
        self.asked[node as usize] = true;
        !std::mem::replace(&mut self.has[node as usize], true)
    }

    /// Whether the node has the block.
    #[inline]
    pub(super) fn is_at(&self, node: u32) -> bool {
        self.has[node as usize]
    }
}

/// All blocks on their way.
#[derive(Debug)]
pub(super) struct Flights {
    nodes: usize,
    flights: Vec<Flight>,
    free: Vec<FlightId>,
}

impl Flights {
    pub(super) const fn new(nodes: usize) -> Self {
        Self { nodes, flights: Vec::new(), free: Vec::new() }
    }

    /// Starts one; `None` where as many blocks are on their way as there is room for.
    pub(super) fn start(&mut self, block: BlockId, published_ms: u64) -> Option<FlightId> {
        if let Some(id) = self.free.pop() {
            let flight = &mut self.flights[id as usize];
            (flight.block, flight.published_ms, flight.events) = (block, published_ms, 0);
            flight.is_repeated = false;
            flight.heard_at.fill(NEVER);
            flight.asked.fill(false);
            flight.has.fill(false);
            return Some(id);
        }
        let most = (MOST_BYTES / (self.nodes * BYTES_PER_NODE).max(1)).min(MOST_FLIGHTS);
        if self.flights.len() >= most {
            return None;
        }
        self.flights.push(Flight {
            block,
            published_ms,
            events: 0,
            is_repeated: false,
            heard_at: vec![NEVER; self.nodes],
            asked: vec![false; self.nodes],
            has: vec![false; self.nodes],
        });
        Some(self.flights.len() as FlightId - 1)
    }

    pub(super) fn peek(&self, id: FlightId) -> &Flight {
        &self.flights[id as usize]
    }

    pub(super) fn get(&mut self, id: FlightId) -> &mut Flight {
        &mut self.flights[id as usize]
    }

    /// Ends it if no event names it any more.
    pub(super) fn end_if_over(&mut self, id: FlightId) {
        if self.flights[id as usize].events == 0 {
            self.free.push(id);
        }
    }
}
