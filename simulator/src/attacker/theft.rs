//! One theft after another: earn the price, pay with it in public, and meanwhile mine a branch in which the money went
//! somewhere else.

use shared::block::{BlockHash, Height};
use shared::keys::KeyPair;
use shared::ledger::{Amount, Transaction, Unsigned, Uuid};
use shared::params::Params;
use std::sync::Arc;

/// The price of a bicycle, if the thief can earn as much with a few blocks.
const PRICE: u64 = 30 * Amount::GRAINS_PER_LAB;
/// More public blocks than this without the payment end an attempt.
pub(super) const PATIENCE: u64 = 20;

/// The key that the thief pays with in a round.
pub(super) fn key(round: u64) -> KeyPair {
    KeyPair::from_seed(&format!("mallory {round}"))
}

/// Where a theft is.
#[derive(Debug)]
pub(super) enum Phase {
    /// The thief mines honestly until the price is there.
    Earning,
    /// The payment is on its way to a public block.
    Paid(Payment),
    /// The payment is in a public block.
    Racing { payment: Payment, included: Height, handed_over: bool },
}

/// The payment, and what replaces it in the secret branch.
#[derive(Debug, Clone)]
pub(super) struct Payment {
    pub(super) public: Transaction,
    pub(super) secret: Arc<Transaction>,
    /// Height of the chain when it was made.
    pub(super) made_at: Height,
}

/// What the thief has, and what it does with that.
#[derive(Debug)]
pub(super) struct Theft {
    pub(super) phase: Phase,
    /// The thief uses other addresses after each theft that succeeds: the payment that is gone waits in mempools, and
    /// would be confirmed once its payer has money again.
    round: u64,
    price: u64,
    fee: u64,
}

impl Theft {
    /// `fee` is what a payment must pay at least.
    pub(super) fn new(params: &Params, fee: u64, round: u64) -> Self {
        let usual = params.reward.max(params.new_address_balance);
        Self { phase: Phase::Earning, round, price: PRICE.min(usual.saturating_mul(2)).max(1), fee }
    }

    /// The key that the thief pays with in this round.
    pub(super) fn payer(&self) -> KeyPair {
        key(self.round)
    }

    /// The key that gets the money in the secret branch, and the reward of secret blocks: the payer of the next round.
    pub(super) fn pocket(&self) -> KeyPair {
        key(self.round + 1)
    }

    /// What the thief needs before it pays.
    pub(super) const fn needed(&self) -> u64 {
        self.price.saturating_add(self.fee)
    }

    /// The payment to `victim`, for a thief who has `balance`, and the one that replaces it: of everything, so that no
    /// money is left for the first.
    pub(super) fn pay(
        &self,
        victim: shared::ledger::Address,
        balance: u64,
        uuids: [[u8; 16]; 2],
        network: BlockHash,
        made_at: Height,
    ) -> Option<Payment> {
        let (payer, pocket) = (self.payer(), self.pocket());
        let fee = Amount::new(self.fee)?;
        let transaction = |uuid, to, amount, msg: &str| {
            let unsigned = Unsigned { uuid: Uuid(uuid), from: payer.address(), to, amount, fee, msg: msg.to_owned() };
            payer.sign_transaction(unsigned, network)
        };
        let public = transaction(uuids[0], victim, Amount::new(self.price)?, "for a bicycle");
        let all = Amount::new(balance.checked_sub(self.fee)?)?;
        let secret = Arc::new(transaction(uuids[1], pocket.address(), all, ""));
        Some(Payment { public, secret, made_at })
    }

    /// The attempt is over; `moves_on`: other addresses from now on.
    pub(super) fn begin_again(&mut self, moves_on: bool) {
        self.round += u64::from(moves_on);
        self.phase = Phase::Earning;
    }

    pub(super) const fn round(&self) -> u64 {
        self.round
    }
}
