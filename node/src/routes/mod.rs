//! The handlers, by what they are about.

pub(crate) mod chain;
pub(crate) mod events;
pub(crate) mod exchange;
pub(crate) mod steering;
pub(crate) mod work;
