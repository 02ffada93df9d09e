//! The live simulator: a whole network of real services on real ports in one process, and a narration of what happens.
//!
//! [`network`] starts the services. Everything else is a client of them, like any other. [`observer`] follows the
//! nodes' events, [`narrator`] turns those into the events of the run, and [`screen`] writes them. [`inspector`] and
//! [`checker`] recompute every block; [`partition`] cuts the network and heals it. On layer `transaction` there is
//! money: [`payers`] are members who pay through the mempool, and at the end [`ledger`] and [`money_proof`] account for
//! every grain. On layer `utxo` they pay with coins ([`payers::coins`]). On layer `program` they also make and call
//! programs ([`payers::programs`]), and the chain is run again. [`attacker`] mines against the nodes with a strategy of
//! the laboratory. [`drive`] does all this on a network that already runs.
//!
//! No rule of the chain belongs here, and nothing here reaches into a service.

pub mod attacker;
pub mod attacker_options;
pub mod checker;
pub mod drive;
pub mod event;
pub mod event_text;
pub mod final_agreement;
pub mod flags;
pub mod inspector;
pub mod ledger;
pub mod money_proof;
pub mod narrator;
pub mod network;
mod numbers;
pub mod observer;
pub mod options;
pub mod parameters;
pub mod partition;
pub mod payers;
#[cfg(feature = "programs")]
mod program_proof;
mod replay;
pub mod report;
mod run;
pub mod screen;
mod uncovered;
mod wrap;

pub use options::RunOptions;
pub use report::RunReport;
pub use run::run;
pub use screen::OutputFormat;
