//! Rows that a machine reads and its caller writes, in turn.

use crate::state::{StateRead, StateView, Value};
use crate::store::StoreError;
use std::cell::RefCell;

/// A state that a [`Machine`](super::Machine) holds for a whole block, while its caller writes what each message
/// changed.
///
/// # Panics
/// If a row is read inside of [`LiveRows::write`] through this handle.
pub struct LiveRows<'a>(RefCell<&'a mut dyn StateView>);

impl<'a> LiveRows<'a> {
    /// A handle to `state`.
    pub fn new(state: &'a mut dyn StateView) -> Self {
        Self(RefCell::new(state))
    }

    /// Writes to the state, while no machine runs.
    pub fn write<T>(&self, write: impl FnOnce(&mut dyn StateView) -> T) -> T {
        write(*self.0.borrow_mut())
    }
}

impl StateRead for LiveRows<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Value>, StoreError> {
        self.0.borrow().get(key)
    }

    fn keeps_history(&self) -> bool {
        self.0.borrow().keeps_history()
    }
}
