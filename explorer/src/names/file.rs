//! The names file of a teacher: TOML with the tables `[people]`, name = "address", and `[nodes]`, letter = "host:port".

use super::book::NameBook;
use super::name::BadName;
use serde::Deserialize;
use shared::ledger::Address;
use std::collections::BTreeMap;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NamesFile {
    #[serde(default)]
    people: BTreeMap<String, String>,
    #[serde(default)]
    nodes: BTreeMap<String, String>,
}

/// Why a names file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadNames {
    /// It is not TOML of this shape.
    #[error("{0}; expected [people] with lines such as Ada = \"lab1q…\" and [nodes] with A = \"127.0.0.1:8100\"")]
    Toml(String),
    /// A name cannot be used.
    #[error("{name:?}: {error}")]
    Name {
        /// The name, as it is written in the file.
        name: String,
        /// What is wrong.
        error: BadName,
    },
    /// The value of a person is not an address.
    #[error("{name:?} has no address: {error}")]
    Address {
        /// The person.
        name: String,
        /// What is wrong with the address.
        error: String,
    },
    /// Two people have one name, or there are too many.
    #[error("{0:?} cannot be added: the name is there twice, or the file has more than 1000 names")]
    NoRoom(String),
}

impl NameBook {
    /// The names of a file with this text.
    ///
    /// # Errors
    /// See [`BadNames`].
    pub fn from_toml(text: &str) -> Result<Self, BadNames> {
        let file: NamesFile = toml::from_str(text).map_err(|error| BadNames::Toml(error.message().to_owned()))?;
        let mut book = Self::default();
        for (name, address) in file.people {
            let address: Address =
                address.parse().map_err(|error| BadNames::Address { name: name.clone(), error: format!("{error}") })?;
            let is_added = book.add_person(address, name.clone());
            if !is_added.map_err(|error| BadNames::Name { name: name.clone(), error })? {
                return Err(BadNames::NoRoom(name));
            }
        }
        for (letter, node) in file.nodes {
            let is_added = book.add_node(node, letter.clone());
            if !is_added.map_err(|error| BadNames::Name { name: letter.clone(), error })? {
                return Err(BadNames::NoRoom(letter));
            }
        }
        Ok(book)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::keys::KeyPair;

    #[test]
    fn a_file_names_people_and_nodes() {
        let ada = KeyPair::from_seed("ada").address();
        let book =
            NameBook::from_toml(&format!("# my class\n[people]\nAda = \"{ada}\"\n[nodes]\nA = \"127.0.0.1:8100\"\n"))
                .expect("names");
        assert_eq!(book.find("ada"), Some(ada));
        assert_eq!(book.letters()["127.0.0.1:8100"], "A");
        assert!(NameBook::from_toml("").is_ok());
    }

    #[test]
    fn an_error_names_what_is_wrong() {
        let ada = KeyPair::from_seed("ada").address();
        for (text, expected) in [
            ("[people]\nAda = \"lab1q\"", "\"Ada\" has no address"),
            ("[persons]", "unknown field"),
            ("[people", "[people] with lines"),
            (&*format!("[people]\nAda = \"{ada}\"\nada = \"{ada}\""), ""),
            ("[people]\nAda = 5", "expected"),
        ] {
            let error = NameBook::from_toml(text).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains(expected), "{text}: {error}");
        }
        let bad = NameBook::from_toml(&format!("[people]\n\"<b>\" = \"{ada}\"")).unwrap_err().to_string();
        assert!(bad.contains("letters, digits"), "{bad}");
    }
}
