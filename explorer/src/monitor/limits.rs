//! Bounds on what services send.

use shared::params::Params;

/// Bound on the JSON of one block: JSON may write a byte as six characters, and a block has other fields too
/// (docs/protocol.md §8).
pub(crate) fn max_block_bytes(params: &Params) -> usize {
    usize::try_from(params.max_data_bytes).unwrap_or(usize::MAX).saturating_mul(6).saturating_add(4096)
}
