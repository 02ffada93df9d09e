//! Random spends, valid and invalid, on random block trees: money is conserved, the state is that of a plain replay,
//! every earlier state can be restored, and a template always makes a valid block.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests: this is how they fail

use crate::coins_chain::coins;
use crate::coins_oracle::CoinOracle;
use crate::transactions_lab::{Credulous, MoneyLab, grains, person, rows_of};
use crate::transactions_oracle::Rows;
use proptest::prelude::*;
use proptest::sample::Index;
use shared::chain::{BlockError, Rules};
use shared::keys::Signature;
use shared::layer::{Position, TemplateRequest};
use shared::ledger::{Input, Output, Transaction, UnsignedSpend};
use shared::params::Params;
use shared::state::{Overlay, State};
use shared::store::{MemoryStore, Store};
use std::sync::Arc;

const PEOPLE: [&str; 4] = ["alice", "bob", "carol", "dave"];

/// What is wrong with the first input of a spend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lie {
    Nothing,
    Amount,
    Owner,
    /// The coin may be of another branch, or spent.
    Stale,
}

#[derive(Debug, Clone)]
struct Wish {
    coins: Vec<Index>,
    /// Receivers, and their parts of a hundred; what is left is the fee.
    outputs: Vec<(usize, u64)>,
    lie: Lie,
}

#[derive(Debug, Clone)]
struct Plan {
    /// `None`: the block that was mined last, so that branches grow.
    parent: Option<Index>,
    miner: usize,
    wishes: Vec<Wish>,
    /// Whether the miner skips invalid transactions.
    honest: bool,
    flushed: bool,
    restarted: bool,
}

fn params() -> impl Strategy<Value = Params> {
    prop_oneof![
        Just(Params { reward: 50, halving_blocks: 3, ..coins() }),
        Just(Params { reward: 700, max_transactions: 3, coinbase_maturity: Some(2), ..coins() }),
        Just(Params { reward: ((1 << 53) - 1) / 2, halving_blocks: 1, ..coins() }),
    ]
}

fn wishes() -> impl Strategy<Value = Vec<Wish>> {
    let lie = prop_oneof![
        12 => Just(Lie::Nothing), 1 => Just(Lie::Amount), 1 => Just(Lie::Owner), 2 => Just(Lie::Stale)
    ];
    let outputs = prop::collection::vec((0..4_usize, 1..50_u64), 1..4);
    let wish = (prop::collection::vec(any::<Index>(), 1..4), outputs, lie).prop_map(|(coins, outputs, lie)| Wish {
        coins,
        outputs,
        lie,
    });
    prop::collection::vec(wish, 0..5)
}

fn plans() -> impl Strategy<Value = Vec<Plan>> {
    let parent = prop_oneof![2 => Just(None), 1 => any::<Index>().prop_map(Some)];
    let plan = (parent, 0..4_usize, wishes(), 0..5_u8, 0..6_u8).prop_map(|(parent, miner, wishes, honest, event)| {
        Plan { parent, miner, wishes, honest: honest > 0, flushed: event == 0, restarted: event == 1 }
    });
    prop::collection::vec(plan, 1..14)
}

fn believing(params: Params) -> MoneyLab {
    MoneyLab::with_rules(Rules::with_verifier(params, Arc::new(Credulous)).keeping_history())
}

/// The transactions that are wished for where `unspent` are the coins; `known` are all coins that there ever were.
fn transactions(params: &Params, wishes: &[Wish], mut unspent: Vec<Input>, known: &mut Vec<Input>) -> Vec<Transaction> {
    let mut made = Vec::new();
    for Wish { coins, outputs, lie } in wishes {
        let from = if *lie == Lie::Stale { &*known } else { &unspent };
        let mut inputs: Vec<Input> = Vec::new();
        for coin in coins.iter().filter(|_| !from.is_empty()).map(|coin| *coin.get(from)) {
            if inputs.iter().all(|input| input.coin != coin.coin) {
                inputs.push(coin);
            }
        }
        match (lie, inputs.first_mut()) {
            (_, None) => continue,
            (Lie::Amount, Some(first)) => first.amount = grains(first.amount.grains() % 1000 + 2),
            (Lie::Owner, Some(first)) => first.address = person("eve").address(),
            _ => {}
        }
        let sum: u64 = inputs.iter().map(|input| input.amount.grains()).sum();
        if sum > (1 << 53) - 1 {
            continue;
        }
        let mut left = sum;
        let mut parts = Vec::new();
        for (to, percent) in outputs {
            let amount = (sum / 100 * percent + sum % 100 * percent / 100).max(1).min(left);
            left -= amount;
            if amount > 0 {
                parts.push(Output { address: person(PEOPLE[*to]).address(), amount: grains(amount) });
            }
        }
        let unsigned = UnsignedSpend { inputs, outputs: parts, msg: String::new() };
        let transaction = unsigned.sign(params.network_id(), |_, _| Signature::from_bytes([7; 64]));
        // Others may spend at once what it makes.
        let outputs = &transaction.as_spend().unwrap().outputs;
        let new = (0..).zip(outputs).map(|(place, Output { address, amount })| Input {
            coin: transaction.coin(place),
            address: *address,
            amount: *amount,
        });
        unspent.extend(new.clone());
        known.extend(new);
        made.push(transaction);
    }
    made
}

fn inputs_of(oracle: &CoinOracle) -> Vec<Input> {
    let input = |(name, coin): (&String, &crate::coins_oracle::OracleCoin)| Input {
        coin: name.parse().unwrap(),
        address: coin.address.parse().unwrap(),
        amount: grains(coin.amount),
    };
    oracle.unspent.iter().map(input).collect()
}

/// The candidates that are valid one after another, by the oracle alone.
fn holding(
    lab: &mut MoneyLab,
    below: &CoinOracle,
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
        let (miner, branch) = (PEOPLE[plan.miner], lab.branch(&parent));
        let height = branch.len() as u64;
        let below = CoinOracle::replay(lab.params(), branch.iter().copied());
        let unspent = below.as_ref().map(inputs_of).unwrap_or_default();
        known.extend(unspent.iter().copied());
        let mut transactions = transactions(lab.params(), &plan.wishes, unspent, &mut known);
        transactions.truncate(lab.params().max_transactions as usize);
        if plan.honest
            && let Ok(below) = below
        {
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
    fn coins_are_those_of_the_longest_valid_branch_whatever_came_before(params in params(), plans in plans()) {
        let mut lab = believing(params);
        let names = grow(&mut lab, &plans);
        let mut longest = 0;
        for (name, plan) in names.iter().zip(&plans) {
            let branch = lab.branch(name);
            let (height, expected) = (branch.len() as u64 - 1, CoinOracle::replay(lab.params(), branch));
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
    }

    #[test]
    fn undoing_block_by_block_passes_every_earlier_state_of_coins(params in params(), plans in plans()) {
        let mut lab = believing(params);
        let plans: Vec<_> = plans.into_iter().map(|plan| Plan { honest: true, parent: None, ..plan }).collect();
        let names = grow(&mut lab, &plans);
        let mut state = State::stored_in(MemoryStore::default().snapshot().unwrap(), true);
        let mut history: Vec<(Rows, _)> = Vec::new();
        for name in &names {
            let block = lab.block(name);
            let mut overlay = Overlay::new(&state);
            let position = Position {
                index: block.header().index,
                parent: block.header().prev_hash,
                parent_time: block.header().timestamp,
            };
            lab.rules.read_data(block.data()).unwrap().apply(&position, &mut overlay).unwrap();
            history.push((rows_of(&state), overlay.journal().unwrap()));
            let writes = overlay.into_writes();
            state.absorb(writes);
        }
        for (before, journal) in history.into_iter().rev() {
            let mut overlay = Overlay::new(&state);
            overlay.undo(journal);
            let writes = overlay.into_writes();
            state.absorb(writes);
            prop_assert_eq!(rows_of(&state), before);
        }
    }

    #[test]
    fn a_template_of_spends_is_a_block_and_has_all_that_holds(
        params in params(), plans in plans(), candidates in wishes(), more in wishes(), miner in 0..4_usize
    ) {
        let mut lab = believing(params);
        let names = grow(&mut lab, &plans);
        for name in &names {
            let _ = lab.push(name);
        }
        let best = lab.best_blocks();
        let below = CoinOracle::replay(lab.params(), &best).unwrap();
        let (unspent, height) = (inputs_of(&below), best.len() as u64);
        let wishes = [candidates, more].concat();
        let candidates = transactions(lab.params(), &wishes, unspent.clone(), &mut unspent.clone());
        let miner = PEOPLE[miner];
        let expected = holding(&mut lab, &below, height, miner, &candidates);
        let candidates: Vec<_> = candidates.into_iter().map(Arc::new).collect();
        let wanted = TemplateRequest { message: "", miner: Some(lab.address(miner)), candidates: &candidates };
        let data = lab.chain.template(&wanted).unwrap();
        prop_assert_eq!(&data, &lab.bundle(miner, &expected.iter().collect::<Vec<_>>()));
        let tip = lab.chain.tip().hash();
        let parent = names.iter().find(|name| lab.block(name).hash() == tip).map_or("genesis", String::as_str);
        lab.mine_data("next", parent, &data);
        lab.best("next");
    }
}
