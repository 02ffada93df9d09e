//! People who pay one another in virtual time, honestly and not, and what miners put into their blocks.
//!
//! Signatures are a hash that anyone can compute: cheap, and wrong where a payment is forged. Only this file knows how
//! to sign.

use crate::mempool::Mempool;
use shared::block::{BlockHash, DataHash};
use shared::chain::{Chain, Rules};
use shared::keys::{Signature, Signed, Verifier};
use shared::layer::{TemplateRequest, transaction};
use shared::ledger::{
    Address, Amount, Bundle, Payment, Transaction, TransactionId, TransactionViolation, Unsigned, Uuid,
};
use shared::params::{LayerName, Params};
use shared::random::Random;
use std::collections::BTreeSet;
use std::sync::Arc;

/// How many people pay one another; miners are people, too.
pub const PEOPLE: u64 = 6;
/// Has no money ever, but transactions that look right.
const PAUPER: u64 = 99;

/// Checks the signatures of [`sign`].
pub struct Stamps;

impl Verifier for Stamps {
    fn verify(&self, signed: &Signed<'_>) -> Result<(), TransactionViolation> {
        let right = *signed.signature == sign(signed.text);
        if right { Ok(()) } else { Err(TransactionViolation::WrongSignature(*signed.signer)) }
    }

    fn is_point(&self, _: &Address) -> Result<(), TransactionViolation> {
        Ok(())
    }
}

/// SHA-256 of the text, twice.
pub fn sign(text: &str) -> Signature {
    let digest = *DataHash::of(text).as_bytes();
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(&digest);
    bytes[32..].copy_from_slice(&digest);
    Signature::from_bytes(bytes)
}

/// The address of a person by number.
pub fn person(number: u64) -> Address {
    let mut key = [2; 33];
    key[1..9].copy_from_slice(&number.to_be_bytes());
    Address::of_public_key(&key).unwrap()
}

fn unsigned(from: u64, to: u64, amount: u64, fee: u64, uuid: u128) -> Unsigned {
    let grains = |grains: u64| Amount::new(grains).unwrap();
    let (from, to, msg) = (person(from), person(to), String::new());
    Unsigned { uuid: Uuid(uuid.to_be_bytes()), from, to, amount: grains(amount), fee: grains(fee), msg }
}

/// The fields of a payment, to make another that differs in some.
fn fields(transaction: Transaction) -> Payment {
    let Transaction::Payment(payment) = transaction else { panic!("not a payment") };
    payment
}

/// What a liar's label becomes on layer `transaction`: the data of a block whose header is right and whose bundle is
/// not, if the label says so.
pub fn counterfeit(params: &Params, label: &str) -> String {
    let network = params.network_id();
    let draft = unsigned(PAUPER, 1, 1_000_000, 0, label.len() as u128);
    let transactions = match label {
        // No signature at all.
        _ if label.starts_with("bad") => vec![draft.sign(network, |_| Signature::from_bytes([0; 64]))],
        // Signed by a person without money.
        "same" => vec![draft.sign(network, sign)],
        _ => Vec::new(),
    };
    Bundle { msg: label.to_owned(), miner_address: person(PAUPER - 1), transactions, outcome: None }.to_data().0
}

/// Whether a block may be stored beside the best chain and turn out bad later, so that no node promises to keep it.
pub fn may_turn_out_bad(data: &str) -> bool {
    data == "same" || data.starts_with("{\"msg\":\"same\"")
}

/// The transactions that a node could put into a block.
#[derive(Clone, Default)]
struct Candidates {
    /// From the mempool, when it was reached last.
    pulled: Vec<Arc<Transaction>>,
    /// Behind the mempool's back.
    handed: Vec<Arc<Transaction>>,
}

/// The people, the mempool that they push to, and the candidates that each node knows.
pub struct Economy {
    pub mempool: Mempool,
    pub refused: u64,
    /// Transactions that must never be on a chain.
    pub forged: BTreeSet<TransactionId>,
    /// Of each node.
    candidates: Vec<Candidates>,
    network: BlockHash,
    random: Random,
    signed: u128,
}

impl Economy {
    /// An economy of `nodes` nodes, with the mempool on node number `mempool_node`.
    pub fn new(rules: &Arc<Rules>, mempool_node: usize, nodes: usize, seed: u64) -> Self {
        assert_eq!(rules.params().layer, LayerName::Transaction);
        let candidates = vec![Candidates::default(); nodes];
        Self {
            mempool: Mempool::new(mempool_node, rules.clone()),
            refused: 0,
            forged: BTreeSet::new(),
            candidates,
            network: rules.params().network_id(),
            random: Random::new(seed ^ 0x6d6f_6e65_7900),
            signed: 0,
        }
    }

    /// One person pays another, or tries to.
    pub fn pay(&mut self, chain: &Chain, now_ms: u64) {
        self.signed += 1;
        let (from, to) = (self.random.below(PEOPLE), self.random.below(PEOPLE));
        let Ok(state) = chain.view().snapshot() else { return };
        let balance = transaction::account_balance(state.as_ref(), chain.rules().params(), &person(from)).unwrap();
        let all = balance.grains();
        let amount = 1 + self.random.below((all / 3).max(2));
        let draft = unsigned(from, to, amount, self.random.below(20), self.signed);
        let payment = match self.random.below(12) {
            // More than there is.
            0 => unsigned(from, to, all + 1, 0, self.signed).sign(self.network, sign),
            1 => self.forged(draft),
            2 => Payment { to: person(to + 1), ..fields(draft.sign(self.network, sign)) }.into(),
            3 if all > 1 => return self.spend_twice(from, all, now_ms, chain),
            _ => draft.sign(self.network, sign),
        };
        self.push(payment, chain, now_ms);
    }

    fn push(&mut self, payment: Transaction, chain: &Chain, now_ms: u64) {
        let id = payment.id();
        if self.mempool.push(payment, chain, now_ms) {
            assert!(!self.forged.contains(&id), "the mempool took a forged transaction");
        } else {
            self.refused += 1;
        }
    }

    fn forged(&mut self, draft: Unsigned) -> Transaction {
        let forged = draft.sign(self.network, |_| Signature::from_bytes([1; 64]));
        self.forged.insert(forged.id());
        // A node without checks gets it, too.
        let node = self.random.below(self.candidates.len() as u64) as usize;
        self.hand(node, forged.clone());
        forged
    }

    /// All the money once to the mempool, and once behind its back to a node.
    fn spend_twice(&mut self, from: u64, all: u64, now_ms: u64, chain: &Chain) {
        let to = |random: &mut Random| random.below(PEOPLE);
        let first = unsigned(from, to(&mut self.random), all, 0, self.signed << 64).sign(self.network, sign);
        let second = unsigned(from, to(&mut self.random), all - 1, 1, self.signed << 65).sign(self.network, sign);
        let node = self.random.below(self.candidates.len() as u64) as usize;
        self.hand(node, second);
        self.push(first, chain, now_ms);
    }

    fn hand(&mut self, node: usize, transaction: Transaction) {
        let handed = &mut self.candidates[node].handed;
        handed.push(Arc::new(transaction));
        // It does not keep them for ever.
        let surplus = handed.len().saturating_sub(20);
        handed.drain(..surplus);
    }

    /// The data of the next block of a node; where the mempool cannot be reached, it goes on with what it knows.
    pub fn data(&mut self, node: usize, chain: &Chain, label: &str, mempool_is_reached: bool) -> String {
        let Candidates { pulled, handed } = &mut self.candidates[node];
        if mempool_is_reached {
            *pulled = self.mempool.candidates();
        }
        let candidates: Vec<_> = handed.iter().chain(&*pulled).cloned().collect();
        let miner = Some(person(node as u64 % PEOPLE));
        chain
            .template(&TemplateRequest { message: label, miner, candidates: &candidates })
            .expect("there is always a template")
    }
}
