//! Callers that wait, and rows that a failing disk leaves to write, are bounded.

use crate::coins_replacement::LIMITS;
use crate::pool_oracle::{grains, payment};
use shared::block::{BlockHash, BlockId, Height};
use shared::ledger::Amount;
use shared::pool::{MAX_UNWRITTEN, MAX_WAITERS, Pending, StageError, Staged};

fn empty() -> Staged<usize> {
    let genesis = BlockId { index: Height(0), hash: BlockHash::from_bytes([0; 32]) };
    Staged::load::<Amount>(LIMITS, genesis, [])
}

/// A payment of one grain for each number, all of one sender.
fn pending(number: usize) -> Pending {
    Pending::new(payment(number as u32, 0, 1, (1, 0), ""), 0)
}

#[test]
fn the_number_of_waiting_callers_is_bounded() {
    let (mut staged, balance) = (empty(), grains(60));
    let id = pending(0).id();
    staged.admit(pending(0), balance, 0).unwrap();
    for waiter in 1..MAX_WAITERS {
        assert_eq!(staged.wait_for(&id, waiter), Ok(true));
    }
    assert_eq!(staged.wait_for(&id, 0), Err(StageError::Busy));
    assert_eq!(staged.admit(pending(1), balance, 0), Err(StageError::Busy));
    staged.next_batch().unwrap();
    assert_eq!(staged.committed().replies.len(), MAX_WAITERS);
    assert_eq!(staged.wait_for(&id, 0), Ok(false), "it is on disk");
    assert_eq!(staged.admit(pending(1), balance, 0), Ok(()));
}

#[test]
fn a_disk_that_fails_for_long_leaves_a_bounded_number_of_rows() {
    const ROUND: usize = 512;
    let (mut staged, balance) = (empty(), grains(ROUND as u64));
    for first in (0..MAX_UNWRITTEN).step_by(ROUND) {
        for number in first..first + ROUND {
            assert_eq!(staged.admit(pending(number), balance, 0), Ok(()));
        }
        drop(staged.next_batch().unwrap());
        let _ = staged.failed(|_| Some(balance));
    }
    assert_eq!(staged.admit(pending(MAX_UNWRITTEN), balance, 0), Err(StageError::Busy));
    staged.next_batch().unwrap();
    let _ = staged.committed();
    assert_eq!(staged.admit(pending(MAX_UNWRITTEN), balance, 0), Ok(()), "the disk has room again");
}
