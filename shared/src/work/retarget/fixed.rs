//! `fixed`: always the initial difficulty (docs/protocol.md §5). For lessons about what happens without retargeting.

use super::{Ancestor, Retarget};
use crate::block::Height;
use crate::params::Params;
use crate::work::Difficulty;

pub(super) struct Fixed {
    initial: Difficulty,
}

impl Fixed {
    pub(super) fn new(params: &Params) -> Self {
        Self { initial: params.initial_difficulty }
    }
}

impl Retarget for Fixed {
    fn reach(&self) -> usize {
        1
    }

    fn next(&self, _: Height, _: &[Ancestor]) -> Difficulty {
        self.initial
    }
}
