//! A broken rule of a layer, by name: the reason for refusing blocks, transactions and signatures.

/// A rule of a layer that data breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct RuleViolation {
    /// The rule's name, stable, for programs.
    pub rule: &'static str,
    /// What was expected and what was found, for people.
    pub detail: String,
}
