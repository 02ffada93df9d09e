//! Open offers of `GET /work` for outside miners: a bounded list that drops its oldest entries.

use shared::block::{Block, BlockHash, HeaderFields, Seal};
use shared::wire::{WorkOffer, WorkSolution};
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

const CAPACITY: usize = 256;
/// Most bytes of data in all offers together; the newest offer is kept whatever its length.
const MAX_BYTES: usize = 64 << 20;

/// Why a solution makes no block.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SolutionError {
    /// Never offered, dropped, or on a block that is not the tip any more.
    #[error("this work is not on offer, or not any more; GET /work for new work")]
    Unknown,
    #[error("hash {0} is above the target")]
    TargetMissed(BlockHash),
}

/// Open offers by seal.
#[derive(Default)]
pub(crate) struct WorkOffers(Mutex<OpenOffers>);

#[derive(Default)]
struct OpenOffers {
    by_seal: HashMap<Seal, (HeaderFields, String)>,
    order: VecDeque<Seal>,
    bytes: usize,
}

impl WorkOffers {
    pub(crate) fn offer(&self, fields: HeaderFields, data: String) -> WorkOffer {
        let seal = fields.seal();
        let mut open = self.open();
        let bytes = data.len();
        // The same seal means the same data.
        if open.by_seal.insert(seal, (fields, data)).is_none() {
            open.order.push_back(seal);
            open.bytes += bytes;
        }
        while open.order.len() > CAPACITY || (open.bytes > MAX_BYTES && open.order.len() > 1) {
            let Some(oldest) = open.order.pop_front() else { break };
            open.bytes -= open.by_seal.remove(&oldest).map_or(0, |(_, data)| data.len());
        }
        let HeaderFields { index, difficulty, .. } = fields;
        WorkOffer { seal, target: difficulty.target(), difficulty, index }
    }

    /// The block of a solution, if its work was offered on `tip`.
    pub(crate) fn solve(&self, solution: &WorkSolution, tip: BlockHash) -> Result<Block, SolutionError> {
        let open = self.open();
        let (fields, data) = open.by_seal.get(&solution.seal).ok_or(SolutionError::Unknown)?;
        if fields.prev_hash != tip {
            return Err(SolutionError::Unknown);
        }
        let hash = solution.seal.block_hash(solution.nonce);
        if !fields.difficulty.target().is_met_by(&hash) {
            return Err(SolutionError::TargetMissed(hash));
        }
        Ok(Block::new(*fields, solution.nonce, data.clone()))
    }

    fn open(&self) -> MutexGuard<'_, OpenOffers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::block::{DataHash, Height, Nonce, Timestamp};
    use shared::work::Difficulty;

    fn fields(ms: u64, difficulty: u64) -> HeaderFields {
        HeaderFields {
            index: Height(1),
            prev_hash: BlockHash::ZERO,
            timestamp: Timestamp::from_ms(ms),
            difficulty: Difficulty::new(difficulty).unwrap(),
            data_hash: DataHash::of("data"),
        }
    }

    #[test]
    fn only_a_solution_of_offered_work_makes_a_block() {
        let offers = WorkOffers::default();
        let easy = offers.offer(fields(1, 1), "data".to_owned());
        let block = offers.solve(&WorkSolution { seal: easy.seal, nonce: Nonce(7) }, BlockHash::ZERO).unwrap();
        assert_eq!((block.data(), block.header().nonce()), ("data", Nonce(7)));

        let hard = offers.offer(fields(1, 1 << 50), "data".to_owned());
        let missed = offers.solve(&WorkSolution { seal: hard.seal, nonce: Nonce(7) }, BlockHash::ZERO);
        assert!(matches!(missed, Err(SolutionError::TargetMissed(_))), "{missed:?}");

        let unknown = WorkSolution { seal: Seal::of("never offered"), nonce: Nonce(7) };
        assert_eq!(offers.solve(&unknown, BlockHash::ZERO), Err(SolutionError::Unknown));
        let stale = WorkSolution { seal: easy.seal, nonce: Nonce(7) };
        assert_eq!(offers.solve(&stale, BlockHash::of("another tip")), Err(SolutionError::Unknown));
    }

    #[test]
    fn the_oldest_offers_are_dropped() {
        let offers = WorkOffers::default();
        let first = offers.offer(fields(0, 1), String::new());
        for ms in 1..=CAPACITY as u64 {
            offers.offer(fields(ms, 1), String::new());
        }
        let solution = WorkSolution { seal: first.seal, nonce: Nonce(0) };
        assert_eq!(offers.solve(&solution, BlockHash::ZERO), Err(SolutionError::Unknown));
        assert_eq!(offers.open().by_seal.len(), CAPACITY);
    }

    /// The number of offers, and their bytes.
    fn kept(offers: &WorkOffers) -> (usize, usize) {
        let open = offers.open();
        (open.by_seal.len(), open.bytes)
    }

    #[test]
    fn fewer_long_offers_are_kept_but_always_the_newest() {
        let offers = WorkOffers::default();
        for ms in 0..6 {
            offers.offer(fields(ms, 1), "x".repeat(MAX_BYTES / 4));
        }
        assert_eq!(kept(&offers), (4, MAX_BYTES));
        let last = offers.offer(fields(9, 1), "x".repeat(MAX_BYTES + 1));
        assert_eq!(kept(&offers), (1, MAX_BYTES + 1));
        assert!(offers.solve(&WorkSolution { seal: last.seal, nonce: Nonce(0) }, BlockHash::ZERO).is_ok());
    }
}
