//! The language of the scripts about money: people have names, blocks have names, and each push is checked as a whole.
//!
//! ```text
//! let coffee = lab.pay("alice", "bob", 5, 1);     alice signs: 5 grains for bob, 1 for the miner; nobody saw it yet
//! lab.mine("a1", "genesis", "carol", &[&coffee]); a block that pays carol
//! lab.best("a1");                                 pushes it: it must become the tip
//! lab.broken("b1", "balance");                    pushes it: it must break this rule
//! ```
//!
//! After each push every row of the state is what [`Oracle`] says, in bytes, and a restart would find the same.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests: this is how they fail

use crate::coins_oracle::CoinOracle;
use crate::lab::{fixed, mine_on};
use crate::transactions_oracle::{Oracle, Rows};
use shared::block::{Block, Height};
use shared::chain::{Accepted, BlockError, Chain, ChainSnapshot, Origin, Rules, SideLimits};
use shared::keys::{KeyPair, PlainVerifier, Signature, Signed, Verifier};
use shared::layer::HistorySource;
use shared::layer::transaction::{AccountBalance, accounts};
use shared::ledger::{Address, Amount, Bundle, Payment, Transaction, TransactionViolation, Unsigned, Uuid};
use shared::params::{LayerName, Params};
use shared::state::State;
use shared::store::MemoryStore;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Small numbers, and a difficulty that every hash meets: these tests are about money.
pub(crate) fn money() -> Params {
    Params { layer: LayerName::Transaction, name: "money".to_owned(), reward: 100, ..fixed(1) }
}

/// Accepts every signature, for tests that do not need them.
pub(crate) struct Credulous;

impl Verifier for Credulous {
    fn verify(&self, _: &Signed<'_>) -> Result<(), TransactionViolation> {
        Ok(())
    }

    fn is_point(&self, _: &Address) -> Result<(), TransactionViolation> {
        Ok(())
    }
}

/// Grains.
pub(crate) fn grains(count: u64) -> Amount {
    Amount::new(count).unwrap()
}

/// The key pair of a person.
pub(crate) fn person(name: &str) -> KeyPair {
    KeyPair::from_seed(name)
}

/// A well-formed address without a key: its bytes are not a point of the curve.
pub(crate) fn nobody() -> Address {
    let address = |last: u8| {
        let mut key = [0; 33];
        (key[0], key[32]) = (2, last);
        Address::of_public_key(&key).unwrap()
    };
    (1..).map(address).find(|address| PlainVerifier.is_point(address).is_err()).unwrap()
}

/// A chain with money, its store, and the blocks of a script by name.
pub(crate) struct MoneyLab {
    pub(crate) rules: Arc<Rules>,
    pub(crate) store: MemoryStore,
    pub(crate) chain: Chain,
    blocks: BTreeMap<String, Block>,
    people: BTreeMap<String, KeyPair>,
    signed: u128,
}

/// The fields of a payment, to make another that differs in some.
pub(crate) fn fields(transaction: &Transaction) -> Payment {
    transaction.as_payment().unwrap().clone()
}

impl MoneyLab {
    /// With history and real signatures.
    pub(crate) fn new(params: Params) -> Self {
        Self::with_rules(Rules::new(params).keeping_history())
    }

    pub(crate) fn with_rules(rules: Rules) -> Self {
        rules.params().check().unwrap();
        let (rules, store) = (Arc::new(rules), MemoryStore::default());
        let chain = Chain::open(rules.clone(), Arc::new(store.clone()), SideLimits::default()).unwrap();
        let blocks = BTreeMap::from([("genesis".to_owned(), rules.params().genesis())]);
        Self { rules, store, chain, blocks, people: BTreeMap::new(), signed: 0 }
    }

    pub(crate) fn params(&self) -> &Params {
        self.rules.params()
    }

    pub(crate) fn address(&mut self, name: &str) -> Address {
        self.person(name).address()
    }

    fn person(&mut self, name: &str) -> &KeyPair {
        self.people.entry(name.to_owned()).or_insert_with(|| person(name))
    }

    /// An unsigned payment; each has another uuid.
    pub(crate) fn draft(&mut self, from: &str, to: &str, amount: u64, fee: u64) -> Unsigned {
        self.signed += 1;
        let (from, to) = (self.address(from), self.address(to));
        let (amount, fee) = (grains(amount), grains(fee));
        Unsigned { uuid: Uuid(self.signed.to_be_bytes()), from, to, amount, fee, msg: String::new() }
    }

    /// A payment that `from` signs.
    pub(crate) fn pay(&mut self, from: &str, to: &str, amount: u64, fee: u64) -> Transaction {
        let draft = self.draft(from, to, amount, fee);
        self.sign(from, draft)
    }

    pub(crate) fn sign(&mut self, name: &str, draft: Unsigned) -> Transaction {
        let network = self.params().network_id();
        self.person(name).sign_transaction(draft, network)
    }

    /// As [`MoneyLab::pay`], with an invalid signature, for labs that accept every signature.
    pub(crate) fn pay_unsigned(&mut self, from: &str, to: &str, amount: u64, fee: u64) -> Transaction {
        let network = self.params().network_id();
        self.draft(from, to, amount, fee).sign(network, |_| Signature::from_bytes([7; 64]))
    }

    pub(crate) fn bundle(&mut self, miner: &str, transactions: &[&Transaction]) -> String {
        let miner_address = self.address(miner);
        let transactions = transactions.iter().map(|&transaction| transaction.clone()).collect();
        Bundle { msg: String::new(), miner_address, transactions, outcome: None }.to_data().0
    }

    /// Mines a block that pays `miner`.
    pub(crate) fn mine(&mut self, name: &str, parent: &str, miner: &str, transactions: &[&Transaction]) {
        let data = self.bundle(miner, transactions);
        self.mine_data(name, parent, &data);
    }

    pub(crate) fn mine_data(&mut self, name: &str, parent: &str, data: &str) {
        let block = mine_on(&self.rules, &self.branch(parent), 1000, data);
        self.keep(name, block);
    }

    pub(crate) fn keep(&mut self, name: &str, block: Block) {
        assert!(self.blocks.insert(name.to_owned(), block).is_none(), "the script has two blocks {name}");
    }

    pub(crate) fn block(&self, name: &str) -> &Block {
        self.blocks.get(name).unwrap_or_else(|| panic!("the script has no block {name}"))
    }

    /// Genesis to `name`.
    pub(crate) fn branch(&self, name: &str) -> Vec<&Block> {
        let by_hash: BTreeMap<_, _> = self.blocks.values().map(|block| (block.hash(), block)).collect();
        let mut branch = vec![self.block(name)];
        while let Some(parent) = by_hash.get(&branch[branch.len() - 1].header().prev_hash) {
            branch.push(parent);
        }
        branch.reverse();
        branch
    }

    /// Pushes the block without any check of the result.
    pub(crate) fn give(&mut self, name: &str, origin: Origin) -> Result<Accepted, BlockError> {
        let block = self.block(name).clone();
        let now = block.header().timestamp;
        self.chain.accept(block, now, origin)
    }

    pub(crate) fn push(&mut self, name: &str) -> Result<Accepted, BlockError> {
        let result = self.give(name, Origin::Single);
        self.check();
        result
    }

    #[track_caller]
    pub(crate) fn best(&mut self, names: &str) {
        for name in names.split_whitespace() {
            assert_eq!(self.push(name), Ok(Accepted::Best), "block {name}");
            assert_eq!(self.chain.tip().hash(), self.block(name).hash(), "the tip is not block {name}");
        }
    }

    #[track_caller]
    pub(crate) fn side(&mut self, names: &str) {
        for name in names.split_whitespace() {
            assert_eq!(self.push(name), Ok(Accepted::Side), "block {name}");
        }
    }

    /// Pushes a block that must break `rule`; returns the error's text.
    #[track_caller]
    pub(crate) fn broken(&mut self, name: &str, rule: &str) -> String {
        let tip = self.chain.tip().hash();
        match self.push(name) {
            Err(BlockError::Invalid(broken)) => {
                assert_eq!(broken.name(), rule, "block {name} broke another rule: {broken}");
                assert_eq!(self.chain.tip().hash(), tip, "the refused block {name} moved the tip");
                broken.to_string()
            }
            other => panic!("block {name} should break the rule {rule}, but: {other:?}"),
        }
    }

    /// Mines a block with this data on the tip of a script and expects it to break `rule`; returns the error's text.
    #[track_caller]
    pub(crate) fn refused(&mut self, parent: &str, data: &str, rule: &str) -> String {
        let name = format!("refused {}", self.blocks.len());
        self.mine_data(&name, parent, data);
        self.broken(&name, rule)
    }

    /// A new chain on the same store, as after a crash.
    pub(crate) fn restart(&mut self) {
        self.chain = self.reopened();
        self.check();
    }

    pub(crate) fn reopened(&self) -> Chain {
        Chain::open(self.rules.clone(), Arc::new(self.store.clone()), SideLimits::default()).unwrap()
    }

    pub(crate) fn state(&self) -> Arc<ChainSnapshot> {
        self.chain.view().snapshot().unwrap()
    }

    /// The balances of these people.
    pub(crate) fn balances<const N: usize>(&mut self, names: [&str; N]) -> [u64; N] {
        let state = self.state();
        names.map(|name| {
            let address = self.address(name);
            shared::layer::transaction::account_balance(state.as_ref(), self.params(), &address).unwrap().grains()
        })
    }

    /// Whether a person has a stored balance, even one of 0.
    pub(crate) fn has_row(&mut self, name: &str) -> bool {
        let address = self.address(name);
        let found = accounts(self.state().as_ref(), address.as_str(), "", 2).unwrap();
        assert!(matches!(found[..], [] | [AccountBalance { .. }]));
        !found.is_empty()
    }

    pub(crate) fn best_blocks(&self) -> Vec<Block> {
        self.chain.view().reader().unwrap().blocks(Height::GENESIS, usize::MAX, usize::MAX).unwrap()
    }

    pub(crate) fn oracle(&self) -> Oracle {
        Oracle::replay(self.params(), &self.best_blocks()).unwrap()
    }

    pub(crate) fn rows(&self) -> Rows {
        rows(&self.state())
    }

    /// Whether money is conserved, and all rows, by the plain ledger of the layer.
    fn expected(&self) -> (bool, Rows) {
        let keeps_history = self.rules.keeps_history();
        if self.params().layer.has_coins() {
            let oracle = CoinOracle::replay(self.params(), &self.best_blocks()).unwrap();
            return (oracle.conserves(), oracle.rows(keeps_history));
        }
        let oracle = self.oracle();
        (oracle.conserves(self.params()), oracle.rows(keeps_history))
    }

    /// The state is what the oracle says in every byte, money is conserved, and a restart would find the same.
    #[track_caller]
    pub(crate) fn check(&self) {
        let (is_conserved, expected) = self.expected();
        assert!(is_conserved, "money came from nowhere or went there");
        assert_eq!(self.rows(), expected, "the state is not what the blocks make");
        let again = self.reopened();
        assert_eq!(again.tip(), self.chain.tip(), "a restart would change the tip");
        assert_eq!(rows(&again.view().snapshot().unwrap()), expected, "a restart would change the state");
    }
}

/// All rows of a state.
pub(crate) fn rows(state: &ChainSnapshot) -> Rows {
    let mut rows = Rows::new();
    state.scan(&[], &mut collect_into(&mut rows)).unwrap();
    rows
}

/// Every row of a state.
pub(crate) fn rows_of(state: &State) -> Rows {
    let mut rows = Rows::new();
    state.scan(&[], &mut collect_into(&mut rows)).unwrap();
    rows
}

fn collect_into(rows: &mut Rows) -> impl FnMut(&[u8], &[u8]) -> ControlFlow<()> + '_ {
    |key, value| {
        assert!(rows.insert(key.to_vec(), value.to_vec()).is_none(), "a row is shown twice");
        ControlFlow::Continue(())
    }
}
