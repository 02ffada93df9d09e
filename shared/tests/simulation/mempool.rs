//! The mempool of the simulation: the real pool, following the chain of the node that it lives on.
//!
//! It keeps an account of every transaction that it ever accepted, so that none can vanish unnoticed.

use shared::block::{BlockHash, Height};
use shared::chain::{Chain, ChainSnapshot, Rules};
use shared::layer::transaction::{account_balance, locate_transaction};
use shared::ledger::{Address, Amount, Bundle, Holding, Transaction, TransactionId, TransactionRules};
use shared::pool::{CoinPolicy, Evicted, Pending, Pool, PoolLimits};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::economy::Stamps;

const LIMITS: PoolLimits = PoolLimits {
    max_count: 60,
    max_bytes: 1 << 20,
    max_per_sender: 30,
    max_transaction_bytes: 1 << 16,
    max_age_ms: 3_600_000,
    min_fee: Amount::ZERO,
    coins: CoinPolicy::FIRST_SEEN,
};

pub struct Mempool {
    pub node: usize,
    pub pool: Pool,
    /// Every transaction that was ever accepted, and when.
    pub accepted: BTreeMap<TransactionId, u64>,
    /// Those that left without being on a chain, and why.
    pub gone: BTreeMap<TransactionId, String>,
    /// How many came back from a branch that was left.
    pub returned: u64,
    rules: Arc<Rules>,
    /// The best chain as the pool knows it: its blocks and their bundles, by height from 1 on.
    followed: Vec<(BlockHash, Bundle)>,
    life: u32,
}

impl Mempool {
    pub fn new(node: usize, rules: Arc<Rules>) -> Self {
        Self {
            node,
            pool: Pool::new(LIMITS),
            accepted: BTreeMap::new(),
            gone: BTreeMap::new(),
            returned: 0,
            rules,
            followed: Vec::new(),
            life: 0,
        }
    }

    /// Takes a transaction, or refuses it; returns whether it is kept.
    pub fn push(&mut self, transaction: Transaction, chain: &Chain, now_ms: u64) -> bool {
        let Ok(state) = chain.view().snapshot() else { return false };
        let right = transaction.check(&TransactionRules::of(self.rules.params()), &Stamps).is_ok();
        if !right || locate_transaction(state.as_ref(), &transaction.id()).unwrap().is_some() {
            return false;
        }
        let (id, balance) = (transaction.id(), self.balance(&state, &transaction.as_payment().unwrap().from));
        let Ok(evicted) = self.pool.admit(Pending::new(Arc::new(transaction), now_ms), balance) else { return false };
        self.note_gone(evicted);
        self.accepted.insert(id, now_ms);
        self.gone.remove(&id);
        true
    }

    /// What it offers to miners.
    pub fn candidates(&self) -> Vec<Arc<Transaction>> {
        self.pool.by_fee().map(|pending| pending.transaction.clone()).collect()
    }

    /// Follows the best chain of its node; `life` counts the node's starts.
    pub fn follow(&mut self, chain: &Chain, life: u32) {
        let Ok(state) = chain.view().snapshot() else { return };
        if life != self.life {
            self.life = life;
            self.start_again(&state);
        }
        let reader = state.chain();
        let tip = state.tip();
        if self.followed.last().map(|(hash, _)| *hash) == Some(tip.hash()) {
            return;
        }
        let at = |height: u64| reader.best_at(Height(height)).unwrap().map(|id| id.hash);
        let mut undone = Vec::new();
        while let Some((hash, _)) = self.followed.last()
            && at(self.followed.len() as u64) != Some(*hash)
        {
            undone.extend(self.followed.pop());
        }
        let first = self.followed.len();
        for height in first as u64 + 1..=tip.index.0 {
            let id = reader.best_at(Height(height)).unwrap().unwrap();
            self.followed.push((id.hash, Bundle::from_data(&reader.data(id).unwrap()).unwrap().0));
        }
        let applied: Vec<_> = self.followed[first..].iter().map(|(_, bundle)| bundle.clone()).collect();
        undone.reverse();
        let undone: Vec<_> = undone.into_iter().map(|(_, bundle)| bundle).collect();
        self.change(&state, &undone, &applied);
    }

    fn change(&mut self, state: &ChainSnapshot, undone: &[Bundle], applied: &[Bundle]) {
        for transaction in applied.iter().flat_map(|bundle| &bundle.transactions) {
            self.pool.remove_confirmed(&transaction.id());
        }
        let touched: BTreeSet<_> = undone.iter().chain(applied).flat_map(addresses).collect();
        for address in touched {
            let balance = self.balance(state, &address);
            let moved = self.pool.recheck([Holding::Account(address)], [], balance);
            self.note_gone(moved.evicted);
        }
        for transaction in undone.iter().flat_map(|bundle| &bundle.transactions) {
            if locate_transaction(state, &transaction.id()).unwrap().is_none() {
                self.readmit(state, Arc::new(transaction.clone()));
            }
        }
    }

    fn readmit(&mut self, state: &ChainSnapshot, transaction: Arc<Transaction>) {
        let (id, balance) = (transaction.id(), self.balance(state, &transaction.as_payment().unwrap().from));
        let arrived_ms = self.accepted.get(&id).copied().unwrap_or(0);
        match self.pool.readmit(Pending::new(transaction, arrived_ms), balance) {
            Ok(moved) => {
                self.returned += 1;
                self.gone.remove(&id);
                self.note_gone(moved.evicted);
            }
            Err(refusal) => drop(self.gone.insert(id, refusal.to_string())),
        }
    }

    /// What it accepted is on its disk: a restart puts all of it into a new pool, the oldest first.
    fn start_again(&mut self, state: &ChainSnapshot) {
        let mut stored: Vec<_> = self.pool.by_age().chain(self.pool.uncovered()).cloned().collect();
        stored.sort_by_key(|pending| (pending.arrived_ms, pending.id()));
        self.pool = Pool::new(LIMITS);
        for Pending { transaction, .. } in stored {
            if locate_transaction(state, &transaction.id()).unwrap().is_none() {
                self.readmit(state, transaction);
            }
        }
    }

    fn note_gone(&mut self, evicted: Vec<Evicted>) {
        for Evicted { pending, reason } in evicted {
            self.gone.insert(pending.id(), reason.name().to_owned());
        }
    }

    fn balance(&self, state: &ChainSnapshot, address: &Address) -> Amount {
        account_balance(state, self.rules.params(), address).unwrap()
    }
}

fn addresses(bundle: &Bundle) -> Vec<Address> {
    let of = |transaction: &Transaction| [transaction.as_payment().unwrap().from, transaction.as_payment().unwrap().to];
    bundle.transactions.iter().flat_map(of).chain([bundle.miner_address]).collect()
}
