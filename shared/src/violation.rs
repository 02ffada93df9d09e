//! A broken rule of a layer, by name: what blocks, transactions and signatures are refused with.

/// A rule of a layer that some data breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct RuleViolation {
    /// The rule's name, stable, for programs.
    pub rule: &'static str,
    /// What was expected and what was found, for people.
    pub detail: String,
}
