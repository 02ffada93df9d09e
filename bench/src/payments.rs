//! Wallets and signed payments to measure with, made from fixed seeds, so that every run has the same ones.

use shared::keys::KeyPair;
use shared::ledger::{Address, Amount, Transaction, Unsigned, Uuid};
use shared::params::Params;
use std::sync::Arc;

/// A network of difficulty 1 whose addresses hold money from the start.
pub(crate) fn params(name: &str) -> Params {
    Params {
        layer: shared::params::LayerName::Transaction,
        new_address_balance: 1_000_000_000,
        ..crate::chains::easy_params(name)
    }
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
