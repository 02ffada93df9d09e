//! The effects that all programs of Chainlab share: HTTP, disk, threads, clocks, configuration, logs.
//!
//! `shared` decides, this crate carries out: a rule of the chain that is found here is in the wrong crate. The services
//! differ only in which of these parts they combine.

#![warn(missing_docs)]

pub mod chain_service;
pub mod client;
pub mod clock;
pub mod config;
pub mod data_dir;
pub mod dns;
pub mod exit;
pub mod flags;
pub mod follower;
pub mod miner;
pub mod open_files;
pub mod own_address;
pub mod plain_words;
pub mod ports;
pub mod registration;
pub mod sanitize;
pub mod secret_file;
pub mod server;
pub mod service_health;
pub mod store;
pub mod telemetry;
pub mod text_file;
pub mod verifier;
