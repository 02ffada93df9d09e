//! Money and who moves it: amounts, addresses, transactions and the bundles that blocks carry (docs/protocol.md §6, 7).
//!
//! Everything here can be judged without a chain: shapes, texts, ids, and the rules of a transaction by itself. What a
//! transaction does to balances is `layer::transaction`'s.

mod address;
mod amount;
mod bundle;
pub(crate) mod message;
mod transaction;
mod uuid;
mod violation;

pub use address::{Address, BadAddress};
pub use amount::{Amount, BadAmount};
pub use bundle::{Bundle, BundleWriter, MalformedBundle, Span, json_of};
pub use message::BadMessage;
pub use transaction::{Transaction, TransactionId, TransactionRules, Unsigned};
pub use uuid::Uuid;
pub use violation::TransactionViolation;
