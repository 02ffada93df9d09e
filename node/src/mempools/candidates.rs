//! The candidates of all mempools, and which of them are offered to the layer for the next block.
//!
//! A mempool may list transactions with high fees that their holdings do not cover, or that spend coins of others.
//! These are dropped before the choice, so that they displace no others. The layer checks the rest.

use shared::block::Height;
use shared::layer::transaction::locate_transaction;
use shared::layer::{EffectError, amount_in, check_on_state};
use shared::ledger::{Amount, Holding, Transaction, TransactionId};
use shared::params::Params;
use shared::pool::{Pending, Room, select_transactions};
use shared::state::StateRead;
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Most transactions of each order that are considered, an equal share of each mempool's; the verifier's cache holds
/// all of them.
const MAX_CONSIDERED: usize = 25_000;

/// Transactions for the next block; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Candidates(Arc<[PendingLists]>);

/// The two lists of one mempool.
#[derive(Debug, Clone)]
pub(super) struct PendingLists {
    /// Highest fee first, as the mempool claims.
    pub(super) by_fee: Arc<[Pending]>,
    /// Oldest first, as the mempool claims.
    pub(super) by_age: Arc<[Pending]>,
}

impl PendingLists {
    pub(super) fn is_empty(&self) -> bool {
        self.by_fee.is_empty() && self.by_age.is_empty()
    }
}

impl FromIterator<PendingLists> for Candidates {
    fn from_iter<I: IntoIterator<Item = PendingLists>>(lists: I) -> Self {
        Self(lists.into_iter().filter(|lists| !lists.is_empty()).collect())
    }
}

impl Candidates {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether both are the same set, unchanged since it was published.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The transactions of the block at height `next` on `state`, the preferred first, followed by substitutes in case
    /// the layer finds some of them invalid.
    pub(crate) fn choose(
        &self,
        state: &dyn StateRead,
        params: &Params,
        next: Height,
        room: Room,
    ) -> Result<Vec<Arc<Transaction>>, EffectError> {
        let by_age = affordable(merged(self.0.iter().map(|lists| &*lists.by_age)), state, params, next)?;
        let mut by_fee = merged(self.0.iter().map(|lists| &*lists.by_fee));
        by_fee.sort_by_key(|pending| Reverse(pending.fee_rate()));
        let by_fee = affordable(by_fee, state, params, next)?;
        let mut chosen = select_transactions(by_fee.iter().copied(), by_age, room);
        let ids: HashSet<TransactionId> = chosen.iter().map(|pending| pending.id()).collect();
        chosen.extend(by_fee.into_iter().filter(|pending| !ids.contains(&pending.id())));
        Ok(chosen.into_iter().map(|pending| pending.transaction.clone()).collect())
    }
}

/// Each transaction once: the first of every list, then the second of every list, and so on.
fn merged<'a>(lists: impl Iterator<Item = &'a [Pending]>) -> Vec<&'a Pending> {
    let lists: Vec<_> = lists.collect();
    let longest = lists.iter().map(|list| list.len()).max().unwrap_or(0);
    let ranks = (0..longest).flat_map(|rank| lists.iter().filter_map(move |list| list.get(rank)));
    let mut seen = HashSet::new();
    ranks.filter(|pending| seen.insert(pending.id())).take(MAX_CONSIDERED).collect()
}

/// The candidates that are not in the chain, and that their holdings cover after the preceding ones.
fn affordable<'a>(
    candidates: Vec<&'a Pending>,
    state: &dyn StateRead,
    params: &Params,
    next: Height,
) -> Result<Vec<&'a Pending>, EffectError> {
    let mut left: HashMap<Holding, Amount> = HashMap::new();
    let mut kept = Vec::new();
    for pending in candidates {
        // The sender of a payment signs it; whether a coin belongs to its signer, only the state says.
        if params.layer.has_coins() {
            match check_on_state(state, params, next, &pending.transaction) {
                Err(EffectError::Invalid(_)) => continue,
                checked => checked?,
            }
        }
        let mut after = Vec::new();
        for part in pending.takes() {
            let has = match left.get(&part.holding) {
                Some(has) => *has,
                None => amount_in(state, params, &part.holding)?,
            };
            // Remembered also if it is too little, so that it is read once.
            left.insert(part.holding, has);
            after.extend(has.checked_sub(part.amount).map(|rest| (part.holding, rest)));
        }
        if after.len() < pending.takes().len() || locate_transaction(state, &pending.id())?.is_some() {
            continue;
        }
        left.extend(after);
        kept.push(pending);
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::keys::{KeyPair, Signature};
    use shared::ledger::{Address, Payment, Uuid};
    use shared::params::LayerName;
    use shared::state::Value;
    use shared::store::StoreError;

    const FAUCET: u64 = 1000;
    const ROOM: Room = Room { count: 5, bytes: 100_000 };

    /// A state in which each address has the faucet's balance.
    struct Fresh;

    impl StateRead for Fresh {
        fn get(&self, _: &[u8]) -> Result<Option<Value>, StoreError> {
            Ok(None)
        }

        fn keeps_history(&self) -> bool {
            false
        }
    }

    fn pay(number: u64, from: Address, amount: u64, fee: u64) -> Pending {
        let payment = Payment {
            id: TransactionId::of(number.to_string()),
            uuid: Uuid([0; 16]),
            from,
            to: from,
            amount: Amount::new(amount).unwrap(),
            fee: Amount::new(fee).unwrap(),
            msg: String::new(),
            signature: Signature::from_bytes([1; 64]),
        };
        Pending::new(Arc::new(payment.into()), 0)
    }

    fn address(seed: &str) -> Address {
        KeyPair::from_seed(seed).address()
    }

    fn ids(list: &[Pending]) -> Vec<TransactionId> {
        list.iter().map(Pending::id).collect()
    }

    fn chosen(lists: &[[&[Pending]; 2]]) -> Vec<TransactionId> {
        let params = Params { layer: LayerName::Transaction, new_address_balance: FAUCET, ..Params::default() };
        let lists =
            lists.iter().map(|[by_fee, by_age]| PendingLists { by_fee: (*by_fee).into(), by_age: (*by_age).into() });
        let candidates: Candidates = lists.collect();
        let chosen = candidates.choose(&Fresh, &params, Height(1), ROOM).unwrap();
        chosen.iter().map(|transaction| transaction.id()).collect()
    }

    #[test]
    fn a_long_list_of_unpayable_transactions_displaces_no_others() {
        let (poor, honest) = (address("poor"), address("honest"));
        let rich_looking: Vec<_> = (0..10_000).map(|number| pay(number, poor, FAUCET, 500)).collect();
        let paid: Vec<_> = (0..4).map(|number| pay(20_000 + number, honest, 1, 9 - number)).collect();
        let oldest = [pay(30_000, honest, 1, 0)];
        let expected = [ids(&oldest), ids(&paid)].concat();
        let (liar, other): ([&[Pending]; 2], [&[Pending]; 2]) = ([&rich_looking; 2], [&paid, &oldest]);
        assert_eq!(chosen(&[liar, other]), expected);
        assert_eq!(chosen(&[other, liar]), expected);
    }

    #[test]
    fn a_balance_is_spent_once() {
        let spender = address("spender");
        let list: Vec<_> = (0..10).map(|number| pay(number, spender, FAUCET / 2 - 10, 10)).collect();
        assert_eq!(chosen(&[[&list, &[]]]), ids(&list[..2]));
    }

    #[test]
    fn many_long_lists_leave_every_mempool_its_share() {
        let poor = address("poor");
        let list = |from: u64| (from..from + 10_000).map(|number| pay(number, poor, FAUCET, 500)).collect::<Vec<_>>();
        let liars: Vec<_> = (0..8).map(|liar| list(liar * 10_000)).collect();
        let good = [pay(900_000, address("honest"), 1, 0)];
        let lists: Vec<_> = liars.iter().map(|list| [&**list; 2]).chain([[&good[..]; 2]]).collect();
        assert_eq!(chosen(&lists), ids(&good));
    }
}
