//! Sentences with people and nodes in them. Pages write their names; the plain text has addresses.

use shared::block::BlockId;
use shared::ledger::Address;
use std::collections::BTreeSet;
use std::fmt;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Word {
    Text(String),
    /// A node by its `host:port`.
    Node(String),
    Person(Address),
    Block(BlockId),
}

/// A sentence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Words(pub(crate) Vec<Word>);

impl Words {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn text(mut self, text: impl Into<String>) -> Self {
        self.0.push(Word::Text(text.into()));
        self
    }

    pub(crate) fn node(mut self, node: &str) -> Self {
        self.0.push(Word::Node(node.to_owned()));
        self
    }

    pub(crate) fn person(mut self, address: Address) -> Self {
        self.0.push(Word::Person(address));
        self
    }

    pub(crate) fn block(mut self, block: BlockId) -> Self {
        self.0.push(Word::Block(block));
        self
    }

    /// The nodes in it.
    pub(crate) fn nodes_named(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|word| match word {
            Word::Node(node) => Some(node.as_str()),
            _ => None,
        })
    }

    /// `C`, `C and D`, `C, D and E`.
    pub(crate) fn all_nodes(mut self, nodes: &BTreeSet<String>) -> Self {
        for (place, node) in nodes.iter().enumerate() {
            self = match place {
                0 => self,
                place if place + 1 == nodes.len() => self.text(" and "),
                _ => self.text(", "),
            };
            self = self.node(node);
        }
        self
    }

    /// Nodes in a list; above `most`, the others are counted.
    pub(crate) fn nodes<'a>(mut self, nodes: impl ExactSizeIterator<Item = &'a str>, most: usize) -> Self {
        let more = nodes.len().saturating_sub(most);
        for (place, node) in nodes.take(most).enumerate() {
            if place > 0 {
                self = self.text(", ");
            }
            self = self.node(node);
        }
        if more == 0 { self } else { self.text(format!(" and {more} more")) }
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for word in &self.0 {
            match word {
                Word::Text(text) | Word::Node(text) => f.write_str(text)?,
                Word::Person(address) => f.write_str(&address.short())?,
                Word::Block(block) => write!(f, "{}", block.index)?,
            }
        }
        Ok(())
    }
}
