//! Random payments, deployments and calls on random branches: the state after reorganisations is that of a fresh chain
//! in every row, money is conserved, an undone block leaves nothing behind, and machines whose maps are ordered
//! otherwise have the same outcome.

use crate::lab::{Lab, address, params};
use crate::programs::{COUNTER, LOGGER, LOOP, PAYER, REFUSER, WRITER, deploying, maker, word, words};
use proptest::prelude::*;
use proptest::sample::Index;
use shared::block::Block;
use shared::chain::Accepted;
use shared::layer::program::new_program;
use shared::ledger::{Address, Transaction};
use shared::program::{AccountId, Call, CallKind, Word};

const PEOPLE: [&str; 3] = ["alice", "bob", "carol"];

#[derive(Debug, Clone)]
enum Wish {
    Pay { from: usize, to: usize, amount: u64 },
    Deploy { from: usize, code: usize, amount: u64 },
    Call { from: usize, program: Index, amount: u64, to: usize, second: u64, gas: u64 },
}

#[derive(Debug, Clone)]
struct Plan {
    /// `None`: the block that was mined last.
    parent: Option<Index>,
    miner: usize,
    wishes: Vec<Wish>,
}

fn wish() -> impl Strategy<Value = Wish> {
    let amount = prop_oneof![Just(0_u64), 1_u64..50, 1_u64..2_000_000];
    let person = 0..PEOPLE.len();
    prop_oneof![
        1 => (person.clone(), person.clone(), 1_u64..1000)
            .prop_map(|(from, to, amount)| Wish::Pay { from, to, amount }),
        2 => (person.clone(), 0..7_usize, 0_u64..100)
            .prop_map(|(from, code, amount)| Wish::Deploy { from, code, amount }),
        4 => (person.clone(), any::<Index>(), amount, person, 0_u64..60, 21_000_u64..120_000)
            .prop_map(|(from, program, amount, to, second, gas)| Wish::Call { from, program, amount, to, second, gas }),
    ]
}

fn plans() -> impl Strategy<Value = Vec<Plan>> {
    let parent = prop_oneof![2 => Just(None), 1 => any::<Index>().prop_map(Some)];
    let wishes = prop::collection::vec(wish(), 0..6);
    let plan = (parent, 0..PEOPLE.len(), wishes).prop_map(|(parent, miner, wishes)| Plan { parent, miner, wishes });
    prop::collection::vec(plan, 2..9)
}

fn code(number: usize) -> Vec<u8> {
    match number {
        0 => COUNTER.to_vec(),
        1 => PAYER.to_vec(),
        2 => REFUSER.to_vec(),
        3 => LOGGER.to_vec(),
        4 => LOOP.to_vec(),
        5 => WRITER.to_vec(),
        _ => maker(),
    }
}

fn transactions(lab: &mut Lab, wishes: &[Wish], programs: &mut Vec<AccountId>) -> Vec<Transaction> {
    let mut made = Vec::new();
    for wish in wishes {
        let transaction = match wish {
            Wish::Pay { from, to, amount } => lab.pay(PEOPLE[*from], PEOPLE[*to], *amount),
            Wish::Deploy { from, code: number, amount } => {
                let msg = Call { gas: 200_000, input: deploying(&code(*number)) }.to_msg(CallKind::Deploy);
                let deployment = lab.transaction(PEOPLE[*from], Address::nobody(), *amount, 5, &msg);
                programs.push(new_program(&deployment.id()));
                deployment
            }
            Wish::Call { from, program, amount, to, second, gas } if !programs.is_empty() => {
                let input = words(word(address(PEOPLE[*to]).account()), *second);
                let msg = Call { gas: *gas, input }.to_msg(CallKind::Call);
                lab.transaction(PEOPLE[*from], Address::of_program(*program.get(programs)), *amount, 3, &msg)
            }
            Wish::Call { .. } => continue,
        };
        made.push(transaction);
    }
    made
}

/// A chain of its own that ends with `blocks[last]`.
fn branch(lab: &Lab, blocks: &[(Block, usize)], last: usize) -> Lab {
    let mut path = vec![last];
    while path[path.len() - 1] > 0 {
        path.push(blocks[path[path.len() - 1]].1);
    }
    let mut branch = lab.sibling();
    for place in path.into_iter().rev().skip(1) {
        assert_eq!(branch.accept(blocks[place].0.clone()), Ok(Accepted::Best));
    }
    branch
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn reorganisations_leave_the_state_of_a_fresh_chain(plans in plans()) {
        let mut lab = Lab::new(params());
        // Each block with the place of its parent.
        let mut blocks = vec![(lab.tip(), 0)];
        let mut programs = Vec::new();
        for plan in &plans {
            let parent = plan.parent.as_ref().map_or(blocks.len() - 1, |any| any.index(blocks.len()));
            let wanted = transactions(&mut lab, &plan.wishes, &mut programs);
            let on = branch(&lab, &blocks, parent);
            let block = on.block_on(&blocks[parent].0, on.template(PEOPLE[plan.miner], &wanted));
            blocks.push((block.clone(), parent));
            lab.accept(block).unwrap();
            lab.check_money();
            let fresh = lab.fresh();
            prop_assert_eq!(lab.rows(), fresh.rows(), "a fresh chain has other rows");
            prop_assert_eq!(lab.rows(), lab.reopened().rows(), "a restart would change the state");
        }
    }

    #[test]
    fn two_templates_of_the_same_calls_have_one_outcome(wishes in prop::collection::vec(wish(), 1..12)) {
        let mut lab = Lab::new(params());
        for person in PEOPLE {
            lab.mine(person, &[]);
        }
        let mut programs = vec![AccountId([9; 20])];
        let wanted = transactions(&mut lab, &wishes, &mut programs);
        // Hash maps of one process are seeded anew each time.
        let first = lab.template("alice", &wanted);
        for _ in 0..3 {
            prop_assert_eq!(&lab.template("alice", &wanted), &first);
        }
        let block = lab.block_on(&lab.tip(), first);
        prop_assert_eq!(lab.accept(block), Ok(Accepted::Best));
        lab.check_money();
    }
}

#[test]
fn many_slots_have_one_outcome() {
    let mut lab = Lab::new(params());
    lab.mine("alice", &[]);
    let writer = lab.deployed("alice", WRITER, 0);
    let calls: Vec<_> = (0..40_u64).map(|n| lab.call("alice", writer, 0, &words(n * 7919, n + 1))).collect();
    let first = lab.template("miner", &calls);
    assert_eq!(first, lab.template("miner", &calls));
    lab.mine("miner", &calls);
    assert_eq!(lab.slot(writer, 7919 * 39), Word::from(40));
}
