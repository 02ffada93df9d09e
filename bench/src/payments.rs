//! Wallets and signed payments to measure with, made from fixed seeds, so that every run has the same ones.

use shared::block::Height;
use shared::keys::KeyPair;
use shared::layer::utxo::CoinRules;
use shared::ledger::{Address, Amount, Input, Output, Transaction, Unsigned, UnsignedSpend, Uuid};
use shared::params::{LayerName, Params};
use std::collections::VecDeque;
use std::sync::Arc;

/// A network of difficulty 1 whose addresses hold money from the start.
pub(crate) fn params(name: &str) -> Params {
    Params { layer: LayerName::Transaction, new_address_balance: 1_000_000_000, ..crate::chains::easy_params(name) }
}

pub(crate) fn wallets(count: usize) -> Vec<KeyPair> {
    (0..count).map(|number| KeyPair::from_seed(&format!("bench {number}"))).collect()
}

/// `count` payments of one grain, each from one wallet to the next; fees from 1000 grains up.
pub(crate) fn payments(params: &Params, wallets: &[KeyPair], count: usize) -> Vec<Arc<Transaction>> {
    let network = params.network_id();
    let addresses: Vec<Address> = wallets.iter().map(KeyPair::address).collect();
    let grains = |grains: usize| Amount::new(grains as u64).unwrap_or(Amount::MAX);
    let payment = |number: usize| {
        let (from, to) = (number % wallets.len(), (number + 1) % wallets.len());
        let unsigned = Unsigned {
            uuid: Uuid((number as u128).to_be_bytes()),
            from: addresses[from],
            to: addresses[to],
            amount: grains(1),
            fee: grains(1000 + number % 997),
            msg: String::new(),
        };
        Arc::new(unsigned.sign(network, |text| wallets[from].sign(text)))
    };
    (0..count).map(payment).collect()
}

/// A network of difficulty 1 whose money is coins.
pub(crate) fn coin_params(name: &str) -> Params {
    let Params { initial_difficulty, retarget, name, .. } = crate::chains::easy_params(name);
    Params { initial_difficulty, retarget, name, ..Params::of_coins() }
}

/// `count` transactions of two coins into two, each from one wallet to the next and back to itself; and, before them,
/// the transactions of two blocks of the first wallet that give each of 500 wallets two coins.
pub(crate) fn spends(
    params: &Params,
    wallets: &[KeyPair],
    count: usize,
) -> (Vec<Vec<Arc<Transaction>>>, Vec<Arc<Transaction>>) {
    let reward = CoinRules::of(params).miners_coin(Height(1), &wallets[0].address(), 0);
    let reward = reward.map(|(coin, amount)| Input { coin, address: wallets[0].address(), amount });
    let (first, parts) = split(params, wallets, (0, reward.into_iter().collect()), &[0; 8]);
    let mut funding = vec![first];
    let mut purses: Vec<VecDeque<Input>> = vec![VecDeque::new(); wallets.len()];
    let share = 2 * wallets.len() / parts.len();
    for (number, part) in parts.into_iter().enumerate() {
        let owners: Vec<usize> = (number * share..(number + 1) * share).map(|place| place % wallets.len()).collect();
        let (transaction, coins) = split(params, wallets, (0, vec![part]), &owners);
        funding.push(transaction);
        owners.into_iter().zip(coins).for_each(|(owner, coin)| purses[owner].push_back(coin));
    }
    let spend = |number: usize| {
        let (from, to) = (number % wallets.len(), (number + 1) % wallets.len());
        let inputs = purses[from].drain(..2).collect();
        let (transaction, coins) = split(params, wallets, (from, inputs), &[to, from]);
        [to, from].into_iter().zip(coins).for_each(|(owner, coin)| purses[owner].push_back(coin));
        transaction
    };
    let transactions = (0..count).map(spend).collect();
    (vec![Vec::new(), funding], transactions)
}

/// A wallet gives its coins to owners in equal parts; returns the coins that it makes, too.
fn split(
    params: &Params,
    wallets: &[KeyPair],
    (wallet, inputs): (usize, Vec<Input>),
    owners: &[usize],
) -> (Arc<Transaction>, Vec<Input>) {
    let sum: u64 = inputs.iter().map(|input| input.amount.grains()).sum();
    let amount = Amount::new(sum.saturating_sub(1000) / owners.len() as u64).unwrap_or(Amount::MAX);
    let outputs: Vec<Output> =
        owners.iter().map(|owner| Output { address: wallets[*owner].address(), amount }).collect();
    let unsigned = UnsignedSpend { inputs, outputs: outputs.clone(), msg: String::new() };
    let transaction = Arc::new(unsigned.sign(params.network_id(), |_, text| wallets[wallet].sign(text)));
    let coin = |(place, output): (u16, Output)| Input {
        coin: transaction.coin(place),
        address: output.address,
        amount: output.amount,
    };
    let coins = (0..).zip(outputs).map(coin).collect();
    (transaction, coins)
}
