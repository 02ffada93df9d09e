//! The live simulator: a whole network of real services on real ports in one process, and its story.
//!
//! [`network`] starts the services; everybody else here is a client like any other: [`observer`] listens to the nodes'
//! events, [`narrator`] makes tales of them, [`screen`] shows those, [`inspector`] and [`checker`] recompute every
//! block, [`partition`] cuts and heals. On layer `transaction` there is money: [`payers`] has members who pay through the
//! mempool, and at the end [`replayed_ledger`] and [`money_proof`] recompute where every grain is. [`drive`] does all that on a network which runs
//! already. No rule of the chain belongs here, and nobody looks into a service.

pub mod checker;
pub mod drive;
pub mod event;
pub mod event_text;
pub mod final_agreement;
pub mod flags;
pub mod inspector;
pub mod money_proof;
pub mod narrator;
pub mod network;
mod numbers;
pub mod observer;
pub mod parameters;
pub mod partition;
pub mod payers;
pub mod random;
pub mod replayed_ledger;
pub mod report;
mod run;
pub mod screen;

pub use flags::Options;
pub use report::RunReport;
pub use run::run;
pub use screen::OutputFormat;
