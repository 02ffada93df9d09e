//! Handlers that are no pages: JSON for the scripts of pages.

pub(crate) mod api;
pub(crate) mod film;
pub(crate) mod live;
pub(crate) mod names;
pub(crate) mod steering;
