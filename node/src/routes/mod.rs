//! The handlers, by subject.

pub(crate) mod chain;
pub(crate) mod exchange;
pub(crate) mod steering;
pub(crate) mod work;
