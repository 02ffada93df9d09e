//! Handlers that are no pages: JSON for the scripts of pages.

pub(crate) mod api;
pub(crate) mod steering;
