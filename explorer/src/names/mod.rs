//! Names of people and nodes, for pages: `Ada` instead of an address, `A (Ada)` instead of a node's `host:port`.
//!
//! An address is no name: the explorer's operator or the key's owner gives one. Pure: [`book`] keeps the names,
//! [`file`] reads them from a teacher's file, [`claim`] checks names that owners of wallets sign, and [`cast`] joins
//! them with what is known of the network. Nothing here decides what is valid on the chain.

mod book;
mod cast;
mod claim;
mod file;
mod name;

pub use book::NameBook;
pub(crate) use book::{MAX_SIGNED, Refused};
pub(crate) use cast::{Cast, colour, program_digits};
pub(crate) use claim::SignedClaim;
pub use file::BadNames;
pub use name::{BadName, Name};
