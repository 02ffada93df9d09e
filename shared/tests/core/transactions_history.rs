//! Queries of the state: histories, past and current balances, accounts, and positions of transactions.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests: this is how they fail

use crate::transactions_lab::{Credulous, MoneyLab, money};
use crate::transactions_oracle::{Line, Rows, What};
use shared::block::Height;
use shared::chain::{ChainSnapshot, Origin, Rules};
use shared::layer::transaction::{
    AccountBalance, BalanceChange, ChangeCause, HistoryPosition, account_balance, accounts, balance_at,
    balance_history, locate_transaction, transaction_at,
};
use shared::ledger::Address;
use shared::params::Params;
use std::sync::Arc;

const PEOPLE: [&str; 4] = ["alice", "bob", "carol", "dave"];

fn believing(params: Params) -> MoneyLab {
    MoneyLab::with_rules(Rules::with_verifier(params, Arc::new(Credulous)).keeping_history())
}

/// Mines a line of blocks in which everybody pays somebody, several times a block, sometimes himself.
fn busy(lab: &mut MoneyLab, parent: &str, branch: &str, count: u64) -> Vec<String> {
    let (mut parent, mut names) = (parent.to_owned(), Vec::new());
    for number in 1..=count {
        let at = |shift: u64| PEOPLE[((number + shift) % 4) as usize];
        let payments = [
            lab.pay_unsigned("alice", at(0), number, 1),
            lab.pay_unsigned("alice", "bob", 1, number % 3),
            lab.pay_unsigned("bob", at(branch.len() as u64), 1, 0),
            lab.pay_unsigned("alice", "alice", 2, 1),
        ];
        let name = format!("{branch}{number}");
        lab.mine(&name, &parent, at(1), &payments.iter().collect::<Vec<_>>());
        names.push(name.clone());
        parent = name;
    }
    names
}

/// Alice starts with 5000 grains, the reward of block 1.
fn busy_lab(count: u64) -> MoneyLab {
    let mut lab = believing(Params { reward: 5000, ..money() });
    lab.mine("a0", "genesis", "alice", &[]);
    lab.best("a0");
    let names = busy(&mut lab, "a0", "a", count);
    lab.best(&names.join(" "));
    lab
}

fn line_of(event: &BalanceChange) -> Line {
    let what = match &event.cause {
        ChangeCause::Payment(transaction) => What::Payment(transaction.id().to_string()),
        ChangeCause::Reward(amount) => What::Reward(amount.grains()),
    };
    Line { height: event.position.index.0, place: event.position.place, balance: event.balance.grains(), what }
}

/// All of an address's history, page by page.
fn history(state: &ChainSnapshot, address: &Address, page: usize) -> Vec<Line> {
    let (mut lines, mut before) = (Vec::new(), None);
    loop {
        let balance_history = balance_history(state, address, before, page).unwrap();
        assert!(balance_history.len() <= page);
        let Some(last) = balance_history.last() else { return lines };
        assert!(before.is_none_or(|before| last.position < before), "a page does not go on after the one before");
        before = Some(last.position);
        lines.extend(balance_history.iter().map(line_of));
    }
}

#[test]
fn a_history_is_newest_first_with_the_balance_after_each_change() {
    let mut lab = busy_lab(12);
    let (state, oracle) = (lab.state(), lab.oracle());
    for name in PEOPLE {
        let address = lab.address(name);
        let mut expected = oracle.history[address.as_str()].clone();
        expected.reverse();
        for page in [1, 2, 3, 7, 1000] {
            assert_eq!(history(&state, &address, page), expected, "{name}, {page} at a time");
        }
        let newest: Vec<_> = balance_history(state.as_ref(), &address, None, 3).unwrap().iter().map(line_of).collect();
        assert_eq!(newest, expected[..3]);
        assert_eq!(balance_history(state.as_ref(), &address, None, 0), Ok(vec![]));
    }
    let stranger = lab.address("stranger");
    assert_eq!(balance_history(state.as_ref(), &stranger, None, 10), Ok(vec![]));
}

#[test]
fn a_page_may_begin_before_any_position() {
    let mut lab = busy_lab(5);
    let (state, alice) = (lab.state(), lab.address("alice"));
    let moments: Vec<_> =
        balance_history(state.as_ref(), &alice, None, 1000).unwrap().iter().map(|event| event.position).collect();
    for index in 0..=8 {
        for place in [0, 1, 3, 4, 5, u32::MAX] {
            let before = HistoryPosition { index: Height(index), place };
            let got = balance_history(state.as_ref(), &alice, Some(before), 1000).unwrap();
            let got: Vec<_> = got.iter().map(|event| event.position).collect();
            let expected: Vec<_> = moments.iter().filter(|moment| **moment < before).copied().collect();
            assert_eq!(got, expected, "before {before:?}");
        }
    }
}

#[test]
fn the_balance_at_every_height_is_that_of_a_replay() {
    for new_address_balance in [0, 30] {
        let mut lab = believing(Params { reward: 5000, new_address_balance, ..money() });
        lab.mine("a0", "genesis", "alice", &[]);
        lab.best("a0");
        // A block in which nothing happens but a reward, so that most people's newest change lies below.
        let names = busy(&mut lab, "a0", "a", 6);
        lab.best(&names.join(" "));
        lab.mine("last", "a6", "miner", &[]);
        lab.best("last");
        let (state, oracle) = (lab.state(), lab.oracle());
        for name in PEOPLE.into_iter().chain(["miner", "stranger"]) {
            let address = lab.address(name);
            for height in 0..=9 {
                let got = balance_at(state.as_ref(), lab.params(), &address, Height(height)).unwrap().grains();
                assert_eq!(
                    got,
                    oracle.balance_at(lab.params(), address.as_str(), height),
                    "{name} after block {height}"
                );
            }
            let now = account_balance(state.as_ref(), lab.params(), &address).unwrap();
            let at_tip = balance_at(state.as_ref(), lab.params(), &address, state.tip().index).unwrap();
            assert_eq!(at_tip, now, "{name} at the tip");
            let genesis = balance_at(state.as_ref(), lab.params(), &address, Height::GENESIS).unwrap();
            assert_eq!(genesis.grains(), new_address_balance, "{name} at genesis");
        }
    }
}

#[test]
fn accounts_are_found_by_prefix_in_the_order_of_their_text() {
    let mut lab = busy_lab(3);
    let people: Vec<_> = (0..40).map(|number| format!("person {number}")).collect();
    let gifts: Vec<_> = people.iter().map(|name| lab.pay_unsigned("alice", name, 1, 0)).collect();
    lab.mine("gifts", "a3", "alice", &gifts.iter().collect::<Vec<_>>());
    lab.best("gifts");
    let (state, oracle) = (lab.state(), lab.oracle());
    let text = |account: &AccountBalance| (account.address.to_string(), account.balance.grains());
    for prefix in [
        "",
        "l",
        "lab1",
        "lab1q",
        "lab1qf",
        "lab1qg",
        "lab1qt",
        "lab1qw3a",
        "lab1qzzzz",
        "lab1r",
        "lac",
        "x",
        "LAB1",
        "é",
    ] {
        let expected: Vec<_> = oracle.balances.clone().into_iter().filter(|(it, _)| it.starts_with(prefix)).collect();
        for page in [1, 3, 1000] {
            let (mut got, mut from) = (Vec::new(), String::new());
            loop {
                // One more than a page, to know where the next begins.
                let mut accounts = accounts(state.as_ref(), prefix, &from, page + 1).unwrap();
                let next = (accounts.len() > page).then(|| accounts.pop()).flatten();
                got.extend(accounts.iter().map(text));
                let Some(next) = next else { break };
                from = next.address.to_string();
            }
            assert_eq!(got, expected, "prefix {prefix:?}, {page} at a time");
        }
    }
    let whole = oracle.balances.keys().next().unwrap();
    assert_eq!(accounts(state.as_ref(), whole, "", 10).unwrap().len(), 1, "a whole address is a prefix, too");
    assert_eq!(accounts(state.as_ref(), "lab1q", "lab2", 10), Ok(vec![]), "a page that begins behind the prefix");
    assert_eq!(accounts(state.as_ref(), "lab1q", "a", 1000).unwrap().len(), oracle.balances.len(), "and one before it");
    assert_eq!(accounts(state.as_ref(), "", "", 0), Ok(vec![]));
}

#[test]
fn a_transaction_is_found_at_its_position() {
    let mut lab = busy_lab(4);
    let unknown = lab.pay_unsigned("alice", "bob", 1, 0);
    lab.chain.flush().unwrap();
    let (state, blocks) = (lab.state(), lab.best_blocks());
    assert_eq!(locate_transaction(state.as_ref(), &unknown.id()), Ok(None));
    let mut found = 0;
    for block in &blocks[1..] {
        let (bundle, spans) = shared::ledger::Bundle::from_data(block.data()).unwrap();
        for (transaction, span) in bundle.transactions.iter().zip(spans) {
            let place = locate_transaction(state.as_ref(), &transaction.id()).unwrap().unwrap();
            assert_eq!((place.index, place.span), (block.index(), span));
            let (read, id) = transaction_at(state.as_ref(), place).unwrap();
            assert_eq!((&read, id.hash), (transaction, block.hash()));
            found += 1;
        }
    }
    assert_eq!(found, 16);
}

#[test]
fn positions_count_bytes_and_not_characters() {
    let mut lab = believing(money());
    lab.mine("a1", "genesis", "alice", &[]);
    let mut draft = lab.draft("alice", "bob", 1, 0);
    draft.msg = "é\"\\\u{1f4b0}".to_owned();
    let network = lab.params().network_id();
    let first = draft.sign(network, |_| shared::keys::Signature::from_bytes([1; 64]));
    let second = lab.pay_unsigned("alice", "bob", 2, 0);
    let data = lab.bundle("miner", &[&first, &second]).replacen("\"msg\":\"\"", "\"msg\":\"é\u{2028}\"", 1);
    lab.mine_data("a2", "a1", &data);
    lab.best("a1 a2");
    let bob = lab.address("bob");
    let got: Vec<_> =
        balance_history(lab.state().as_ref(), &bob, None, 10).unwrap().into_iter().map(|event| event.cause).collect();
    assert_eq!(got, [ChangeCause::Payment(second), ChangeCause::Payment(first)]);
}

#[test]
fn a_reader_keeps_its_snapshot_during_a_reorganisation() {
    let mut lab = busy_lab(3);
    let names = busy(&mut lab, "a0", "b-", 4);
    let (before, alice) = (lab.state(), lab.address("alice"));
    let (rows, lines) = (lab.rows(), history(&before, &alice, 100));
    for name in &names {
        lab.give(name, Origin::Single).unwrap();
    }
    lab.check();
    assert_ne!(history(&lab.state(), &alice, 100), lines);
    assert_eq!(crate::transactions_lab::rows(&before), rows);
    assert_eq!(history(&before, &alice, 100), lines, "what was read before is read again, blocks included");
}

#[test]
fn after_a_reorganisation_the_history_is_that_of_the_new_branch_alone() {
    let mut lab = busy_lab(6);
    let names = busy(&mut lab, "a2", "b-", 7);
    for (number, name) in names.iter().enumerate() {
        if number == 2 {
            lab.chain.flush().unwrap();
        }
        lab.give(name, Origin::Single).unwrap();
    }
    assert_eq!(lab.chain.take_reorganisation().unwrap().undone(), 4);
    lab.check();
    let mut straight = believing(lab.params().clone());
    for (number, block) in lab.best_blocks().into_iter().enumerate().skip(1) {
        straight.keep(&format!("s{number}"), block);
        straight.best(&format!("s{number}"));
    }
    assert_eq!(straight.rows(), lab.rows());
    for name in PEOPLE {
        let address = lab.address(name);
        assert_eq!(history(&straight.state(), &address, 5), history(&lab.state(), &address, 5));
    }
}

#[test]
fn without_history_all_other_rows_are_the_same() {
    let lab = busy_lab(8);
    let rules = Rules::with_verifier(lab.params().clone(), Arc::new(Credulous));
    let mut plain = MoneyLab::with_rules(rules);
    for (number, block) in lab.best_blocks().into_iter().enumerate().skip(1) {
        plain.keep(&format!("p{number}"), block);
        plain.best(&format!("p{number}"));
    }
    let without_history: Rows = lab.rows().into_iter().filter(|(key, _)| key[0] != b'h').collect();
    assert!(without_history.len() < lab.rows().len());
    assert_eq!(plain.rows(), without_history);
}
