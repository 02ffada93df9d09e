//! The nodes of a run: one record each, in one list that everything which talks to nodes shares.
//!
//! In a network that was found, nodes come and go while requests are under way. So readers get copies, and no lock is
//! held during a request.

use std::sync::{Arc, PoisonError, RwLock};
use tokio_util::sync::CancellationToken;

#[derive(Debug, Clone)]
pub struct NetworkNode {
    /// A letter, and from the 27th node on a letter and a number.
    pub name: String,
    /// `host:port`.
    pub address: String,
    /// Authorises requests that change the node; `None` in a network that was found.
    pub token: Option<String>,
    /// False for a node of a found network that no longer responds. It may come back.
    pub is_present: bool,
    /// Ends the tasks that watch the node.
    pub watch: CancellationToken,
}

/// All nodes, those that left included: a node's place in the list is its number for the whole run.
#[derive(Debug, Clone, Default)]
pub struct NodeList(Arc<RwLock<Vec<NetworkNode>>>);

impl NodeList {
    /// Adds a node and returns its number.
    pub fn add(&self, address: String, token: Option<String>) -> usize {
        let mut nodes = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let number = nodes.len();
        nodes.push(NetworkNode {
            name: name(number),
            address,
            token,
            is_present: true,
            watch: CancellationToken::new(),
        });
        number
    }

    /// The record of a node, if there is one with this number.
    pub fn get(&self, number: usize) -> Option<NetworkNode> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(number).cloned()
    }

    /// A node's name; empty for a number that no node has.
    pub fn name(&self, number: usize) -> String {
        self.get(number).map_or(String::new(), |node| node.name)
    }

    /// Every node, in the order of their numbers.
    pub fn all(&self) -> Vec<NetworkNode> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn present(&self) -> Vec<NetworkNode> {
        self.all().into_iter().filter(|node| node.is_present).collect()
    }

    /// The number of the node at this address.
    pub fn number_of(&self, address: &str) -> Option<usize> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).iter().position(|node| node.address == address)
    }

    /// Changes the record of a node, if there is one with this number.
    pub fn update(&self, number: usize, change: impl FnOnce(&mut NetworkNode)) {
        if let Some(node) = self.0.write().unwrap_or_else(PoisonError::into_inner).get_mut(number) {
            change(node);
        }
    }
}

/// A to Z, then A2 to Z2, and so on.
fn name(number: usize) -> String {
    let letter = char::from(b'A' + u8::try_from(number % 26).unwrap_or(0));
    match number / 26 {
        0 => letter.to_string(),
        round => format!("{letter}{}", round + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_all_different() {
        let names: std::collections::BTreeSet<String> = (0..100).map(name).collect();
        assert_eq!(names.len(), 100);
        assert_eq!((name(0), name(25), name(26)), ("A".into(), "Z".into(), "A2".into()));
    }

    #[test]
    fn a_node_that_leaves_keeps_its_number() {
        let nodes = NodeList::default();
        let numbers = ["10.0.0.1:1", "10.0.0.2:1"].map(|address| nodes.add(address.to_owned(), None));
        nodes.update(0, |node| node.is_present = false);
        assert_eq!((numbers, nodes.number_of("10.0.0.2:1"), nodes.number_of("10.0.0.3:1")), ([0, 1], Some(1), None));
        let present: Vec<String> = nodes.present().into_iter().map(|node| node.name).collect();
        assert_eq!((present, nodes.all().len(), nodes.name(0)), (vec!["B".to_owned()], 2, "A".to_owned()));
    }
}
