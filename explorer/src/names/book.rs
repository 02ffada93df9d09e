//! The name book: at most one name an address, and no name twice.
//!
//! Names come from the person who runs the explorer, and from owners of wallets, who sign theirs. A given name cannot
//! be taken by a signature, so nobody becomes Ada by signing.

use super::claim::Claim;
use super::name::{BadName, Name, key};
use runtime::server::{Full, Place};
use shared::block::Timestamp;
use shared::ledger::Address;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most given names, and most letters of nodes.
pub(super) const MAX_GIVEN: usize = 1000;
/// Most signed names, those included that were taken back and are remembered.
pub(crate) const MAX_SIGNED: usize = 1000;

/// Names of addresses, and letters of nodes.
#[derive(Debug, Clone, Default)]
pub struct NameBook {
    people: BTreeMap<Address, Name>,
    /// The addresses by name, as names are compared.
    addresses: BTreeMap<String, Address>,
    /// The letters of nodes by `host:port`.
    letters: BTreeMap<String, String>,
    signed: BTreeMap<Address, SignedName>,
}

/// What an owner signed last.
#[derive(Debug, Clone)]
struct SignedName {
    /// When, as the signer says: an older claim is not taken afterwards.
    time: Timestamp,
    /// The place of its source in the pool of signed names.
    place: Arc<Place>,
}

/// Why a claim is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("somebody else has this name")]
    Taken,
    #[error("this address was given a name by the person who runs the explorer")]
    Given,
    #[error("a newer claim for this address was made already")]
    Old,
    #[error("no more names can be signed: {0}")]
    Full(Full),
}

impl NameBook {
    /// Gives an address a name. Returns false, and changes nothing, if the name is taken or the book is full.
    ///
    /// # Errors
    /// If the text is not a name.
    pub fn add_person(&mut self, address: Address, name: String) -> Result<bool, BadName> {
        let name = Name::try_from(name)?;
        if self.people.len() >= MAX_GIVEN || !self.is_free(&name, &address) {
            return Ok(false);
        }
        self.put(address, name);
        Ok(true)
    }

    /// Gives a node, `host:port`, the letter that stands for it. Returns false if the book is full.
    ///
    /// # Errors
    /// If the text is not a name.
    pub fn add_node(&mut self, node: String, letter: String) -> Result<bool, BadName> {
        let letter = Name::try_from(letter)?;
        let has_room = self.letters.len() < MAX_GIVEN;
        if has_room {
            self.letters.insert(node, letter.to_string());
        }
        Ok(has_room)
    }

    pub(crate) fn letters(&self) -> &BTreeMap<String, String> {
        &self.letters
    }

    /// The name of an address.
    pub(crate) fn name(&self, address: &Address) -> Option<&Name> {
        self.people.get(address)
    }

    /// The address of a name, in any case.
    pub(crate) fn find(&self, name: &str) -> Option<Address> {
        self.addresses.get(&key(name)).copied()
    }

    /// Everyone who has a name.
    pub(crate) fn people(&self) -> impl Iterator<Item = (&Address, &Name)> {
        self.people.iter()
    }

    /// Takes over a checked claim: a name, or none to take it back. The first claim of an address takes a place, which
    /// its later ones keep; so a name can be taken back when all places are taken.
    ///
    /// # Errors
    /// [`Refused`]; then nothing has changed.
    pub(crate) fn sign(&mut self, claim: Claim, place: impl FnOnce() -> Result<Place, Full>) -> Result<(), Refused> {
        let Claim { address, name, time } = claim;
        match self.signed.get(&address) {
            Some(earlier) if earlier.time >= time => return Err(Refused::Old),
            None if self.people.contains_key(&address) => return Err(Refused::Given),
            _ => {}
        }
        if name.as_ref().is_some_and(|name| !self.is_free(name, &address)) {
            return Err(Refused::Taken);
        }
        let place = match self.signed.get(&address) {
            Some(earlier) => earlier.place.clone(),
            None => Arc::new(place().map_err(Refused::Full)?),
        };
        self.remove(&address);
        if let Some(name) = name {
            self.put(address, name);
        }
        self.signed.insert(address, SignedName { time, place });
        Ok(())
    }

    fn is_free(&self, name: &Name, address: &Address) -> bool {
        self.addresses.get(&name.key()).is_none_or(|owner| owner == address)
    }

    fn put(&mut self, address: Address, name: Name) {
        self.remove(&address);
        self.addresses.insert(name.key(), address);
        self.people.insert(address, name);
    }

    fn remove(&mut self, address: &Address) {
        if let Some(name) = self.people.remove(address) {
            self.addresses.remove(&name.key());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::server::{Places, Source};
    use shared::keys::KeyPair;
    use std::net::{IpAddr, Ipv4Addr};

    fn address(seed: &str) -> Address {
        KeyPair::from_seed(seed).address()
    }

    fn claim(seed: &str, name: &str, ms: u64) -> Claim {
        let name = Name::try_from(name.to_owned()).ok();
        Claim { address: address(seed), name, time: Timestamp::from_ms(ms) }
    }

    fn place() -> Result<Place, Full> {
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Places::new(100, 100).try_take(Source::new(here, here), 1)
    }

    fn no_place() -> Result<Place, Full> {
        Err(Full::Source)
    }

    fn name(book: &NameBook, seed: &str) -> Option<String> {
        book.name(&address(seed)).map(ToString::to_string)
    }

    #[test]
    fn a_name_belongs_to_one_address_whatever_its_case() {
        let mut book = NameBook::default();
        assert_eq!(book.add_person(address("ada"), "Ada".to_owned()), Ok(true));
        assert_eq!(book.add_person(address("eve"), "ADA".to_owned()), Ok(false));
        assert_eq!(book.sign(claim("eve", "ada", 1), place), Err(Refused::Taken));
        assert_eq!((book.find(" aDa "), book.find("eve")), (Some(address("ada")), None));
        assert_eq!(book.sign(claim("ada", "Eve", 1), place), Err(Refused::Given));
    }

    #[test]
    fn a_signed_name_is_changed_and_taken_back_and_not_played_again() {
        let mut book = NameBook::default();
        book.sign(claim("kim", "Kim", 5), place).expect("a name");
        book.sign(claim("kim", "Kimmy", 6), place).expect("another name");
        assert_eq!((name(&book, "kim").as_deref(), book.find("kim")), (Some("Kimmy"), None));
        book.sign(claim("kim", "", 7), no_place).expect("none");
        assert_eq!(name(&book, "kim"), None);
        assert_eq!(book.sign(claim("kim", "Kim", 5), place), Err(Refused::Old));
        assert_eq!(name(&book, "kim"), None);
        assert_eq!(book.sign(claim("lee", "Lee", 1), no_place), Err(Refused::Full(Full::Source)));
        book.sign(claim("lee", "Kimmy", 1), place).expect("it is free again");
    }

    #[test]
    fn the_book_is_bounded() {
        let mut book = NameBook::default();
        let added =
            (0..MAX_GIVEN + 5).filter(|n| book.add_person(address(&n.to_string()), format!("P{n}")) == Ok(true));
        assert_eq!(added.count(), MAX_GIVEN);
        let letters = (0..MAX_GIVEN + 5).filter(|n| book.add_node(format!("h:{n}"), format!("N{n}")) == Ok(true));
        assert_eq!(letters.count(), MAX_GIVEN);
    }
}
