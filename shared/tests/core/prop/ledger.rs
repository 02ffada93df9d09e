//! Random payments, valid and invalid, on random block trees: money is conserved, the state is that of a plain replay,
//! every earlier state can be restored, and a template always makes a valid block.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests: this is how they fail

use crate::transactions_lab::{Credulous, MoneyLab, money, rows_of};
use crate::transactions_oracle::{Oracle, Rows};
use proptest::prelude::*;
use proptest::sample::Index;
use shared::chain::{BlockError, Rules};
use shared::keys::Signature;
use shared::layer::transaction::RewardSchedule;
use shared::layer::{Position, TemplateRequest};
use shared::ledger::{Amount, Bundle, Payment, Transaction};
use shared::params::Params;
use shared::state::{Overlay, State};
use shared::store::{MemoryStore, Store};
use std::sync::Arc;

const PEOPLE: [&str; 4] = ["alice", "bob", "carol", "dave"];

/// A wanted payment: sender, receiver, amount and fee; or a repeated one.
#[derive(Debug, Clone)]
enum Wish {
    Pay(usize, usize, u64, u64),
    Again(Index),
}

#[derive(Debug, Clone)]
struct Plan {
    /// `None`: the block that was mined last, so that branches grow.
    parent: Option<Index>,
    miner: usize,
    wishes: Vec<Wish>,
    /// Whether the miner skips invalid payments.
    honest: bool,
    flushed: bool,
    restarted: bool,
}

fn params() -> impl Strategy<Value = Params> {
    let rich = Amount::MAX.grains() / 2;
    prop_oneof![
        Just(Params { reward: 50, halving_blocks: 3, ..money() }),
        Just(Params { reward: 7, new_address_balance: 20, max_transactions: 3, ..money() }),
        Just(Params { reward: rich, halving_blocks: 0, ..money() }),
        Just(Params { reward: 0, new_address_balance: rich, ..money() }),
    ]
}

fn wishes() -> impl Strategy<Value = Vec<Wish>> {
    let most = Amount::MAX.grains();
    let amount = prop_oneof![8 => 1_u64..40, 1 => Just(most / 2), 1 => Just(most / 2 - 30)];
    let fee = prop_oneof![Just(0_u64), 0_u64..10];
    let wish = prop_oneof![
        8 => (0..4_usize, 0..4_usize, amount, fee).prop_map(|(from, to, amount, fee)| Wish::Pay(from, to, amount, fee)),
        1 => any::<Index>().prop_map(Wish::Again),
    ];
    prop::collection::vec(wish, 0..6)
}

fn plans() -> impl Strategy<Value = Vec<Plan>> {
    let parent = prop_oneof![Just(None), any::<Index>().prop_map(Some)];
    let plan = (parent, 0..4_usize, wishes(), 0..5_u8, 0..6_u8).prop_map(|(parent, miner, wishes, honest, event)| {
        Plan { parent, miner, wishes, honest: honest > 0, flushed: event == 0, restarted: event == 1 }
    });
    prop::collection::vec(plan, 1..12)
}

fn believing(params: Params) -> MoneyLab {
    MoneyLab::with_rules(Rules::with_verifier(params, Arc::new(Credulous)).keeping_history())
}

fn signed(lab: &mut MoneyLab, wishes: &[Wish], known: &mut Vec<Transaction>) -> Vec<Transaction> {
    let mut transactions = Vec::new();
    for wish in wishes {
        match wish {
            Wish::Pay(from, to, amount, fee) => {
                transactions.push(lab.pay_unsigned(PEOPLE[*from], PEOPLE[*to], *amount, *fee));
                known.extend(transactions.last().cloned());
            }
            Wish::Again(which) if !known.is_empty() => transactions.push(which.get(known).clone()),
            Wish::Again(_) => {}
        }
    }
    transactions
}

/// The candidates that are valid one after another, by the oracle alone.
fn holding(
    lab: &mut MoneyLab,
    below: &Oracle,
    height: u64,
    miner: &str,
    candidates: &[Transaction],
) -> Vec<Transaction> {
    let mut kept: Vec<Transaction> = Vec::new();
    for candidate in candidates {
        let trial: Vec<_> = kept.iter().chain([candidate]).collect();
        let data = lab.bundle(miner, &trial);
        if trial.len() as u64 <= lab.params().max_transactions
            && below.clone().apply(lab.params(), height, &data).is_ok()
        {
            kept.push(candidate.clone());
        }
    }
    kept
}

/// Mines the planned blocks; returns their names.
fn grow(lab: &mut MoneyLab, plans: &[Plan]) -> Vec<String> {
    let (mut names, mut known) = (vec!["genesis".to_owned()], Vec::new());
    for (number, plan) in plans.iter().enumerate() {
        let parent = names[plan.parent.map_or(number, |any| any.index(names.len()))].clone();
        let miner = PEOPLE[plan.miner];
        let mut transactions = signed(lab, &plan.wishes, &mut known);
        transactions.truncate(lab.params().max_transactions as usize);
        let branch = lab.branch(&parent);
        if plan.honest
            && let Ok(below) = Oracle::replay(lab.params(), branch.iter().copied())
        {
            let height = branch.len() as u64;
            transactions = holding(lab, &below, height, miner, &transactions);
        }
        let name = format!("n{number}");
        // The number makes equal plans differ.
        let data = lab.bundle(miner, &transactions.iter().collect::<Vec<_>>());
        let data = data.replacen("\"msg\":\"\"", &format!("\"msg\":\"{number}\""), 1);
        lab.mine_data(&name, &parent, &data);
        names.push(name);
    }
    names.split_off(1)
}

proptest! {
    #![proptest_config(super::config(250))]

    #[test]
    fn money_is_that_of_the_longest_valid_branch_whatever_came_before(params in params(), plans in plans()) {
        let mut lab = believing(params);
        let names = grow(&mut lab, &plans);
        let mut longest = 0;
        for (name, plan) in names.iter().zip(&plans) {
            let branch = lab.branch(name);
            let (height, expected) = (branch.len() as u64 - 1, Oracle::replay(lab.params(), branch));
            // This also checks all rows, and that a restart finds the same.
            let verdict = lab.push(name);
            match (&expected, verdict) {
                (Ok(_), Ok(_)) => longest = longest.max(height),
                // A side branch is fully validated only when it becomes the best.
                (Err(_), Ok(_)) => prop_assert!(lab.chain.tip().hash() != lab.block(name).hash()),
                (Err(rule), Err(BlockError::Invalid(broken))) => {
                    let inherited = broken.name() == "invalid-ancestor";
                    prop_assert!(inherited || rule.starts_with(broken.name()), "{rule}, not {broken}");
                }
                (Err(_), Err(BlockError::NotYet(_))) => {}
                (expected, verdict) => prop_assert!(false, "{name}: {verdict:?}, expected {expected:?}"),
            }
            prop_assert_eq!(lab.chain.tip().index.0, longest);
            if plan.flushed {
                lab.chain.flush().unwrap();
                lab.check();
            }
            if plan.restarted {
                lab.restart();
            }
        }
        let (oracle, params) = (lab.oracle(), lab.params());
        let created = RewardSchedule::of(params).total(lab.chain.tip().index);
        prop_assert_eq!(oracle.created, created);
        let balances = lab.rows().into_iter().filter(|(key, _)| key[0] == b'b');
        let grains = |row: Vec<u8>| u128::from(u64::from_be_bytes(row.try_into().unwrap()));
        let balances: Vec<_> = balances.map(|(_, row)| grains(row)).collect();
        let given = balances.len() as u128 * u128::from(params.new_address_balance);
        prop_assert_eq!(balances.iter().sum::<u128>(), created + given);
    }

    #[test]
    fn undoing_block_by_block_passes_every_earlier_state_in_bytes(params in params(), plans in plans()) {
        let mut lab = believing(params);
        let plans: Vec<_> = plans.into_iter().map(|plan| Plan { honest: true, parent: None, ..plan }).collect();
        let names = grow(&mut lab, &plans);
        let mut state = State::stored_in(MemoryStore::default().snapshot().unwrap(), true);
        let mut history: Vec<(Rows, _)> = Vec::new();
        for name in &names {
            let block = lab.block(name);
            let mut overlay = Overlay::new(&state);
            let effect = lab.rules.read_data(block.data()).unwrap();
            // Payments do not depend on the parent's time.
            let header = block.header();
            let position =
                Position { index: header.index, parent: header.prev_hash, parent_time: header.timestamp };
            if effect.apply(&position, &mut overlay).is_err() {
                // The miner's balance would overflow: this block and its descendants are invalid.
                break;
            }
            history.push((rows_of(&state), overlay.journal().unwrap()));
            let writes = overlay.into_writes();
            state.absorb(writes);
        }
        let tip = rows_of(&state);
        let mut trial = state.clone();
        for (before, journal) in history.into_iter().rev() {
            let mut overlay = Overlay::new(&trial);
            overlay.undo(journal);
            let writes = overlay.into_writes();
            trial.absorb(writes);
            prop_assert_eq!(rows_of(&trial), before);
        }
        prop_assert_eq!(rows_of(&state), tip);
    }

    #[test]
    fn a_template_is_a_block_and_has_all_that_holds(
        params in params(), plans in plans(), candidates in wishes(), more in wishes(), miner in 0..4_usize
    ) {
        let mut lab = believing(params);
        let names = grow(&mut lab, &plans);
        for name in &names {
            let _ = lab.push(name);
        }
        let best = lab.best_blocks();
        let mut known: Vec<_> =
            best[1..].iter().flat_map(|block| Bundle::from_data(block.data()).unwrap().0.transactions).collect();
        let mut candidates = signed(&mut lab, &[candidates, more].concat(), &mut known);
        if let Some(first) = candidates.first_mut() {
            // An id that is not the hash of the text.
            let payment = first.as_payment().unwrap().clone();
            let amount = Amount::new(payment.amount.grains() % 1000 + 1).unwrap();
            *first = Payment { amount, signature: Signature::from_bytes([8; 64]), ..payment }.into();
        }
        let (miner, height) = (PEOPLE[miner], best.len() as u64);
        let network = lab.params().network_id();
        let right: Vec<_> = candidates
            .iter()
            .filter(|it| shared::ledger::TransactionId::of(it.text(network)) == it.id())
            .cloned()
            .collect();
        let below = lab.oracle();
        let empty = lab.bundle(miner, &[]);
        let candidates: Vec<_> = candidates.into_iter().map(Arc::new).collect();
        let wanted = TemplateRequest { message: "", miner: Some(lab.address(miner)), candidates: &candidates };
        let template = lab.chain.template(&wanted);
        match below.clone().apply(lab.params(), height, &empty) {
            Ok(()) => {
                let expected = holding(&mut lab, &below, height, miner, &right);
                let data = template.unwrap();
                prop_assert_eq!(&data, &lab.bundle(miner, &expected.iter().collect::<Vec<_>>()));
                let tip = lab.chain.tip().hash();
                let parent = names.iter().find(|name| lab.block(name).hash() == tip).map_or("genesis", String::as_str);
                lab.mine_data("next", parent, &data);
                lab.best("next");
            }
            // The reward would overflow the miner's balance, unless it spends in the same block before.
            Err(_) => if let Ok(data) = template {
                prop_assert!(below.clone().apply(lab.params(), height, &data).is_ok());
            },
        }
    }
}
