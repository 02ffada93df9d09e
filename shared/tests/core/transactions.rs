//! Rules for balances: double spending, order inside a block, the faucet, the largest balance, rewards.

use crate::transactions_lab::{MoneyLab, money};
use shared::ledger::Amount;
use shared::params::Params;

/// Alice has mined block 1 and has 100 grains.
fn alice_has_100() -> MoneyLab {
    let mut lab = MoneyLab::new(money());
    lab.mine("a1", "genesis", "alice", &[]);
    lab.best("a1");
    assert_eq!(lab.balances(["alice", "bob"]), [100, 0]);
    lab
}

#[test]
fn a_double_spend_in_one_block_is_refused_with_its_place() {
    let mut lab = alice_has_100();
    let (first, second) = (lab.pay("alice", "bob", 100, 0), lab.pay("alice", "carol", 100, 0));
    let data = lab.bundle("miner", &[&first, &second]);
    let detail = lab.refused("a1", &data, "balance");
    assert!(detail.starts_with("transaction 1 of the bundle: ") && detail.contains("has 0 LAB"), "{detail}");
    lab.mine("a2", "a1", "miner", &[&first]);
    lab.best("a2");
}

#[test]
fn a_double_spend_in_two_blocks_is_refused() {
    let mut lab = alice_has_100();
    let (first, second) = (lab.pay("alice", "bob", 60, 0), lab.pay("alice", "carol", 60, 0));
    lab.mine("a2", "a1", "miner", &[&first]);
    lab.mine("a3", "a2", "miner", &[&second]);
    lab.best("a2");
    lab.broken("a3", "balance");
    assert_eq!(lab.balances(["alice", "bob", "carol"]), [40, 60, 0]);
}

#[test]
fn a_double_spend_in_two_branches_counts_on_the_best_one_only() {
    // a1 - a2 (to bob) - a3
    //    \ b2 (to carol) - b3 - b4
    let mut lab = alice_has_100();
    let (to_bob, to_carol) = (lab.pay("alice", "bob", 100, 0), lab.pay("alice", "carol", 90, 10));
    lab.mine("a2", "a1", "miner", &[&to_bob]);
    lab.mine("b2", "a1", "other", &[&to_carol]);
    lab.best("a2");
    lab.side("b2");
    lab.mine("a3", "a2", "miner", &[]);
    lab.mine("b3", "b2", "other", &[]);
    lab.mine("b4", "b3", "other", &[]);
    lab.best("a3");
    assert_eq!(lab.balances(["alice", "bob", "carol", "miner", "other"]), [0, 100, 0, 200, 0]);
    lab.side("b3");
    lab.best("b4");
    assert_eq!(lab.balances(["alice", "bob", "carol", "miner", "other"]), [0, 0, 90, 0, 310]);
    let data = lab.bundle("other", &[&to_bob]);
    lab.refused("b4", &data, "balance");
}

#[test]
fn a_sender_cannot_spend_a_grain_more_than_its_balance() {
    let mut lab = alice_has_100();
    for (amount, fee) in [(101, 0), (100, 1), (1, 100), (Amount::MAX.grains(), 0), (1, Amount::MAX.grains() - 1)] {
        let transaction = lab.pay("alice", "bob", amount, fee);
        let data = lab.bundle("miner", &[&transaction]);
        lab.refused("a1", &data, "balance");
    }
    let from_nobody = lab.pay("dave", "bob", 1, 0);
    let data = lab.bundle("miner", &[&from_nobody]);
    lab.refused("a1", &data, "balance");
}

#[test]
fn the_whole_balance_can_be_spent_and_leaves_a_row_of_zero() {
    let mut lab = alice_has_100();
    let everything = lab.pay("alice", "bob", 90, 10);
    lab.mine("a2", "a1", "miner", &[&everything]);
    lab.best("a2");
    assert_eq!(lab.balances(["alice", "bob", "miner", "dave"]), [0, 90, 110, 0]);
    assert!(lab.has_row("alice") && !lab.has_row("dave"));
}

#[test]
fn money_that_arrives_later_in_the_block_cannot_be_spent_yet() {
    let mut lab = alice_has_100();
    let (arrives, leaves) = (lab.pay("alice", "bob", 50, 0), lab.pay("bob", "carol", 50, 0));
    let data = lab.bundle("miner", &[&leaves, &arrives]);
    let detail = lab.refused("a1", &data, "balance");
    assert!(detail.starts_with("transaction 0 of the bundle: "), "{detail}");
    lab.mine("a2", "a1", "miner", &[&arrives, &leaves]);
    lab.best("a2");
    assert_eq!(lab.balances(["alice", "bob", "carol"]), [50, 0, 50]);
}

#[test]
fn the_miner_earns_last_and_cannot_spend_that_in_the_same_block() {
    let mut lab = alice_has_100();
    let (fee, spends) = (lab.pay("alice", "bob", 1, 50), lab.pay("miner", "bob", 1, 0));
    let data = lab.bundle("miner", &[&fee, &spends]);
    lab.refused("a1", &data, "balance");
}

#[test]
fn a_payment_to_oneself_costs_the_fee_and_nothing_else() {
    let mut lab = alice_has_100();
    let too_much = lab.pay("alice", "alice", 91, 10);
    let data = lab.bundle("miner", &[&too_much]);
    lab.refused("a1", &data, "balance");
    let to_herself = lab.pay("alice", "alice", 90, 10);
    lab.mine("a2", "a1", "miner", &[&to_herself]);
    lab.best("a2");
    assert_eq!(lab.balances(["alice", "miner"]), [90, 110]);
    let for_nothing = lab.pay("alice", "alice", 90, 0);
    lab.mine("a3", "a2", "miner", &[&for_nothing]);
    lab.best("a3");
    assert_eq!(lab.balances(["alice", "miner"]), [90, 210]);
}

#[test]
fn a_miner_gets_its_own_fee_back() {
    let mut lab = alice_has_100();
    let transaction = lab.pay("alice", "bob", 10, 90);
    lab.mine("a2", "a1", "alice", &[&transaction]);
    lab.best("a2");
    assert_eq!(lab.balances(["alice", "bob"]), [190, 10]);
}

#[test]
fn one_invalid_transaction_invalidates_the_block_and_leaves_no_trace() {
    let mut lab = alice_has_100();
    let good: Vec<_> = ["bob", "carol", "dave"].iter().map(|to| lab.pay("alice", to, 10, 1)).collect();
    let bad = lab.pay("bob", "carol", 11, 0);
    let before = lab.rows();
    let data = lab.bundle("miner", &[&good[0], &good[1], &bad, &good[2]]);
    let detail = lab.refused("a1", &data, "balance");
    assert!(detail.starts_with("transaction 2 of the bundle: "), "{detail}");
    assert_eq!(lab.rows(), before);
    lab.mine("a2", "a1", "miner", &[&good[0], &good[1], &good[2]]);
    lab.best("a2");
}

#[test]
fn a_new_address_has_the_faucets_balance_only_once() {
    let mut lab = MoneyLab::new(Params { new_address_balance: 1000, ..money() });
    assert_eq!(lab.balances(["alice", "bob", "miner"]), [1000; 3]);
    let too_much = lab.pay("alice", "bob", 1000, 1);
    let data = lab.bundle("miner", &[&too_much]);
    lab.refused("genesis", &data, "balance");
    let everything = lab.pay("alice", "bob", 999, 1);
    lab.mine("a1", "genesis", "miner", &[&everything]);
    lab.best("a1");
    // Income is added to it, for receivers and miners alike.
    assert_eq!(lab.balances(["alice", "bob", "miner"]), [0, 1999, 1101]);
    assert!(lab.has_row("alice") && !lab.has_row("carol"));
    let again = lab.pay("alice", "bob", 1, 0);
    let data = lab.bundle("miner", &[&again]);
    lab.refused("a1", &data, "balance");
    let to_herself = lab.pay("carol", "carol", 1000, 0);
    lab.mine("a2", "a1", "miner", &[&to_herself]);
    lab.best("a2");
    assert_eq!(lab.balances(["carol"]), [1000]);
}

#[test]
fn a_balance_never_exceeds_the_largest_amount() {
    let max = Amount::MAX.grains();
    let mut lab = MoneyLab::new(Params { reward: max, halving_blocks: 1, ..money() });
    lab.mine("a1", "genesis", "alice", &[]);
    lab.best("a1");
    let richer = lab.bundle("alice", &[]);
    let detail = lab.refused("a1", &richer, "max-balance");
    assert!(detail.contains("more than there can be") && !detail.contains("of the bundle"), "{detail}");
    lab.mine("a2", "a1", "bob", &[]);
    lab.best("a2");
    let one_more = lab.pay("bob", "alice", 1, 0);
    let data = lab.bundle("carol", &[&one_more]);
    let detail = lab.refused("a2", &data, "max-balance");
    assert!(detail.starts_with("transaction 0 of the bundle: "), "{detail}");
    // She can pay all of it to herself, and receive again what she paid to others.
    let to_herself = lab.pay("alice", "alice", max, 0);
    let there = lab.pay("alice", "carol", 1, 0);
    lab.mine("a3", "a2", "miner", &[&to_herself, &there, &one_more]);
    lab.best("a3");
    assert_eq!(lab.balances(["alice", "bob", "carol"]), [max, max / 2 - 1, 1]);
}

#[test]
fn the_reward_halves_at_its_boundary_or_never_if_so_configured() {
    for (halving_blocks, expected) in
        [(3, [100, 200, 300, 350, 400, 450, 475]), (0, [100, 200, 300, 400, 500, 600, 700])]
    {
        let mut lab = MoneyLab::new(Params { halving_blocks, ..money() });
        let mut parent = "genesis".to_owned();
        for (height, balance) in expected.into_iter().enumerate() {
            let name = format!("a{height}");
            lab.mine(&name, &parent, "miner", &[]);
            lab.best(&name);
            assert_eq!(lab.balances(["miner"]), [balance], "after block {}, halving {halving_blocks}", height + 1);
            parent = name;
        }
    }
}

#[test]
fn a_miner_without_earnings_has_no_row() {
    let mut lab = MoneyLab::new(Params { reward: 1, halving_blocks: 1, ..money() });
    lab.mine("a1", "genesis", "alice", &[]);
    lab.mine("a2", "a1", "miner", &[]);
    lab.best("a1 a2");
    assert!(lab.has_row("alice") && !lab.has_row("miner"));
    let fee = lab.pay("alice", "alice", 1, 0);
    lab.mine("a3", "a2", "miner", &[&fee]);
    lab.best("a3");
    assert!(!lab.has_row("miner"), "a fee of 0 adds no row");
}
