//! The parts of the first page as they were rendered last, shared by all readers.

use shared::block::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::time::Instant;

/// The parts that were rendered last, by id.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fragments(pub(crate) BTreeMap<&'static str, Fragment>);

#[derive(Debug, Clone)]
pub(crate) struct Fragment {
    /// Differs whenever the part has changed.
    pub(crate) version: u64,
    /// When this version was made.
    pub(crate) made: Instant,
    /// The part without ages: what decides whether it has changed.
    pub(crate) key: String,
    pub(crate) html: Arc<str>,
    /// The server's clock when it was rendered.
    pub(crate) now: Timestamp,
}
