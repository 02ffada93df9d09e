//! Who takes part with money: one member for each node, which mines to it, and members without a node.
//!
//! Their keys are made of their names (docs/protocol.md §6: keys from a seed text), so that anybody can pay as one of them
//! with `user send … -s ada`, and a run that goes on finds its money again. Insecure on purpose: for exercises.

use shared::keys::KeyPair;
use shared::ledger::Address;

/// A name for each letter, as nodes are called by letters.
const NAMES: [&str; 26] = [
    "Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gus", "Hana", "Ivo", "Jade", "Kai", "Lea", "Max", "Nora", "Otto",
    "Pia", "Quin", "Rosa", "Sam", "Tess", "Uma", "Vito", "Wanda", "Xenia", "Yara", "Zoe",
];

/// Everybody with a wallet.
#[derive(Debug)]
pub struct Wallets {
    /// The first ones are mined to by the nodes, each by the node of its number.
    pub list: Vec<Wallet>,
}

/// Somebody with a wallet.
#[derive(Debug)]
pub struct Wallet {
    /// Unique in a run.
    pub name: String,
    /// The key.
    pub pair: KeyPair,
}

impl Wallets {
    /// One for each of so many nodes, and so many more.
    pub fn new(nodes: usize, others: usize) -> Self {
        let wallet = |number| {
            let name = name(number);
            let pair = KeyPair::from_seed(&seed(&name));
            Wallet { name, pair }
        };
        Self { list: (0..nodes + others).map(wallet).collect() }
    }

    /// Who has which address.
    pub fn directory(&self) -> impl Iterator<Item = (Address, String)> {
        self.list.iter().map(|wallet| (wallet.pair.address(), wallet.name.clone()))
    }
}

/// The seed text of a member's key.
pub fn seed(name: &str) -> String {
    name.to_lowercase()
}

/// Ada to Zoe, then Ada2 to Zoe2, and so on.
fn name(number: usize) -> String {
    let name = NAMES[number % NAMES.len()];
    match number / NAMES.len() {
        0 => name.to_owned(),
        round => format!("{name}{}", round + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn members_are_called_like_their_nodes_and_are_all_different() {
        for (name, letter) in NAMES.iter().zip('A'..='Z') {
            assert!(name.starts_with(letter), "{name} mines on node {letter}");
        }
        let names: BTreeSet<String> = (0..200).map(name).collect();
        assert_eq!(names.len(), 200);
        let addresses: BTreeSet<Address> = Wallets::new(20, 20).directory().map(|(address, _)| address).collect();
        assert_eq!(addresses.len(), 40);
    }

    #[test]
    fn a_run_that_goes_on_finds_its_money_again() {
        let (first, second) = (Wallets::new(2, 1), Wallets::new(2, 3));
        for (before, after) in first.directory().zip(second.directory()) {
            assert_eq!(before, after);
        }
        assert_eq!(first.list[0].pair.address(), KeyPair::from_seed("ada").address());
    }
}
