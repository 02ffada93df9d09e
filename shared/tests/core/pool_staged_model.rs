//! The staged pool through random pushes, blocks, reorganisations, failing commits and crashes.
//!
//! The oracle is a subscriber that knows only the announcements, and a disk that is a map. Once all is written, the
//! pool, the subscriber and the disk must agree.
#![allow(clippy::unwrap_used)] // helpers of tests: this is how they fail

use crate::pool_oracle::{grains, paid, payment, person};
use crate::pool_staged_steps::{PEOPLE, Step, limits, step};
use proptest::prelude::*;
use shared::block::{BlockHash, BlockId, Height};
use shared::ledger::{Address, Amount, Holding, Transaction, TransactionId};
use shared::pool::{BatchOutcome, CommitReply, Pending, PoolLimits, PoolNews, PoolRow, Staged};
use shared::pool::{TipChange, WriteBatch};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const START_BALANCE: u64 = 60;

/// A block's transactions and its id.
type Block = (BlockId, Vec<Arc<Transaction>>);

fn chain_has(chain: &[Block], id: &TransactionId) -> bool {
    chain.iter().flat_map(|(_, transactions)| transactions).any(|one| one.id() == *id)
}

fn balances(chain: &[Block]) -> BTreeMap<Address, Amount> {
    let mut balances: BTreeMap<_, _> = (0..PEOPLE).map(|number| (person(number), START_BALANCE)).collect();
    for one in chain.iter().flat_map(|(_, transactions)| transactions) {
        *balances.get_mut(&paid(one).from).unwrap() -= paid(one).cost().grains();
        *balances.get_mut(&paid(one).to).unwrap() += paid(one).amount.grains();
    }
    balances.into_iter().map(|(address, balance)| (address, grains(balance))).collect()
}

struct World {
    staged: Staged<u32>,
    limits: PoolLimits,
    chain: Vec<Block>,
    /// Every chain that ever was the best one, by its tip.
    chains: BTreeMap<BlockHash, Vec<Block>>,
    disk: (BTreeMap<TransactionId, PoolRow>, BlockId),
    in_flight: Option<Arc<WriteBatch>>,
    /// What a subscriber believes to be pending.
    announced: BTreeSet<TransactionId>,
    /// What was acknowledged and not evicted since. Others are known only from disconnected blocks, and are on disk
    /// with the next batch.
    acknowledged: BTreeSet<TransactionId>,
    /// Callers without a reply, and the step of their push.
    waiting: BTreeMap<u32, (TransactionId, usize)>,
    /// The step at which a transaction was last announced as gone.
    gone_at: BTreeMap<TransactionId, usize>,
    /// Refused after admission, and neither admitted again nor confirmed since.
    refused: BTreeSet<TransactionId>,
    confirmed_once: BTreeSet<TransactionId>,
    payments: Vec<Arc<Transaction>>,
    blocks: u64,
    now_ms: u64,
    step: usize,
}

impl World {
    fn new(limits: PoolLimits) -> Self {
        let genesis = BlockId { index: Height(0), hash: BlockHash::from_bytes([0; 32]) };
        let mut world = Self {
            staged: Staged::load::<Amount>(limits, genesis, []),
            limits,
            chain: vec![(genesis, Vec::new())],
            chains: BTreeMap::new(),
            disk: (BTreeMap::new(), genesis),
            in_flight: None,
            announced: BTreeSet::new(),
            acknowledged: BTreeSet::new(),
            waiting: BTreeMap::new(),
            gone_at: BTreeMap::new(),
            refused: BTreeSet::new(),
            confirmed_once: BTreeSet::new(),
            payments: Vec::new(),
            blocks: 0,
            now_ms: 1000,
            step: 0,
        };
        world.chains.insert(genesis.hash, world.chain.clone());
        world
    }

    fn run(&mut self, step: &Step) -> Result<(), TestCaseError> {
        self.step += 1;
        self.now_ms += 7;
        match step {
            Step::Pay { from, to, amount, fee } => {
                let payment = self.new_payment(*from, *to, (*amount, *fee));
                self.push(payment)
            }
            Step::PushAgain(_) if self.payments.is_empty() => Ok(()),
            Step::PushAgain(which) => self.push(self.payments[which.index(self.payments.len())].clone()),
            Step::BeginCommit => {
                if let Some(batch) = self.staged.next_batch() {
                    prop_assert!(self.in_flight.is_none(), "one batch at a time");
                    self.in_flight = Some(batch);
                }
                Ok(())
            }
            Step::EndCommit { succeeds, chain_is_readable } => self.end_commit(*succeeds, *chain_is_readable),
            Step::Mine { taken, foreign, reads_blocks } => {
                let mut transactions: Vec<_> = self.pending().take(*taken).collect();
                transactions.extend(foreign.map(|(from, to, amount)| self.new_payment(from, to, (amount, 0))));
                let mut chain = self.chain.clone();
                self.add_block(&mut chain, transactions);
                self.adopt(chain, *reads_blocks)
            }
            Step::Reorganise { depth, kept, reads_blocks } => {
                let mut chain = self.chain.clone();
                let old = chain.split_off(chain.len().saturating_sub(*depth).max(1));
                let old = old.into_iter().flat_map(|(_, transactions)| transactions);
                let kept: Vec<_> = old
                    .zip(kept.iter().cycle())
                    .filter_map(|(transaction, kept)| kept.then_some(transaction))
                    .collect();
                self.add_block(&mut chain, kept);
                for _ in 0..*depth {
                    self.add_block(&mut chain, Vec::new());
                }
                self.adopt(chain, *reads_blocks)
            }
            Step::Expire { at_most } => {
                let news = self.staged.expire(self.now_ms, *at_most);
                prop_assert!(news.len() <= *at_most);
                self.listen(news);
                Ok(())
            }
            Step::Crash { batch_was_written } => self.crash(*batch_was_written),
        }
    }

    fn new_payment(&mut self, from: u8, to: u8, grains: (u64, u64)) -> Arc<Transaction> {
        let payment = payment(self.payments.len() as u32, from, to, grains, "");
        self.payments.push(payment.clone());
        payment
    }

    fn pending(&self) -> impl Iterator<Item = Arc<Transaction>> {
        self.staged.pool().by_fee().map(|pending| pending.transaction.clone())
    }

    fn pool_ids(&self) -> BTreeSet<TransactionId> {
        self.staged.pool().by_age().chain(self.staged.pool().uncovered()).map(Pending::id).collect()
    }

    fn push(&mut self, transaction: Arc<Transaction>) -> Result<(), TestCaseError> {
        let (id, waiter) = (transaction.id(), self.step as u32);
        let is_waiting = if self.staged.pool().get(&id).is_some() || chain_has(&self.chain, &id) {
            let is_waiting = self.staged.wait_for(&id, waiter).unwrap();
            prop_assert!(
                is_waiting || self.announced.contains(&id) || self.confirmed_once.contains(&id),
                "a push is answered at once only if the transaction is on disk or known from a block"
            );
            is_waiting
        } else {
            let balance = balances(&self.chain)[&paid(&transaction).from];
            let is_admitted = self.staged.admit(Pending::new(transaction, self.now_ms), balance, waiter).is_ok();
            if is_admitted {
                self.refused.remove(&id);
            }
            is_admitted
        };
        if is_waiting {
            self.waiting.insert(waiter, (id, self.step));
        }
        Ok(())
    }

    fn end_commit(&mut self, succeeds: bool, chain_is_readable: bool) -> Result<(), TestCaseError> {
        let Some(batch) = self.in_flight.take() else { return Ok(()) };
        let BatchOutcome { news, replies } = if succeeds {
            self.write(&batch);
            self.staged.committed()
        } else {
            let balances = balances(&self.chain);
            self.staged.failed(|pending| {
                let is_pending = !chain_has(&self.chain, &pending.id());
                (chain_is_readable && is_pending).then(|| balances[&paid(&pending.transaction).from])
            })
        };
        prop_assert!(
            succeeds || !news.iter().any(|one| matches!(one, PoolNews::Accepted(_))),
            "nothing is announced as accepted after a failed commit"
        );
        self.listen(news);
        for (waiter, reply) in replies {
            let Some((id, pushed_at)) = self.waiting.remove(&waiter) else {
                return Err(TestCaseError::fail("a second reply"));
            };
            match reply {
                CommitReply::Written => {
                    let has_left = self.gone_at.get(&id).is_some_and(|gone_at| *gone_at >= pushed_at);
                    prop_assert!(succeeds && (self.is_durable(&id) || has_left), "{id} is not on disk");
                }
                CommitReply::Evicted(_) => {
                    prop_assert!(succeeds && !self.disk.0.contains_key(&id) && !self.announced.contains(&id));
                    self.note_refused(id);
                }
                CommitReply::Failed => {
                    prop_assert!(!succeeds);
                    self.note_refused(id);
                }
            }
        }
        Ok(())
    }

    fn note_refused(&mut self, id: TransactionId) {
        let is_waited_for = self.waiting.values().any(|(waiting, _)| *waiting == id);
        if !self.announced.contains(&id) && !is_waited_for && !self.confirmed_once.contains(&id) {
            self.refused.insert(id);
        }
    }

    /// Whether a restart would find the transaction: pending, or in a block at or below the stored tip.
    fn is_durable(&self, id: &TransactionId) -> bool {
        self.disk.0.contains_key(id) || chain_has(&self.chains[&self.disk.1.hash], id)
    }

    fn write(&mut self, batch: &WriteBatch) {
        for (id, row) in &batch.rows {
            match row {
                Some(row) => self.disk.0.insert(*id, row.clone()),
                None => self.disk.0.remove(id),
            };
        }
        self.disk.1 = batch.tip.unwrap_or(self.disk.1);
    }

    fn listen(&mut self, news: Vec<PoolNews>) {
        for one in news {
            match one {
                PoolNews::Accepted(transaction) => {
                    self.announced.insert(transaction.id());
                    self.acknowledged.insert(transaction.id());
                }
                PoolNews::Returned(id) => drop(self.announced.insert(id)),
                PoolNews::Conflict { .. } => {}
                PoolNews::Confirmed { id, .. } => {
                    self.announced.remove(&id);
                    self.gone_at.insert(id, self.step);
                }
                PoolNews::Evicted { id, .. } => {
                    self.announced.remove(&id);
                    self.acknowledged.remove(&id);
                    self.gone_at.insert(id, self.step);
                }
            }
        }
    }

    /// Adds a block with those of the transactions that the balances cover and the chain does not have.
    fn add_block(&mut self, chain: &mut Vec<Block>, transactions: Vec<Arc<Transaction>>) {
        self.blocks += 1;
        let mut hash = [1; 32];
        hash[..8].copy_from_slice(&self.blocks.to_be_bytes());
        chain.push((BlockId { index: Height(chain.len() as u64), hash: BlockHash::from_bytes(hash) }, Vec::new()));
        for one in transactions {
            if !chain_has(chain, &one.id()) && balances(chain)[&paid(&one).from] >= paid(&one).cost() {
                chain.last_mut().unwrap().1.push(one);
            }
        }
    }

    fn adopt(&mut self, chain: Vec<Block>, reads_blocks: bool) -> Result<(), TestCaseError> {
        let change = self.change(&self.chain, &chain, reads_blocks);
        self.chains.insert(chain.last().unwrap().0.hash, chain.clone());
        self.chain = chain;
        self.refused.retain(|id| !chain_has(&self.chain, id));
        self.confirmed_once.extend(self.chain.iter().flat_map(|(_, block)| block).map(|one| one.id()));
        let news = self.staged.move_to(change);
        self.listen(news);
        Ok(())
    }

    /// As the mempool computes it: from the connected blocks, or by looking up each of its own transactions.
    fn change(&self, old: &[Block], new: &[Block], reads_blocks: bool) -> TipChange {
        let fork = old.iter().zip(new).take_while(|((old, _), (new, _))| old == new).count();
        let disconnected = old[fork..].iter().flat_map(|(_, transactions)| transactions);
        let disconnected = disconnected.filter(|one| !chain_has(new, &one.id()));
        let connected = new[fork..].iter().flat_map(|(id, block)| block.iter().map(|one| (one.id(), *id)));
        let all = new.iter().flat_map(|(id, block)| block.iter().map(|one| (one.id(), *id)));
        let own: BTreeSet<_> = self.staged.all().map(Pending::id).collect();
        let confirmed =
            if reads_blocks { connected.collect() } else { all.filter(|(id, _)| own.contains(id)).collect() };
        TipChange {
            tip: new.last().unwrap().0,
            confirmed,
            spent: BTreeMap::new(),
            holdings: balances(new).into_iter().map(|(address, amount)| (Holding::Account(address), amount)).collect(),
            disconnected: disconnected.map(|one| Pending::new(one.clone(), self.now_ms)).collect(),
        }
    }

    fn crash(&mut self, batch_was_written: bool) -> Result<(), TestCaseError> {
        if let Some(batch) = self.in_flight.take().filter(|_| batch_was_written) {
            self.write(&batch);
        }
        let balances = balances(&self.chain);
        let mut stored: Vec<_> = self.disk.0.values().cloned().collect();
        stored.sort_by_key(|row| (row.pending.arrived_ms, row.pending.id()));
        let stored = stored.into_iter().map(|row| {
            let is_pending = !chain_has(&self.chain, &row.pending.id());
            let balance = is_pending.then(|| balances[&paid(&row.pending.transaction).from]);
            (row, balance)
        });
        self.staged = Staged::load(self.limits, self.disk.1, stored);
        let change = self.change(&self.chains[&self.disk.1.hash], &self.chain, true);
        self.staged.move_to(change);
        if self.limits.max_count == 1000 {
            let mut promised = self.announced.intersection(&self.acknowledged);
            let pool = self.pool_ids();
            prop_assert!(promised.all(|id| pool.contains(id)), "a crash lost an acknowledged transaction");
        }
        self.announced = self.pool_ids();
        self.waiting.clear();
        self.refused.retain(|id| !self.disk.0.contains_key(id));
        Ok(())
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let (pool, all) = (self.pool_ids(), self.staged.all().map(Pending::id).collect());
        prop_assert!(self.announced.is_subset(&all), "an announced transaction vanished");
        let waited_for: BTreeSet<_> = self.waiting.values().map(|(id, _)| *id).collect();
        prop_assert!(
            self.pending().all(|one| self.announced.contains(&one.id()) || waited_for.contains(&one.id())),
            "a transaction is pending that was never announced and that no caller waits for"
        );
        prop_assert!(pool.is_disjoint(&self.refused), "a refused transaction is pending");
        prop_assert!(pool.iter().all(|id| !chain_has(&self.chain, id)), "a confirmed transaction is pending");
        for (address, balance) in balances(&self.chain) {
            prop_assert!(self.staged.pool().outgoing(&address) <= balance, "pending transactions are covered");
        }
        Ok(())
    }

    /// Writes everything; then all views agree.
    fn settle(&mut self) -> Result<(), TestCaseError> {
        self.end_commit(true, true)?;
        while let Some(batch) = self.staged.next_batch() {
            self.in_flight = Some(batch);
            self.end_commit(true, true)?;
        }
        let pool = self.pool_ids();
        // A transaction of a disconnected block is announced once the balance covers it.
        prop_assert!(self.pending().all(|one| self.announced.contains(&one.id())), "never announced");
        prop_assert!(self.announced.is_subset(&pool), "an announced transaction vanished");
        prop_assert_eq!(&pool, &self.disk.0.keys().copied().collect(), "the pool and the disk");
        let uncovered: BTreeSet<_> = self.staged.pool().uncovered().map(Pending::id).collect();
        let marked = self.disk.0.iter().filter(|(_, row)| row.is_uncovered).map(|(id, _)| *id).collect();
        prop_assert_eq!(uncovered, marked, "the uncovered ones, and those that are stored as such");
        prop_assert_eq!((self.disk.1, self.staged.tip()), (self.chain.last().unwrap().0, self.disk.1));
        prop_assert!(self.waiting.is_empty(), "every caller has its reply");
        Ok(())
    }
}

proptest! {
    #![proptest_config(crate::prop::config(600))]

    #[test]
    fn pool_disk_and_announcements_agree_once_all_is_written(
        limits in limits(),
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let mut world = World::new(limits);
        for step in &steps {
            world.run(step)?;
            world.check()?;
        }
        world.settle()?;
        world.check()?;
    }
}
