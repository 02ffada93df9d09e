//! Layer `utxo` on a chain: scripts of named blocks. After each push every row is what a plain replay says.
#![allow(clippy::unwrap_used)] // helpers of tests: this is how they fail

use crate::coins_oracle::miners_coin;
use crate::lab::fixed;
use crate::transactions_lab::{MoneyLab, grains, person};
use shared::block::Height;
use shared::chain::{Accepted, Rules};
use shared::keys::KeyPair;
use shared::layer::transaction::{ChangeCause, account_balance, balance_at, balance_history, locate_transaction};
use shared::layer::utxo::{self, CoinRules};
use shared::layer::{amount_in, changed_holdings, check_on_state};
use shared::ledger::{Bundle, CoinName, Holding, Input, Output, Spend, Transaction, UnsignedSpend, json_of};
use shared::params::{LayerName, Params};

/// Small numbers, and a difficulty that every hash meets.
pub(crate) fn coins() -> Params {
    Params {
        layer: LayerName::Utxo,
        name: "coins".to_owned(),
        reward: 100,
        halving_blocks: 1000,
        coinbase_maturity: Some(1),
        ..fixed(1)
    }
}

/// What the miner of a block got, as an input.
pub(crate) fn mined(params: &Params, height: u64, owner: &str, amount: u64) -> Input {
    let address = person(owner).address();
    let coin = miners_coin(params, height, address.as_str(), amount).parse().unwrap();
    Input { coin, address, amount: grains(amount) }
}

/// An output of a transaction, as an input.
pub(crate) fn output(transaction: &Transaction, place: u16) -> Input {
    let Output { address, amount } = transaction.as_spend().unwrap().outputs[usize::from(place)];
    Input { coin: transaction.coin(place), address, amount }
}

/// A spend that its owners sign.
pub(crate) fn spend(params: &Params, inputs: &[Input], outputs: &[(&str, u64)]) -> Transaction {
    let owners: Vec<KeyPair> = ["alice", "bob", "carol"].into_iter().map(person).collect();
    let outputs =
        outputs.iter().map(|(to, amount)| Output { address: person(to).address(), amount: grains(*amount) }).collect();
    UnsignedSpend { inputs: inputs.to_vec(), outputs, msg: String::new() }.sign(params.network_id(), |owner, text| {
        owners.iter().find(|pair| pair.address() == *owner).unwrap().sign(text)
    })
}

/// A chain on which alice has mined a1 and a2.
fn two_blocks(params: Params) -> MoneyLab {
    let mut lab = MoneyLab::new(params);
    lab.mine("a1", "genesis", "alice", &[]);
    lab.mine("a2", "a1", "alice", &[]);
    lab.best("a1 a2");
    lab
}

#[test]
fn ninety_are_paid_from_two_coins_of_fifty_with_change() {
    let params = Params::of_coins();
    let mut lab = two_blocks(params.clone());
    const FIFTY: u64 = 5_000_000_000;
    let inputs = [1, 2].map(|height| mined(&params, height, "alice", FIFTY));
    let names = inputs.map(|input| input.coin.to_string());
    assert_eq!(
        names,
        [
            "22c6d47dab3c25d6fd04f242bf92b04ee4c0c34290b289190e818c96dc29688c.0",
            "79c66b1c67c964986a22734546e1918f51a7682853e711dac2b4fe3bf3fcf7dc.0"
        ]
    );
    let Transaction::Spend(unsigned) = spend(&params, &inputs, &[("bob", 9_000_000_000), ("alice", 999_999_000)])
    else {
        unreachable!("a spend");
    };
    let Spend { inputs, outputs, .. } = unsigned;
    let alice = person("alice");
    let lunch = UnsignedSpend { inputs, outputs, msg: "for lunch".to_owned() }
        .sign(params.network_id(), |_, text| alice.sign(text));
    assert_eq!(json_of(&lunch), include_str!("../vectors/spend.json").trim_end());
    lab.mine("b3", "a2", "bob", &[&lunch]);
    lab.best("b3");
    assert_eq!(lab.balances(["alice", "bob"]), [999_999_000, 9_000_000_000 + FIFTY + 1000]);
    let state = lab.state();
    let bob = lab.address("bob");
    let of_bob: Vec<_> = utxo::coins_of(state.as_ref(), &bob, None, 10).unwrap();
    assert_eq!(of_bob[0], (lunch.coin(0), utxo::unspent(state.as_ref(), &lunch.coin(0)).unwrap().unwrap()));
    let miners = &of_bob[1].0.to_string();
    assert!(miners.starts_with("697d4001"), "reward and fee are one coin: {miners}");
    assert!(of_bob[1].1.is_miners && of_bob.len() == 2);
    let (_, spender) = utxo::spent(state.as_ref(), &names[0].parse().unwrap()).unwrap().unwrap();
    assert_eq!(spender, lunch.id());
}

#[test]
fn a_coin_is_spent_once_whole_and_as_it_is() {
    let params = coins();
    let mut lab = two_blocks(params.clone());
    let one = mined(&params, 1, "alice", 100);
    let mut refused = |inputs: &[Input], outputs: &[(&str, u64)], rule: &str| {
        let transaction = spend(&params, inputs, outputs);
        let data = lab.bundle("carol", &[&transaction]);
        lab.refused("a2", &data, rule)
    };
    let other_amount = Input { amount: grains(101), ..one };
    assert!(refused(&[other_amount], &[("bob", 101)], "coin").contains("is 0.000001 LAB of"));
    refused(&[Input { amount: grains(99), ..one }], &[("bob", 99)], "coin");
    refused(&[Input { address: person("bob").address(), ..one }], &[("bob", 100)], "coin");
    let unknown = mined(&params, 3, "alice", 100);
    refused(&[unknown], &[("bob", 100)], "coin");
    let (first, second) = (spend(&params, &[one], &[("bob", 100)]), spend(&params, &[one], &[("carol", 100)]));
    let data = lab.bundle("carol", &[&first, &second]);
    let words = lab.refused("a2", &data, "coin");
    assert!(words.contains("transaction 1 of the bundle") && words.contains(&first.id().to_string()), "{words}");
    let data = lab.bundle("carol", &[&first, &first]);
    lab.refused("a2", &data, "coin");
    lab.mine("b3", "a2", "carol", &[&first]);
    lab.best("b3");
    let data = lab.bundle("carol", &[&second]);
    lab.refused("b3", &data, "coin");
    let data = lab.bundle("carol", &[&first]);
    lab.refused("b3", &data, "coin");
}

#[test]
fn a_transaction_spends_what_came_before_it_in_the_block_and_nothing_later() {
    let params = coins();
    let mut lab = two_blocks(params.clone());
    let first = spend(&params, &[mined(&params, 1, "alice", 100)], &[("bob", 90), ("alice", 5)]);
    let second = spend(&params, &[output(&first, 0), mined(&params, 2, "alice", 100)], &[("carol", 190)]);
    let data = lab.bundle("carol", &[&second, &first]);
    lab.refused("a2", &data, "coin");
    lab.mine("b3", "a2", "carol", &[&first, &second]);
    lab.best("b3");
    assert_eq!(lab.balances(["alice", "bob", "carol"]), [5, 0, 190 + 105]);
    // A coin that the block itself destroyed is known as spent, and is nobody's.
    let state = lab.state();
    let (coin, by) = utxo::spent(state.as_ref(), &first.coin(0)).unwrap().unwrap();
    assert_eq!((coin.amount, by), (grains(90), second.id()));
    assert_eq!(utxo::coins_of(state.as_ref(), &lab.address("bob"), None, 10).unwrap(), []);
    // The miner's own coin of this block is made last.
    let own = spend(&params, &[mined(&params, 4, "carol", 100)], &[("bob", 100)]);
    let data = lab.bundle("carol", &[&own]);
    lab.refused("b3", &data, "coin");
}

#[test]
fn a_miners_coin_waits_until_it_is_mature() {
    let params = Params { coinbase_maturity: Some(3), ..coins() };
    let mut lab = two_blocks(params.clone());
    let early = spend(&params, &[mined(&params, 1, "alice", 100)], &[("bob", 60), ("bob", 40)]);
    let data = lab.bundle("carol", &[&early]);
    assert!(lab.refused("a2", &data, "maturity").contains("from block 4 on"));
    let next = |lab: &MoneyLab| check_on_state(lab.state().as_ref(), &params, lab.chain.tip().index.next(), &early);
    assert!(next(&lab).is_err());
    lab.mine("a3", "a2", "alice", &[]);
    lab.best("a3");
    assert_eq!(next(&lab), Ok(()));
    // What a transaction made is mature at once.
    let on = spend(&params, &[output(&early, 0)], &[("carol", 60)]);
    lab.mine("a4", "a3", "alice", &[&early, &on]);
    lab.best("a4");
    let rules = CoinRules::of(&params);
    let coin = utxo::unspent(lab.state().as_ref(), &early.coin(1)).unwrap().unwrap();
    assert_eq!(rules.spendable_from(&coin), Height(4));
}

#[test]
fn a_block_without_reward_and_fees_makes_no_coin() {
    let params = Params { reward: 1, halving_blocks: 2, ..coins() };
    let mut lab = two_blocks(params.clone());
    lab.mine("a3", "a2", "carol", &[]);
    lab.best("a3");
    assert_eq!(utxo::coins_of(lab.state().as_ref(), &lab.address("carol"), None, 10).unwrap(), []);
    let inputs = [1, 2].map(|height| mined(&params, height, "alice", 1));
    let fee = spend(&params, &inputs, &[("bob", 1)]);
    lab.mine("a4", "a3", "carol", &[&fee]);
    lab.best("a4");
    assert_eq!(lab.balances(["alice", "bob", "carol"]), [0, 1, 1]);
}

/// BIP 30: before it, two coinbases could be equal, and the second buried the first.
#[test]
fn no_two_miners_coins_are_twins() {
    let params = coins();
    let lab = two_blocks(params);
    let state = lab.state();
    assert_eq!(utxo::unspent_coins(state.as_ref(), None, 10).unwrap().len(), 2, "equal miner, equal amount");
}

/// ```text
/// genesis - a1 - a2 - b3 (alice's coins for bob)
///                  \- c3 (another payment of the same coin) - c4
/// ```
#[test]
fn a_reorganisation_brings_coins_back_and_takes_others_away() {
    let params = coins();
    let mut lab = two_blocks(params.clone());
    let one = mined(&params, 1, "alice", 100);
    let (to_bob, to_carol) = (spend(&params, &[one], &[("bob", 99)]), spend(&params, &[one], &[("carol", 98)]));
    lab.mine("b3", "a2", "bob", &[&to_bob]);
    lab.best("b3");
    lab.mine("c3", "a2", "bob", &[&to_carol]);
    lab.mine("c4", "c3", "bob", &[]);
    lab.side("c3");
    lab.best("c4");
    let state = lab.state();
    let holding = |name: CoinName| amount_in(state.as_ref(), &params, &Holding::Coin(name)).unwrap().grains();
    assert_eq!([one.coin, to_bob.coin(0), to_carol.coin(0)].map(holding), [0, 0, 98]);
    assert_eq!(locate_transaction(state.as_ref(), &to_bob.id()), Ok(None));
    lab.restart();
    // A branch that spends what only the other branch has is no better for being longer.
    let lost = spend(&params, &[output(&to_bob, 0)], &[("bob", 1)]);
    lab.mine("c5", "c4", "bob", &[&lost]);
    lab.broken("c5", "coin");
}

#[test]
fn histories_and_balances_are_those_of_accounts_in_form() {
    let params = coins();
    let mut lab = two_blocks(params.clone());
    let inputs = [1, 2].map(|height| mined(&params, height, "alice", 100));
    let payment = spend(&params, &inputs, &[("bob", 150), ("alice", 20), ("alice", 25)]);
    lab.mine("a3", "a2", "alice", &[&payment]);
    lab.best("a3");
    let (state, alice, bob) = (lab.state(), lab.address("alice"), lab.address("bob"));
    let entries = balance_history(state.as_ref(), &alice, None, 10).unwrap();
    let balances: Vec<_> = entries.iter().map(|entry| entry.balance.grains()).collect();
    assert_eq!(balances, [45 + 105, 45, 200, 100], "newest first");
    assert_eq!(entries[0].cause, ChangeCause::Reward(grains(105)));
    assert_eq!(entries[1].cause, ChangeCause::Payment(payment.clone()));
    assert_eq!(balance_at(state.as_ref(), &params, &alice, Height(2)).unwrap(), grains(200));
    assert_eq!(account_balance(state.as_ref(), &params, &bob).unwrap(), grains(150));
    // The largest first, and pages continue where they ended.
    let all = utxo::coins_of(state.as_ref(), &alice, None, 10).unwrap();
    assert_eq!(all.iter().map(|(_, coin)| coin.amount.grains()).collect::<Vec<_>>(), [105, 25, 20]);
    let from = Some((all[1].1.amount, all[1].0));
    assert_eq!(utxo::coins_of(state.as_ref(), &alice, from, 1).unwrap(), all[1..2]);
    assert_eq!(utxo::coins_of(state.as_ref(), &alice, None, 0).unwrap(), []);
    let by_name = utxo::unspent_coins(state.as_ref(), None, 10).unwrap();
    assert_eq!(by_name.len(), 4);
    assert_eq!(utxo::unspent_coins(state.as_ref(), Some(&by_name[2].0), 10).unwrap(), by_name[2..]);
    // What a pool must look at again after this block: coins taken, coins given, and the miner's.
    let bundle = Bundle::from_data(lab.block("a3").data()).unwrap().0;
    let changed = changed_holdings(&params, Height(3), &bundle);
    let expected = inputs.iter().map(|input| input.coin).chain((0..3).map(|place| payment.coin(place)));
    assert_eq!(changed, expected.chain([all[0].0]).map(Holding::Coin).collect());
}

#[test]
fn nodes_without_history_keep_only_the_coins() {
    let params = coins();
    let mut lab = MoneyLab::with_rules(Rules::new(params.clone()));
    lab.mine("a1", "genesis", "alice", &[]);
    let payment = spend(&params, &[mined(&params, 1, "alice", 100)], &[("bob", 50), ("alice", 49)]);
    lab.mine("a2", "a1", "carol", &[&payment]);
    lab.best("a1 a2");
    assert_eq!(lab.rows().len(), 3);
    lab.mine("b2", "a1", "bob", &[]);
    assert_eq!(lab.push("b2"), Ok(Accepted::Side));
}

#[test]
fn payments_between_accounts_and_outcomes_are_no_bundles_of_coins() {
    let mut lab = two_blocks(coins());
    let payment = lab.pay("alice", "bob", 1, 0);
    let data = lab.bundle("carol", &[&payment]);
    lab.refused("a2", &data, "bundle");
    let outcome = format!("],\"outcome\":\"{}\"}}", "0".repeat(64));
    let data = lab.bundle("carol", &[]).replace("]}", &outcome);
    lab.refused("a2", &data, "bundle");
    let data = lab.bundle("carol", &[]).replace("\"msg\":\"\"", "\"msg\": \"\"");
    lab.refused("a2", &data, "canonical");
}
