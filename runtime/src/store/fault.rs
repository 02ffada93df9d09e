//! What keeps a store from keeping more: noted at each failure, gone with the next success, and logged at each change
//! only.

use shared::store::StoreError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Debug, Default)]
pub(super) struct Fault {
    reason: Mutex<Option<Reason>>,
    /// From the first opening until damage is logged; before, the program ends with the error.
    logs_damage: AtomicBool,
}

#[derive(Debug)]
struct Reason {
    text: String,
    /// The file is not in its place; that ends when it is back, without a commit.
    is_place: bool,
}

impl Fault {
    pub(super) fn text(&self) -> Option<String> {
        self.lock().as_ref().map(|reason| reason.text.clone())
    }

    /// Why nothing can be stored, if the file is not in its place.
    pub(super) fn place(&self) -> Option<String> {
        self.lock().as_ref().filter(|reason| reason.is_place).map(|reason| reason.text.clone())
    }

    pub(super) fn set(&self, error: &StoreError, is_place: bool) {
        let text = match error {
            StoreError::Failed(text) | StoreError::Damaged(text) => text.clone(),
            error => error.to_string(),
        };
        let before = self.lock().replace(Reason { text: text.clone(), is_place });
        let reason = text;
        if before.is_none() {
            tracing::error!(reason, "nothing can be stored");
        }
    }

    /// The store is open.
    pub(super) fn opened(&self) {
        self.logs_damage.store(true, Ordering::Relaxed);
    }

    /// Logs that the file is damaged; once, since whatever reads it fails then.
    pub(super) fn log_damage(&self, error: &StoreError) {
        if self.logs_damage.swap(false, Ordering::Relaxed) {
            tracing::error!("{error}");
        }
    }

    /// A commit succeeded.
    pub(super) fn clear(&self) {
        if self.lock().take().is_some() {
            tracing::info!("can store again");
        }
    }

    /// The file is in its place.
    pub(super) fn clear_place(&self) {
        if self.lock().take_if(|reason| reason.is_place).is_some() {
            tracing::info!("can store again");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Reason>> {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
