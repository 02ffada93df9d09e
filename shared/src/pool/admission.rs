//! Which transactions the pool admits, and what must leave for them.

use super::pending::saturated;
use super::{AdmissionError, Evicted, EvictionReason, Holds, Pending, Pool};
use crate::ledger::{Address, Amount, Holding, Part, TransactionId};
use std::collections::BTreeSet;

impl Pool {
    /// Whether [`Pool::admit`] would admit it: to know before its signature is verified, which costs more.
    ///
    /// # Errors
    /// The first rule that refuses it.
    pub fn check(&self, newcomer: &Pending, holds: impl Holds) -> Result<(), AdmissionError> {
        self.check_newcomer(newcomer, &holds).map(drop)
    }

    /// Admits a transaction; `holds` says what the holdings hold on the chain. Returns what was evicted for it.
    ///
    /// # Errors
    /// The first rule that refuses it; then nothing has changed.
    pub fn admit(&mut self, newcomer: Pending, holds: impl Holds) -> Result<Vec<Evicted>, AdmissionError> {
        let (rivals, outbid) = self.check_newcomer(&newcomer, &holds)?;
        let newcomer = self.numbered(newcomer);
        let mut evicted = Vec::new();
        for (coin, rival) in rivals {
            evicted.extend(self.evict(vec![rival], EvictionReason::Replaced { by: newcomer.id(), coin }));
        }
        evicted.extend(self.evict(outbid, EvictionReason::Outbid));
        self.insert(newcomer);
        Ok(evicted)
    }

    /// All rules, the cheapest first; returns the rivals that it replaces, and what must be evicted to make room.
    fn check_newcomer(
        &self,
        newcomer: &Pending,
        holds: &dyn Holds,
    ) -> Result<(Vec<super::replacement::Rival>, Vec<Pending>), AdmissionError> {
        let (fee, limits) = (newcomer.transaction.fee(), &self.limits);
        self.check_unknown(newcomer)?;
        if fee < limits.min_fee {
            return Err(AdmissionError::BelowMinFee { fee, least: limits.min_fee });
        }
        self.check_dust(newcomer)?;
        let rivals = self.rivals(newcomer)?;
        let replaced: Vec<&Pending> = rivals.iter().map(|(_, rival)| rival).collect();
        self.check_senders(newcomer, &replaced)?;
        let outbid = self.check_fit(newcomer, holds, &replaced)?;
        Ok((rivals, outbid))
    }

    /// Whether each sender may have one more pending transaction; what it replaces does not count.
    fn check_senders(&self, newcomer: &Pending, replaced: &[&Pending]) -> Result<(), AdmissionError> {
        let limit = self.limits.max_per_sender;
        let is_of = |pending: &Pending, sender| pending.takes().iter().any(|part| part.address == sender);
        let is_busy = |sender: &Address| {
            let count = self.accounts.get(sender).map_or(0, |account| account.outgoing);
            count >= limit && count >= limit + replaced.iter().filter(|pending| is_of(pending, *sender)).count()
        };
        match newcomer.takes().iter().map(|part| part.address).find(is_busy) {
            Some(sender) => Err(AdmissionError::TooManyOfSender { sender, limit }),
            None => Ok(()),
        }
    }

    /// The rules for newcomers and returning transactions; returns what must be evicted beside `replaced`.
    pub(super) fn check_fit(
        &self,
        newcomer: &Pending,
        holds: &dyn Holds,
        replaced: &[&Pending],
    ) -> Result<Vec<Pending>, AdmissionError> {
        let limit = self.limits.max_transaction_bytes.min(self.limits.max_bytes);
        if newcomer.bytes > limit {
            return Err(AdmissionError::TooLarge { bytes: newcomer.bytes, limit });
        }
        // What would be evicted counts, too: a sender cannot make room in its balance by outbidding itself.
        let is_replacement = !replaced.is_empty();
        newcomer.takes().iter().try_for_each(|part| self.check_cover(part, holds, is_replacement))?;
        self.outbid_by(newcomer, replaced)
    }

    /// Whether a holding covers what pending transactions take from it and `part`. A coin that a replacement takes is
    /// taken by nothing else, since all its rivals leave.
    fn check_cover(&self, part: &Part, holds: &dyn Holds, is_replacement: bool) -> Result<(), AdmissionError> {
        let is_free = is_replacement && matches!(part.holding, Holding::Coin(_));
        let pending = if is_free { 0 } else { self.holdings.taken(&part.holding) };
        let balance = holds.amount_in(&part.holding);
        if pending + u128::from(part.amount.grains()) <= u128::from(balance.grains()) {
            return Ok(());
        }
        Err(match (part.holding, self.first_taker(&part.holding).filter(|_| !is_free)) {
            (Holding::Account(sender), _) => {
                AdmissionError::Overspend { sender, balance, pending: saturated(pending), cost: part.amount }
            }
            (Holding::Coin(coin), Some(taker)) => {
                AdmissionError::Conflict { coin, pending: taker.id(), others: Vec::new() }
            }
            (Holding::Coin(coin), None) => AdmissionError::NoCoin { coin },
        })
    }

    pub(super) fn check_unknown(&self, newcomer: &Pending) -> Result<(), AdmissionError> {
        if self.get(&newcomer.id()).is_some() { Err(AdmissionError::Known(newcomer.id())) } else { Ok(()) }
    }

    /// The cheapest transactions that must be evicted to make room; each pays less per byte than the newcomer.
    fn outbid_by(&self, newcomer: &Pending, replaced: &[&Pending]) -> Result<Vec<Pending>, AdmissionError> {
        let leaving: BTreeSet<TransactionId> = replaced.iter().map(|pending| pending.id()).collect();
        let freed: usize = replaced.iter().map(|pending| pending.bytes).sum();
        let (mut count, mut bytes) = (self.len() + 1 - leaving.len(), self.bytes + newcomer.bytes - freed);
        let mut outbid = Vec::new();
        let mut cheapest_first = self.by_fee.values().rev().filter(|pending| !leaving.contains(&pending.id()));
        while count > self.limits.max_count || bytes > self.limits.max_bytes {
            let Some(cheapest) = cheapest_first.next() else { break };
            count -= 1;
            bytes -= cheapest.bytes;
            outbid.push(cheapest.clone());
        }
        let full = |least| AdmissionError::Full { bytes: newcomer.weight, fee: newcomer.transaction.fee(), least };
        if count > self.limits.max_count {
            return Err(full(Amount::MAX));
        }
        match outbid.last().map(Pending::fee_rate) {
            Some(dearest) if newcomer.fee_rate() <= dearest => Err(full(dearest.fee_above(newcomer.weight))),
            _ => Ok(outbid),
        }
    }
}
