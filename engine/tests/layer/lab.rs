//! A chain of layer `program` with the real engine, for scripts: people have names, and each block is checked.

use engine::RevmEngine;
use shared::block::{Block, DataHash, HeaderFields, Height, Nonce};
use shared::chain::{Accepted, BlockError, Chain, ChainSnapshot, Origin, Rules, SideLimits};
use shared::keys::{KeyPair, PlainVerifier, Signature, Signed, Verifier};
use shared::layer::program::{Receipt, new_program, receipt};
use shared::layer::transaction::{RewardSchedule, account_balance};
use shared::layer::{HistorySource, TemplateRequest};
use shared::ledger::{Address, Amount, Bundle, Transaction, TransactionViolation, Unsigned, Uuid};
use shared::params::{Params, RetargetRule};
use shared::program::{AccountId, Call, CallKind, Word};
use shared::store::MemoryStore;
use shared::work::Difficulty;
use shared::work::search;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

/// All rows of a state.
pub(crate) type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// Accepts every signature, for tests that do not need them.
struct Credulous;

impl Verifier for Credulous {
    fn verify(&self, _: &Signed<'_>) -> Result<(), TransactionViolation> {
        Ok(())
    }

    fn is_point(&self, address: &Address) -> Result<(), TransactionViolation> {
        if address.is_key() { Ok(()) } else { PlainVerifier.is_point(address) }
    }
}

/// Small rewards, and a difficulty that every hash meets.
pub(crate) fn params() -> Params {
    Params {
        name: "programs".to_owned(),
        retarget: RetargetRule::Fixed,
        initial_difficulty: Difficulty::MIN,
        reward: 1_000_000,
        ..Params::of_programs()
    }
}

pub(crate) struct Lab {
    pub(crate) chain: Chain,
    rules: Arc<Rules>,
    store: MemoryStore,
    signed: u128,
}

pub(crate) fn address(name: &str) -> Address {
    KeyPair::from_seed(name).address()
}

pub(crate) fn grains(count: u64) -> Amount {
    Amount::new(count).unwrap()
}

impl Lab {
    pub(crate) fn new(params: Params) -> Self {
        params.check().unwrap();
        let rules = Rules::with_engine(params, Arc::new(Credulous), Arc::new(RevmEngine::default())).keeping_history();
        Self::with_rules(Arc::new(rules))
    }

    pub(crate) fn with_rules(rules: Arc<Rules>) -> Self {
        Self::on_store(rules, MemoryStore::default())
    }

    fn on_store(rules: Arc<Rules>, store: MemoryStore) -> Self {
        let chain = Chain::open(rules.clone(), Arc::new(store.clone()), SideLimits::default()).unwrap();
        Self { chain, rules, store, signed: 0 }
    }

    pub(crate) fn params(&self) -> &Params {
        self.rules.params()
    }

    /// A transaction that `from` signs; each has another uuid.
    pub(crate) fn transaction(&mut self, from: &str, to: Address, amount: u64, fee: u64, msg: &str) -> Transaction {
        self.signed += 1;
        let (amount, fee, msg) = (grains(amount), grains(fee), msg.to_owned());
        let unsigned = Unsigned { uuid: Uuid(self.signed.to_be_bytes()), from: address(from), to, amount, fee, msg };
        unsigned.sign(self.params().network_id(), |_| Signature::from_bytes([7; 64]))
    }

    pub(crate) fn pay(&mut self, from: &str, to: &str, amount: u64) -> Transaction {
        self.transaction(from, address(to), amount, 1, "")
    }

    pub(crate) fn deploy(&mut self, from: &str, code: &[u8], amount: u64) -> Transaction {
        let msg = Call { gas: 1_000_000, input: super::programs::deploying(code) }.to_msg(CallKind::Deploy);
        self.transaction(from, Address::nobody(), amount, 10, &msg)
    }

    pub(crate) fn call(&mut self, from: &str, program: AccountId, amount: u64, input: &[u8]) -> Transaction {
        let msg = Call { gas: 200_000, input: input.to_vec() }.to_msg(CallKind::Call);
        self.transaction(from, Address::of_program(program), amount, 10, &msg)
    }

    /// The data that the template makes of these transactions.
    pub(crate) fn template(&self, miner: &str, transactions: &[Transaction]) -> String {
        let candidates: Vec<_> = transactions.iter().cloned().map(Arc::new).collect();
        let miner = Some(address(miner));
        self.chain.template(&TemplateRequest { message: "", miner, candidates: &candidates }).unwrap()
    }

    /// A block with this data on `parent`.
    pub(crate) fn block_on(&self, parent: &Block, data: String) -> Block {
        let header = parent.header();
        let fields = HeaderFields {
            index: header.index.next(),
            prev_hash: parent.hash(),
            timestamp: header.timestamp.plus_ms(1500),
            difficulty: self.params().initial_difficulty,
            data_hash: DataHash::of(&data),
        };
        let nonce = search(&fields.seal(), &fields.difficulty.target(), Nonce(0), u64::MAX).unwrap();
        Block::new(fields, nonce, data)
    }

    pub(crate) fn tip(&self) -> Block {
        self.chain.view().reader().unwrap().block(self.chain.tip().id()).unwrap()
    }

    pub(crate) fn accept(&mut self, block: Block) -> Result<Accepted, BlockError> {
        let now = block.header().timestamp;
        self.chain.accept(block, now, Origin::Single)
    }

    /// Mines a block on the tip with all of these transactions.
    #[track_caller]
    pub(crate) fn mine(&mut self, miner: &str, transactions: &[Transaction]) -> Bundle {
        let data = self.template(miner, transactions);
        let bundle: Bundle = serde_json::from_str(&data).unwrap();
        assert_eq!(bundle.transactions.len(), transactions.len(), "the template left transactions out");
        let block = self.block_on(&self.tip(), data);
        assert_eq!(self.accept(block), Ok(Accepted::Best));
        bundle
    }

    /// Mines a block on the tip with this data, which must break `rule`; returns the reason.
    #[track_caller]
    pub(crate) fn refused(&mut self, data: String, rule: &str) -> String {
        let block = self.block_on(&self.tip(), data);
        match self.accept(block) {
            Err(BlockError::Invalid(broken)) => {
                assert_eq!(broken.name(), rule, "{broken}");
                broken.to_string()
            }
            other => panic!("expected the rule {rule}, got {other:?}"),
        }
    }

    /// The data of a block with these transactions, whatever they are, and the outcome of no call.
    pub(crate) fn unchecked(&self, miner: &str, transactions: &[&Transaction]) -> Bundle {
        let transactions = transactions.iter().map(|one| (*one).clone()).collect();
        let outcome = Some(shared::ledger::OutcomeHash::of(""));
        Bundle { msg: String::new(), miner_address: address(miner), transactions, outcome }
    }

    /// Deploys a program in a block of its own.
    #[track_caller]
    pub(crate) fn deployed(&mut self, from: &str, code: &[u8], amount: u64) -> AccountId {
        let deployment = self.deploy(from, code, amount);
        self.mine("miner", std::slice::from_ref(&deployment));
        assert_eq!(self.receipt(&deployment).status, "succeeded");
        new_program(&deployment.id())
    }

    #[track_caller]
    pub(crate) fn receipt(&self, transaction: &Transaction) -> Receipt {
        receipt(self.state().as_ref(), &transaction.id()).unwrap().expect("no receipt")
    }

    pub(crate) fn state(&self) -> Arc<ChainSnapshot> {
        self.chain.view().snapshot().unwrap()
    }

    pub(crate) fn balance(&self, of: &Address) -> u64 {
        account_balance(self.state().as_ref(), self.params(), of).unwrap().grains()
    }

    pub(crate) fn slot(&self, program: AccountId, slot: u64) -> Word {
        shared::program::read_slot(self.state().as_ref(), &program, &Word::from(slot)).unwrap()
    }

    pub(crate) fn rows(&self) -> Rows {
        let mut rows = Rows::new();
        let visit = &mut |key: &[u8], value: &[u8]| {
            rows.insert(key.to_vec(), value.to_vec());
            ControlFlow::Continue(())
        };
        self.state().scan(&[], visit).unwrap();
        rows
    }

    /// The chain as a start after a crash would find it: blocks since the last flush are applied again.
    pub(crate) fn reopened(&self) -> Self {
        Self::on_store(self.rules.clone(), self.store.clone())
    }

    /// A new chain with genesis alone.
    pub(crate) fn sibling(&self) -> Self {
        Self::with_rules(self.rules.clone())
    }

    /// A new chain, to which the blocks of this one's best branch are given in order.
    pub(crate) fn fresh(&self) -> Self {
        let mut fresh = self.sibling();
        let blocks = self.chain.view().reader().unwrap().blocks(Height(1), usize::MAX, usize::MAX).unwrap();
        for block in blocks {
            assert_eq!(fresh.accept(block), Ok(Accepted::Best));
        }
        fresh
    }

    /// The sum of all balances is what blocks have issued, unless programs have burned some.
    #[track_caller]
    pub(crate) fn check_money(&self) {
        let mut sum = 0;
        for (key, row) in self.rows().iter().filter(|(key, _)| key[0] == b'a' && key.len() == 21) {
            let length = usize::from(row[8]);
            let balance = row[9..9 + length].iter().fold(0_u128, |sum, byte| sum << 8 | u128::from(*byte));
            assert!(balance <= u128::from(Amount::MAX.grains()), "{key:?}");
            sum += balance;
        }
        assert_eq!(sum, RewardSchedule::of(self.params()).total(self.chain.tip().index));
    }
}
