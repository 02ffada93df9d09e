//! The live simulator: a whole network of real services on real ports in one process, and its story.
//!
//! [`network`] starts the services; everybody else here is a client like any other: [`observer`] listens to the nodes'
//! events, [`narrator`] makes tales of them, [`screen`] shows those, [`inspector`] and [`checker`] recompute every
//! block, [`partition`] cuts and heals. On layer `transaction` there is money: [`economy`] has members who pay through the
//! mempool, and at the end [`ledger`] and [`proof`] recompute where every grain is. [`drive`] does all that on a network which runs
//! already. No rule of the chain belongs here, and nobody looks into a service.

pub mod agreement;
pub mod chance;
pub mod checker;
pub mod drive;
pub mod economy;
pub mod flags;
pub mod inspector;
pub mod ledger;
pub mod narrator;
pub mod network;
mod numbers;
pub mod observer;
pub mod parameters;
pub mod partition;
pub mod proof;
pub mod report;
mod run;
pub mod screen;
pub mod tale;
pub mod text;

pub use flags::Options;
pub use report::Report;
pub use run::run;
pub use screen::Look;
