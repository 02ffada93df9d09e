//! Money: amounts, addresses, transactions, and the bundles in blocks (docs/protocol.md §6, 7).
//!
//! Everything here can be checked without a chain: shapes, texts, ids, and the rules for a single transaction. The
//! effect on balances is in `layer::transaction`.

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
