//! What the tasks of the monitor share: the client, and the state that they change.

use crate::network::{NetworkState, Reducer};
use runtime::client::Client;
use runtime::clock::Clock;
use shared::block::{BlockHash, Timestamp};
use shared::params::Params;
use std::sync::{Mutex, PoisonError};
use tokio::sync::Notify;

#[derive(Debug)]
pub(super) struct Context {
    pub(super) client: Client,
    pub(super) network: BlockHash,
    pub(super) params: Params,
    /// Bound on the JSON of one block.
    pub(super) max_block_bytes: usize,
    pub(super) clock: Clock,
    pub(super) reducer: Mutex<Reducer>,
    /// Notified after each change of the state.
    pub(super) written: Notify,
}

impl Context {
    /// Changes the state.
    pub(super) fn write<T>(&self, write: impl FnOnce(&mut Reducer, Timestamp) -> T) -> T {
        // A panic in another task may leave a change half done, which is good enough to be shown.
        let mut reducer = self.reducer.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = write(&mut reducer, self.clock.time());
        self.written.notify_one();
        answer
    }

    /// Reads what the state was made from.
    pub(super) fn read_reducer<T>(&self, read: impl FnOnce(&Reducer) -> T) -> T {
        read(&self.reducer.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the newest state, even if it is not published yet.
    pub(super) fn read<T>(&self, read: impl FnOnce(&NetworkState) -> T) -> T {
        self.read_reducer(|reducer| read(reducer.state()))
    }
}
