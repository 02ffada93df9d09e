//! Money: amounts, addresses, transactions, and the bundles in blocks (docs/protocol.md §6, 7).
//!
//! Everything here can be checked without a chain: shapes, texts, ids, and the rules for a single transaction. The
//! effect on balances is in `layer::transaction`.

mod account_id;
mod address;
mod amount;
mod bundle;
mod call;
mod holding;
pub(crate) mod message;
mod payment;
pub(crate) mod signature;
mod spend;
mod transaction;
mod transaction_json;
mod uuid;
pub(crate) mod verifier;
mod violation;

pub use account_id::{AccountId, NotAnAccount};
pub use address::{Address, AddressKind, BadAddress};
pub use amount::{Amount, BadAmount};
pub use bundle::{Bundle, BundleWriter, MalformedBundle, OUTCOME_BYTES, OutcomeHash, Span, json_of};
pub use call::{BadCall, Call, CallKind, MAX_CALL_GAS, MAX_INIT_CODE};
pub use holding::{CoinName, Holding, NotACoin, Part};
pub use message::BadMessage;
pub use payment::{Payment, Unsigned};
pub use spend::{Input, MAX_PARTS, Output, Spend, UnsignedSpend};
pub use transaction::{Transaction, TransactionId, TransactionRules, Transfer};
pub use uuid::Uuid;
pub use violation::TransactionViolation;
