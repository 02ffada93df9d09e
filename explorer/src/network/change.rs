//! Which parts of the network's state have changed, so that pages fetch only these.

/// A part of the state. Its name is that of the server-sent event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Change {
    /// The services, and how each of them is.
    Nodes,
    /// The blocks, or which of them are on the best chain.
    Blocks,
    /// The pending transactions.
    Pool,
    News,
}

impl Change {
    pub(crate) const ALL: [Self; 4] = [Self::Nodes, Self::Blocks, Self::Pool, Self::News];

    /// Its name in `/live` and in `data-live`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Nodes => "nodes",
            Self::Blocks => "blocks",
            Self::Pool => "pool",
            Self::News => "ticker",
        }
    }
}

/// How often each part of the state has changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Versions([u64; Change::ALL.len()]);

impl Versions {
    pub(crate) fn mark(&mut self, change: Change) {
        self.0[change as usize] += 1;
    }

    pub(crate) fn changed_since(&self, earlier: &Self) -> Vec<Change> {
        Change::ALL.into_iter().filter(|change| self.0[*change as usize] != earlier.0[*change as usize]).collect()
    }
}
