//! x
pub mod client;
pub mod config;
pub mod data_dir;
pub mod miner;
pub mod ports;
pub mod server;
pub mod telemetry;
