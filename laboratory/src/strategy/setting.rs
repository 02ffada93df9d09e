//! A strategy with its parameters, as a scenario or a flag gives it.

use super::{
    DoubleSpend, Honest, Policy, PolicyMiner, PolicyTable, Selfish, Strategy, StrategyName, Stubborn, Withhold,
};
use std::sync::Arc;

/// A strategy with its parameters.
#[derive(Debug, Clone)]
pub enum StrategySetting {
    /// See [`Honest`].
    Honest,
    /// See [`Selfish`].
    Selfish,
    /// See [`Stubborn`].
    Stubborn(Stubborn),
    /// See [`DoubleSpend`].
    DoubleSpend {
        /// Confirmations that the victim waits for.
        confirmations: u32,
        /// How many blocks behind the thief gives up.
        give_up: u32,
    },
    /// See [`Withhold`].
    Withhold {
        /// Milliseconds that a block is kept; for ever without it.
        hold_ms: Option<u64>,
    },
    /// See [`PolicyTable`].
    Policy(Arc<PolicyTable>),
}

impl StrategySetting {
    /// Its name.
    pub const fn name(&self) -> StrategyName {
        match self {
            Self::Honest => StrategyName::Honest,
            Self::Selfish => StrategyName::Selfish,
            Self::Stubborn(_) => StrategyName::Stubborn,
            Self::DoubleSpend { .. } => StrategyName::DoubleSpend,
            Self::Withhold { .. } => StrategyName::Withhold,
            Self::Policy(_) => StrategyName::Policy,
        }
    }

    /// A miner at genesis that follows it.
    pub fn build(&self) -> Box<dyn Strategy + Send> {
        match self {
            Self::Honest => Box::new(PolicyMiner::new(Honest)),
            Self::Selfish => Box::new(PolicyMiner::new(Selfish)),
            Self::Stubborn(stubborn) => Box::new(PolicyMiner::new(*stubborn)),
            Self::DoubleSpend { confirmations, give_up } => Box::new(DoubleSpend::new(*confirmations, *give_up)),
            Self::Withhold { hold_ms } => Box::new(Withhold::new(*hold_ms)),
            Self::Policy(table) => Box::new(PolicyMiner::new(table.clone())),
        }
    }

    /// The policy that decides it, if lengths of branches alone do.
    pub fn policy(&self) -> Option<&dyn Policy> {
        match self {
            Self::Honest => Some(&Honest),
            Self::Selfish => Some(&Selfish),
            Self::Stubborn(stubborn) => Some(stubborn),
            Self::Policy(table) => Some(table.as_ref()),
            Self::DoubleSpend { .. } | Self::Withhold { .. } => None,
        }
    }
}
