//! The members' wallets: one member for each node, which mines for that member, and members without a node.
//!
//! A member's key is made from the name (docs/protocol.md §6, keys from a seed text). So anyone can pay as a member
//! with `user send … -s ada`, and a run that continues a chain finds its money again. Insecure on purpose: for
//! exercises only.

use shared::keys::KeyPair;
use shared::ledger::Address;

/// One name for each letter: member and node begin with the same letter.
const NAMES: [&str; 26] = [
    "Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gus", "Hana", "Ivo", "Jade", "Kai", "Lea", "Max", "Nora", "Otto",
    "Pia", "Quin", "Rosa", "Sam", "Tess", "Uma", "Vito", "Wanda", "Xenia", "Yara", "Zoe",
];

#[derive(Debug)]
pub struct MemberWallets {
    /// The first nodes mine for the first members, each for the member of its number.
    pub list: Vec<MemberWallet>,
}

#[derive(Debug)]
pub struct MemberWallet {
    /// Unique in a run.
    pub name: String,
    pub pair: KeyPair,
}

impl MemberWallets {
    /// Wallets for one member per node and for `others` without a node.
    pub fn new(nodes: usize, others: usize) -> Self {
        let wallet = |number| {
            let name = name(number);
            let pair = KeyPair::from_seed(&seed(&name));
            MemberWallet { name, pair }
        };
        Self { list: (0..nodes + others).map(wallet).collect() }
    }

    /// Every member's address and name.
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
    fn members_share_the_first_letter_of_their_nodes_and_are_all_different() {
        for (name, letter) in NAMES.iter().zip('A'..='Z') {
            assert!(name.starts_with(letter), "{name} mines on node {letter}");
        }
        let names: BTreeSet<String> = (0..200).map(name).collect();
        assert_eq!(names.len(), 200);
        let addresses: BTreeSet<Address> = MemberWallets::new(20, 20).directory().map(|(address, _)| address).collect();
        assert_eq!(addresses.len(), 40);
    }

    #[test]
    fn a_run_that_goes_on_finds_its_money_again() {
        let (first, second) = (MemberWallets::new(2, 1), MemberWallets::new(2, 3));
        for (before, after) in first.directory().zip(second.directory()) {
            assert_eq!(before, after);
        }
        assert_eq!(first.list[0].pair.address(), KeyPair::from_seed("ada").address());
    }
}
