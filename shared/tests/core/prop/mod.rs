//! Properties, searched for counterexamples with proptest.

mod histories;
mod journal;
mod json;
mod paces;
mod trees;
