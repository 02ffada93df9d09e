//! Everyone and every node by name, as pages show them: the name book, joined with the nodes that are known now.

use super::book::NameBook;
use super::name::Name;
use crate::network::NetworkState;
use shared::ledger::{AccountId, Address};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// The colours of finders: classes `f-a` to `f-h` of the style sheet.
const COLOURS: [&str; 8] = ["f-a", "f-b", "f-c", "f-d", "f-e", "f-f", "f-g", "f-h"];

/// The names of people and nodes at one moment. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cast(Arc<Roles>);

#[derive(Debug, Default)]
struct Roles {
    book: Arc<NameBook>,
    nodes: BTreeMap<String, NodeRole>,
    /// The letters of the nodes that mine to an address.
    miners: BTreeMap<Address, String>,
    /// The addresses with a name by their accounts: only pages about programs need them.
    accounts: OnceLock<BTreeMap<AccountId, Address>>,
}

#[derive(Debug)]
struct NodeRole {
    letter: String,
    /// The address that it mines to.
    earner: Option<Address>,
}

impl Cast {
    pub(crate) fn new(book: Arc<NameBook>, state: &NetworkState) -> Self {
        let earner =
            |node: &String| state.nodes.get(node)?.info.as_ref()?.mining.as_ref()?.address.as_ref()?.parse().ok();
        let role = |(node, letter): (&String, &String)| {
            (node.clone(), NodeRole { letter: letter.clone(), earner: earner(node) })
        };
        let nodes: BTreeMap<String, NodeRole> = state.letters.iter().map(role).collect();
        let mut miners = BTreeMap::new();
        for role in nodes.values() {
            if let Some(earner) = role.earner {
                miners.entry(earner).or_insert_with(|| role.letter.clone());
            }
        }
        Self(Arc::new(Roles { book, nodes, miners, accounts: OnceLock::new() }))
    }

    pub(crate) fn name(&self, address: &Address) -> Option<&Name> {
        self.0.book.name(address)
    }

    /// The address and the name of the owner of an account, as programs know people.
    pub(crate) fn account(&self, account: &AccountId) -> Option<(Address, &Name)> {
        let all = || self.people().map(|(address, _)| (address.account(), *address)).collect();
        let address = self.0.accounts.get_or_init(all).get(account)?;
        Some((*address, self.name(address)?))
    }

    /// Everyone who has a name.
    pub(crate) fn people(&self) -> impl Iterator<Item = (&Address, &Name)> {
        self.0.book.people()
    }

    pub(crate) fn find(&self, name: &str) -> Option<Address> {
        self.0.book.find(name)
    }

    /// The `host:port` of the node with this letter, in any case.
    pub(crate) fn find_node(&self, letter: &str) -> Option<&str> {
        let mut nodes = self.0.nodes.iter();
        nodes.find(|(_, role)| role.letter.eq_ignore_ascii_case(letter)).map(|(node, _)| node.as_str())
    }

    /// A person's name, or the short address; of a program, the beginning of its account.
    pub(crate) fn person(&self, address: &Address) -> String {
        let short = || if address.is_key() { address.short() } else { format!("{}…", program_digits(address)) };
        self.name(address).map_or_else(short, ToString::to_string)
    }

    /// The letter of the node that mines to an address.
    pub(crate) fn miner_letter(&self, address: &Address) -> Option<&str> {
        self.0.miners.get(address).map(String::as_str)
    }

    /// The letter of a node; empty if it is not known.
    pub(crate) fn letter<'a>(&'a self, node: &'a str) -> &'a str {
        self.0.nodes.get(node).map_or("", |role| role.letter.as_str())
    }

    pub(crate) fn earner(&self, node: &str) -> Option<&Address> {
        self.0.nodes.get(node)?.earner.as_ref()
    }

    /// The name of the person for whom a node mines.
    pub(crate) fn owner(&self, node: &str) -> Option<&Name> {
        self.name(self.earner(node)?)
    }

    /// `A (Ada)`, `A`, or the `host:port` of a node without a letter.
    pub(crate) fn node(&self, node: &str) -> String {
        match (self.letter(node), self.owner(node)) {
            ("", _) => node.to_owned(),
            (letter, Some(name)) => format!("{letter} ({name})"),
            (letter, None) => letter.to_owned(),
        }
    }
}

/// The beginning of a program's account, by which people tell programs apart: their addresses all begin alike.
pub(crate) fn program_digits(program: &Address) -> String {
    program.account().to_string().chars().take(8).collect()
}

/// The class of the colour and pattern of a finder. A ninth finder reuses the first one's: the letter identifies, the
/// colour helps. `A2` has the colour of `A`.
pub(crate) fn colour(letter: &str) -> &'static str {
    match letter.bytes().next() {
        Some(first) if first.is_ascii_alphabetic() => {
            COLOURS[usize::from(first.to_ascii_uppercase() - b'A') % COLOURS.len()]
        }
        _ => "f-none",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::samples::{mining_for, put_node_at};
    use shared::keys::KeyPair;

    #[test]
    fn a_node_is_named_by_its_letter_and_whom_it_mines_for() {
        let ada = KeyPair::from_seed("ada").address();
        let mut book = NameBook::default();
        book.add_person(ada, "Ada".to_owned()).expect("a name");
        let mut state = NetworkState::default();
        for (node, letter) in [("h:1", "A"), ("h:2", "B")] {
            put_node_at(&mut state, node, 1, "1");
            state.letters.insert(node.to_owned(), letter.to_owned());
        }
        mining_for(&mut state, "h:1", &ada);
        let cast = Cast::new(Arc::new(book), &state);
        assert_eq!(
            (cast.node("h:1"), cast.node("h:2"), cast.node("h:3")),
            ("A (Ada)".into(), "B".into(), "h:3".into())
        );
        assert_eq!(
            cast.account(&ada.account()).map(|(address, name)| (address, name.to_string())),
            Some((ada, "Ada".to_owned()))
        );
        assert!(cast.account(&AccountId([1; 20])).is_none());
        assert_eq!((cast.miner_letter(&ada), cast.find_node("a")), (Some("A"), Some("h:1")));
        assert_eq!(cast.person(&KeyPair::from_seed("eve").address()).chars().next(), Some('l'));
        assert_eq!(cast.person(&Address::of_program(AccountId([0xa0; 20]))), "0xa0a0a0…");
    }

    #[test]
    fn each_letter_has_a_colour() {
        assert_eq!(["A", "H", "I", "A2", ""].map(colour), ["f-a", "f-h", "f-a", "f-a", "f-none"]);
    }
}
