//! Keys of seeds, and payments between them.

use crate::http::client;
use shared::block::BlockHash;
use shared::keys::KeyPair;
use shared::ledger::{Address, Amount, Transaction, Unsigned, Uuid};

/// The key pair of a seed.
pub fn key(seed: &str) -> KeyPair {
    KeyPair::from_seed(seed)
}

/// The address of a seed.
pub fn address(seed: &str) -> Address {
    key(seed).address()
}

/// A signed payment; `number` becomes its uuid and makes it differ from others. Amount and fee are in grains.
pub fn payment(network: BlockHash, from: &KeyPair, to: Address, amount: u64, fee: u64, number: u128) -> Transaction {
    let unsigned = Unsigned {
        uuid: Uuid(number.to_be_bytes()),
        from: from.address(),
        to,
        amount: Amount::new(amount).unwrap(),
        fee: Amount::new(fee).unwrap(),
        msg: String::new(),
    };
    from.sign_transaction(unsigned, network)
}

/// Pushes a transaction to a mempool, which must accept it.
pub async fn pay(mempool: &str, transaction: &Transaction) {
    let pushed = client().push_transaction(mempool, transaction).await.unwrap();
    assert_eq!(pushed.id, transaction.id());
}
