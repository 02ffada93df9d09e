//! Thefts that somebody starts on the first page. The explorer steals nothing: the program that runs it carries them
//! out with a client of its own, and reports what happens. Without such a program there is no button.

use laboratory::exact::{safe_confirmations, theft_bounded};
use runtime::server;
use serde::Deserialize;
use shared::ledger::{Address, Amount};
use shared::wire::Problem;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// The thief's shares of all hash rate that the page offers, in per cent.
pub(crate) const PERCENTS: [u32; 4] = [10, 30, 45, 60];
/// The confirmations that the page lets the victim wait for.
pub(crate) const CONFIRMATIONS: [u32; 5] = [1, 2, 4, 6, 20];
/// How many blocks behind the thief gives up, once the payment has its confirmations: people are watching.
pub const GIVE_UP: u32 = 10;
/// Names that may wait to be written into the name book.
const NAMES: usize = 16;

/// What somebody chose before a theft.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TheftChoice {
    /// The thief's share of all hash rate, in per cent.
    #[schema(minimum = 1, maximum = 80)]
    pub percent: u32,
    /// The confirmations that the victim waits for.
    #[schema(minimum = 1, maximum = 100)]
    pub confirmations: u32,
}

impl TheftChoice {
    /// Whether it is within its bounds.
    pub(crate) const fn check(self) -> Result<Self, &'static str> {
        match (self.percent, self.confirmations) {
            (1..=80, 1..=100) => Ok(self),
            (1..=80, _) => Err("confirmations: expected 1 to 100"),
            _ => Err("percent: expected 1 to 80"),
        }
    }

    /// The thief's share of all hash rate.
    pub fn share(self) -> f64 {
        f64::from(self.percent) / 100.0
    }

    /// The exact chance that it succeeds, at a fixed difficulty.
    pub fn chance(self) -> f64 {
        theft_bounded(self.share(), self.confirmations, 0, GIVE_UP)
    }

    /// The fewest confirmations that make the chance less than 1 %, also for a thief who never gives up; `None` where
    /// no number does.
    pub fn enough(self) -> Option<u32> {
        safe_confirmations(self.share())
    }
}

/// Where a theft is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TheftStep {
    /// The thief mines honestly until the price is there.
    Earning,
    /// The thief has paid, and the victim waits.
    Paid {
        /// The price.
        amount: Amount,
    },
    /// The lengths of both branches since the payment.
    Race {
        /// Blocks of the thief's branch.
        secret: u64,
        /// Blocks of everybody else's.
        public: u64,
        /// Whether the victim has handed over what was paid for.
        handed_over: bool,
    },
    /// The payment is gone.
    Stole {
        /// The price.
        amount: Amount,
    },
    /// The thief is too far behind.
    GaveUp {
        /// Blocks of the thief's branch.
        secret: u64,
        /// Blocks of everybody else's.
        public: u64,
    },
    /// The theft could not go on.
    Failed {
        /// Why.
        reason: String,
    },
}

impl TheftStep {
    /// Whether the theft is over.
    pub const fn is_over(&self) -> bool {
        matches!(self, Self::Stole { .. } | Self::GaveUp { .. } | Self::Failed { .. })
    }
}

/// The theft that was started last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theft {
    /// What was chosen.
    pub choice: TheftChoice,
    /// Where it is.
    pub step: TheftStep,
}

/// Thefts at one moment, for pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TheftNews {
    pub(crate) attacker: Arc<str>,
    pub(crate) victim: Arc<str>,
    /// The last theft; `None` before the first one.
    pub(crate) last: Option<Theft>,
}

/// Starts thefts, one at a time, and knows how the last one stands. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Thefts {
    attacker: Arc<str>,
    victim: Arc<str>,
    last: watch::Sender<Option<Theft>>,
    orders: mpsc::Sender<TheftChoice>,
    names: mpsc::Sender<(Address, String)>,
}

/// The other ends of [`Thefts`].
#[derive(Debug)]
pub struct TheftOrders {
    /// The thefts to carry out.
    pub choices: mpsc::Receiver<TheftChoice>,
    /// New names, for the explorer's name book.
    pub names: mpsc::Receiver<(Address, String)>,
}

impl Thefts {
    /// Thefts of `attacker` from `victim`.
    pub fn new(attacker: &str, victim: &str) -> (Self, TheftOrders) {
        let (orders, choices) = mpsc::channel(1);
        let (names, new_names) = mpsc::channel(NAMES);
        let thefts =
            Self { attacker: attacker.into(), victim: victim.into(), last: watch::channel(None).0, orders, names };
        (thefts, TheftOrders { choices, names: new_names })
    }

    /// Notes how the theft that goes on stands.
    pub fn report(&self, step: TheftStep) {
        self.last.send_if_modified(|last| match last {
            Some(theft) if theft.step != step => {
                theft.step = step;
                true
            }
            _ => false,
        });
    }

    /// Gives an address of the thief a name on pages.
    pub fn name(&self, address: Address, name: String) {
        // Without room it stays an address.
        let _ = self.names.try_send((address, name));
    }

    pub(crate) fn news(&self) -> TheftNews {
        let last = self.last.borrow().clone();
        TheftNews { attacker: self.attacker.clone(), victim: self.victim.clone(), last }
    }

    /// Starts a theft.
    ///
    /// # Errors
    /// 409 while another one goes on, 503 if nobody carries thefts out any more.
    pub(crate) fn start(&self, choice: TheftChoice) -> Result<(), Problem> {
        let is_first = self.last.send_if_modified(|last| {
            let is_free = last.as_ref().is_none_or(|theft| theft.step.is_over());
            if is_free {
                *last = Some(Theft { choice, step: TheftStep::Earning });
            }
            is_free
        });
        if !is_first {
            return Err(server::conflict("a theft goes on already; wait for its end"));
        }
        self.orders.try_send(choice).map_err(|_| {
            let reason = "the simulator has stopped";
            self.report(TheftStep::Failed { reason: reason.to_owned() });
            server::unavailable(reason)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHOICE: TheftChoice = TheftChoice { percent: 30, confirmations: 2 };

    #[test]
    fn there_is_one_theft_at_a_time_and_another_one_after_its_end() {
        let (thefts, mut orders) = Thefts::new("Mallory", "Ben");
        thefts.report(TheftStep::Earning);
        assert_eq!(thefts.news().last, None, "nothing was started");
        thefts.start(CHOICE).unwrap();
        assert_eq!(orders.choices.try_recv(), Ok(CHOICE));
        assert_eq!(thefts.start(CHOICE).unwrap_err().status, 409);
        thefts.report(TheftStep::GaveUp { secret: 0, public: 10 });
        thefts.start(CHOICE).unwrap();
        thefts.report(TheftStep::Failed { reason: "no".to_owned() });
        drop(orders);
        assert_eq!(thefts.start(CHOICE).unwrap_err().status, 503);
        assert!(thefts.news().last.unwrap().step.is_over(), "a later one may start");
    }

    #[test]
    fn chances_are_those_of_the_exact_table() {
        let chance = |percent, confirmations| TheftChoice { percent, confirmations }.chance();
        assert!((chance(30, 2) - theft_bounded(0.3, 2, 0, 10)).abs() < 1e-15);
        assert!(chance(60, 2) > 0.98 && chance(10, 20) < 1e-9, "{} {}", chance(60, 2), chance(10, 20));
        let enough = CHOICE.enough().unwrap();
        assert!(theft_bounded(0.3, enough, 0, u32::MAX) < 0.01 && theft_bounded(0.3, enough - 1, 0, u32::MAX) >= 0.01);
        assert_eq!(TheftChoice { percent: 60, ..CHOICE }.enough(), None);
        assert!(TheftChoice { percent: 81, ..CHOICE }.check().is_err());
        assert!(TheftChoice { confirmations: 0, ..CHOICE }.check().is_err());
    }
}
